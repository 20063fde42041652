"""The window of a unit row: the 25 cells within three steps, five numbers each. Portable.

A game's board is drawn once, with a margin of three cells around it, and what seats see differently is drawn over it
for each; a unit's window then is seven pieces of seven of its rows, in the shape of a diamond.
"""

import numpy as np
import numpy.typing as npt

from .state import CART, NO_RESOURCE, RESEARCH_NEEDED, WOOD, Board, Games

REACH = 3
#: numbers of a cell: wood / 500; coal or uranium / 400, a quarter of it while closed; an own (+1) or other (-1)
#: city tile; an own or other unit, half for a cart; 1 where a city tile could be built, -1 off the map
CHANNELS = ("wood / 500", "coal or uranium / 400, a quarter of it while closed", "city tile, +own -other",
            "worker, half for a cart, +own -other", "free, -1 off the map")  # fmt: skip
NUM_CHANNELS = len(CHANNELS)
OUTSIDE = -1.0
_ORE, _TILE, _UNIT, _FREE = 1, 2, 3, 4
NUM_WINDOW = 25 * NUM_CHANNELS

#: ``[height + 6, (width + 6) * NUM_CHANNELS]`` float32
Drawing = npt.NDArray[np.float32]
#: ``[C + 1]`` int64: cells with coal or uranium; the last entry says how many
Ores = npt.NDArray[np.int64]


def clear_drawing(drawing: Drawing) -> None:
    """Make everything lie off the map."""
    drawing[:] = 0.0
    for y in range(drawing.shape[0]):
        for at in range(_FREE, drawing.shape[1], NUM_CHANNELS):
            drawing[y, at] = OUTSIDE


def draw_ground(g: int, board: Board, games: Games, drawing: Drawing, ores: Ores) -> None:
    """Draw what both seats see alike into a drawing whose margin was cleared; list the cells with coal or uranium."""
    width, resource_kind, amount = board.width, games.resource_kind, games.resource_amount
    tile_team = games.tile_team
    count = 0
    for y in range(board.height):
        row = drawing[y + REACH, REACH * NUM_CHANNELS :]
        for x in range(width):
            cell = y * width + x
            at = x * NUM_CHANNELS
            kind = int(resource_kind[g, cell])
            wood = 0.0
            free = 0.0
            if kind == WOOD:
                wood = int(amount[g, cell]) / 500.0
            elif kind != NO_RESOURCE:
                ores[count] = cell
                count += 1
            elif tile_team[g, cell] < 0:
                free = 1.0
            row[at] = wood
            row[at + _ORE] = 0.0
            row[at + _TILE] = 0.0
            row[at + _UNIT] = 0.0
            row[at + _FREE] = free
    ores[-1] = count


def draw_seat(g: int, seat: int, board: Board, games: Games, drawing: Drawing, ores: Ores) -> None:
    """Draw what depends on the seat over the ground, or over what the other seat sees of the same game."""
    width, resource_kind, amount = board.width, games.resource_kind, games.resource_amount
    research, num_units, tile_next = games.research, games.num_units, games.tile_next
    unit_cell, unit_kind = games.unit_cell, games.unit_kind
    for k in range(ores[-1]):
        cell = int(ores[k])
        shown = int(amount[g, cell]) / 400.0
        if research[g, seat] < RESEARCH_NEEDED[int(resource_kind[g, cell]) - 1]:
            shown = shown / 4.0
        drawing[cell // width + REACH, (cell % width + REACH) * NUM_CHANNELS + _ORE] = shown
    for city in range(games.num_cities[g]):
        shown = 1.0 if games.city_team[g, city] == seat else -1.0
        cell = int(games.city_first[g, city])
        while cell >= 0:
            drawing[cell // width + REACH, (cell % width + REACH) * NUM_CHANNELS + _TILE] = shown
            cell = int(tile_next[g, cell])
    for team in range(2):
        for u in range(num_units[g, team]):
            cell = int(unit_cell[g, team, u])
            shown = 0.5 if unit_kind[g, team, u] == CART else 1.0
            row, at = cell // width + REACH, (cell % width + REACH) * NUM_CHANNELS + _UNIT
            drawing[row, at] = shown if team == seat else -shown


def write_window(y: int, x: int, drawing: Drawing, at: int, out: npt.NDArray[np.float32]) -> None:
    """Copy the window around (x, y) to the NUM_WINDOW numbers of `out` from `at` on, row by row from the north."""
    cell = NUM_CHANNELS
    copy(drawing[y, (x + 3) * cell :], out[at:], 1 * cell)
    copy(drawing[y + 1, (x + 2) * cell :], out[at + 1 * cell :], 3 * cell)
    copy(drawing[y + 2, (x + 1) * cell :], out[at + 4 * cell :], 5 * cell)
    copy(drawing[y + 3, x * cell :], out[at + 9 * cell :], 7 * cell)
    copy(drawing[y + 4, (x + 1) * cell :], out[at + 16 * cell :], 5 * cell)
    copy(drawing[y + 5, (x + 2) * cell :], out[at + 21 * cell :], 3 * cell)
    copy(drawing[y + 6, (x + 3) * cell :], out[at + 24 * cell :], 1 * cell)


def copy(source: npt.NDArray[np.float32], target: npt.NDArray[np.float32], count: int) -> None:
    """Copy `count` numbers. Where that is a constant, the loop becomes straight code, twice as fast as any other."""
    for k in range(count):
        target[k] = source[k]


def count_others_beside(y: int, x: int, drawing: Drawing) -> int:
    """On how many of the four sides of a cell there is a unit of the other team."""
    row, at = y + REACH, (x + REACH) * NUM_CHANNELS + _UNIT
    count = 1 if drawing[row - 1, at] < 0.0 else 0
    count += 1 if drawing[row + 1, at] < 0.0 else 0
    count += 1 if drawing[row, at - NUM_CHANNELS] < 0.0 else 0
    count += 1 if drawing[row, at + NUM_CHANNELS] < 0.0 else 0
    return count


assert REACH == 3  # `write_window` is written out for it
