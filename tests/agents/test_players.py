import numpy as np
import pytest

from lanista.plugins import NoSettings


@pytest.fixture
def env(registry):
    env = registry.load("envs", "connectx")(50, registry.settings("envs", "connectx", {}), 1)
    env.reset(3)
    return env


def player(registry, env, seed):
    return registry.load("players", "random")(env.spec, NoSettings(), seed)


def test_it_plays_only_legal_actions_for_the_rows_asked(registry, env):
    one = player(registry, env, 0)
    games = np.arange(50)
    seen = set()
    for step in range(60):
        seats = np.full(50, step % 2)
        seats = env.acting.argmax(axis=1)
        action = one.act(env, games, seats)["column"]
        assert action.shape == (50,)
        assert action.dtype == np.int64
        assert env.legal["column"][games, seats, action].all()
        full = np.zeros((50, 2), np.int64)
        full[games, seats] = action
        env.step({"column": full})
        seen.update(action.tolist())
    assert seen == set(range(7))
    assert one.act(env, games[:0], games[:0])["column"].shape == (0,)


def test_every_legal_action_is_equally_probable(registry, env):
    legal = np.array([True, False, True, True, False, False, True])
    env.legal["column"][:] = legal
    one = player(registry, env, 1)
    games, seats = np.zeros(40_000, np.int64), np.zeros(40_000, np.int64)
    counts = np.bincount(one.act(env, games, seats)["column"], minlength=7)
    assert (counts[~legal] == 0).all()
    assert (abs(counts[legal] / 40_000 - 0.25) < 0.02).all()


def test_its_state_carries_its_stream_on(registry, env):
    one, other = player(registry, env, 5), player(registry, env, 6)
    rows = np.arange(50), np.zeros(50, np.int64)
    one.act(env, *rows)
    saved = one.state()
    expected = one.act(env, *rows)["column"]
    assert not np.array_equal(other.act(env, *rows)["column"], expected)
    other.load_state(saved)
    assert np.array_equal(other.act(env, *rows)["column"], expected)
    same_seed = player(registry, env, 5)
    same_seed.act(env, *rows)
    assert np.array_equal(same_seed.act(env, *rows)["column"], expected)
