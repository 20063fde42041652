"""The loops over all cells of a board as operations on whole arrays: for plain numpy. Portable.

A loop over a thousand cells is what numba is made for, and what takes plain Python most of a turn. What stands here gives
the same as the kernels of the same names, to the bit: `sights.see` and `updates.read_updates`, which nobody compiles, call
it instead of them.
"""

import numpy as np
import numpy.typing as npt

from . import nearest, window
from .nearest import ROW, STEP, Lanes
from .state import COAL, NO_RESOURCE, RESEARCH_NEEDED, WOOD, WOOD_CAP, Board, Games


def survey(g: int, board: Board, games: Games) -> None:
    """See `collect.survey`."""
    kinds = games.resource_kind[g]
    bits = np.where(kinds == NO_RESOURCE, 0, 1 << kinds.astype(np.int64))
    games.kinds_near[g, :-1] = np.bitwise_or.reduce(bits[board.near[:-1]], axis=1)
    growing = np.flatnonzero((kinds[:-1] == WOOD) & (games.resource_amount[g, :-1] < WOOD_CAP))
    games.num_growing[g] = len(growing)
    games.growing[g, : len(growing)] = growing


def sum_resources(g: int, games: Games, totals: npt.NDArray[np.int64]) -> None:
    """See `overview.sum_resources`."""
    kinds, amounts = games.resource_kind[g, :-1], games.resource_amount[g, :-1]
    # Sums of int16 stay far below what a float64 holds exactly.
    totals[:] = np.bincount(kinds, weights=amounts, minlength=len(totals))


def find_nearest(g: int, board: Board, games: Games, lanes: Lanes) -> None:
    """See `nearest.find_nearest`."""
    lanes[:] = nearest.NONE
    plant_cells(g, board, games, lanes)
    nearest.plant_cities(g, board, games, lanes)
    nearest.plant_units(g, board, games, lanes)
    sweep(lanes)


def plant_cells(g: int, board: Board, games: Games, lanes: Lanes) -> None:
    """See `nearest.plant_cells`."""
    shape = (board.height, board.width)
    kinds, near = games.resource_kind[g, :-1].reshape(shape), games.kinds_near[g, :-1].reshape(shape)
    here = np.arange(board.height)[:, None] * ROW + np.arange(board.width)
    free = (kinds == NO_RESOURCE) & (games.tile_team[g, :-1].reshape(shape) < 0)
    for kind, lane in (
        (WOOD, nearest.WOOD_LANE),
        (COAL, nearest.COAL_LANE),
        (COAL + 1, nearest.URANIUM_LANE),
    ):
        np.copyto(lanes[:, :, lane], here, where=kinds == kind, casting="same_kind")
    np.copyto(lanes[:, :, nearest.FREE], here, where=free, casting="same_kind")
    for team in range(2):
        # Which kinds a team may collect, as bits of `kinds_near`: wood needs no research.
        found = sum(
            1 << kind
            for kind in range(WOOD, COAL + 2)
            if games.research[g, team] >= RESEARCH_NEEDED[kind - 1]
        )
        may = (found >> kinds.astype(np.int64) & 1 != 0) & (kinds != NO_RESOURCE)
        np.copyto(lanes[:, :, nearest.OPEN + team], here, where=may, casting="same_kind")
        camps = free & (near & found != 0)
        np.copyto(lanes[:, :, nearest.CAMP_SITES + team], here, where=camps, casting="same_kind")


def sweep(lanes: Lanes) -> None:
    """See `nearest.sweep`: rows take from their neighbours, then columns."""
    step = np.int32(STEP)
    for lines in (lanes, lanes.transpose(1, 0, 2)):
        beyond = np.empty(lines.shape[1:], np.int32)
        last = len(lines) - 1
        for order in (range(1, last + 1), range(last - 1, -1, -1)):
            back = -order.step
            for k in order:
                np.add(lines[k + back], step, out=beyond)
                np.minimum(lines[k], beyond, out=lines[k])


def draw_ground(g: int, board: Board, games: Games, drawing: window.Drawing, ores: window.Ores) -> None:
    """See `window.draw_ground`."""
    shape, reach = (board.height, board.width), window.REACH
    whole = drawing.reshape(board.height + 2 * reach, board.width + 2 * reach, window.NUM_CHANNELS)
    inner = whole[reach:-reach, reach:-reach]
    kinds = games.resource_kind[g, :-1]
    wood = np.where(kinds == WOOD, np.minimum(games.resource_amount[g, :-1] // 4, window.MOST), 0)
    inner[:] = 0
    inner[:, :, 0] = wood.reshape(shape)
    inner[:, :, window.ROAD] = games.road[g, :-1].reshape(shape)
    inner[:, :, window.FREE] = ((kinds == NO_RESOURCE) & (games.tile_team[g, :-1] < 0)).reshape(shape)
    cells = np.flatnonzero((kinds != NO_RESOURCE) & (kinds != WOOD))
    ores[: len(cells)] = cells
    ores[-1] = len(cells)
