"""The window of a unit row: the 25 cells within three steps, five numbers each. Portable.

A seat's board is drawn once, with a margin of three cells around it; a unit's window then is seven pieces of seven
of its rows, in the shape of a diamond.
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
_TILE, _UNIT, _FREE = 2, 3, 4
NUM_WINDOW = 25 * NUM_CHANNELS

#: ``[height + 6, (width + 6) * NUM_CHANNELS]`` float32
Drawing = npt.NDArray[np.float32]


def clear_drawing(drawing: Drawing) -> None:
    """Make everything lie off the map."""
    drawing[:] = 0.0
    for y in range(drawing.shape[0]):
        for at in range(_FREE, drawing.shape[1], NUM_CHANNELS):
            drawing[y, at] = OUTSIDE


def draw_board(g: int, seat: int, board: Board, games: Games, drawing: Drawing) -> None:
    """Draw the board for `seat` into a drawing whose margin was cleared."""
    width, resource_kind, amount = board.width, games.resource_kind, games.resource_amount
    tile_team, research, num_units = games.tile_team, games.research, games.num_units
    unit_cell, unit_kind = games.unit_cell, games.unit_kind
    for y in range(board.height):
        for x in range(width):
            cell = y * width + x
            at = (x + REACH) * NUM_CHANNELS
            row = y + REACH
            kind = int(resource_kind[g, cell])
            team = tile_team[g, cell]
            wood = 0.0
            other = 0.0
            if kind == WOOD:
                wood = int(amount[g, cell]) / 500.0
            elif kind != NO_RESOURCE:
                other = int(amount[g, cell]) / 400.0
                if research[g, seat] < RESEARCH_NEEDED[kind - 1]:
                    other = other / 4.0
            drawing[row, at] = wood
            drawing[row, at + 1] = other
            drawing[row, at + _TILE] = 0.0 if team < 0 else (1.0 if team == seat else -1.0)
            drawing[row, at + _UNIT] = 0.0
            drawing[row, at + _FREE] = 1.0 if team < 0 and kind == NO_RESOURCE else 0.0
    for team in range(2):
        for u in range(num_units[g, team]):
            cell = int(unit_cell[g, team, u])
            shown = 0.5 if unit_kind[g, team, u] == CART else 1.0
            row, at = cell // width + REACH, (cell % width + REACH) * NUM_CHANNELS + _UNIT
            drawing[row, at] = shown if team == seat else -shown


def write_window(y: int, x: int, drawing: Drawing, at: int, out: npt.NDArray[np.float32]) -> None:
    """Copy the window around (x, y) to the NUM_WINDOW numbers of `out` from `at` on, row by row from the north."""
    place = at
    for row in range(2 * REACH + 1):
        half = REACH - abs(row - REACH)
        start = (x + REACH - half) * NUM_CHANNELS
        for k in range((2 * half + 1) * NUM_CHANNELS):
            out[place + k] = drawing[y + row, start + k]
        place += (2 * half + 1) * NUM_CHANNELS


def count_others_beside(y: int, x: int, drawing: Drawing) -> int:
    """On how many of the four sides of a cell there is a unit of the other team."""
    row, at = y + REACH, (x + REACH) * NUM_CHANNELS + _UNIT
    count = 1 if drawing[row - 1, at] < 0.0 else 0
    count += 1 if drawing[row + 1, at] < 0.0 else 0
    count += 1 if drawing[row, at - NUM_CHANNELS] < 0.0 else 0
    count += 1 if drawing[row, at + NUM_CHANNELS] < 0.0 else 0
    return count
