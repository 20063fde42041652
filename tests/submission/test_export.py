"""A policy leaves as ONNX: what the graph holds, and that three runners agree before anything is written."""

import json

import numpy as np
import onnx
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import nn

from lanista.errors import CheckpointError
from lanista.policy import Network, Policy, PolicyCard, PolicyOutput, build_policy, policy_hash, save_policy
from lanista.spec import EnvSpec, FactSpec, HeadSpec, ObsPart
from lanista_submission.errors import ExportError
from lanista_submission.export import policy as export_module
from lanista_submission.export.compare import LIMIT, compare, scaled_difference
from lanista_submission.export.graph import export_model
from lanista_submission.export.policy import export_folder, export_policy, find_policy
from lanista_submission.export.record import Recorded, acting_rows, read_recorded, record_play
from lanista_submission.runtime.plan import compile_plan


@pytest.fixture(autouse=True)
def traced_once():
    """Not here: this is where tracing is tested."""


def spec_of(parts, heads=(("move", 5),)):
    return EnvSpec(
        "task", "3", "here", 1, "simultaneous", tuple(parts),
        tuple(HeadSpec(name, "categorical", size, "a choice") for name, size in heads),
        (FactSpec("reward", "flow", "points", "official reward"),), 10, (0.0, 1.0), "score",
    )  # fmt: skip


VECTOR = ObsPart("state", (4,), "float32", "numbers", (0.5,), (2.0,))
BOARD = ObsPart("board", (3, 4, 5), "uint8", "planes")


def policy_of(registry, spec, network="mlp", seed=0, **settings):
    torch.manual_seed(seed)
    return build_policy(PolicyCard("task", {}, spec, network, {"policy_gain": 1.0, **settings}), registry)


def random_rows(spec, count=40, seed=0):
    rng = np.random.default_rng(seed)
    observation = {}
    for part in spec.observation:
        numbers = rng.standard_normal((count, *part.shape)) * 3
        observation[part.name] = (
            numbers.astype(np.float32) if part.dtype == "float32" else np.abs(numbers).astype(part.dtype)
        )
    legal = {}
    for head in spec.heads:
        legal[head.name] = rng.random((count, head.size)) < 0.6
        legal[head.name][:, 0] |= ~legal[head.name].any(axis=1)
    return Recorded(observation, legal)


