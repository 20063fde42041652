"""The nearest of everything, for every cell at once: sixteen maps of distances in four sweeps. Portable.

A lane (one of sixteen kinds of sources) holds ``distance * STEP + y * ROW + x``, (x, y) the source, for each cell.
Adding STEP and taking the smaller carries the nearest source from neighbour to neighbour: first down and up the
columns, then along the rows in both directions, which is exact for distances in steps of n, e, s, w. Of several at
the same distance the first is found, row by row from the north. What stands between does not matter.
"""

import numpy as np
import numpy.typing as npt

from .state import COAL, NO_RESOURCE, RESEARCH_NEEDED, URANIUM, WOOD, Board, Games
from .tally import is_hungry, nights_due

#: powers of two, since shifts are cheaper than divisions; sides stay below 256
ROW = 1 << 8
STEP = 1 << 16
#: in a lane without sources; stays far above all distances
NONE = 1 << 30
NUM_LANES = 16
#: lanes; the second of a pair is team 1's
WOOD_LANE, COAL_LANE, URANIUM_LANE, FREE = 0, 1, 2, 3
OPEN, TILES, UNITS, HUNGRY, HOME_SITES, CAMP_SITES = 4, 6, 8, 10, 12, 14

#: ``[height, width, NUM_LANES]`` int32: the lanes of a cell stand together, so that one step carries all of them
Lanes = npt.NDArray[np.int32]


def sweep(lanes: Lanes, width: int, height: int) -> None:
    """Spread all lanes over the board.

    Every inner loop runs over a view of one row or one cell, as far as that is long: in this form, and neither with
    a fixed number of rounds nor with indices that are sums, numba's loops become vector instructions, six times as
    fast. Sums are cast back, since numba adds two int32 to an int64, and half as many of those fit into a register.
    """
    step = np.int32(STEP)
    rows = lanes.reshape(height, width * NUM_LANES)
    for y in range(1, height):
        here, beside = rows[y], rows[y - 1]
        for k in range(here.size):
            here[k] = min(here[k], np.int32(beside[k] + step))
    for y in range(height - 2, -1, -1):
        here, beside = rows[y], rows[y + 1]
        for k in range(here.size):
            here[k] = min(here[k], np.int32(beside[k] + step))
    for y in range(height):
        for x in range(1, width):
            here, beside = lanes[y, x], lanes[y, x - 1]
            for k in range(here.size):
                here[k] = min(here[k], np.int32(beside[k] + step))
        for x in range(width - 2, -1, -1):
            here, beside = lanes[y, x], lanes[y, x + 1]
            for k in range(here.size):
                here[k] = min(here[k], np.int32(beside[k] + step))


def plant_cells(g: int, board: Board, games: Games, lanes: Lanes) -> None:
    """Write the sources among the cells without a city tile."""
    resource_kind, kinds_near, tile_team = games.resource_kind, games.kinds_near, games.tile_team
    research, width = games.research, board.width
    # Which teams may collect a kind: bit 0 for team 0, bit 1 for team 1.
    coal = 0
    uranium = 0
    for team in range(2):
        coal |= 1 << team if research[g, team] >= RESEARCH_NEEDED[1] else 0
        uranium |= 1 << team if research[g, team] >= RESEARCH_NEEDED[2] else 0
    for y in range(board.height):
        for x in range(width):
            cell = y * width + x
            here = y * ROW + x
            kind = int(resource_kind[g, cell])
            if kind != NO_RESOURCE:
                lanes[y, x, WOOD_LANE + kind - WOOD] = here
                teams = 3 if kind == WOOD else (coal if kind == COAL else uranium)
                lane = OPEN
            elif tile_team[g, cell] < 0:
                lanes[y, x, FREE] = here
                kinds = int(kinds_near[g, cell])
                teams = (
                    (kinds >> WOOD & 1) * 3 | (kinds >> COAL & 1) * coal | (kinds >> URANIUM & 1) * uranium
                )
                lane = CAMP_SITES
            else:
                continue
            if teams & 1:
                lanes[y, x, lane] = here
            if teams & 2:
                lanes[y, x, lane + 1] = here


def plant_cities(g: int, board: Board, games: Games, lanes: Lanes) -> None:
    """Write city tiles, and the free cells beside them, where their cities could grow."""
    near, row_of, column_of = board.near, board.row_of, board.column_of
    city_fuel, city_upkeep, city_team = games.city_fuel, games.city_upkeep, games.city_team
    tile_next, tile_team, resource_kind = games.tile_next, games.tile_team, games.resource_kind
    outside = near.shape[0] - 1
    due = nights_due(int(games.turn[g]))
    for city in range(games.num_cities[g]):
        hungry = is_hungry(city_fuel[g, city], city_upkeep[g, city], due)
        team = int(city_team[g, city])
        cell = int(games.city_first[g, city])
        while cell >= 0:
            y, x = row_of[cell], column_of[cell]
            here = np.int64(y) * ROW + x
            lanes[y, x, TILES + team] = here
            if hungry:
                lanes[y, x, HUNGRY + team] = here
            for side in range(4):
                other = int(near[cell, side])
                if other != outside and tile_team[g, other] < 0 and resource_kind[g, other] == NO_RESOURCE:
                    y, x = row_of[other], column_of[other]
                    lanes[y, x, HOME_SITES + team] = np.int64(y) * ROW + x
            cell = int(tile_next[g, cell])


def plant_units(g: int, board: Board, games: Games, lanes: Lanes) -> None:
    """Write where units stand."""
    num_units, unit_cell = games.num_units, games.unit_cell
    row_of, column_of = board.row_of, board.column_of
    for team in range(2):
        for u in range(num_units[g, team]):
            cell = int(unit_cell[g, team, u])
            y, x = row_of[cell], column_of[cell]
            lanes[y, x, UNITS + team] = np.int64(y) * ROW + x


def find_nearest(g: int, board: Board, games: Games, lanes: Lanes) -> None:
    """Fill `lanes` for game g."""
    rows = lanes.reshape(board.height, board.width * NUM_LANES)
    for y in range(board.height):
        row = rows[y]
        for k in range(row.size):
            row[k] = NONE
    plant_cells(g, board, games, lanes)
    plant_cities(g, board, games, lanes)
    plant_units(g, board, games, lanes)
    sweep(lanes, board.width, board.height)


def cell_of(found: int, width: int) -> int:
    """The cell of the source in a lane's value."""
    return found // ROW % ROW * width + found % ROW
