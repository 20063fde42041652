"""The rules against Kaggle's, the plugins against their contracts, and what is particular to each."""

import numpy as np
import pytest
import torch
from lanista_rps import codec
from lanista_rps.env import Rps
from lanista_rps.history import weights
from lanista_rps.settings import RpsSettings

from lanista.plugins import load_plugins
from lanista.testing import (
    check_distiller,
    check_env,
    check_matchmaker,
    check_recipe_offer,
    check_shaper,
)


@pytest.fixture(scope="module")
def registry():
    return load_plugins().registry


def played(settings, first, second):
    """The outcome of one game in which each seat shows its signs in turn, and the last facts."""
    env = Rps(1, settings, 1)
    env.reset(0)
    while not env.ended[0]:
        turn = int(env.round[0])
        env.step({"sign": np.array([[first[turn % len(first)], second[turn % len(second)]]])})
    return env.outcome[0].tolist(), env.final_facts["lead"][0].tolist()


@pytest.mark.parametrize("winner", [0, 1, 2])
def test_each_sign_beats_the_one_before_it_and_ties_with_itself(winner):
    settings = RpsSettings(episode_steps=2, tie_reward_threshold=1)
    assert played(settings, [winner], [(winner - 1) % 3]) == ([1.0, -1.0], [1.0, -1.0])
    assert played(settings, [(winner - 1) % 3], [winner]) == ([-1.0, 1.0], [-1.0, 1.0])
    assert played(settings, [winner], [winner]) == ([0.0, 0.0], [0.0, 0.0])


def test_a_game_has_one_round_less_than_its_episode_steps_and_small_leads_are_draws():
    # kaggle-environments 1.33.2: rock against paper, episodeSteps 1000, gives -999 and 999
    assert played(RpsSettings(), [0], [1]) == ([-1.0, 1.0], [-999.0, 999.0])
    # 19 rounds ahead is a draw at the threshold 20, 20 rounds ahead is won
    assert played(RpsSettings(episode_steps=20), [1], [0]) == ([0.0, 0.0], [19.0, -19.0])
    assert played(RpsSettings(episode_steps=21), [1], [0]) == ([1.0, -1.0], [20.0, -20.0])


def test_the_plugins_keep_their_contracts(registry):
    check_env(Rps, RpsSettings(episode_steps=8, tie_reward_threshold=2))
    check_shaper(registry, "rps_points")
    check_matchmaker(registry, "rps_history")
    check_distiller(registry, "rps_brier")
    for name in ("rps", "rps-selfplay"):
        check_recipe_offer(registry, name)


def test_the_codec_shows_what_the_env_shows():
    env = Rps(1, RpsSettings(), 1)
    env.reset(0)
    seen, legal = codec.observe({"step": 3, "lastOpponentAction": 1, "reward": -2}, {"signs": 3})
    assert np.array_equal(seen["always"], env.observation["always"][0, 0])
    assert np.array_equal(legal["sign"], env.legal["sign"][0, 0])
    assert [codec.act(np.int64(sign), {}, {}) for sign in range(3)] == [0, 1, 2]


def test_later_selves_weigh_more_and_power_0_weighs_all_alike():
    assert weights(4, 0.0).tolist() == [0.25] * 4
    assert np.allclose(weights(4, 1.0), [0.1, 0.2, 0.3, 0.4])


def test_the_brier_loss_over_several_teachers_is_smallest_at_their_average(registry):
    brier = registry.load("distillers", "rps_brier")(None)
    teachers = [
        torch.tensor([[3.0, 0.0, 0.0]]),
        torch.tensor([[0.0, 2.0, 0.0]]),
        torch.tensor([[0.0, 0.0, 1.0]]),
    ]
    mean = torch.stack([teacher.softmax(-1) for teacher in teachers]).mean(0)
    student = mean.log().requires_grad_()
    value, legal = torch.zeros(1), {"sign": torch.ones(1, 3, dtype=torch.bool)}
    loss = sum(
        brier.loss(None, {"sign": student}, value, {"sign": teacher}, value, legal) for teacher in teachers
    )
    (gradient,) = torch.autograd.grad(loss.sum(), student)
    assert gradient.abs().max() < 1e-6
