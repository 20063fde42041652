"""The nearest of everything, for every cell at once: sixteen maps of distances in four sweeps. Portable.

A lane (one of sixteen kinds of sources) holds ``distance * STEP + cell of the source`` for each cell. Adding STEP and
taking the smaller carries the nearest source from neighbour to neighbour: first down and up the columns,
then along the rows in both directions, which is exact for distances in steps of n, e, s, w. Of several at the same
distance the one with the lowest cell is found. What stands between does not matter.
"""

import numpy as np
import numpy.typing as npt

from .state import COAL, NO_RESOURCE, RESEARCH_NEEDED, URANIUM, WOOD, Board, Games
from .tally import is_hungry, nights_due

#: more than the number of cells of the largest board
STEP = 1 << 15
#: in a lane without sources; stays far above all distances
NONE = 1 << 30
NUM_LANES = 16
#: lanes; the second of a pair is team 1's
WOOD_LANE, COAL_LANE, URANIUM_LANE, FREE = 0, 1, 2, 3
OPEN, TILES, UNITS, HUNGRY, HOME_SITES, CAMP_SITES = 4, 6, 8, 10, 12, 14

#: ``[height, width, NUM_LANES]`` int32
Lanes = npt.NDArray[np.int32]


def sweep(lanes: Lanes, width: int, height: int) -> None:
    """Spread all lanes over the board."""
    step = np.int32(STEP)
    for y in range(1, height):
        for x in range(width):
            for k in range(NUM_LANES):
                lanes[y, x, k] = min(lanes[y, x, k], lanes[y - 1, x, k] + step)
    for y in range(height - 2, -1, -1):
        for x in range(width):
            for k in range(NUM_LANES):
                lanes[y, x, k] = min(lanes[y, x, k], lanes[y + 1, x, k] + step)
    for y in range(height):
        for x in range(1, width):
            for k in range(NUM_LANES):
                lanes[y, x, k] = min(lanes[y, x, k], lanes[y, x - 1, k] + step)
        for x in range(width - 2, -1, -1):
            for k in range(NUM_LANES):
                lanes[y, x, k] = min(lanes[y, x, k], lanes[y, x + 1, k] + step)


def plant_cell(g: int, cell: int, coal: int, uranium: int, board: Board, games: Games, lanes: Lanes) -> None:
    """Write what a cell without a city tile is a source of; `coal` and `uranium` are bits of the teams."""
    y, x = cell // board.width, cell % board.width
    kind = games.resource_kind[g, cell]
    if kind != NO_RESOURCE:
        lanes[y, x, WOOD_LANE + kind - WOOD] = cell
        teams = 3 if kind == WOOD else (coal if kind == COAL else uranium)
        if teams & 1:
            lanes[y, x, OPEN] = cell
        if teams & 2:
            lanes[y, x, OPEN + 1] = cell
        return
    lanes[y, x, FREE] = cell
    kinds = games.kinds_near[g, cell]
    if kinds != 0:
        teams = 3 if kinds & (1 << WOOD) else 0
        if kinds & (1 << COAL):
            teams |= coal
        if kinds & (1 << URANIUM):
            teams |= uranium
        if teams & 1:
            lanes[y, x, CAMP_SITES] = cell
        if teams & 2:
            lanes[y, x, CAMP_SITES + 1] = cell


def plant_city(g: int, city: int, hungry: bool, board: Board, games: Games, lanes: Lanes) -> None:
    """Write the tiles of a city, and the free cells beside them, where the city could grow."""
    width = board.width
    team = games.city_team[g, city]
    outside = board.near.shape[0] - 1
    cell = games.city_first[g, city]
    while cell >= 0:
        y, x = cell // width, cell % width
        lanes[y, x, TILES + team] = cell
        if hungry:
            lanes[y, x, HUNGRY + team] = cell
        for side in range(4):
            other = int(board.near[cell, side])
            if (
                other != outside
                and games.tile_team[g, other] < 0
                and games.resource_kind[g, other] == NO_RESOURCE
            ):
                lanes[other // width, other % width, HOME_SITES + team] = other
        cell = games.tile_next[g, cell]


def find_nearest(g: int, board: Board, games: Games, lanes: Lanes) -> None:
    """Fill `lanes` for game g."""
    width = board.width
    lanes[:] = NONE
    due = nights_due(int(games.turn[g]))
    coal = 0
    uranium = 0
    for team in range(2):
        coal |= 1 << team if games.research[g, team] >= RESEARCH_NEEDED[1] else 0
        uranium |= 1 << team if games.research[g, team] >= RESEARCH_NEEDED[2] else 0
    for cell in range(width * board.height):
        if games.tile_team[g, cell] < 0:
            plant_cell(g, cell, coal, uranium, board, games, lanes)
    for city in range(games.num_cities[g]):
        plant_city(g, city, is_hungry(g, city, due, games), board, games, lanes)
    for team in range(2):
        for u in range(games.num_units[g, team]):
            cell = int(games.unit_cell[g, team, u])
            lanes[cell // width, cell % width, UNITS + team] = cell
    sweep(lanes, width, board.height)
