"""Lux as PettingZoo's `ParallelEnv`, by PettingZoo's own test and by hand."""

import numpy as np
import pytest
from pettingzoo.test import parallel_api_test, parallel_seed_test

from lanista.errors import UsageError
from lanista_envs import pettingzoo


@pytest.mark.parametrize("observation", ["planes", "units", "both"])
def test_lux_passes_the_parallel_api_test(capsys, observation):
    env = pettingzoo.parallel_env("lux_s1", max_turns=40, observation=observation)
    parallel_api_test(env, num_cycles=100)
    assert "Passed" in capsys.readouterr().out


def test_lux_passes_the_seed_test():
    parallel_seed_test(lambda: pettingzoo.parallel_env("lux_s1", max_turns=30), num_cycles=40)


def test_a_game_to_its_end():
    env = pettingzoo.parallel_env("lux_s1", max_turns=35, observation="both", render_mode="ansi")
    seen, _ = env.reset(seed=1)
    rng = np.random.default_rng(0)
    turns = 0
    while env.agents:
        for agent in env.agents:
            assert env.observation_space(agent).contains(seen[agent])
            units = seen[agent]["units"]
            assert len(units["cell"]) == len(units["kind"]) == len(units["legal"]) == len(units["features"])
        actions = {
            agent: np.where(seen[agent]["units"]["legal"], rng.random(seen[agent]["units"]["legal"].shape), -1).argmax(1)
            for agent in env.agents
        }  # fmt: skip
        seen, rewards, terminated, truncated, _ = env.step(actions)
        turns += 1
    assert turns <= 35
    assert terminated == {"seat_0": True, "seat_1": True}
    assert truncated == {"seat_0": False, "seat_1": False}
    assert sum(rewards.values()) == 0
    assert len(seen["seat_0"]["units"]["cell"]) == 0
    assert env.render().startswith("turn ")


def test_choices_that_cannot_be_are_taken_as_nothing():
    """Of the worker and the tile only the tile's research is legal; the third choice belongs to nobody."""
    env = pettingzoo.parallel_env("lux_s1")
    env.reset(seed=1)
    env.step({"seat_0": [17, 3, 1], "seat_1": [-1, 99]})
    assert env.game.facts["research"].tolist() == [[1, 0]]
    assert env.game.facts["units"].tolist() == [[1, 1]]


def test_the_views_say_which_env_is_for_which():
    with pytest.raises(
        UsageError, match="env connectx has alternating turns, 1 heads and 1 games; the parallel view"
    ):
        pettingzoo.parallel_env("connectx")
    with pytest.raises(
        UsageError, match="env lux_s1 has simultaneous turns, 1 heads and 1 games; the AEC view"
    ):
        pettingzoo.env("lux_s1")
