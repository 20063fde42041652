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
    NUM_CHOICES,
    PILLAGE_HERE,
    RESEARCH_HERE,
    TILE,
    WOOD_NORTH,
    WORKER_HERE,
    Rows,
    room_of,
)
from .state import CITY_COST, NO_RESOURCE, READY, RESEARCH_NEEDED, WORKER, Board, Games

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
    cells: Rows,
    kinds: Rows,
    slots: Rows,
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


def write_masks(
    g: int,
    team: int,
    first: int,
    last: int,
    board: Board,
    games: Games,
    room: npt.NDArray[np.int64],
    kinds: Rows,
    slots: Rows,
    legal: npt.NDArray[np.bool_],
) -> None:
    """Write the masks of the rows first..last-1, all of one seat; `room` is what `mark_room` says of its team."""
    near, tile_team, resource_kind = board.near, games.tile_team, games.resource_kind
    unit_cell, unit_cargo, road = games.unit_cell, games.unit_cargo, games.road
    outside = near.shape[0] - 1
    builds, studies = can_build(g, team, games), can_research(g, team, games)
    for row in range(first, last):
        kind, slot = kinds[row], slots[row]
        for choice in range(NUM_CHOICES):
            legal[row, choice] = choice == NOTHING
        if kind == TILE:
            legal[row, WORKER_HERE] = builds
            legal[row, CART_HERE] = builds
            legal[row, RESEARCH_HERE] = studies
            continue
        cell = unit_cell[g, team, slot]
        wood = int(unit_cargo[g, team, slot, 0])
        coal = int(unit_cargo[g, team, slot, 1])
        uranium = int(unit_cargo[g, team, slot, 2])
        load = wood + coal + uranium
        for side in range(4):
            there = near[cell, side]
            legal[row, MOVE_NORTH + side] = there != outside and tile_team[g, there] != 1 - team
            if load > 0 and room[there] > 0:
                legal[row, WOOD_NORTH + side] = wood > 0
                legal[row, WOOD_NORTH + 4 + side] = coal > 0
                legal[row, WOOD_NORTH + 8 + side] = uranium > 0
        if kind == WORKER and tile_team[g, cell] < 0:
            legal[row, BUILD_CITY_HERE] = load >= CITY_COST and resource_kind[g, cell] == NO_RESOURCE
            legal[row, PILLAGE_HERE] = road[g, cell] > 0
