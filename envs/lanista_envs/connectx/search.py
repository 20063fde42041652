"""Depth-limited negamax with alpha-beta for Connect X, on boards with a border.

1. A position looks for a move that wins at once, then for cells where the opponent would: it must block.
2. Else it tries its moves from the middle outwards, as deep as it may.
3. At the horizon a position is worth the cells that are held: a stone counts the lines that run through its
   cell on an empty board, which draws play to the middle. A win counts more the sooner it comes.

At the root each move is searched with a window that lets equal ones through, so that the best moves are known
exactly and one of them is drawn at random.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from lanista_envs.streams import draw_bits, stream_of

#: worth of a win at once, far above any sum of cells; each move that it is put off costs one `WIN_STEP`
WIN = 2**40
WIN_STEP = 2**20
#: columns of a stack frame
SCORE, ALPHA, BETA, BEST, NEXT, FORCED, COLUMN = 0, 1, 2, 3, 4, 5, 6


class Position(NamedTuple):
    """One game as the search plays it forth and back, in place."""

    #: ``[(rows + 2) * (columns + 2)]`` int8: 0 empty, 1 and 2 stones, 3 the border
    walled: npt.NDArray[np.int8]
    #: ``[columns]`` int64: where a stone comes to rest; in the border's top row if the column is full
    rest: npt.NDArray[np.int64]
    #: ``[columns]`` int64: the columns from the middle outwards
    order: npt.NDArray[np.int64]
    #: ``[(rows + 2) * (columns + 2)]`` int64: lines through a cell on an empty board
    worth: npt.NDArray[np.int64]
    inarow: int


def count_lines(rows: int, columns: int, inarow: int) -> npt.NDArray[np.int64]:
    """Give `Position.worth` for a board."""
    width = columns + 2
    worth = np.zeros((rows + 2) * width, np.int64)
    for row in range(1, rows + 1):
        for column in range(1, columns + 1):
            for down, right in ((0, 1), (1, 0), (1, 1), (1, -1)):
                last_row, last_column = row + (inarow - 1) * down, column + (inarow - 1) * right
                if last_row <= rows and 1 <= last_column <= columns:
                    for k in range(inarow):
                        worth[(row + k * down) * width + column + k * right] += 1
    return worth


def wins(position: Position, place: int, mark: int) -> bool:
    """Would a stone of `mark` at `place` stand in a line of `inarow` or more?"""
    walled = position.walled
    width = len(position.rest) + 2
    for way in range(4):
        stride = 1 if way == 0 else width - 2 + way
        line = 1
        at = place + stride
        while walled[at] == mark:
            line += 1
            at += stride
        at = place - stride
        while walled[at] == mark:
            line += 1
            at -= stride
        if line >= position.inarow:
            return True
    return False


def judge(position: Position, mark: int, depth: int, ply: int, score: int) -> tuple[bool, int, int]:
    """Look at a position without searching: (is its worth known?, worth for `mark`, forced column or -1)."""
    rest, order = position.rest, position.order
    width = len(rest) + 2
    moves = 0
    for column in order:
        if rest[column] >= width:
            moves += 1
            if wins(position, rest[column], mark):
                return True, WIN - ply * WIN_STEP, -1
    if moves == 0:
        return True, 0, -1
    threats = 0
    forced = -1
    for column in order:
        if rest[column] >= width and wins(position, rest[column], 3 - mark):
            threats += 1
            forced = column
    if threats > 1:
        return True, (ply + 1) * WIN_STEP - WIN, -1
    return depth == 0, score, forced


def search(position: Position, frames: npt.NDArray[np.int64], mark: int, score: int, beta: int) -> int:
    """The worth for `mark`, who is to move, searched ``len(frames) - 1`` moves deep; exact if below `beta`.

    `score` is the worth of the cells held so far, for `mark`. `frames` (``[depth + 1, 7]``) is the stack,
    since numba cannot keep functions that call themselves on the disk.
    """
    rest, order, worth = position.rest, position.order, position.worth
    width = len(rest) + 2
    last = len(frames) - 1
    level = 0
    frames[0, SCORE], frames[0, ALPHA], frames[0, BETA] = score, -2 * WIN, beta
    entering = True
    while True:
        frame = frames[level]
        if entering:
            known, value, forced = judge(position, mark, last - level, level + 1, frame[SCORE])
            if not known:
                frame[BEST], frame[NEXT], frame[FORCED] = -WIN, 0, forced
                entering = False
        if not entering:
            known = frame[BEST] >= frame[BETA] or frame[NEXT] == len(order)
            value = frame[BEST]
        if not known:
            column = order[frame[NEXT]]
            frame[NEXT] += 1
            place = rest[column]
            if place >= width and (frame[FORCED] < 0 or column == frame[FORCED]):
                position.walled[place] = mark
                rest[column] = place - width
                frame[COLUMN] = column
                level += 1
                frames[level, SCORE] = -frame[SCORE] - worth[place]
                frames[level, ALPHA] = -frame[BETA]
                frames[level, BETA] = -max(frame[ALPHA], frame[BEST])
                mark = 3 - mark
                entering = True
            continue
        if level == 0:
            return value
        level -= 1
        mark = 3 - mark
        frame = frames[level]
        column = frame[COLUMN]
        rest[column] += width
        position.walled[rest[column]] = 0
        frame[BEST] = max(frame[BEST], -value)
        entering = False


def choose_column(position: Position, frames: npt.NDArray[np.int64], mark: int, depth: int, bits: int) -> int:
    """The best column for `mark`; `bits` (63 random bits) choose among equal ones; -1 on a full board."""
    rest, order = position.rest, position.order
    width = len(rest) + 2
    score = np.int64(0)
    for place in range(len(position.walled)):
        if position.walled[place] == mark:
            score += position.worth[place]
        elif position.walled[place] == 3 - mark:
            score -= position.worth[place]
    best = -2 * WIN
    equal = np.empty(len(rest), np.int64)
    count = 0
    for column in order:
        place = rest[column]
        if place < width:
            continue
        if wins(position, place, mark):
            value = 2 * WIN
        elif depth == 0:
            value = score + position.worth[place]
        else:
            position.walled[place] = mark
            rest[column] = place - width
            value = -search(position, frames, 3 - mark, -score - position.worth[place], 1 - best)
            rest[column] = place
            position.walled[place] = 0
        if value > best:
            best = value
            count = 0
        if value == best:
            equal[count] = column
            count += 1
    return equal[bits % count] if count > 0 else -1


def choose_columns(
    walled: npt.NDArray[np.int8],
    landing: npt.NDArray[np.int64],
    games: npt.NDArray[np.int64],
    seats: npt.NDArray[np.int64],
    order: npt.NDArray[np.int64],
    worth: npt.NDArray[np.int64],
    inarow: int,
    depth: int,
    seed: int,
    draws: int,
    chosen: npt.NDArray[np.int64],
) -> None:
    """Write the choice for each row ``(games[b], seats[b])`` into `chosen`; row b uses draw ``draws + b``.

    `walled` and `landing` are the env's own arrays, which the search leaves alone.
    """
    stream = stream_of(seed, 0, 0)
    width = landing.shape[1] + 2
    frames = np.zeros((max(depth, 1), 7), np.int64)
    position = Position(walled[0].copy(), landing[0].copy(), order, worth, inarow)
    for b in range(len(games)):
        position.walled[:] = walled[games[b]]
        for column in range(landing.shape[1]):
            position.rest[column] = (landing[games[b], column] + 1) * width + column + 1
        bits = int(np.int64(draw_bits(stream, draws + b) >> np.uint64(1)))
        chosen[b] = choose_column(position, frames, seats[b] + 1, depth, bits)
