"""The choices of a unit or city tile, by number, and what they mean as orders. Portable.

A worker: nothing; a move to the north, east, south, west; all of its wood to the unit on each of these sides, the
same with coal, with uranium; build a city tile; pillage. A cart: the first 17 of them. A city tile: nothing, build a
worker, build a cart, research. That is the action space of the season's winner.

A transfer goes to the own unit on that side that has the most room (the first of equals). Its amount is more than
anybody carries, so what reaches the unit earlier in the same turn is passed on, too.
"""

import numpy as np
import numpy.typing as npt

# relative, because targets copy these files together into another package
from .state import (
    AMOUNT,
    BUILD_CART,
    BUILD_CITY,
    BUILD_WORKER,
    CAPACITY,
    CART,
    CENTER,
    KIND,
    MOVE,
    PILLAGE,
    RESEARCH,
    SUBJECT,
    TARGET,
    TRANSFER_URANIUM,
    TRANSFER_WOOD,
    WORKER,
    Board,
    Games,
)

#: kinds of rows, beside WORKER and CART
TILE = 2
NOTHING, MOVE_NORTH, WOOD_NORTH, BUILD_CITY_HERE, PILLAGE_HERE = 0, 1, 5, 17, 18
WORKER_HERE, CART_HERE, RESEARCH_HERE = 1, 2, 3
#: the head's kinds of units, and A
UNITS = (("worker", 19), ("cart", 17), ("city tile", 4))
NUM_CHOICES = 19
#: of each kind, the moves: two units that leave a cell by one side would stop each other
MOVES = ((1, 2, 3, 4), (1, 2, 3, 4), ())
#: an order that the rules drop
NO_ORDER = -1

#: ``[U]``, a number for each row of the table of units
Rows = npt.NDArray[np.int64]


def room_of(g: int, team: int, u: int, games: Games) -> int:
    """How much more a unit can carry."""
    cargo = games.unit_cargo
    load = int(cargo[g, team, u, 0]) + int(cargo[g, team, u, 1]) + int(cargo[g, team, u, 2])
    return CAPACITY[int(games.unit_kind[g, team, u])] - load


def find_receiver(g: int, team: int, cell: int, games: Games) -> int:
    """The slot of the unit on `cell` to which a transfer goes; -1 if nobody there has room."""
    most = 0
    receiver = -1
    for u in range(games.num_units[g, team]):
        if games.unit_cell[g, team, u] == cell:
            room = room_of(g, team, u, games)
            if room > most:
                most = room
                receiver = u
    return receiver


def write_orders(
    first: int,
    last: int,
    seats: Rows,
    kinds: Rows,
    slots: Rows,
    choices: Rows,
    board: Board,
    games: Games,
    orders: npt.NDArray[np.int16],
) -> None:
    """Write the orders (``[.., 4]``) that the legal choices of rows first..last-1 mean, each into its own row.

    `seats` are ``game * 2 + team``; `slots` are places in a team's list of units, or cells of tiles. A row that
    chooses nothing gets an order that the rules drop.
    """
    near, unit_cell = board.near, games.unit_cell
    for row in range(first, last):
        choice, slot = choices[row], slots[row]
        orders[row, KIND] = NO_ORDER
        orders[row, SUBJECT] = slot
        orders[row, TARGET] = 0
        orders[row, AMOUNT] = 0
        if choice == NOTHING:
            continue
        if kinds[row] == TILE:
            orders[row, KIND] = BUILD_WORKER + choice - WORKER_HERE
        elif choice < WOOD_NORTH:
            orders[row, KIND] = MOVE
            orders[row, TARGET] = choice - MOVE_NORTH
        elif choice < BUILD_CITY_HERE:
            g, team = seats[row] // 2, seats[row] % 2
            there = near[unit_cell[g, team, slot], (choice - WOOD_NORTH) % 4]
            orders[row, KIND] = TRANSFER_WOOD + (choice - WOOD_NORTH) // 4
            orders[row, TARGET] = find_receiver(g, team, there, games)
            orders[row, AMOUNT] = CAPACITY[CART]
        else:
            orders[row, KIND] = BUILD_CITY if choice == BUILD_CITY_HERE else PILLAGE


def read_order(g: int, team: int, order: npt.NDArray[np.int16], board: Board, games: Games) -> int:
    """The choice that comes nearest to an order; NOTHING where there is none like it.

    A transfer becomes one of everything, to whoever has the most room on that side; a move to nowhere and a
    transfer on the spot have no choice of their own.
    """
    kind, slot, target = int(order[KIND]), int(order[SUBJECT]), int(order[TARGET])
    if kind >= BUILD_WORKER:
        return kind - BUILD_WORKER + WORKER_HERE if kind <= RESEARCH else NOTHING
    if kind < 0 or not 0 <= slot < games.num_units[g, team]:
        return NOTHING
    if kind == MOVE:
        return MOVE_NORTH + target if 0 <= target < CENTER else NOTHING
    if TRANSFER_WOOD <= kind <= TRANSFER_URANIUM:
        if not 0 <= target < games.num_units[g, team]:
            return NOTHING
        for side in range(4):
            if board.near[games.unit_cell[g, team, slot], side] == games.unit_cell[g, team, target]:
                return WOOD_NORTH + 4 * (kind - TRANSFER_WOOD) + side
        return NOTHING
    if games.unit_kind[g, team, slot] != WORKER:
        return NOTHING
    return BUILD_CITY_HERE if kind == BUILD_CITY else PILLAGE_HERE


assert BUILD_CART == BUILD_WORKER + 1
assert RESEARCH == BUILD_CART + 1
