"""Learners on a game with units: minibatches keep rows and units together, and the game is learnt."""

import numpy as np
import pytest
import torch

from lanista.policy import PolicyCard, build_policy
from lanista.rollout import Collector
from lanista.testing.practice import PracticeSettings
from lanista.testing.practice_units import PracticeUnits
from lanista_agents.decisions import decisions


def collector_of(registry, network, settings, games=32, steps=16):
    env = PracticeUnits(games, PracticeSettings(seats=2), 1)
    env.reset(0)
    torch.manual_seed(0)
    policy = build_policy(PolicyCard("practice_units", {}, env.spec, network, settings), registry)

    def reward(passage):
        return {"reward": passage.after["reward"]}

    return Collector(env, policy, steps, [reward], 0.99, torch.Generator().manual_seed(0))


@pytest.mark.parametrize("share", [1.0, 0.4])
def test_minibatches_hold_each_row_with_its_own_units(registry, share):
    collector = collector_of(registry, "unit_mlp", {"width": 8, "context": 8, "policy_gain": 1.0})
    rollout, _ = collector.collect(0.0)
    rollout.learn[:] = np.random.default_rng(0).random(rollout.learn.shape) < share
    rows = decisions(rollout, rollout.reward, rollout.value)
    assert len(rows) == rollout.learn.sum()
    order = torch.randperm(len(rows), generator=torch.Generator().manual_seed(1))
    pieces = list(rows.take(order).cut(5))
    assert sum(len(piece) for piece in pieces) == len(rows)
    policy = collector.policy
    for piece in (rows, *pieces):
        output = policy.network(piece.observation)
        found = policy.heads["say"].logprob(output.logits["say"], piece.legal["say"], piece.action["say"])
        torch.testing.assert_close(found, piece.logprob, atol=1e-5, rtol=1e-4)
        torch.testing.assert_close(output.value, piece.value, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(torch.cat([piece.advantage for piece in pieces]), rows.advantage[order])


@pytest.mark.parametrize(
    ("learner", "network", "settings"),
    [
        ("ppo", "unit_mlp", {"width": 32, "context": 32}),
        ("ppo", "grid_resnet", {"channels": 16, "blocks": 1}),
        ("impala", "unit_mlp", {"width": 32, "context": 32}),
    ],
)
def test_units_are_learnt(registry, learner, network, settings):
    collector = collector_of(registry, network, settings, games=64)
    options = registry.settings("learners", learner, {"learning_rate": 0.003, "minibatch_size": 256})
    learns = registry.load("learners", learner)(collector.policy, options, 1)
    for _ in range(40):
        rollout, _ = collector.collect(0.0)
        learns.update(rollout, 0.0, [])
        # A round without units gives nothing, a fifth of all.
        if rollout.reward.mean() > 0.72:
            return
    pytest.fail(f"{rollout.reward.mean():.2f} of 0.8 points a round after 40 updates")
