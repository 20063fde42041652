"""The rules of Connect X on one board, and the planes that a seat sees. Portable.

Source: kaggle-environments' ``envs/connectx/connectx.py``. A board is row-major from the top: cell
``row * columns + column``, 0 empty, 1 and 2 the stones of seats 0 and 1.

Planes of a seat (``[5, rows, columns]`` uint8): own stones; the opponent's stones; cells where a stone could
drop now; empty cells where an own stone would complete a line; empty cells where the opponent's would.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

OWN, OTHER, DROP, OWN_COMPLETES, OTHER_COMPLETES = 0, 1, 2, 3, 4
NUM_PLANES = 5

#: ``[rows * columns]``: an int8 array where compiled; a plain list is quicker where it is not
Board = npt.NDArray[np.int8] | Sequence[int]


def landing_row(board: Board, column: int, rows: int, columns: int) -> int:
    """The row in which a stone dropped into `column` comes to rest; -1 if the column is full."""
    row = rows - 1
    while row >= 0 and board[row * columns + column] != 0:
        row -= 1
    return row


def count_stones(
    board: Board,
    row: int,
    column: int,
    down: int,
    right: int,
    mark: int,
    rows: int,
    columns: int,
    at_most: int,
) -> int:
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


def completes(board: Board, row: int, column: int, mark: int, rows: int, columns: int, inarow: int) -> bool:
    """Would (or does) a stone of `mark` at (row, column) stand in a line of `inarow` or more?"""
    need = inarow - 1
    for down, right in ((1, 0), (0, 1), (1, 1), (1, -1)):
        line = count_stones(board, row, column, down, right, mark, rows, columns, need)
        if line < need:
            line += count_stones(board, row, column, -down, -right, mark, rows, columns, need)
        if line >= need:
            return True
    return False


def write_planes(
    board: Board,
    mark: int,
    rows: int,
    columns: int,
    inarow: int,
    planes: npt.NDArray[np.uint8],
) -> None:
    """Write what the seat that plays `mark` sees, from nothing but the board, into `planes`."""
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
