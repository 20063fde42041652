"""The rules of Connect X on one board and over N games, and the planes that a seat sees.

Source: kaggle-environments' ``envs/connectx/connectx.py``. A board is row-major from the top: cell
``row * columns + column``, 0 empty, 1 and 2 the stones of seats 0 and 1. Portable: the same functions run
compiled in the env and as plain Python in a bundle.

Planes of a seat (``[5, rows, columns]`` uint8): own stones; the opponent's stones; cells where a stone could
drop now; empty cells where an own stone would complete a line; empty cells where the opponent's would.
A cell becomes completing only through a new stone on a line with it, nothing but stones between, so a move
touches at most the first empty cell in each of the eight directions, and its own cell.
"""

import numpy as np

prange = range  # a parallel build puts numba's in its place

OWN, OTHER, DROP, OWN_COMPLETES, OTHER_COMPLETES = 0, 1, 2, 3, 4
NUM_PLANES = 5
BLOCK = 128


def landing_row(board, column, rows, columns):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN201
    """The row in which a stone dropped into `column` comes to rest; -1 if the column is full."""
    row = rows - 1
    while row >= 0 and board[row * columns + column] != 0:
        row -= 1
    return row


def count_stones(board, row, column, down, right, mark, rows, columns, at_most):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN201
    """Stones of `mark` in an unbroken line from (row, column), itself not counted, `at_most` at most."""
    count = 0
    row += down
    column += right
    while (
        count < at_most
        and 0 <= row < rows
        and 0 <= column < columns
        and board[row * columns + column] == mark
    ):
        count += 1
        row += down
        column += right
    return count


def completes(board, row, column, mark, rows, columns, inarow):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN201
    """Would (or does) a stone of `mark` at (row, column) stand in a line of `inarow` or more?"""
    need = inarow - 1
    for down, right in ((1, 0), (0, 1), (1, 1), (1, -1)):
        line = count_stones(board, row, column, down, right, mark, rows, columns, need)
        if line < need:
            line += count_stones(board, row, column, -down, -right, mark, rows, columns, need)
        if line >= need:
            return True
    return False


def write_planes(board, mark, rows, columns, inarow, planes):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN201
    """Write the planes of the seat that plays `mark` from nothing but the board; `planes` is ``[5, rows, columns]``."""
    other = 3 - mark
    planes[:] = 0
    for column in range(columns):
        for row in range(rows):
            stone = board[row * columns + column]
            if stone == mark:
                planes[OWN, row, column] = 1
            elif stone == other:
                planes[OTHER, row, column] = 1
            else:
                planes[OWN_COMPLETES, row, column] = completes(
                    board, row, column, mark, rows, columns, inarow
                )
                planes[OTHER_COMPLETES, row, column] = completes(
                    board, row, column, other, rows, columns, inarow
                )
        row = landing_row(board, column, rows, columns)
        if row >= 0:
            planes[DROP, row, column] = 1


def show_stone(board, row, column, mark, rows, columns, inarow, planes):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN201
    """Bring both seats' planes (``[2, 5, rows, columns]``) up to date with the stone just put at (row, column).

    Give how many completing cells `mark` gained and whether the cell was one of `mark` and of the other.
    """
    need = inarow - 1
    own, other = mark - 1, 2 - mark
    planes[own, OWN, row, column] = 1
    planes[other, OTHER, row, column] = 1
    for seat in range(2):
        planes[seat, DROP, row, column] = 0
        if row > 0:
            planes[seat, DROP, row - 1, column] = 1
    was_own = planes[own, OWN_COMPLETES, row, column]
    was_other = planes[other, OWN_COMPLETES, row, column]
    for seat in range(2):
        planes[seat, OWN_COMPLETES, row, column] = 0
        planes[seat, OTHER_COMPLETES, row, column] = 0
    gained = 0
    for down in range(-1, 2):
        for right in range(-1, 2):
            if down == 0 and right == 0:
                continue
            ahead = count_stones(board, row, column, down, right, mark, rows, columns, rows + columns)
            r, c = row + (ahead + 1) * down, column + (ahead + 1) * right
            if not (0 <= r < rows and 0 <= c < columns) or board[r * columns + c] != 0:
                continue
            if planes[own, OWN_COMPLETES, r, c]:
                continue
            line = ahead + 1 + count_stones(board, row, column, -down, -right, mark, rows, columns, need)
            if line < need:
                line += count_stones(board, r, c, down, right, mark, rows, columns, need)
            if line >= need:
                planes[own, OWN_COMPLETES, r, c] = 1
                planes[other, OTHER_COMPLETES, r, c] = 1
                gained += 1
    return gained, was_own, was_other


