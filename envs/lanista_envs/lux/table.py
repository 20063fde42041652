"""The flat table of acting units: who stands in it, in which order, and what each may choose. Portable.

The rows of a seat are its units that may act now, in the order of their list, then its city tiles that may act, city
by city and tile by tile. Tiles are left out while their seat can neither build (it has as many units as tiles) nor
do research that opens anything: they would have nothing to choose.

A choice is legal if the rules accept its order and it does something: no transfer of what one has not, or to nobody;
no pillage without a road; no research beyond uranium. One thing is decided only when all have chosen: the
builds of a turn may outnumber the room for units, and then the first rows build and the others do nothing.
"""

import numpy as np
import numpy.typing as npt

from .choices import (
    BUILD_CITY_HERE,
    CART_HERE,
    MOVE_NORTH,
    NOTHING,
    PILLAGE_HERE,
    RESEARCH_HERE,
    TILE,
    WOOD_NORTH,
    WORKER_HERE,
    room_of,
)
from .state import CITY_COST, NO_RESOURCE, RESEARCH_NEEDED, WORKER, Board, Games

#: a unit may act while its cooldown is below this, in quarters
READY = 4
#: research beyond it opens nothing
ALL_RESEARCH = RESEARCH_NEEDED[2]


def can_build(g: int, team: int, games: Games) -> bool:
    """Is there room for another unit?"""
    return bool(games.num_units[g, team] < games.num_tiles[g, team])


def can_research(g: int, team: int, games: Games) -> bool:
    """Is there anything left to find?"""
    return bool(games.research[g, team] < ALL_RESEARCH)


def count_rows(g: int, team: int, games: Games) -> int:
    """How many rows a seat has; none in a game that is over."""
    if games.over[g]:
        return 0
    count = 0
    for u in range(games.num_units[g, team]):
        count += 1 if games.unit_cooldown[g, team, u] < READY else 0
    if can_build(g, team, games) or can_research(g, team, games):
        turn = games.turn[g]
        for city in range(games.num_cities[g]):
            if games.city_team[g, city] != team:
                continue
            cell = games.city_first[g, city]
            while cell >= 0:
                count += 1 if games.tile_ready[g, cell] <= turn else 0
                cell = games.tile_next[g, cell]
    return count


def list_rows(
    g: int,
    team: int,
    first: int,
    games: Games,
    cells: npt.NDArray[np.int64],
    kinds: npt.NDArray[np.int64],
    slots: npt.NDArray[np.int64],
) -> int:
    """Write cell, kind and slot (a tile's is its cell) of a seat's rows from `first` on; give the end."""
    row = first
    if games.over[g]:
        return row
    for u in range(games.num_units[g, team]):
        if games.unit_cooldown[g, team, u] < READY:
            cells[row] = games.unit_cell[g, team, u]
            kinds[row] = games.unit_kind[g, team, u]
            slots[row] = u
            row += 1
    if can_build(g, team, games) or can_research(g, team, games):
        turn = games.turn[g]
        for city in range(games.num_cities[g]):
            if games.city_team[g, city] != team:
                continue
            cell = games.city_first[g, city]
            while cell >= 0:
                if games.tile_ready[g, cell] <= turn:
                    cells[row] = cell
                    kinds[row] = TILE
                    slots[row] = cell
                    row += 1
                cell = games.tile_next[g, cell]
    return row


def mark_room(g: int, team: int, games: Games, room: npt.NDArray[np.int64]) -> None:
    """Write the most room that a unit of `team` has into each cell of `room` (``[C + 1]``, else 0)."""
    for u in range(games.num_units[g, team]):
        cell = games.unit_cell[g, team, u]
        room[cell] = max(room[cell], room_of(g, team, u, games))


def forget_room(g: int, team: int, games: Games, room: npt.NDArray[np.int64]) -> None:
    """Set what `mark_room` wrote back to 0."""
    for u in range(games.num_units[g, team]):
        room[games.unit_cell[g, team, u]] = 0


def write_legal(
    g: int,
    team: int,
    kind: int,
    slot: int,
    board: Board,
    games: Games,
    room: npt.NDArray[np.int64],
    legal: npt.NDArray[np.bool_],
) -> None:
    """Write the mask (``[A]``) of one row; `room` is what `mark_room` says of its team."""
    legal[:] = False
    legal[NOTHING] = True
    if kind == TILE:
        legal[WORKER_HERE] = legal[CART_HERE] = can_build(g, team, games)
        legal[RESEARCH_HERE] = can_research(g, team, games)
        return
    cell = games.unit_cell[g, team, slot]
    outside = board.near.shape[0] - 1
    load = 0
    for resource in range(3):
        load += int(games.unit_cargo[g, team, slot, resource])
    for side in range(4):
        there = board.near[cell, side]
        legal[MOVE_NORTH + side] = there != outside and games.tile_team[g, there] != 1 - team
        if load > 0 and room[there] > 0:
            for resource in range(3):
                legal[WOOD_NORTH + 4 * resource + side] = games.unit_cargo[g, team, slot, resource] > 0
    if kind == WORKER and games.tile_team[g, cell] < 0:
        legal[BUILD_CITY_HERE] = load >= CITY_COST and games.resource_kind[g, cell] == NO_RESOURCE
        legal[PILLAGE_HERE] = games.road[g, cell] > 0
