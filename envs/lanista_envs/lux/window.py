"""The window of a unit row: the 25 cells within three steps, eight small whole numbers each. Portable.

A game's board is drawn once, with a margin of three cells around it, and what seats see differently is drawn over it
for each; a unit's window then is seven pieces of seven of its rows, in the shape of a diamond.
"""

import numpy as np
import numpy.typing as npt

from .state import CART, NO_RESOURCE, READY, RESEARCH_NEEDED, WOOD, Board, Games

REACH = 3
#: numbers of a cell, eight bytes, so that a cell is copied at once: wood / 4; coal or uranium / 4, a quarter of it
#: while closed; the road in quarters; an own (+1) or other (-1) city tile; an own or other unit, 2 for a worker and 1
#: for a cart; what that unit carries / 20; whether it may act; 1 where a city tile could be built, -1
#: off the map. Of several units on a tile the last of the list is shown
CHANNELS = ("wood / 4", "coal or uranium / 4, a quarter of it while closed", "road in quarters",
            "city tile, +own -other", "worker 2, cart 1, +own -other", "cargo / 20", "1 may act",
            "free, -1 off the map")  # fmt: skip
NUM_CHANNELS = len(CHANNELS)
#: what about a channel's largest number is
SPREADS = (125.0, 100.0, 24.0, 1.0, 2.0, 5.0, 1.0, 1.0)
#: what a byte holds
MOST = 127
OUTSIDE = -1
_ORE, ROAD, _TILE, _UNIT, _CARGO, _ACTS, FREE = 1, 2, 3, 4, 5, 6, 7
NUM_CELLS = 25

#: ``[height + 6, (width + 6) * NUM_CHANNELS]`` int8
Drawing = npt.NDArray[np.int8]
#: the same memory, ``[height + 6, width + 6]`` int64, and the windows of rows, ``[U, NUM_CELLS]``
Cells = npt.NDArray[np.int64]
#: ``[C + 1]`` int64: cells with coal or uranium; the last entry says how many
Ores = npt.NDArray[np.int64]


def clear_drawing(drawing: Drawing) -> None:
    """Make everything lie off the map."""
    drawing[:] = 0
    for y in range(drawing.shape[0]):
        for at in range(FREE, drawing.shape[1], NUM_CHANNELS):
            drawing[y, at] = OUTSIDE


def draw_ground(g: int, board: Board, games: Games, drawing: Drawing, ores: Ores) -> None:
    """Draw what both seats see alike into a drawing whose margin was cleared; list the cells with coal or uranium."""
    width, resource_kind, amount = board.width, games.resource_kind, games.resource_amount
    tile_team, road = games.tile_team, games.road
    count = 0
    for y in range(board.height):
        row = drawing[y + REACH, REACH * NUM_CHANNELS :]
        for x in range(width):
            cell = y * width + x
            at = x * NUM_CHANNELS
            kind = int(resource_kind[g, cell])
            wood = 0
            free = 0
            if kind == WOOD:
                wood = min(int(amount[g, cell]) // 4, MOST)
            elif kind != NO_RESOURCE:
                ores[count] = cell
                count += 1
            elif tile_team[g, cell] < 0:
                free = 1
            row[at] = wood
            row[at + _ORE] = 0
            row[at + ROAD] = road[g, cell]
            row[at + _TILE] = 0
            row[at + _UNIT] = 0
            row[at + _CARGO] = 0
            row[at + _ACTS] = 0
            row[at + FREE] = free
    ores[-1] = count


def draw_seat(g: int, seat: int, board: Board, games: Games, drawing: Drawing, ores: Ores) -> None:
    """Draw what depends on the seat over the ground, or over what the other seat sees of the same game."""
    row_of, column_of = board.row_of, board.column_of
    resource_kind, amount = games.resource_kind, games.resource_amount
    research, num_units, tile_next = games.research, games.num_units, games.tile_next
    unit_cell, unit_kind, unit_cargo = games.unit_cell, games.unit_kind, games.unit_cargo
    for k in range(ores[-1]):
        cell = int(ores[k])
        shown = int(amount[g, cell]) // 4
        if research[g, seat] < RESEARCH_NEEDED[int(resource_kind[g, cell]) - 1]:
            shown = shown // 4
        drawing[row_of[cell] + REACH, (column_of[cell] + REACH) * NUM_CHANNELS + _ORE] = min(shown, MOST)
    for city in range(games.num_cities[g]):
        shown = 1 if games.city_team[g, city] == seat else -1
        cell = int(games.city_first[g, city])
        while cell >= 0:
            drawing[row_of[cell] + REACH, (column_of[cell] + REACH) * NUM_CHANNELS + _TILE] = shown
            cell = int(tile_next[g, cell])
    for team in range(2):
        for u in range(num_units[g, team]):
            cell = int(unit_cell[g, team, u])
            row, at = row_of[cell] + REACH, (column_of[cell] + REACH) * NUM_CHANNELS
            shown = 1 if unit_kind[g, team, u] == CART else 2
            load = (
                int(unit_cargo[g, team, u, 0])
                + int(unit_cargo[g, team, u, 1])
                + int(unit_cargo[g, team, u, 2])
            )
            drawing[row, at + _UNIT] = shown if team == seat else -shown
            drawing[row, at + _CARGO] = min(load // 20, MOST)
            drawing[row, at + _ACTS] = 1 if games.unit_cooldown[g, team, u] < READY else 0


def write_window(y: int, x: int, cells: Cells, out: Cells) -> None:
    """Copy the window around (x, y), row by row from the north. Written out: as a loop it takes twice as long."""
    copy(cells[y, x + 3 :], out, 1)
    copy(cells[y + 1, x + 2 :], out[1:], 3)
    copy(cells[y + 2, x + 1 :], out[4:], 5)
    copy(cells[y + 3, x:], out[9:], 7)
    copy(cells[y + 4, x + 1 :], out[16:], 5)
    copy(cells[y + 5, x + 2 :], out[21:], 3)
    copy(cells[y + 6, x + 3 :], out[24:], 1)


def copy(source: Cells, target: Cells, count: int) -> None:
    """Copy `count` cells; a constant one makes straight code of the loop."""
    for k in range(count):
        target[k] = source[k]


def count_others_beside(y: int, x: int, drawing: Drawing) -> int:
    """On how many of the four sides of a cell there is a unit of the other team."""
    row, at = y + REACH, (x + REACH) * NUM_CHANNELS + _UNIT
    count = 1 if drawing[row - 1, at] < 0 else 0
    count += 1 if drawing[row + 1, at] < 0 else 0
    count += 1 if drawing[row, at - NUM_CHANNELS] < 0 else 0
    count += 1 if drawing[row, at + NUM_CHANNELS] < 0 else 0
    return count


assert REACH == 3  # `write_window` is written out for it
