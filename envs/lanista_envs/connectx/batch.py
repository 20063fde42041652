"""N games of Connect X in lock-step; every move brings planes, legal columns and facts up to date in place.

A cell becomes completing only through a new stone on a line with it, with nothing but stones between them.
So a move touches at most the first empty cell in each of the eight directions, and its own cell. Stones are
counted on a board with a border (`walled`), where a walk needs no look at rows and columns to know its end.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from lanista_envs.connectx.rules import DROP, OTHER, OTHER_COMPLETES, OWN, OWN_COMPLETES

prange = range  # a parallel build puts numba's in its place

WALL = 3
#: games that one thread plays together
BLOCK = 128
#: what `step_games` gives when no move was illegal
NO_GAME = 2**62


class Games(NamedTuple):
    """The arrays of N games, allocated once by `env.py`, in M = N + 1 rows: the last one is never played.

    It holds the position at which games start, so that a restart is a copy.
    """

    #: ``[M, rows * columns]`` int8, row-major from the top: 0 empty, 1 and 2 the stones of seats 0 and 1
    board: npt.NDArray[np.int8]
    #: ``[M, (rows + 2) * (columns + 2)]`` int8: the same with a border of 3
    walled: npt.NDArray[np.int8]
    #: ``[M, columns]`` int64: the row in which the next stone of a column comes to rest, -1 if full
    landing: npt.NDArray[np.int64]
    #: ``[M]`` int64: stones on the board
    stones: npt.NDArray[np.int64]
    #: ``[M, 2]`` bool
    acting: npt.NDArray[np.bool_]
    #: ``[M, 2, columns]`` bool
    legal: npt.NDArray[np.bool_]
    #: ``[M, 2, 5, rows * columns]`` uint8
    planes: npt.NDArray[np.uint8]
    #: ``[2, M, 2]`` float32: threats, stones
    levels: npt.NDArray[np.float32]


class Endings(NamedTuple):
    """What the last step says of games that ended in it."""

    #: ``[N]`` bool
    ended: npt.NDArray[np.bool_]
    #: ``[N, 2]`` bool
    terminated: npt.NDArray[np.bool_]
    #: ``[N, 2]`` float32
    outcome: npt.NDArray[np.float32]
    #: ``[N, 2, 5, rows * columns]`` uint8
    planes: npt.NDArray[np.uint8]
    #: ``[2, N, 2]`` float32
    levels: npt.NDArray[np.float32]
    #: ``[N, 2]`` float32: the last move's reward
    reward: npt.NDArray[np.float32]


def count_line(walled: npt.NDArray[np.int8], i: int, place: int, stride: int, mark: int) -> int:
    """Stones of `mark` in an unbroken line from `place` (not counted); the border ends every walk."""
    count = 0
    place += stride
    while walled[i, place] == mark:
        count += 1
        place += stride
    return count


def mark_completing(planes: npt.NDArray[np.uint8], i: int, seat: int, cell: int) -> int:
    """Mark a cell as completing for `seat` on both seats' planes; give 1 if it was not so before, else 0."""
    new: int = 1 - planes[i, seat, OWN_COMPLETES, cell]
    planes[i, seat, OWN_COMPLETES, cell] = 1
    planes[i, 1 - seat, OTHER_COMPLETES, cell] = 1
    return new


def find_completing(
    walled: npt.NDArray[np.int8], planes: npt.NDArray[np.uint8], i: int, seat: int, row: int, column: int,
    columns: int, inarow: int,
) -> int:  # fmt: skip
    """Mark the cells that a new stone of `seat` at (row, column) makes completing; give how many are new."""
    width, mark, gained = columns + 2, seat + 1, 0
    place = (row + 1) * width + column + 1
    cell = row * columns + column
    for way in range(4):
        # left and right; then the three lines that go up, to the right, straight and to the left
        stride = 1 if way == 0 else width + 2 - way
        step = 1 if way == 0 else columns + 2 - way
        back = count_line(walled, i, place, -stride, mark)
        ahead = count_line(walled, i, place, stride, mark)
        line = back + ahead + 2
        end = place - (back + 1) * stride
        if walled[i, end] == 0 and line + count_line(walled, i, end, -stride, mark) >= inarow:
            gained += mark_completing(planes, i, seat, cell - (back + 1) * step)
        end = place + (ahead + 1) * stride
        if walled[i, end] == 0 and line + count_line(walled, i, end, stride, mark) >= inarow:
            gained += mark_completing(planes, i, seat, cell + (ahead + 1) * step)
    return gained


