"""The scripted player of Connect X: it wins, blocks, looks ahead, and repeats itself from a seed."""

import numpy as np
import pytest

from lanista.errors import UsageError
from lanista_envs.cartpole.env import CartPole
from lanista_envs.connectx import search
from lanista_envs.connectx.env import ConnectX
from lanista_envs.connectx.negamax import Negamax
from lanista_envs.connectx.settings import ConnectXSettings, NegamaxSettings


def at(rows, inarow=4, games=1):
    """An env whose games all stand at the drawn position."""
    env = ConnectX(games, ConnectXSettings(rows=len(rows), columns=len(rows[0]), inarow=inarow))
    env.start_from([".XO".index(cell) for row in rows for cell in row])
    env.reset(0)
    return env


def choices(env, depth=4, seed=0):
    games = np.arange(env.num_games)
    player = Negamax(env.spec, NegamaxSettings(depth=depth), seed)
    return player.act(env, games, env.acting.argmax(1))["column"].tolist()


EMPTY = [".......", ".......", "......."]


@pytest.mark.parametrize("depth", [0, 1, 4])
@pytest.mark.parametrize(
    ("rows", "column"),
    [
        ([*EMPTY, ".......", "OO.....", "XXX.O.."], 3),
        ([*EMPTY, "X......", "X.O....", "X.OO..."], 0),
        ([*EMPTY, "...XO..", "..XOO..", "OXOXX.."], 4),
    ],
)
def test_it_wins_at_once_at_every_depth(rows, column, depth):
    env = at(rows)
    assert choices(env, depth) == [column]


@pytest.mark.parametrize("depth", [1, 2, 4])
def test_it_blocks(depth):
    env = at([*EMPTY, ".......", "O......", "XXX...O"])
    assert env.acting[0, 1]
    assert choices(env, depth) == [3]


def test_it_sees_the_double_threat_that_wins_in_three_plies():
    env = at([*EMPTY, ".......", "..OO...", "..XX..."], games=40)
    assert set(choices(env, 4)) == {1, 4}


def reference(grid, mark, inarow, depth, worth, ply=1, score=0):
    """Plain negamax without cuts over the same rules; -> worth for `mark`, who is to move."""
    columns = grid.shape[1]
    walled = np.pad(grid, 1, constant_values=3).reshape(-1)
    rest = [((grid[:, c] == 0).sum()) * (columns + 2) + c + 1 for c in range(columns)]
    position = search.Position(walled, np.array(rest), np.arange(columns), worth, inarow)
    known, value, forced = search.judge(position, mark, depth, ply, score)
    if known:
        return value
    best = -search.WIN
    for column in range(columns):
        if rest[column] >= columns + 2 and forced in (-1, column):
            after = grid.copy()
            after[(grid[:, column] == 0).sum() - 1, column] = mark
            gain = score + worth[rest[column]]
            best = max(best, -reference(after, 3 - mark, inarow, depth - 1, worth, ply + 1, -gain))
    return best


def test_cuts_and_stack_change_no_value():
    """Alpha-beta over a stack against the plain recursion, on random positions."""
    rng = np.random.default_rng(0)
    rows, columns, inarow = 4, 4, 3
    env = ConnectX(40, ConnectXSettings(rows=rows, columns=columns, inarow=inarow))
    env.reset(0)
    worth = search.count_lines(rows, columns, inarow)
    compared = 0
    for _ in range(9):
        action = np.where(env.legal["column"], rng.random((40, 2, columns)), -1).argmax(2)
        env.step({"column": action})
        for game in range(0, 40, 5):
            grid = env.board[game].reshape(rows, columns)
            mark = int(env.acting[game, 1]) + 1
            for depth in (0, 1, 3):
                rest = (env.games.landing[game] + 1) * (columns + 2) + np.arange(columns) + 1
                position = search.Position(
                    env.games.walled[game].copy(), rest, np.arange(columns), worth, inarow
                )
                frames = np.zeros((depth + 1, 7), np.int64)
                found = search.search(position, frames, mark, 0, 2 * search.WIN)
                assert found == reference(grid, mark, inarow, depth, worth)
                assert np.array_equal(position.walled, env.games.walled[game])
                compared += 1
    assert compared == 9 * 8 * 3


def test_equal_moves_are_drawn_evenly():
    env = at(["...", "..."], inarow=3, games=3000)
    counts = np.bincount(choices(env, 0), minlength=3)
    assert (abs(counts - 1000) < 120).all()


def test_the_middle_is_worth_most():
    worth = search.count_lines(6, 7, 4).reshape(8, 9)[1:-1, 1:-1]
    assert worth[5].tolist() == [3, 4, 5, 7, 5, 4, 3]
    assert worth.max() == worth[2, 3] == 13
    assert worth.sum() == 69 * 4


def test_it_beats_random_players():
    rng = np.random.default_rng(1)
    env = ConnectX(60)
    env.reset(0)
    player = Negamax(env.spec, None, 1)
    mine = np.arange(60) % 2
    results = []
    for _ in range(60):
        seats = env.acting.argmax(1)
        action = np.where(env.legal["column"], rng.random((60, 2, 7)), -1).argmax(2)
        games = np.flatnonzero(seats == mine)
        action[games, seats[games]] = player.act(env, games, seats[games])["column"]
        env.step({"column": action})
        results.extend(env.outcome[game, mine[game]] for game in np.flatnonzero(env.ended))
    assert len(results) > 150
    assert np.mean(np.array(results) == 1.0) > 0.97


def test_a_stream_goes_on_from_its_state():
    env = at(["...", "..."], inarow=3, games=50)
    games, seats = np.arange(50), np.zeros(50, int)
    player = Negamax(env.spec, NegamaxSettings(depth=0), 7)
    player.act(env, games, seats)
    state = player.state()
    ahead = player.act(env, games, seats)["column"]
    other = Negamax(env.spec, NegamaxSettings(depth=0), 0)
    other.load_state(state)
    assert np.array_equal(other.act(env, games, seats)["column"], ahead)
    assert not np.array_equal(player.act(env, games, seats)["column"], ahead)


def test_it_leaves_the_env_alone():
    env = at([*EMPTY, ".......", "O......", "XXX...O"])
    before = env.save()
    choices(env)
    assert all(np.array_equal(array, env.save()[name]) for name, array in before.items())


def test_other_envs_are_refused():
    pole = CartPole(1)
    with pytest.raises(UsageError, match="connectx_negamax cannot play cartpole; it knows connectx only"):
        Negamax(pole.spec)
    with pytest.raises(UsageError, match="was given CartPole; it plays ConnectX only"):
        Negamax(ConnectX(1).spec).act(pole, np.zeros(1, int), np.zeros(1, int))
