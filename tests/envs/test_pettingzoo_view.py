"""The PettingZoo view, by PettingZoo's own tests and by a game written out."""

import numpy as np
import pytest
from pettingzoo.test import api_test, seed_test

from lanista.errors import UsageError
from lanista_envs import pettingzoo


@pytest.mark.filterwarnings("ignore:.*:UserWarning")  # api_test remarks on observations that are not images
def test_connectx_passes_the_api_test(capsys):
    api_test(pettingzoo.env("connectx"), num_cycles=300, verbose_progress=False)
    assert "Passed" in capsys.readouterr().out


def test_connectx_passes_the_seed_test():
    seed_test(lambda: pettingzoo.env("connectx"), num_cycles=50)


def test_a_won_game():
    env = pettingzoo.env("connectx", rows=4, columns=4, inarow=3, render_mode="ansi")
    env.reset(seed=0)
    rewards = dict.fromkeys(env.possible_agents, 0.0)
    columns = iter([0, 1, 0, 1, 0])
    for agent in env.agent_iter():
        observation, reward, terminated, _, _ = env.last()
        rewards[agent] += reward
        if terminated:
            assert not observation["action_mask"].any()
            assert observation["observation"][:2].sum() == 5
            env.step(None)
        else:
            assert observation["action_mask"].tolist() == [1, 1, 1, 1]
            env.step(next(columns))
    assert rewards == {"seat_0": 1.0, "seat_1": -1.0}


def test_the_mask_shows_a_full_column_and_only_to_the_side_to_move():
    env = pettingzoo.env("connectx", rows=2, columns=3, inarow=3)
    env.reset()
    for column in (1, 1):
        env.step(column)
    assert env.observe("seat_0")["action_mask"].tolist() == [1, 0, 1]
    assert env.observe("seat_1")["action_mask"].tolist() == [0, 0, 0]


def test_an_illegal_move_loses_under_the_wrapper(recwarn):
    env = pettingzoo.env("connectx", rows=1, columns=3, inarow=3)
    env.reset()
    env.step(1)
    env.step(1)
    assert env.terminations == {"seat_0": True, "seat_1": True}
    assert env.rewards["seat_1"] == -1
    recwarn.clear()


def test_an_env_without_turns_is_refused():
    with pytest.raises(
        UsageError, match="env cartpole has simultaneous turns, 1 heads and 1 games; the AEC view"
    ):
        pettingzoo.env("cartpole")


def test_observations_are_copies():
    env = pettingzoo.raw_env("connectx")
    env.reset()
    before = env.observe("seat_0")["observation"]
    kept = before.copy()
    env.step(3)
    assert np.array_equal(before, kept)