def show_stone(planes: npt.NDArray[np.uint8], i: int, seat: int, row: int, column: int, columns: int) -> None:
    """Bring stones, drop cells and the cell itself up to date on both seats' planes."""
    cell = row * columns + column
    planes[i, seat, OWN, cell] = 1
    planes[i, 1 - seat, OTHER, cell] = 1
    for s in range(2):
        planes[i, s, OWN_COMPLETES, cell] = 0
        planes[i, s, OTHER_COMPLETES, cell] = 0
        planes[i, s, DROP, cell] = 0
        if row > 0:
            planes[i, s, DROP, cell - columns] = 1


def start_game(i: int, games: Games) -> None:
    """Make game i look like the row of the start position."""
    games.board[i, :] = games.board[-1]
    games.walled[i, :] = games.walled[-1]
    games.landing[i, :] = games.landing[-1]
    games.stones[i] = games.stones[-1]
    games.acting[i, :] = games.acting[-1]
    games.legal[i, :] = games.legal[-1]
    games.planes[i, :] = games.planes[-1]
    games.levels[:, i] = games.levels[:, -1]


def end_game(i: int, seat: int, won: bool, games: Games, endings: Endings) -> None:
    """Keep what game i ended with; `seat` has played last."""
    result = np.float32(1.0) if won else np.float32(0.0)
    endings.ended[i] = True
    endings.planes[i, :] = games.planes[i]
    endings.levels[:, i] = games.levels[:, i]
    for s in range(2):
        endings.terminated[i, s] = True
        endings.outcome[i, s] = result if s == seat else -result
        endings.reward[i, s] = endings.outcome[i, s]


def step_block(
    first: int, last: int, action: npt.NDArray[np.int64], inarow: int, games: Games, endings: Endings
) -> int:
    """Play one move of the games first..last-1; give the first with an illegal move (it stands still)."""
    columns, cells = games.landing.shape[1], games.board.shape[1]
    planes, levels, walled = games.planes, games.levels, games.walled
    illegal = NO_GAME
    for i in range(first, last):
        if endings.ended[i]:
            endings.ended[i] = False
            for s in range(2):
                endings.terminated[i, s] = False
                endings.outcome[i, s] = np.float32(0.0)
        seat = 1 if games.acting[i, 1] else 0
        column = action[i, seat]
        row = games.landing[i, column] if 0 <= column < columns else -1
        if row < 0:
            illegal = min(illegal, i)
            continue
        cell = row * columns + column
        won = planes[i, seat, OWN_COMPLETES, cell]
        levels[0, i, seat] -= np.float32(won)
        levels[0, i, 1 - seat] -= np.float32(planes[i, seat, OTHER_COMPLETES, cell])
        show_stone(planes, i, seat, row, column, columns)
        games.board[i, cell] = seat + 1
        walled[i, (row + 1) * (columns + 2) + column + 1] = seat + 1
        gained = find_completing(walled, planes, i, seat, row, column, columns, inarow)
        levels[0, i, seat] += np.float32(gained)
        levels[1, i, seat] += np.float32(1.0)
        games.stones[i] += 1
        games.landing[i, column] = row - 1
        if row == 0:
            games.legal[i, 0, column] = False
            games.legal[i, 1, column] = False
        games.acting[i, seat] = False
        games.acting[i, 1 - seat] = True
        if won or games.stones[i] == cells:
            end_game(i, seat, won == 1, games, endings)
            start_game(i, games)
    return illegal


def step_games(
    action: npt.NDArray[np.int64],
    inarow: int,
    board: npt.NDArray[np.int8],
    walled: npt.NDArray[np.int8],
    landing: npt.NDArray[np.int64],
    stones: npt.NDArray[np.int64],
    acting: npt.NDArray[np.bool_],
    legal: npt.NDArray[np.bool_],
    planes: npt.NDArray[np.uint8],
    levels: npt.NDArray[np.float32],
    ended: npt.NDArray[np.bool_],
    terminated: npt.NDArray[np.bool_],
    outcome: npt.NDArray[np.float32],
    final_planes: npt.NDArray[np.uint8],
    final_levels: npt.NDArray[np.float32],
    final_reward: npt.NDArray[np.float32],
) -> int:
    """Play one move of all games, in blocks that threads may share; give the first game with an illegal move.

    `action` is ``[N, 2]`` int64; the rest are the fields of `Games` and `Endings`, one by one because a call
    that hands over tuples takes microseconds longer. `NO_GAME` is given when all moves were legal.
    """
    games = Games(board, walled, landing, stones, acting, legal, planes, levels)
    endings = Endings(ended, terminated, outcome, final_planes, final_levels, final_reward)
    num_games = action.shape[0]
    illegal = NO_GAME
    for block in prange((num_games + BLOCK - 1) // BLOCK):
        first = block * BLOCK
        illegal = min(
            illegal, step_block(first, min(first + BLOCK, num_games), action, inarow, games, endings)
        )
    return illegal
