"""Connect X against 2,000 recorded games of the official connectx (`-m submission` plays them anew)."""

import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

from lanista.errors import UsageError
from lanista_envs.connectx.env import ConnectX
from lanista_envs.connectx.settings import ConnectXSettings

HERE = Path(__file__).parent
GAMES = HERE / "connectx_games.npz"


@pytest.fixture(scope="module")
def recorded():
    with np.load(GAMES) as arrays:
        return dict(arrays)


def games_by_board(recorded):
    """Give {(rows, columns, inarow): [(moves, illegal, final board, rewards)]}."""
    groups = {}
    move, cell = 0, 0
    for board, length, illegal, reward in zip(
        recorded["boards"].tolist(),
        recorded["length"].tolist(),
        recorded["illegal"],
        recorded["reward"],
        strict=True,
    ):
        cells = board[0] * board[1]
        game = (
            recorded["moves"][move : move + length],
            bool(illegal),
            recorded["final"][cell : cell + cells],
            reward,
        )
        groups.setdefault(tuple(board), []).append(game)
        move, cell = move + length, cell + cells
    return groups


def stones_of(planes):
    """The board, as the competition writes it, from the planes of the first seat."""
    return (planes[0] + 2 * planes[1]).reshape(-1)


def replay(board, games):
    """Play all games of one board size at once; those that are over play on with any legal move."""
    rows, columns, inarow = board
    env = ConnectX(len(games), ConnectXSettings(rows=rows, columns=columns, inarow=inarow))
    env.reset(0)
    checked = 0
    for t in range(max(len(moves) for moves, *_ in games)):
        seats = env.acting.argmax(1)
        chosen = env.legal["column"].argmax(2)
        running = [g for g, (moves, *_) in enumerate(games) if t < len(moves)]
        breaking = []
        for g in running:
            moves, illegal, final, _ = games[g]
            before = np.bincount(moves[:t], minlength=columns)
            assert seats[g] == t % 2
            assert np.array_equal(env.legal["column"][g], np.tile(before < rows, (2, 1)))
            if illegal and t == len(moves) - 1:
                breaking.append(g)
                assert not 0 <= moves[t] < columns or not env.legal["column"][g, 0, moves[t]]
                assert np.array_equal(env.board[g], final)
            else:
                chosen[g, seats[g]] = moves[t]
        env.step({"column": chosen})
        for g in set(running) - set(breaking):
            moves, _, final, reward = games[g]
            assert bool(env.ended[g]) is (t == len(moves) - 1)
            if t == len(moves) - 1:
                assert np.array_equal(stones_of(env.final_observation["board"][g, 0]), final)
                assert np.array_equal(env.outcome[g], reward)
                assert np.array_equal(env.final_facts["reward"][g], reward)
                assert env.terminated[g].all()
                checked += 1
        checked += len(breaking)
    return checked


def test_all_recorded_games_agree(recorded):
    assert len(recorded["length"]) == 2000
    assert sum(replay(board, games) for board, games in games_by_board(recorded).items()) == 2000


def test_the_record_has_wins_of_both_seats_draws_and_illegal_moves(recorded):
    legal = ~recorded["illegal"]
    first = recorded["reward"][:, 0]
    assert min((legal & (first == result)).sum() for result in (1, 0, -1)) > 50
    assert recorded["illegal"].sum() > 200


@pytest.mark.parametrize("wrong", [-1, 7, 3])
def test_an_illegal_column_is_refused_and_its_game_stands_still(wrong):
    env = ConnectX(3)
    env.reset(0)
    for _ in range(6):
        env.step({"column": np.array([[0, 0], [3, 3], [1, 1]])})
    board = env.board[1].copy()
    fault = "is full" if wrong == 3 else "does not exist on a board of 7 columns"
    with pytest.raises(UsageError, match=f"seat 0 of game 1 plays column {wrong}, which {fault}; choose one"):
        env.step({"column": np.array([[2, 0], [wrong, 0], [2, 0]])})
    assert np.array_equal(env.board[1], board)


@pytest.mark.submission
def test_the_official_connectx_plays_the_same_games_today(recorded, tmp_path):
    python = os.environ.get("LANISTA_JUDGE") or str(HERE.parents[1] / ".judge" / "bin" / "python")
    if not Path(python).is_file():
        pytest.skip(
            f"no judge environment: {python} is not there; make one, or name a Python by LANISTA_JUDGE"
        )
    out = tmp_path / "games.npz"
    subprocess.run([python, str(HERE / "record_connectx_games.py"), str(out)], check=True, timeout=600)
    with np.load(out) as arrays:
        assert set(arrays) == set(recorded)
        for name in recorded:
            assert np.array_equal(arrays[name], recorded[name]), name