@given(
    hidden=st.lists(st.integers(1, 24), min_size=1, max_size=3), blocks=st.integers(0, 2),
    activation=st.sampled_from(["tanh", "relu", "gelu"]), separate=st.booleans(),
    parts=st.sampled_from([[VECTOR], [BOARD], [VECTOR, BOARD], [BOARD, VECTOR]]), two_heads=st.booleans(),
    seed=st.integers(0, 99),
)  # fmt: skip
@settings(max_examples=3, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_mlp_agrees(registry, hidden, blocks, activation, separate, parts, two_heads, seed):
    spec = spec_of(parts, (("move", 5), ("speed", 2)) if two_heads else (("move", 5),))
    policy = policy_of(
        registry,
        spec,
        hidden=hidden,
        residual_blocks=blocks,
        activation=activation,
        separate_value=separate,
        seed=seed,
    )
    model = export_model(policy)
    rows = compare(policy, model.SerializeToString(), compile_plan(model), random_rows(spec, seed=seed))
    assert [(row.runner, row.batch) for row in rows] == [
        (runner, batch) for batch in (1, 8, 40) for runner in ("onnxruntime", "numpy")
    ]
    assert all(row.within and row.logits <= 1e-5 and row.value <= 1e-5 for row in rows), rows


@given(
    channels=st.integers(1, 6), blocks=st.integers(0, 2),
    activation=st.sampled_from(["tanh", "relu", "gelu"]), parts=st.sampled_from([[BOARD], [BOARD, VECTOR]]),
    seed=st.integers(0, 99),
)  # fmt: skip
@settings(max_examples=3, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_conv_agrees(registry, channels, blocks, activation, parts, seed):
    spec = spec_of(parts)
    policy = policy_of(
        registry, spec, "conv", channels=channels, blocks=blocks, activation=activation, hidden=8, seed=seed
    )
    model = export_model(policy)
    rows = compare(policy, model.SerializeToString(), compile_plan(model), random_rows(spec, seed=seed))
    assert all(row.within and row.logits <= 1e-5 and row.value <= 1e-5 for row in rows), rows


class Odd(Network):
    """A plugin author's network: wraps around the board, pools, normalises, permutes."""

    def __init__(self):
        super().__init__()
        self.around = nn.Conv2d(3, 4, 3, padding=1, padding_mode="circular", groups=1)
        self.grouped = nn.Conv2d(4, 4, (2, 3), stride=(1, 2), padding=(1, 0), groups=2, bias=False)
        self.batch_norm, self.norm = nn.BatchNorm2d(4), nn.LayerNorm(4)
        self.mix = nn.Linear(4, 6)
        self.out = nn.Linear(14, 6)
        self.drop = nn.Dropout(0.5)

    def forward(self, observation):
        x = self.around(observation["board"].to(torch.float32))
        h = nn.functional.silu(self.batch_norm(self.grouped(x)))
        cells = self.norm(h.flatten(2).permute(0, 2, 1))
        pooled = torch.cat(
            [cells.mean(1), cells.amax(1), nn.functional.softplus(self.mix(cells)[:, -1])], dim=1
        )
        weights = torch.softmax(nn.functional.leaky_relu(pooled, 0.1), dim=-1)
        found = self.out(self.drop(pooled * weights.unsqueeze(1).expand(-1, 2, -1).sum(1)))
        return PolicyOutput({"move": found[:, :5]}, found[:, 5].clamp(-1.0, 1.0))


def odd_policy(registry, network):
    card = PolicyCard("task", {}, spec_of([BOARD]), "odd", {})
    return Policy(network, {"move": registry.load("heads", "categorical")(card.spec.heads[0])}, card)


def test_an_authors_own_network_agrees_and_keeps_its_mode(registry):
    torch.manual_seed(1)
    policy = odd_policy(registry, Odd())
    policy.network.around.weight.data *= 2
    with torch.no_grad():  # statistics that differ from 0 and 1
        policy.network({"board": torch.randint(0, 9, (16, 3, 4, 5), dtype=torch.uint8)})
    assert policy.network.training
    model = export_model(policy)
    rows = compare(policy, model.SerializeToString(), compile_plan(model), random_rows(policy.card.spec))
    assert all(row.within and row.logits <= 1e-5 for row in rows), rows
    assert policy.network.training


class Branches(Odd):
    def forward(self, observation):
        return super().forward({"board": observation["board"] * (2 if observation["board"].max() > 3 else 1)})


class Waves(Odd):
    def forward(self, observation):
        output = super().forward(observation)
        return PolicyOutput({"move": torch.sin(output.logits["move"])}, output.value)


class ThreeRows(Odd):
    def forward(self, observation):
        output = super().forward(observation)
        return PolicyOutput({"move": output.logits["move"].reshape(3, 5)}, output.value)


def test_an_unknown_operator_is_an_error_at_export(registry):
    with pytest.raises(
        ExportError, match=r"operator Sin \(node '\w+'\), which the numpy runtime does not have"
    ):
        export_model(odd_policy(registry, Waves()))


def test_a_network_with_a_fixed_batch_is_an_error(registry, capfd):
    with pytest.raises(
        ExportError, match=r"network 'odd' works for a batch of 3 rows only: .* first axis of 'board'"
    ):
        export_model(odd_policy(registry, ThreeRows()))
    assert capfd.readouterr() == ("", "")


def test_a_network_that_cannot_be_traced_is_an_error(registry):
    with pytest.raises(
        ExportError, match=r"network 'odd' cannot be traced for ONNX with a free batch axis: ."
    ):
        export_model(odd_policy(registry, Branches()))


def test_the_graph_holds_masks_types_and_card_and_nothing_of_this_machine(registry, tmp_path, capfd):
    spec = spec_of([VECTOR, BOARD])
    policy = policy_of(registry, spec, hidden=[8])
    report = export_policy(policy, tmp_path / "a" / "policy.onnx", random_rows(spec))
    assert capfd.readouterr() == ("", "")
    model = onnx.load(report.path)
    types = onnx.TensorProto
    assert [(value.name, value.type.tensor_type.elem_type) for value in model.graph.input] == [
        ("state", types.FLOAT), ("board", types.UINT8), ("legal_move", types.BOOL),
    ]  # fmt: skip
    assert {value.type.tensor_type.shape.dim[0].dim_param for value in model.graph.input} == {"B"}
    assert [value.name for value in model.graph.output] == ["logits_move", "value"]
    facts = {entry.key: entry.value for entry in model.metadata_props}
    assert PolicyCard.from_json(json.loads(facts["lanista.card"])) == policy.card
    assert (
        facts["lanista.policy_sha256"] == save_policy(tmp_path / "p", policy) == policy_hash(tmp_path / "p")
    )
    assert (facts["lanista.env"], facts["lanista.env_version"]) == ("task", "3")
    assert json.loads(facts["lanista.comparison"])["observations"] == 40
    content = report.path.read_bytes()
    assert report.size == len(content)
    for trace in (b"lanista_agents", b"site-packages", str(tmp_path).encode(), b".py"):
        assert trace not in content
    rows = random_rows(spec)
    found = compile_plan(model).executor().run(rows.inputs())["logits_move"]
    assert (found[~rows.legal["move"]] == np.finfo(np.float32).min).all()
    assert (found[rows.legal["move"]] > -1e3).all()


def test_the_same_policy_gives_the_same_bytes(registry, tmp_path):
    spec = spec_of([VECTOR])
    content = [
        export_policy(
            policy_of(registry, spec, hidden=[8]), tmp_path / f"{n}.onnx", random_rows(spec)
        ).path.read_bytes()
        for n in range(2)
    ]
    assert content[0] == content[1]


def test_weights_that_are_not_finite_are_refused(registry):
    policy = policy_of(registry, spec_of([VECTOR]), hidden=[8])
    next(policy.network.parameters()).data[0, 0] = float("nan")
    with pytest.raises(
        ExportError, match=r"weight '.+' of policy 'policy' holds a number that is not finite"
    ):
        export_model(policy)


@pytest.mark.parametrize("change", [3e-4, float("nan")])
def test_a_runner_that_computes_something_else_is_an_error_and_nothing_is_written(
    registry, tmp_path, monkeypatch, change
):
    def compile_wrongly(model):
        plan = compile_plan(model)
        name = next(step["inputs"][1] for step in plan.record["steps"] if step["op"] == "Dense")
        plan.weights[name] = plan.weights[name] + np.float32(change)
        return plan

    monkeypatch.setattr(export_module, "compile_plan", compile_wrongly)
    spec = spec_of([VECTOR])
    policy = policy_of(registry, spec, hidden=[8])
    wanted = r"numpy at batch 1 differs from torch by .* in the heads' outputs .*\(limit 1e-04\).*nothing was written"
    with pytest.raises(ExportError, match=wanted):
        export_policy(policy, tmp_path / "policy.onnx", random_rows(spec))
    assert list(tmp_path.iterdir()) == []


def test_another_policys_graph_is_caught_by_greedy_actions_too(registry):
    spec = spec_of([VECTOR])
    model = export_model(policy_of(registry, spec, hidden=[8], seed=1))
    rows = compare(
        policy_of(registry, spec, hidden=[8]),
        model.SerializeToString(),
        compile_plan(model),
        random_rows(spec),
    )
    assert all(row.equal < 1.0 and not row.within for row in rows)


def test_equal_logits_are_a_tie_and_no_difference(registry):
    spec = spec_of([VECTOR])
    policy = policy_of(registry, spec, hidden=[8])
    with torch.no_grad():
        layer = policy.network.outputs.layer
        layer.weight[:5] = layer.weight[0]
        layer.bias[:5] = torch.tensor([0.0, 0.0, 2e-6, 0.0, 0.0])
    model = export_model(policy)
    plan = compile_plan(model)
    bias = next(name for name, array in plan.weights.items() if array.shape == (6,))
    plan.weights[bias] = np.array([4e-6, 0.0, 0.0, 0.0, 0.0, 0.0], np.float32) + plan.weights[bias]
    rows = [
        row
        for row in compare(policy, model.SerializeToString(), plan, random_rows(spec))
        if row.runner == "numpy"
    ]
    assert all(row.ties > 0 and row.equal == 1.0 and row.within for row in rows), rows


def test_differences_are_in_units_of_large_numbers_only():
    assert scaled_difference(np.array([0.1]), np.array([0.2])) == pytest.approx(0.1)
    assert scaled_difference(np.array([100.0, 0.0]), np.array([100.0, 1.0])) == pytest.approx(0.01)
    assert scaled_difference(np.array([1.0]), np.array([np.inf])) == float("inf")
    assert LIMIT == 1e-4


def test_play_records_rows_that_act(registry):
    settings = {"rows": 4, "columns": 5, "inarow": 3}
    env = registry.load("envs", "connectx")(2, registry.settings("envs", "connectx", settings), 1)
    card = PolicyCard("connectx", settings, env.spec, "mlp", {"hidden": [8]})
    policy = build_policy(card, registry)
    recorded = record_play(policy, registry, 150)
    assert len(recorded) == 150
    assert recorded.observation["board"].shape == (150, 5, 4, 5)
    assert recorded.legal["column"].any(axis=1).all()
    own, other = recorded.observation["board"][:, 0], recorded.observation["board"][:, 1]
    ahead = other.sum(axis=(1, 2)).astype(int) - own.sum(axis=(1, 2))
    assert set(ahead) == {0, 1}  # the seat to move never has more stones


def test_folders_and_recorded_files(registry, tmp_path):
    spec = spec_of([VECTOR])
    policy = policy_of(registry, spec, hidden=[8])
    with pytest.raises(CheckpointError, match=r"neither policy.json nor final/policy.json is there"):
        find_policy(tmp_path)
    save_policy(tmp_path / "final", policy)
    rows = random_rows(spec)
    arrays = {f"observation/{name}": array for name, array in rows.observation.items()}
    arrays["legal/move"] = rows.legal["move"].copy()
    arrays["legal/move"][:7] = False  # a seat that had nothing to decide
    np.savez(tmp_path / "final" / "recorded.npz", **arrays)
    report = export_folder(tmp_path, None, registry)
    assert report.path == tmp_path / "exported" / "policy.onnx"
    assert report.observations == 33
    assert export_folder(tmp_path / "final", None, registry, 5).path == tmp_path / "final" / "policy.onnx"
    assert len(acting_rows(read_recorded(tmp_path / "final" / "recorded.npz", policy))) == 33

    arrays["observation/state"] = arrays["observation/state"][:, :3]
    np.savez(tmp_path / "final" / "recorded.npz", **arrays)
    with pytest.raises(
        ExportError, match=r"observation/state should be an array \[B, \(4,\)\], found \(40, 3\)"
    ):
        export_folder(tmp_path, None, registry)
    arrays["observation/state"] = np.zeros((40, 4), np.float32)
    arrays["legal/move"][:] = False
    np.savez(tmp_path / "final" / "recorded.npz", **arrays)
    with pytest.raises(ExportError, match="has no row with a legal action"):
        export_folder(tmp_path, None, registry)


def test_the_target_onnx_delivers_the_file_and_judges_nothing(registry, tmp_path):
    env = registry.load("envs", "cartpole")(1, registry.settings("envs", "cartpole", {}), 1)
    save_policy(
        tmp_path / "final",
        build_policy(PolicyCard("cartpole", {}, env.spec, "mlp", {"hidden": [4]}), registry),
    )
    target = registry.load("targets", "onnx")(registry)
    delivered = target.deliver(tmp_path, tmp_path / "final", tmp_path / "exported")
    assert delivered.file == tmp_path / "exported" / "policy.onnx"
    assert delivered.record["export"]["observations"] == 1000
    verdict = target.verify(delivered.file, 1, {}, tmp_path, lambda finished, total, what: None)
    assert (verdict.ok, verdict.exit_code) == (False, 2)
    assert verdict.lines[0].startswith("not judged: policy.onnx is a bare network")