def show_game(i, inarow, board, planes, legal, levels):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN201
    """Write planes, legal columns and levels of game i from its board alone."""
    rows, columns = planes.shape[3], planes.shape[4]
    for seat in range(2):
        write_planes(board[i], seat + 1, rows, columns, inarow, planes[i, seat])
        for column in range(columns):
            legal[i, seat, column] = board[i, column] == 0
        levels[0, i, seat] = np.float32(planes[i, seat, OWN_COMPLETES].sum())
        levels[1, i, seat] = np.float32(planes[i, seat, OWN].sum())


def start_game(
    i, start, board, counters, acting, planes, legal, levels, start_planes, start_legal, start_levels
):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN201
    """Put game i back to the start position, copying what it looks like."""
    board[i, :] = start
    planes[i, :] = start_planes
    legal[i, :] = start_legal
    stones = np.int64(start_levels[1, 0] + start_levels[1, 1])
    counters[i] = stones
    for seat in range(2):
        acting[i, seat] = stones % 2 == seat
        levels[0, i, seat] = start_levels[0, seat]
        levels[1, i, seat] = start_levels[1, seat]


def step_block(
    first,
    last,
    inarow,
    action,
    board,
    counters,
    acting,
    flags,
    ended,
    reward,
    planes,
    legal,
    levels,
    final_planes,
    final_levels,
    final_reward,
    start,
    start_planes,
    start_legal,
    start_levels,
):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN201
    """Play one move of the games first..last-1; give how many moves were illegal (those games stand still)."""
    rows, columns = planes.shape[3], planes.shape[4]
    wrong = 0
    for i in range(first, last):
        seat = 0 if acting[i, 0] else 1
        other = 1 - seat
        if ended[i]:
            ended[i] = False
            for s in range(2):
                flags[0, i, s] = False
                reward[1, i, s] = np.float32(0.0)
        column = action[i, seat]
        if column < 0 or column >= columns or not legal[i, seat, column]:
            wrong += 1
            continue
        row = landing_row(board[i], column, rows, columns)
        board[i, row * columns + column] = seat + 1
        gained, was_own, was_other = show_stone(
            board[i], row, column, seat + 1, rows, columns, inarow, planes[i]
        )
        levels[0, i, seat] += np.float32(gained - was_own)
        levels[0, i, other] -= np.float32(was_other)
        levels[1, i, seat] += np.float32(1.0)
        counters[i] += 1
        if row == 0:
            legal[i, 0, column] = False
            legal[i, 1, column] = False
        acting[i, seat] = False
        acting[i, other] = True
        if was_own or counters[i] == rows * columns:
            ended[i] = True
            final_planes[i, :] = planes[i]
            for s in range(2):
                flags[0, i, s] = True
                final_levels[0, i, s] = levels[0, i, s]
                final_levels[1, i, s] = levels[1, i, s]
            result = np.float32(1.0) if was_own else np.float32(0.0)
            reward[1, i, seat] = result
            reward[1, i, other] = -result
            final_reward[i, seat] = result
            final_reward[i, other] = -result
            start_game(
                i,
                start,
                board,
                counters,
                acting,
                planes,
                legal,
                levels,
                start_planes,
                start_legal,
                start_levels,
            )
    return wrong


def step_games(
    inarow,
    action,
    board,
    counters,
    acting,
    flags,
    ended,
    reward,
    planes,
    legal,
    levels,
    final_planes,
    final_levels,
    final_reward,
    start,
    start_planes,
    start_legal,
    start_levels,
):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN201
    """Play one move of all games, in blocks that threads may share; give the number of illegal moves."""
    num_games = board.shape[0]
    blocks = (num_games + BLOCK - 1) // BLOCK
    wrong = 0
    for block in prange(blocks):
        first = block * BLOCK
        last = min(first + BLOCK, num_games)
        wrong += step_block(
            first,
            last,
            inarow,
            action,
            board,
            counters,
            acting,
            flags,
            ended,
            reward,
            planes,
            legal,
            levels,
            final_planes,
            final_levels,
            final_reward,
            start,
            start_planes,
            start_legal,
            start_levels,
        )
    return wrong
