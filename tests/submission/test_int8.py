"""Weights stored as int8: what is stored, that two runners read it alike, and that its cost is told."""

import json

import numpy as np
import onnx
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from onnx import TensorProto, helper, numpy_helper

from lanista.matches import evaluate_returns
from lanista.policy import PolicyCard, build_policy, save_policy
from lanista.policy_player import PolicyPlayer
from lanista_submission.errors import ExportError
from lanista_submission.export.compare import numpy_runner, onnx_runner
from lanista_submission.export.graph import export_model
from lanista_submission.export.int8 import LARGEST, quantised, with_int8_weights
from lanista_submission.export.policy import export_policy
from lanista_submission.export.record import record_play
from lanista_submission.runtime.execute import load
from lanista_submission.runtime.plan import compile_plan
from lanista_submission.targets.onnx import SEED, Onnx, OnnxSettings

FINITE = st.floats(-1e6, 1e6, width=32)


@given(hnp.arrays(np.float32, hnp.array_shapes(min_dims=2, max_dims=4, max_side=6), elements=FINITE))
def test_every_weight_is_within_half_a_step_of_its_output(weight):
    q, scale = quantised(weight)
    assert q.dtype == np.int8
    assert scale.dtype == np.float32
    assert scale.shape == (len(weight),)
    assert (scale > 0).all()
    assert np.abs(q.astype(int)).max() <= LARGEST
    spread = scale.reshape(-1, *[1] * (weight.ndim - 1)).astype(np.float64)
    assert (np.abs(q * spread - weight) <= spread * 0.5001).all()


def policy_of(registry, env, network, **settings):
    spec = registry.load("envs", env)(1, registry.settings("envs", env, {}), 1).spec
    torch.manual_seed(3)
    policy = build_policy(PolicyCard(env, {}, spec, network, {"policy_gain": 1.0, **settings}), registry)
    with torch.no_grad():  # biases too, as after training
        for weight in policy.network.parameters():
            weight += 0.05 * torch.randn_like(weight)
    return policy


@pytest.mark.parametrize(
    ("env", "network", "settings"),
    [
        ("cartpole", "mlp", {"hidden": [64, 64]}),
        ("pendulum", "mlp", {"hidden": [64, 64], "activation": "relu"}),
        ("connectx", "conv", {"channels": 16, "blocks": 1}),
    ],
)
def test_a_file_with_int8_weights_is_smaller_and_runs_alike_everywhere(
    registry, tmp_path, env, network, settings
):
    policy = policy_of(registry, env, network, **settings)
    rows = record_play(policy, registry, 100)
    whole = export_policy(policy, tmp_path / "whole.onnx", rows)
    report = export_policy(policy, tmp_path / "small.onnx", rows, int8=True)
    assert report.size == (tmp_path / "small.onnx").stat().st_size
    assert report.size < 0.65 * whole.size
    assert report.int8.agreement > 0.9
    assert 0.0 < report.int8.difference < 0.1
    assert any(line.startswith(f"int8 weights: {report.size:,} bytes, ") for line in report.lines())

    model = onnx.load(tmp_path / "small.onnx")
    assert {entry.key: entry.value for entry in model.metadata_props}["lanista.weights"] == "int8"
    plan = compile_plan(model)
    assert any(array.dtype == np.int8 for array in plan.weights.values())
    inputs = rows.inputs()
    expected, found = onnx_runner(model.SerializeToString())(inputs), numpy_runner(plan)(inputs)
    for name in expected:
        np.testing.assert_allclose(found[name], expected[name], rtol=1e-5, atol=1e-5)

    # As a bundle keeps it: JSON and an npz file, from which the float32 weights are written out on loading.
    (tmp_path / "plan.json").write_bytes(plan.json_bytes())
    (tmp_path / "weights.npz").write_bytes(plan.npz_bytes())
    again = load(tmp_path / "plan.json", tmp_path / "weights.npz").run(inputs)
    for name in expected:
        np.testing.assert_array_equal(again[name], numpy_runner(plan)(inputs)[name])
    assert len(plan.npz_bytes()) < 0.6 * len(compile_plan(onnx.load(tmp_path / "whole.onnx")).npz_bytes())


def test_the_scaling_of_inputs_still_folds_into_the_first_layer(registry):
    policy = policy_of(registry, "cartpole", "mlp", hidden=[32])
    model = export_model(policy)
    steps = [step["op"] for step in compile_plan(model).record["steps"]]
    record = compile_plan(with_int8_weights(model)).record
    assert [step["op"] for step in record["steps"]] == steps
    assert [entry["rows"] is not None for entry in record["packed"].values()].count(True) == 1


def test_a_network_without_a_layer_worth_it_is_refused(registry):
    with pytest.raises(ExportError, match="no layer with 64 weights or more, so int8 would save nothing"):
        with_int8_weights(export_model(policy_of(registry, "cartpole", "mlp", hidden=[4])))


