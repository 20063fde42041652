"""1,000 fixed Connect Four positions with the solved value of every move, and the file that holds them.

    python benchmarks/connectx_positions.py            # makes connectx_positions.npz anew, some minutes
    python benchmarks/connectx_positions.py --check    # makes them anew and compares

1. Position i has ``8 + i % 26`` stones. It is reached by two players who complete a line where they can, stop the
   opponent's where they must, and play anywhere else; their dice are a stream of their own per (i, attempt).
2. It counts if the game goes on and at least one move keeps the solved value while another gives it away;
   mirrored or equal ones are taken once. So there is always something to keep and a way to lose it.
"""

import argparse
import random
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from connectx_solver import ILLEGAL, Solver

ROWS, COLUMNS = 6, 7
COUNT = 1_000
FEWEST, PLIES = 8, 26
SEED = 20_261_121
FILE = Path(__file__).with_name("connectx_positions.npz")

Moves = list[int]


@dataclass(frozen=True)
class Positions:
    """P positions."""

    #: ``[P, 33]`` int8: the columns played, from 0; -1 behind the last one
    moves: npt.NDArray[np.int8]
    #: ``[P, 7]`` int8: what each column is worth to the side to move; see `connectx_solver`
    values: npt.NDArray[np.int8]

    def played(self, index: int) -> Moves:
        """The columns played in a position."""
        return [int(column) for column in self.moves[index] if column >= 0]

    def boards(self) -> npt.NDArray[np.int8]:
        """``[P, 42]``: row by row from the top, 0 empty, 1 and 2 the stones of the first and second player."""
        return np.stack([board_of(self.played(index)) for index in range(len(self.moves))])

    def keeps(self) -> npt.NDArray[np.bool_]:
        """``[P, 7]``: the moves that keep the solved value."""
        legal = self.values != ILLEGAL
        best = np.where(legal, self.values, -2).max(axis=1)
        return legal & (self.values == best[:, None])


def board_of(moves: Moves) -> npt.NDArray[np.int8]:
    """``[42]`` as the competition has it."""
    board = np.zeros((ROWS, COLUMNS), np.int8)
    for number, column in enumerate(moves):
        row = int((board[:, column] == 0).sum()) - 1
        board[row, column] = number % 2 + 1
    return board.reshape(-1)


def completes(board: npt.NDArray[np.int8], column: int, mark: int) -> bool:
    """Would a stone of `mark` in `column` complete a line of four?"""
    grid = board.reshape(ROWS, COLUMNS)
    row = int((grid[:, column] == 0).sum()) - 1
    for down, right in ((1, 0), (0, 1), (1, 1), (1, -1)):
        line = 1
        for sign in (1, -1):
            r, c = row + sign * down, column + sign * right
            while 0 <= r < ROWS and 0 <= c < COLUMNS and grid[r, c] == mark:
                line += 1
                r, c = r + sign * down, c + sign * right
        if line >= 4:
            return True
    return False


def play_out(stones: int, dice: random.Random) -> Moves | None:
    """A game of so many stones, or None if it ended before, or just then."""
    moves: Moves = []
    for number in range(stones):
        board, mark = board_of(moves), number % 2 + 1
        legal = [column for column in range(COLUMNS) if board[column] == 0]
        if any(completes(board, column, mark) for column in legal):
            return None  # the player to move would have won
        forced = [column for column in legal if completes(board, column, 3 - mark)]
        choice = forced or legal
        # random() is the one draw whose stream is promised to stay the same across Python versions.
        moves.append(choice[int(dice.random() * len(choice))])
    return moves


def make_position(index: int, solver: Solver, seen: set[bytes]) -> tuple[Moves, npt.NDArray[np.int8]]:
    """Position `index`; its board and its mirror image are added to `seen`."""
    attempt = 0
    while True:
        attempt += 1
        moves = play_out(FEWEST + index % PLIES, random.Random(f"{SEED}/{index}/{attempt}"))
        if moves is None:
            continue
        board = board_of(moves)
        if board.tobytes() in seen:
            continue
        values = solver.values(moves)
        if len(set(values[values != ILLEGAL].tolist())) < 2:
            continue
        mirrored = np.ascontiguousarray(board.reshape(ROWS, COLUMNS)[:, ::-1])
        seen |= {board.tobytes(), mirrored.tobytes()}
        return moves, values


def make_positions() -> Positions:
    """All of them."""
    solver, seen = Solver(), set[bytes]()
    moves = np.full((COUNT, FEWEST + PLIES - 1), -1, np.int8)
    values = np.zeros((COUNT, COLUMNS), np.int8)
    for index in range(COUNT):
        played, values[index] = make_position(index, solver, seen)
        moves[index, : len(played)] = played
        if index % 100 == 99:
            print(f"{index + 1} of {COUNT}", file=sys.stderr, flush=True)
    return Positions(moves, values)


def read_positions() -> Positions:
    """Those of the file."""
    with np.load(FILE) as arrays:
        return Positions(arrays["moves"], arrays["values"])


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true", help="compare with the file and write nothing")
    check = parser.parse_args().check
    positions = make_positions()
    if not check:
        np.savez_compressed(FILE, moves=positions.moves, values=positions.values)
        return 0
    stored = read_positions()
    same = np.array_equal(stored.moves, positions.moves) and np.array_equal(stored.values, positions.values)
    print(
        "the file holds what this command makes" if same else "the file DIFFERS from what this command makes"
    )
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
