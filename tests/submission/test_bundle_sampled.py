"""Archives that draw their actions by the policy's probabilities, as mixed strategies have to."""

import importlib
import json
import random
import sys
import tarfile
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lanista.policy import PolicyCard, build_policy
from lanista_submission.bundle.pack import _check_fits, pack, read_network
from lanista_submission.errors import PackError
from lanista_submission.export.policy import export_policy
from lanista_submission.export.record import record_play
from lanista_submission.runtime.play import choose, sample
from lanista_submission.targets.kaggle_connectx import PROFILE


def chances(logits, mask):
    raised = np.where(mask, np.exp(logits - logits[mask].max()), 0.0)
    return raised / raised.sum()


def test_actions_are_drawn_as_often_as_the_softmax_of_the_legal_logits_says():
    logits = np.array([0.3, -1.0, 1.2, 0.0, 2.0], np.float32)
    mask = np.array([True, True, True, True, False])
    rng = random.Random(0)
    drawn = np.bincount([sample(logits, mask, rng) for _ in range(20_000)], minlength=5) / 20_000
    assert drawn[4] == 0.0
    assert np.abs(drawn - chances(logits, mask)).max() < 0.015


@given(
    st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=1, max_size=9),
    st.integers(0, 2**32 - 1),
    st.data(),
)
def test_no_illegal_action_is_ever_drawn(logits, seed, data):
    mask = np.array(data.draw(st.lists(st.booleans(), min_size=len(logits), max_size=len(logits))))
    mask[seed % len(logits)] = True
    assert mask[sample(np.array(logits, np.float32), mask, random.Random(seed))]


def test_numbers_that_make_no_sense_give_an_action_of_the_head():
    assert sample(np.full(3, np.nan, np.float32), np.ones(3, bool), random.Random(0)) in range(3)


@pytest.mark.parametrize("actions", ["greedy", "sampled"])
def test_the_archive_plays_as_its_target_says(registry, tmp_path, monkeypatch, actions):
    env = registry.load("envs", "connectx")(1, registry.settings("envs", "connectx", {}), 1)
    torch.manual_seed(0)
    policy = build_policy(
        PolicyCard("connectx", {}, env.spec, "mlp", {"hidden": [4], "policy_gain": 1.0}), registry
    )
    model = export_policy(policy, tmp_path / "p.onnx", record_play(policy, registry, 32)).path
    archive = pack([model], replace(PROFILE, actions=actions), tmp_path / "a.tar.gz", registry)
    with tarfile.open(archive) as file:
        file.extractall(tmp_path, filter="data")
    (card,) = tmp_path.glob("*/card.json")
    assert json.loads(card.read_text())["play"]["actions"] == actions
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("LANISTA_STRICT", "1")
    package = card.parent.name
    play, codec = (importlib.import_module(f"{package}.{name}") for name in ("play", "codec"))
    agent = play.build_agent(codec)
    obs = {"board": [0] * 42, "mark": 1, "remainingOverageTime": 60.0}
    config = {"rows": 6, "columns": 7, "inarow": 4, "actTimeout": 2.0}
    moves = np.bincount([agent(obs, config) for _ in range(3000)], minlength=7) / 3000
    observation, legal = codec.observe(obs, config)
    logits = policy.network({"board": torch.from_numpy(observation["board"][None])}).logits["column"]
    expected = chances(logits.detach().numpy()[0].astype(np.float64), legal["column"])
    if actions == "greedy":
        assert moves.max() == 1.0
        assert moves.argmax() == expected.argmax()
    else:
        assert np.abs(moves - expected).max() < 0.04
    for name in [name for name in sys.modules if name.startswith(package)]:
        del sys.modules[name]


@pytest.fixture
def pendulum(registry, tmp_path):
    """A policy of real numbers, exported: (policy, file)."""
    env = registry.load("envs", "pendulum")(1, registry.settings("envs", "pendulum", {}), 1)
    torch.manual_seed(0)
    card = PolicyCard("pendulum", {}, env.spec, "mlp", {"hidden": [4], "policy_gain": 1.0})
    policy = build_policy(card, registry)
    return policy, export_policy(policy, tmp_path / "p.onnx", record_play(policy, registry, 32)).path


def test_real_numbers_are_played_and_drawn_as_the_policy_would(pendulum):
    policy, file = pendulum
    executor = read_network(file).plan.executor()
    state = {"state": np.array([0.5, -0.8, 3.0], np.float32)}
    heads = {"torque": {"low": [-2.0], "high": [2.0]}}
    seen = {"state": torch.from_numpy(state["state"]).expand(4000, 3)}
    greedy, _, _ = policy.act(seen, {}, None)
    found = choose(executor, state, heads, {}, None)["torque"]
    np.testing.assert_allclose(found, greedy["torque"][0].numpy(), atol=1e-6)
    rng = random.Random(0)
    drawn = np.array([choose(executor, state, heads, {}, rng)["torque"] for _ in range(4000)])
    expected = policy.act(seen, {}, torch.Generator().manual_seed(0))[0]["torque"].numpy()
    assert (np.abs(drawn) <= 2.0).all()
    quantiles = [0.1, 0.25, 0.5, 0.75, 0.9]
    np.testing.assert_allclose(np.quantile(drawn, quantiles), np.quantile(expected, quantiles), atol=0.1)


def test_a_head_that_lets_out_no_distribution_cannot_be_drawn_from(registry, pendulum):
    _, file = pendulum
    network = read_network(file)
    profile = replace(
        PROFILE, name="swing", env="pendulum", env_settings={}, codec=("x", []), actions="sampled"
    )
    _check_fits(network, profile, registry)
    network.plan.record["outputs"] = [
        entry for entry in network.plan.record["outputs"] if entry["name"] != "std_torque"
    ]
    _check_fits(network, replace(profile, actions="greedy"), registry)
    with pytest.raises(
        PackError, match="swing draws its actions, and head 'torque' of kind 'gaussian' lets no mean"
    ):
        _check_fits(network, profile, registry)
