"""An exact solver for Connect Four boards: will the side to move win, draw or lose?

1. A board is two integers: `own` (stones of the side to move) and `mask` (all stones). Column c takes the bits
   from ``c * (rows + 1)``, lowest row first; the bit above a full column stays 0, so that shifts meet no wall.
2. Moves that lose at once are not searched; where the opponent threatens to complete a line, the answer is forced.
3. The rest is alpha-beta over the values -1, 0, 1, trying first what makes most threats, then what lies near the
   middle, with a table of bounds by position that keeps the newest entry.

Only the sign is solved, not how long it takes, which makes positions of eight stones a matter of a second.

    python benchmarks/connectx_solver.py 35333571

prints what each column is worth to the side to move after those moves (columns count from 1).
"""

import sys
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from numba import njit

WIN, DRAW, LOSS, ILLEGAL = 1, 0, -1, 2
#: entries of the table of bounds, 9 bytes each
TABLE_SIZE = 2**23 + 9


@njit(cache=True)
def has_line(stones: int, height: int) -> bool:
    """Are four of `stones` in a row? `height` is the bits of a column, rows + 1."""
    for shift in (1, height - 1, height, height + 1):
        pairs = stones & (stones >> shift)
        if pairs & (pairs >> (2 * shift)):
            return True
    return False


@njit(cache=True)
def completing_cells(stones: int, free: int, height: int) -> int:
    """The cells of `free` where a stone would complete a line of `stones`, reachable now or not."""
    found = (stones << 1) & (stones << 2) & (stones << 3)
    for shift in (height - 1, height, height + 1):
        before = (stones << shift) & (stones << (2 * shift))
        after = (stones >> shift) & (stones >> (2 * shift))
        found |= before & (stones << (3 * shift))
        found |= before & (stones >> shift)
        found |= after & (stones << shift)
        found |= after & (stones >> (3 * shift))
    return found & free


@njit(cache=True)
def count_bits(bits: int) -> int:
    """Ones in a number that is not negative."""
    count = 0
    while bits:
        bits &= bits - 1
        count += 1
    return count


# Not cached on disk: numba 0.68 crashed when it loaded a function that calls itself from there.
@njit
def search(own, mask, stones, alpha, beta, rows, bottom, board, order, moves, keys, bounds):
    """The value in alpha..beta of a position whose side to move cannot win at once and whose board is not full.

    `moves` is scratch, a row a stone count; `keys` and `bounds` are the table, a bound being 4 * (low + 1) + high + 1.
    """
    height = rows + 1
    cells = rows * len(order)
    reachable = (mask + bottom) & board
    threats = completing_cells(own ^ mask, board & ~mask, height)
    forced = reachable & threats
    if forced:
        if forced & (forced - 1):
            return -1
        reachable = forced
    reachable &= ~(threats >> 1)  # a stone below a threat lets the opponent complete it
    if reachable == 0:
        return -1
    if stones >= cells - 2:
        return 0
    key = own + mask
    slot = key % len(keys)
    low, high = -1, 1
    if keys[slot] == key:
        low, high = bounds[slot] // 4 - 1, bounds[slot] % 4 - 1
        if low >= beta or low == high:
            return low
        if high <= alpha:
            return high
        alpha, beta = max(alpha, low), min(beta, high)

    count = 0
    for column in order:
        move = reachable & (((1 << rows) - 1) << (column * height))
        if move:
            made = completing_cells(own | move, board & ~(mask | move), height)
            packed = count_bits(made) << 56 | move
            place = count
            while place > 0 and (moves[stones, place - 1] >> 56) < (packed >> 56):
                moves[stones, place] = moves[stones, place - 1]
                place -= 1
            moves[stones, place] = packed
            count += 1
    best = -1
    first_alpha = alpha
    for place in range(count):
        move = moves[stones, place] & ((1 << 56) - 1)
        value = -search(
            own ^ mask, mask | move, stones + 1, -beta, -alpha,
            rows, bottom, board, order, moves, keys, bounds,
        )  # fmt: skip
        best = max(best, value)
        alpha = max(alpha, best)
        if alpha >= beta:
            break
    if best <= first_alpha:
        high = min(high, best)
    elif best >= beta:
        low = max(low, best)
    else:
        low = high = best
    keys[slot] = key
    bounds[slot] = 4 * (low + 1) + high + 1
    return best


@njit
def move_values(own, mask, values, rows, bottom, board, order, moves, keys, bounds):
    """Fill ``values[columns]`` for the side to move; the game must not be over."""
    height = rows + 1
    stones = count_bits(mask)
    for column in range(len(order)):
        move = (mask + bottom) & board & (((1 << rows) - 1) << (column * height))
        if move == 0:
            values[column] = ILLEGAL
        elif has_line(own | move, height):
            values[column] = WIN
        elif stones + 1 == rows * len(order):
            values[column] = DRAW
        elif completing_cells(own ^ mask, (((mask | move) + bottom) & board), height):
            values[column] = LOSS
        else:
            # np.int64, because numba would compile the search twice for literal bounds
            values[column] = -search(
                own ^ mask, mask | move, stones + 1, np.int64(-1), np.int64(1),
                rows, bottom, board, order, moves, keys, bounds,
            )  # fmt: skip


@dataclass
class Solver:
    """Solves positions of one board size; the table grows wiser from one to the next."""

    rows: int = 6
    columns: int = 7
    table_size: int = TABLE_SIZE
    _table: tuple[npt.NDArray[np.int64], npt.NDArray[np.int8]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Allocate the table; boards whose bits do not fit are refused."""
        if (self.rows + 1) * self.columns > 56:
            raise ValueError(f"{self.rows} x {self.columns} cells do not fit 56 bits; take a smaller board")
        self._table = np.full(self.table_size, -1, np.int64), np.zeros(self.table_size, np.int8)
        height = self.rows + 1
        self._bottom = sum(1 << (column * height) for column in range(self.columns))
        self._board = self._bottom * ((1 << self.rows) - 1)
        middle_first = sorted(
            range(self.columns), key=lambda column: (abs(2 * column - self.columns + 1), column)
        )
        self._order = np.array(middle_first, np.int64)
        self._moves = np.zeros((self.rows * self.columns, self.columns), np.int64)

    def values(self, columns: Iterable[int]) -> npt.NDArray[np.int8]:
        """WIN, DRAW, LOSS or ILLEGAL of each column for the side to move, after `columns` (from 0) were played."""
        own = mask = 0
        height = self.rows + 1
        for number, column in enumerate(columns, 1):
            move = (mask + self._bottom) & self._board & (((1 << self.rows) - 1) << (column * height))
            if move == 0:
                raise ValueError(f"move {number} goes into column {column}, which is full")
            if has_line(own | move, height):
                raise ValueError(f"move {number} ends the game; give a position in which it goes on")
            own, mask = own ^ mask, mask | move
        values = np.zeros(self.columns, np.int8)
        move_values(
            own, mask, values, self.rows, self._bottom, self._board, self._order, self._moves, *self._table
        )
        return values


def main() -> None:
    moves = [int(digit) - 1 for digit in sys.argv[1]] if len(sys.argv) > 1 else []
    names = {WIN: "win", DRAW: "draw", LOSS: "loss", ILLEGAL: "full"}
    for column, value in enumerate(Solver().values(moves), 1):
        print(f"column {column}: {names[int(value)]}")


if __name__ == "__main__":
    main()
