"""`workers = N` of the envs `gymnasium:`: the same games whoever steps them, and no more processes than games."""

import os
import signal

import numpy as np
import pytest

from lanista.errors import LanistaError, UsageError
from lanista.matches import evaluate_returns
from lanista.plugins import load_plugins

NAME = "gymnasium:CartPole-v1"


@pytest.fixture(scope="module")
def registry():
    return load_plugins(strangers=False).registry


def build(registry, name, num_games, **table):
    return registry.load("envs", name)(num_games, registry.settings("envs", name, table), 1)


def trace(env, seed, steps, shape=None):
    rng = np.random.default_rng(1)
    env.reset(seed)
    rows = []
    (head,) = env.spec.heads
    for _ in range(steps):
        if head.continuous:
            action = rng.uniform(head.low, head.high, (env.num_games, 1, head.size)).astype(np.float32)
        else:
            action = rng.integers(head.size, size=(env.num_games, 1))
        env.step({head.name: action})
        rows.append(
            [
                *(part.copy() for part in env.observation.values()),
                *(np.where(env.ended[:, None, None], part, 0) for part in env.final_observation.values()),
                *(mask.copy() for mask in env.legal.values()),
                env.ended.copy(), env.terminated.copy(), env.truncated.copy(), env.outcome.copy(),
                env.facts["reward"].copy(),
            ]
        )  # fmt: skip
    env.close()
    return rows


def test_games_do_not_depend_on_who_steps_them(registry):
    """Five games by two workers: blocks of three and two."""
    alone = trace(build(registry, NAME, 5), 7, 60)
    shared = trace(build(registry, NAME, 5, workers=2), 7, 60)
    assert any(row[-5].any() for row in alone)
    for one, other in zip(alone, shared, strict=True):
        for mine, theirs in zip(one, other, strict=True):
            assert mine.dtype == theirs.dtype
            assert np.array_equal(mine, theirs)


class Leaning:
    """Pushes where the pole leans; `asked` counts the games that it was asked for."""

    stateless = True

    def __init__(self, fails_after=None):
        self.asked, self.fails_after = 0, fails_after

    def act(self, env, games, seats):
        self.asked += len(games)
        if self.fails_after is not None and self.asked > self.fails_after:
            raise LanistaError("it gave up")
        return {"action": (next(iter(env.observation.values()))[games, seats, 2] > 0).astype(np.int64)}

    def state(self):
        return {}

    def load_state(self, state):
        pass


@pytest.mark.parametrize("episodes", [1, 4, 5, 13])
def test_returns_do_not_depend_on_whether_workers_wait_for_each_other(registry, episodes):
    alone, shared = build(registry, NAME, 5), build(registry, NAME, 5, workers=3)
    assert [share.num_games for share in shared.shares] == [2, 2, 1]
    plain = Leaning()
    wanted = evaluate_returns(alone, plain, episodes, 9)
    paced = Leaning()
    found = evaluate_returns(shared, paced, episodes, 9)
    waiting = Leaning()
    waiting.stateless = False
    assert wanted.tolist() == found.tolist() == evaluate_returns(shared, waiting, episodes, 9).tolist()
    assert plain.asked == paced.asked == waiting.asked == wanted.sum()
    assert episodes == 1 or len(set(wanted)) > 1
    shared.close()


def test_a_player_that_fails_ends_all_shares(registry):
    env = build(registry, NAME, 4, workers=2)
    with pytest.raises(LanistaError, match="it gave up"):
        evaluate_returns(env, Leaning(fails_after=20), 400, 0)
    # The env is whole again after a reset.
    assert (
        evaluate_returns(env, Leaning(), 4, 0).tolist()
        == evaluate_returns(build(registry, NAME, 4), Leaning(), 4, 0).tolist()
    )
    env.close()


@pytest.mark.slow
def test_real_numbers_and_drawings_come_out_of_workers_too(registry):
    name = "gymnasium:Pendulum-v1"
    alone = trace(build(registry, name, 3, max_steps=20), 2, 45)
    shared = trace(build(registry, name, 3, max_steps=20, workers=8), 2, 45)
    assert all(
        np.array_equal(a, b)
        for one, other in zip(alone, shared, strict=True)
        for a, b in zip(one, other, strict=True)
    )
    lake = build(registry, "gymnasium:FrozenLake-v1", 3, workers=2)
    lake.reset(0)
    assert "S" in lake.render(2)
    lake.close()
    lake.close()


def test_what_cannot_be_made_is_said_before_a_worker_starts(registry):
    with pytest.raises(UsageError, match="gymnasium does not know 'CartPoel-v1'"):
        build(registry, "gymnasium:CartPoel-v1", 2, workers=2)


@pytest.mark.slow
def test_a_worker_that_is_gone_is_one_sentence_and_ctrl_c_does_not_reach_the_others(registry):
    env = build(registry, NAME, 2, workers=2)
    env.reset(0)
    (first,), (second,) = (share._envs.processes for share in env.shares)
    os.kill(second.pid, signal.SIGINT)
    env.step({"action": np.zeros((2, 1), np.int64)})
    os.kill(first.pid, signal.SIGKILL)
    first.join()
    with pytest.raises(LanistaError, match=r"a worker process ended by itself \(exit code -9;"):
        env.step({"action": np.zeros((2, 1), np.int64)})
    env.close()
    assert not second.is_alive()