def dequantised(q, scale, zero=None, **attributes):
    """x @ dequantised(q).T"""
    names = ["q", "scale"] + ([] if zero is None else ["zero"])
    constants = {"q": q, "scale": scale, **({} if zero is None else {"zero": zero})}
    graph = helper.make_graph(
        [
            helper.make_node("DequantizeLinear", names, ["w"], **attributes),
            helper.make_node("Gemm", ["x", "w"], ["y"], transB=1),
        ],
        "test",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["B", 4])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["B", 3])],
        [numpy_helper.from_array(np.asarray(array), name) for name, array in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)


Q = np.array([[1, -2, 3, 127], [0, 5, -127, 8], [9, 9, 9, 9]], np.int8)


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_dequantisation_along_either_axis_is_onnxruntimes(axis):
    scale = np.linspace(0.1, 0.4, 3 if axis == 0 else 4, dtype=np.float32)
    zero = np.zeros(len(scale), np.int8)
    x = {"x": np.random.default_rng(0).standard_normal((5, 4)).astype(np.float32)}
    for model in (dequantised(Q, scale, axis=axis), dequantised(Q, scale, zero, axis=axis)):
        expected = onnx_runner(model.SerializeToString())(x)["y"]
        np.testing.assert_allclose(compile_plan(model).executor().run(x)["y"], expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    "model",
    [
        dequantised(Q, np.ones(4, np.float32), np.full(4, 3, np.int8)),
        dequantised(Q.view(np.uint8), np.ones(4, np.float32)),
        dequantised(Q, np.float32(0.5)),
    ],
    ids=["zero point", "uint8", "one scale"],
)
def test_another_quantisation_is_refused_in_a_sentence(model):
    with pytest.raises(ExportError, match="int8 weights with one scale an output and zero point 0"):
        compile_plan(model)


def test_a_product_without_a_bias_is_read_alike_by_onnxruntime():
    """As a bare MatMul it would be fused with its weights, and its activations rounded."""
    rng = np.random.default_rng(0)
    weight = rng.standard_normal((16, 12)).astype(np.float32)
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["y"])],
        "test",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["B", 16])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["B", 12])],
        [numpy_helper.from_array(weight, "w")],
    )
    model = with_int8_weights(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
    )
    x = rng.standard_normal((7, 16)).astype(np.float32)
    q, scale = quantised(weight.T)
    expected = x @ (q * scale[:, None]).T
    for runner in (onnx_runner(model.SerializeToString()), numpy_runner(compile_plan(model))):
        np.testing.assert_allclose(runner({"x": x})["y"], expected, rtol=1e-4, atol=1e-4)


def test_the_command_tells_what_int8_costs(registry, tmp_path, capfd):
    from lanista.cli import main

    save_policy(tmp_path / "policy", policy_of(registry, "connectx", "mlp", hidden=[32]))
    words = [
        "export",
        str(tmp_path / "policy"),
        "--int8",
        "--observations",
        "50",
        "--out",
        str(tmp_path / "p.onnx"),
    ]
    assert main(words) == 0
    out = capfd.readouterr().out
    assert "against onnxruntime (int8 weights in both) on 50 observations" in out
    assert "against torch with float32 the outputs differ by" in out
    facts = {entry.key: entry.value for entry in onnx.load(tmp_path / "p.onnx").metadata_props}
    assert json.loads(facts["lanista.card"])["env"] == "connectx"


def test_the_target_writes_and_measures_both_files_and_passes_over_what_int8_cannot_save(registry, tmp_path):
    target = Onnx(registry, OnnxSettings(int8=True, timing=0.02, episodes=3))
    for name, hidden in (("big", [32]), ("tiny", [4])):
        policy = policy_of(registry, "cartpole", "mlp", hidden=hidden)
        save_policy(tmp_path / name, policy)
        delivered = target.deliver(tmp_path, tmp_path / name, tmp_path / f"{name}-out")
        measured = delivered.record["measured"]
        kinds = {"float32", "int8"} if name == "big" else {"float32"}
        assert set(measured) == kinds | {"torch_bytes"}
        for kind in kinds:
            assert set(measured[kind]["microseconds"]) == {"torch", "onnxruntime", "numpy"}
            assert measured[kind]["returns"]["episodes"] == 3
            assert measured[kind]["returns"]["worst"] <= measured[kind]["returns"]["mean"]
        assert any(line.startswith("no int8 file: the network has") for line in delivered.lines) == (
            name == "tiny"
        )
    # What numpy plays from the file is what the policy plays.
    env = registry.load("envs", "cartpole")(3, registry.settings("envs", "cartpole", {}), 1)
    own = evaluate_returns(env, PolicyPlayer(policy, 0, greedy=True), 3, SEED)
    assert float(own.mean()) == measured["float32"]["returns"]["mean"]
