"""The portable codec beside the env: same planes and masks from nothing but the competition's observation."""

import ast
import importlib.util
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lanista.errors import UsageError
from lanista_envs.connectx import codec, rules
from lanista_envs.connectx.env import ConnectX
from lanista_envs.connectx.settings import ConnectXSettings

boards = st.tuples(st.integers(1, 9), st.integers(1, 9), st.integers(1, 6))


@settings(max_examples=150, deadline=None)
@given(board=boards, seed=st.integers(0, 2**32 - 1))
def test_codec_and_env_see_the_same_after_every_move(board, seed):
    rows, columns, inarow = board
    env = ConnectX(2, ConnectXSettings(rows=rows, columns=columns, inarow=inarow))
    env.reset(0)
    rng = np.random.default_rng(seed)
    config = {"rows": rows, "columns": columns, "inarow": inarow}
    for step in range(rows * columns + 3):
        for seat in range(2):
            obs = {"board": env.board[1].tolist(), "mark": seat + 1, "step": step, "remainingOverageTime": 60}
            parts, legal = codec.observe(obs, config)
            assert parts["board"].dtype == env.observation["board"].dtype
            assert np.array_equal(parts["board"], env.observation["board"][1, seat])
            assert np.array_equal(legal["column"], env.legal["column"][1, seat])
            own, other = parts["board"][rules.OWN], parts["board"][rules.OTHER]
            assert not (own & other).any()
            assert env.facts["threats"][1, seat] == parts["board"][rules.OWN_COMPLETES].sum()
            assert env.facts["stones"][1, seat] == own.sum()
        action = np.where(env.legal["column"], rng.random((2, 2, columns)), -1).argmax(2)
        env.step({"column": action})


@settings(max_examples=100, deadline=None)
@given(board=boards, seed=st.integers(0, 2**32 - 1))
def test_a_completing_cell_is_one_that_would_make_a_line(board, seed):
    """Compare with the slow truth: put the stone there and look along every line of the whole board."""
    rows, columns, inarow = board
    rng = np.random.default_rng(seed)
    grid = rng.integers(0, 3, (rows, columns))
    planes = np.zeros((5, rows, columns), np.uint8)
    rules.write_planes(grid.reshape(-1).tolist(), 1, rows, columns, inarow, planes)
    for row in range(rows):
        for column in range(columns):
            for plane, mark in ((rules.OWN_COMPLETES, 1), (rules.OTHER_COMPLETES, 2)):
                expected = grid[row, column] == 0 and makes_a_line(grid, row, column, mark, inarow)
                assert planes[plane, row, column] == expected


def makes_a_line(grid, row, column, mark, inarow):
    grid = grid.copy()
    grid[row, column] = mark
    rows, columns = grid.shape
    for down, right in ((0, 1), (1, 0), (1, 1), (1, -1)):
        for shift in range(inarow):
            cells = [(row + (k - shift) * down, column + (k - shift) * right) for k in range(inarow)]
            if all(0 <= r < rows and 0 <= c < columns and grid[r, c] == mark for r, c in cells):
                return True
    return False


def test_an_empty_list_is_an_empty_board():
    config = {"rows": 3, "columns": 4, "inarow": 3}
    parts, legal = codec.observe({"board": [], "mark": 1}, config)
    assert parts["board"][rules.DROP].tolist() == [[0] * 4, [0] * 4, [1] * 4]
    assert legal["column"].all()


def test_the_action_is_a_plain_int():
    action = codec.act(np.int64(3), {"board": [0] * 42, "mark": 1}, {"columns": 7, "rows": 6, "inarow": 4})
    assert type(action) is int
    assert action == 3


def test_codec_and_rules_work_copied_into_another_package(tmp_path, monkeypatch):
    package = tmp_path / "packed_0badc0de"
    package.mkdir()
    (package / "__init__.py").write_text("")
    for module in (codec, rules):
        shutil.copy(module.__file__, package)
    monkeypatch.syspath_prepend(str(tmp_path))
    copied = importlib.import_module("packed_0badc0de.codec")
    assert copied.rules.__name__ == "packed_0badc0de.rules"
    parts, _ = copied.observe({"board": [0] * 41 + [2], "mark": 2}, {"rows": 6, "columns": 7, "inarow": 4})
    assert parts["board"][rules.OWN, 5, 6] == 1
    for name in [name for name in sys.modules if name.startswith("packed_0badc0de")]:
        del sys.modules[name]


def test_portable_modules_import_nothing_but_numpy_the_standard_library_and_each_other():
    for module in (codec, rules):
        spec = importlib.util.find_spec(module.__name__)
        tree = ast.parse(Path(spec.origin).read_text())
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                names = [node.module]
            else:
                continue
            for name in names:
                assert name.partition(".")[0] in {"numpy", *sys.stdlib_module_names}, (module.__name__, name)


def start(env, rows):
    env.start_from([".XO".index(cell) for row in rows for cell in row])
    env.reset(0)


def test_games_start_from_a_given_position_and_come_back_to_it():
    env = ConnectX(2, ConnectXSettings(rows=3, columns=4, inarow=3))
    start(env, ["....", "X...", "XO.."])
    assert env.acting.tolist() == [[False, True]] * 2
    assert env.facts["threats"].tolist() == [[1, 0]] * 2
    env.step({"column": np.array([[0, 1], [0, 0]])})
    env.step({"column": np.array([[0, 0], [1, 0]])})
    assert env.ended.tolist() == [True, False]
    assert env.outcome.tolist() == [[1, -1], [0, 0]]
    assert env.render(0).splitlines() == [". . . .", "X . . .", "X O . ."]
    assert env.acting.tolist() == [[False, True], [False, True]]


@pytest.mark.parametrize(
    ("rows", "fault"),
    [
        (["....", "X...", "...."], "a stone above an empty cell; let the stones fall"),
        (
            ["....", "....", "X.X."],
            "2 stones of 1 and 0 of 2; the first seat has as many as the second, or one more",
        ),
        (["....", ".OO.", "XXX."], "is over already; give one in which a move can be played"),
        (["....", "...."], r"needs 12 cells of 0, 1 or 2, found 8"),
    ],
)
def test_a_start_position_that_cannot_be_is_refused(rows, fault):
    env = ConnectX(1, ConnectXSettings(rows=3, columns=4, inarow=3))
    with pytest.raises(UsageError, match=fault):
        start(env, rows)
