"""The exact solver against brute force over arrays, and against published values."""

import random
from functools import cache

import numpy as np
import pytest
from connectx_solver import Solver, completing_cells, has_line


@pytest.fixture(scope="module")
def full_size():
    return Solver(table_size=2**20 + 7)


def lines_of_four(rows, columns):
    """Every line of four cells, as tuples of (row, column)."""
    return [
        [(row + down * k, column + right * k) for k in range(4)]
        for row in range(rows)
        for column in range(columns)
        for down, right in ((0, 1), (1, 0), (1, 1), (1, -1))
        if 0 <= row + 3 * down < rows and 0 <= column + 3 * right < columns
    ]


class BruteForce:
    """Plain minimax over columns as strings of marks; knows nothing of bits."""

    def __init__(self, rows, columns):
        self.rows, self.columns, self.lines = rows, columns, lines_of_four(rows, columns)

    def won(self, board, mark):
        return any(
            all(len(board[column]) > row and board[column][row] == mark for row, column in line)
            for line in self.lines
        )

    @cache  # noqa: B019 - the object lives as long as its test
    def value(self, board, mark):
        moves = [column for column in range(self.columns) if len(board[column]) < self.rows]
        return max((self.after(board, column, mark) for column in moves), default=0)

    def after(self, board, column, mark):
        """What `column` is worth to the side that plays it."""
        played = (*board[:column], board[column] + mark, *board[column + 1 :])
        if self.won(played, mark):
            return 1
        return -self.value(played, "b" if mark == "a" else "a")

    def values(self, moves):
        board, mark = ("",) * self.columns, "a"
        for column in moves:
            board = (*board[:column], board[column] + mark, *board[column + 1 :])
            mark = "b" if mark == "a" else "a"
        return [
            self.after(board, column, mark) if len(board[column]) < self.rows else 2
            for column in range(self.columns)
        ]


def random_game(dice, force, stones):
    """A game of so many stones that goes on, or None."""
    moves = []
    for _ in range(stones):
        legal = [column for column in range(force.columns) if moves.count(column) < force.rows]
        moves.append(dice.choice(legal))
    board, mark = ("",) * force.columns, "a"
    for column in moves:
        board = (*board[:column], board[column] + mark, *board[column + 1 :])
        if force.won(board, mark):
            return None
        mark = "b" if mark == "a" else "a"
    return moves


def test_endings_of_the_full_board_agree_with_brute_force(full_size):
    force, dice = BruteForce(6, 7), random.Random(1)
    kinds, tested = set(), 0
    while tested < 40:
        moves = random_game(dice, force, dice.choice(range(32, 42)))
        if moves is None:
            continue
        tested += 1
        expected = force.values(moves)
        assert full_size.values(moves).tolist() == expected, moves
        kinds |= set(expected)
    assert kinds == {-1, 0, 1, 2}


@pytest.mark.parametrize(("rows", "columns"), [(4, 4), (4, 5), (5, 4)])
def test_small_boards_agree_with_brute_force_from_the_opening_on(rows, columns):
    solver, force, dice = (
        Solver(rows, columns, table_size=10_007),
        BruteForce(rows, columns),
        random.Random(2),
    )
    openings = [[1, 1]] if columns * rows == 16 else []
    while len(openings) < 20:
        moves = random_game(dice, force, dice.choice(range(rows * columns - 12, rows * columns - 2)))
        if moves is not None:
            openings.append(moves)
    for moves in openings:
        assert solver.values(moves).tolist() == force.values(moves), moves


@pytest.mark.parametrize(
    ("digits", "sign"),
    [
        # The sign of scores that P. Pons publishes with his tutorial on solving Connect Four (columns from 1).
        ("2252576253462244111563365343671351441", -1),
        ("7422341735647741166133573473242566", 1),
        ("23163416124767223154467471272416755633", 0),
        ("3575316255751336464276636772271112", -1),
        ("74425337641465475671176741236615215533", 0),
        ("326615663752621323655335514271", 1),
        ("12514726155174536522772517671", -1),
        ("24617524315172127", 1),
        ("43745416472735", -1),
        ("165746146225", -1),
        ("335662333565", -1),
        ("243335424257", 1),
        ("265756512", -1),
        ("35544262", 1),
    ],
)
def test_published_positions_have_their_value(full_size, digits, sign):
    values = full_size.values([int(digit) - 1 for digit in digits])
    assert max(value for value in values.tolist() if value != 2) == sign


def test_a_mirrored_position_has_mirrored_values(full_size):
    dice, force = random.Random(3), BruteForce(6, 7)
    tested = 0
    while tested < 20:
        moves = random_game(dice, force, 18)
        if moves is None:
            continue
        tested += 1
        mirrored = [6 - column for column in moves]
        assert full_size.values(moves).tolist() == full_size.values(mirrored).tolist()[::-1]


def test_games_that_are_over_or_impossible_are_refused(full_size):
    with pytest.raises(ValueError, match=r"^move 7 ends the game; give a position in which it goes on$"):
        full_size.values([0, 1, 0, 1, 0, 1, 0])
    with pytest.raises(ValueError, match=r"^move 7 goes into column 3, which is full$"):
        full_size.values([3] * 7)


def test_boards_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match=r"^9 x 9 cells do not fit 56 bits; take a smaller board$"):
        Solver(9, 9)


def bits(cells):
    """Cells (row, column) of the full board as the solver's number; rows count from the bottom."""
    return sum(1 << (column * 7 + row) for row, column in cells)


def test_a_line_is_seen_in_every_direction_and_not_across_the_edge():
    lines = lines_of_four(6, 7)
    assert len(lines) == 69
    for line in lines:
        assert has_line(bits(line), 7)
        for cell in line:
            assert not has_line(bits(other for other in line if other != cell), 7)
    assert not has_line(bits([(5, 0), (0, 1), (1, 1), (2, 1)]), 7)


def test_completing_cells_are_those_that_a_search_over_lines_finds():
    lines, rng = lines_of_four(6, 7), np.random.default_rng(0)
    found = 0
    for _ in range(300):
        heights = rng.integers(0, 7, 7)
        stones = {
            (row, column) for column in range(7) for row in range(heights[column]) if rng.random() < 0.5
        }
        free = [(row, column) for column in range(7) for row in range(heights[column], 6)]
        expected = [
            cell for cell in free if any(cell in line and set(line) <= stones | {cell} for line in lines)
        ]
        assert completing_cells(bits(stones), bits(free), 7) == bits(expected)
        found += len(expected)
    assert found > 100
