"""Archives that average over the symmetries of their game: the same numbers as in torch, and one network less when it is late."""

import importlib
import io
import json
import sys
import tarfile

import numpy as np
import pytest
import torch

from lanista.errors import LanistaError
from lanista.policy import PolicyCard, build_policy
from lanista.symmetry import SymmetryError
from lanista.symmetry.averaging import averaged_policy
from lanista.units import seen
from lanista_submission.bundle.pack import read_network
from lanista_submission.bundle.symmetries import symmetry_tables
from lanista_submission.export.policy import export_policy
from lanista_submission.export.record import record_play
from lanista_submission.export.units import graph_arrays
from lanista_submission.runtime.execute import Executor
from lanista_submission.runtime.symmetric import Symmetric
from lanista_submission.targets.kaggle_connectx import ConnectX, ConnectXTargetSettings

LUX = {"size": 12, "max_turns": 40}
CASES = [
    ("connectx", {}, "mlp", {"hidden": [16]}),
    ("lux_s1", {**LUX, "observation": "units"}, "unit_mlp", {"width": 16, "context": 16}),
    ("lux_s1", {**LUX, "observation": "planes"}, "grid_resnet", {"channels": 8, "blocks": 1, "hidden": 8, "squeeze": 4}),
]  # fmt: skip


def policy_of(registry, env_name, table, network, options):
    settings = registry.settings("envs", env_name, table)
    env = registry.load("envs", env_name)(4, settings, 1)
    torch.manual_seed(2)
    checked = registry.settings("networks", network, options).model_dump(mode="json")
    card = PolicyCard(env_name, settings.model_dump(mode="json"), env.spec, network, checked)
    return build_policy(card, registry), env


def tables_of(content):
    with np.load(io.BytesIO(content)) as arrays:
        return {name: arrays[name] for name in arrays.files}


@pytest.mark.parametrize(("env_name", "table", "network", "options"), CASES)
def test_numpy_averages_as_torch_does(registry, tmp_path, env_name, table, network, options):
    policy, env = policy_of(registry, env_name, table, network, options)
    path = export_policy(policy, tmp_path / "p.onnx", record_play(policy, registry, 16)).path
    plan = read_network(path).plan
    averaged, head = averaged_policy(policy, registry), env.spec.heads[0].name
    runs = Symmetric(
        Executor(plan.record, plan.weights, wanted=[f"logits_{head}"]),
        tables_of(symmetry_tables(policy.card, "all", registry)),
    )
    env.reset(1)
    generator = torch.Generator().manual_seed(0)
    met = 0
    for _ in range(8):
        rows = np.flatnonzero(env.acting)
        for row in rows[:2]:
            observation, legal = seen(env, np.array([row]))
            with torch.no_grad():
                wanted = averaged.network(observation).logits[head]
            inputs = {part.name: observation[part.name].numpy() for part in env.spec.observation}
            mask = legal[head]
            if env.spec.units_head is not None:
                inputs |= graph_arrays(mask, head)
                mask = mask.legal
            else:
                inputs[f"legal_{head}"] = mask.numpy()
            found = runs.run({name: inputs[name] for name in runs.shapes})[f"logits_{head}"]
            np.testing.assert_allclose(found[mask.numpy()], wanted[mask].numpy(), rtol=0, atol=2e-5)
            assert (found[~mask.numpy()] < -1e38).all()
            met += len(found)
        observation, legal = seen(env, rows)
        actions, _, _ = policy.act(observation, legal, generator)
        if env.spec.units_head is not None:
            env.step({head: actions[head].numpy()})
        else:
            chosen = np.zeros(env.acting.shape, np.int64)
            chosen[env.acting] = actions[head].numpy()
            env.step({head: chosen})
    assert met >= 10


def test_the_archive_averages_and_asks_the_bare_network_when_time_is_short(registry, tmp_path, monkeypatch):
    policy, _ = policy_of(registry, *CASES[0])
    model = export_policy(policy, tmp_path / "p.onnx", record_play(policy, registry, 16)).path
    target = ConnectX(registry, ConnectXTargetSettings(average_symmetries="all"))
    archive = target.pack([model], tmp_path / "a.tar.gz")
    with tarfile.open(archive) as file:
        file.extractall(tmp_path / "a", filter="data")
    (card,) = (tmp_path / "a").glob("*/card.json")
    assert json.loads(card.read_text())["networks"][0]["symmetries"] == "symmetries.npz"
    monkeypatch.syspath_prepend(str(tmp_path / "a"))
    monkeypatch.setenv("LANISTA_STRICT", "1")
    try:
        play, codec, calls = (
            importlib.import_module(f"{card.parent.name}.{name}") for name in ("play", "codec", "codec_calls")
        )
        agent = play.build_agent(calls.Codec(codec, "codec.py"))
    finally:
        for name in [name for name in sys.modules if name.startswith("lanista_bundle_")]:
            del sys.modules[name]
    board = [0] * 42
    board[35], board[36] = 1, 2
    obs = {"board": board, "mark": 1, "remainingOverageTime": 60.0, "step": 2}
    config = {"rows": 6, "columns": 7, "inarow": 4, "actTimeout": 2}
    mirrored = {**obs, "board": np.fliplr(np.array(board).reshape(6, 7)).reshape(-1).tolist()}
    assert agent(obs, config) == 6 - agent(mirrored, config)
    agent.player.clock.slowest[0] = 100.0
    agent({**obs, "remainingOverageTime": 1.0}, config)
    assert dict(agent.player.turns) == {"0": 2, "1": 1}
    assert not agent.player.faults


def test_what_cannot_be_averaged_is_refused_in_a_sentence(registry, tmp_path):
    policy, _ = policy_of(registry, *CASES[0])
    with pytest.raises(SymmetryError, match="there is no symmetry 'turn'; there are: mirror, same"):
        symmetry_tables(policy.card, "turn", registry)
    pendulum, _ = policy_of(registry, "pendulum", {}, "mlp", {})
    with pytest.raises(LanistaError, match="env pendulum declares no symmetries"):
        averaged_policy(pendulum, registry)
