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
#: an order that the rules drop
NO_ORDER = -1

Row = npt.NDArray[np.int16]


def room_of(g: int, team: int, u: int, games: Games) -> int:
    """How much more a unit can carry."""
    load = 0
    for resource in range(3):
        load += int(games.unit_cargo[g, team, u, resource])
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


def write_order(
    g: int, team: int, kind: int, slot: int, choice: int, board: Board, games: Games, order: Row
) -> None:
    """Write the order (``[4]``) that a legal choice means; `slot` is a unit's slot or a tile's cell."""
    order[KIND] = NO_ORDER
    order[SUBJECT] = slot
    order[TARGET] = 0
    order[AMOUNT] = 0
    if choice == NOTHING:
        return
    if kind == TILE:
        order[KIND] = BUILD_WORKER + choice - WORKER_HERE
    elif choice < WOOD_NORTH:
        order[KIND] = MOVE
        order[TARGET] = choice - MOVE_NORTH
    elif choice < BUILD_CITY_HERE:
        side = (choice - WOOD_NORTH) % 4
        there = board.near[games.unit_cell[g, team, slot], side]
        order[KIND] = TRANSFER_WOOD + (choice - WOOD_NORTH) // 4
        order[TARGET] = find_receiver(g, team, there, games)
        order[AMOUNT] = CAPACITY[CART]
    else:
        order[KIND] = BUILD_CITY if choice == BUILD_CITY_HERE else PILLAGE


def read_order(g: int, team: int, order: Row, board: Board, games: Games) -> int:
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
