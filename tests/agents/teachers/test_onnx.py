"""Teachers of ONNX: our own graphs without a setting, strangers' by the names of their outputs."""

import copy

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper

from lanista.errors import LanistaError
from lanista.policy import PolicyCard, build_policy, load_policy, save_policy
from lanista.spec import ObsPart
from lanista_agents.teachers.plan import TeacherFileError

from .conftest import CHOICE, CLIP, NUMBERS, RECORDED, SEEN, TANH, heads_of, spec_of

WEIGHT = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)


@pytest.fixture
def export():
    graph = pytest.importorskip("lanista_submission.export.graph")

    def write(policy, path):
        path.write_bytes(graph.export_model(policy).SerializeToString())
        return path

    return write


def stranger(path, *nodes, outputs, batch="B", inputs=(("seen", TensorProto.FLOAT, 5),), weights=None):
    """A graph of a few nodes over one row of numbers."""
    weights = weights or {"weight": WEIGHT}
    graph = helper.make_graph(
        list(nodes), "stranger",
        [helper.make_tensor_value_info(name, kind, [batch, size]) for name, kind, size in inputs],
        [helper.make_tensor_value_info(name, kind, shape) for name, kind, shape in outputs],
        initializer=[numpy_helper.from_array(array, name) for name, array in weights.items()],
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.save_model(model, path)
    return path


def dense(name="logits"):
    return helper.make_node("MatMul", ["seen", "weight"], [name])


LOGITS = ("logits", TensorProto.FLOAT, ["B", 3])


@pytest.mark.parametrize("name", [pytest.param("one", marks=pytest.mark.slow), "several"])
def test_a_graph_of_ours_needs_no_setting(name, export, teach, registry, seen, tmp_path):
    heads = heads_of(name)
    torch.manual_seed(0)
    policy = build_policy(PolicyCard("practice", {}, spec_of(heads), "mlp", {"policy_gain": 1.0}), registry)
    teacher = teach(f"onnx:{export(policy, tmp_path / 'ours.onnx')}", heads)
    ours, theirs = policy.network(seen), teacher.network(seen)
    for head in ours.logits:
        assert torch.allclose(ours.logits[head], theirs.logits[head], atol=1e-5)
    assert torch.allclose(ours.value, theirs.value, atol=1e-5)
    assert teacher.num_parameters == policy.num_parameters


#: tracing a policy takes a second or two
SLOW = pytest.mark.slow


@pytest.mark.parametrize(
    "table", [TANH, pytest.param(CLIP, marks=SLOW), pytest.param({"use": "deterministic"}, marks=SLOW)]
)
def test_real_numbers_of_ours_are_said_in_the_words_of_any_head(
    table, export, teach, registry, seen, tmp_path
):
    torch.manual_seed(0)
    card = PolicyCard("practice", {}, spec_of(NUMBERS), "mlp", {"policy_gain": 1.0}, heads={"action": table})
    policy = build_policy(card, registry)
    source = f"onnx:{export(policy, tmp_path / 'ours.onnx')}"
    for student in (TANH, CLIP, {"use": "deterministic"}):
        teacher = teach(source, NUMBERS, student)
        ours, theirs = (one.act(seen, {}, None)[0]["action"] for one in (policy, teacher))
        assert torch.allclose(ours, theirs, atol=1.5e-4)
        assert teacher.card.history["teacher"]["heads"]["action"]["use"] == table["use"]
    if table is TANH:
        kept = teach(source, NUMBERS, TANH).network(seen).logits["action"]
        assert torch.allclose(kept, policy.network(seen).logits["action"], atol=1e-3)


@pytest.mark.parametrize(
    ("name", "table"), [("ppo_sde", TANH), pytest.param("td3_numbers", CLIP, marks=SLOW)]
)
def test_a_teacher_of_another_library_is_exported_like_any_policy(name, table, export, teach, seen, tmp_path):
    teacher = teach(f"sb3:{RECORDED / name}.zip", NUMBERS, table)
    again = teach(f"onnx:{export(teacher, tmp_path / 'it.onnx')}", NUMBERS, table)
    ours, theirs = (one.act(seen, {}, None)[0]["action"] for one in (teacher, again))
    assert torch.allclose(ours, theirs, atol=1.5e-4)


@pytest.mark.parametrize("batch", ["B", 1])
def test_logits_of_a_stranger_are_taken_as_they_are(batch, teach, seen, tmp_path):
    path = stranger(
        tmp_path / "it.onnx", dense(), outputs=[("logits", TensorProto.FLOAT, [batch, 3])], batch=batch
    )
    output = teach(f"onnx:{path}").network(seen)
    assert np.allclose(output.logits["action"].numpy(), seen["observation"].numpy() @ WEIGHT, atol=1e-5)
    assert bool(output.value.isnan().all())


def test_q_values_of_a_stranger_become_logits_by_a_temperature(teach, seen, tmp_path):
    path = stranger(tmp_path / "it.onnx", dense(), outputs=[LOGITS])
    output = teach(f"onnx:{path}", kind="q", q_temperature=0.25).network(seen)
    q = seen["observation"].numpy() @ WEIGHT
    assert np.allclose(output.logits["action"].numpy(), q / 0.25, atol=1e-4)
    assert np.allclose(output.value.numpy(), q.max(axis=1), atol=1e-5)


def test_choices_of_a_stranger_become_logits_by_their_certainty(teach, seen, tmp_path):
    choose = helper.make_node("ArgMax", ["logits"], ["chosen"], axis=1, keepdims=0)
    path = stranger(tmp_path / "it.onnx", dense(), choose, outputs=[("chosen", TensorProto.INT64, ["B"])])
    teacher = teach(f"onnx:{path}", certainty=0.9)
    actions, _, _ = teacher.act(seen, {}, None)
    chosen = (seen["observation"].numpy() @ WEIGHT).argmax(axis=1)
    assert np.array_equal(actions["action"].numpy(), chosen)
    chances = torch.softmax(teacher.network(seen).logits["action"], dim=1)
    assert chances.max(dim=1).values.numpy() == pytest.approx(0.9)
    assert chances.min(dim=1).values.numpy() == pytest.approx(0.05)


def test_real_numbers_of_a_stranger_are_actions_or_means_with_deviations(teach, seen, tmp_path):
    weights = {"weight": WEIGHT[:, :2], "other": np.abs(WEIGHT[:, 1:])}
    nodes = [
        dense("mean"), helper.make_node("MatMul", ["seen", "other"], ["raw"]), helper.make_node("Abs", ["raw"], ["spread"]),
    ]  # fmt: skip
    outputs = [("mean", TensorProto.FLOAT, ["B", 2]), ("spread", TensorProto.FLOAT, ["B", 2])]
    path = stranger(tmp_path / "it.onnx", *nodes, outputs=outputs, weights=weights)
    mean = seen["observation"].numpy() @ WEIGHT[:, :2]
    low, high = np.array(NUMBERS[0].low), np.array(NUMBERS[0].high)
    for options in ({"output": "mean"}, {"output": "mean", "std": "spread"}):
        teacher = teach(f"onnx:{path}", NUMBERS, CLIP, **options)
        actions, _, _ = teacher.act(seen, {}, None)
        assert np.allclose(actions["action"].numpy(), np.clip(mean, low, high), atol=1e-5)
    _, std = teacher.heads["action"].moments(teacher.network(seen).logits["action"])
    said = np.abs(seen["observation"].numpy() @ np.abs(WEIGHT[:, 1:])) / ((high - low) / 2)
    assert np.allclose(std.numpy(), said, rtol=1e-3)


def test_such_a_teacher_is_saved_copied_and_loaded(teach, seen, registry, tmp_path):
    teacher = teach(f"onnx:{stranger(tmp_path / 'it.onnx', dense(), outputs=[LOGITS])}")
    wanted = teacher.network(seen).logits["action"]
    save_policy(tmp_path / "kept", teacher)
    (tmp_path / "it.onnx").unlink()
    again = load_policy(tmp_path / "kept", registry)
    for network in (again.network, copy.deepcopy(teacher.network)):
        assert torch.equal(network(seen).logits["action"], wanted)


def refused(teach, source, match, heads=CHOICE, **options):
    with pytest.raises(LanistaError, match=match) as caught:
        teach(source, heads, **options)
    assert "\n" not in str(caught.value)


def test_files_that_are_no_graphs_are_one_sentence(teach, tmp_path):
    for place, content in enumerate((b"", b"PK not a graph", b"\x08\x07" * 50)):
        path = tmp_path / f"{place}.onnx"
        path.write_bytes(content)
        refused(teach, f"onnx:{path}", "it is no ONNX file, or a damaged one|several outputs|no output")
    refused(teach, f"onnx:{tmp_path / 'none.onnx'}", "cannot be read")


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"output": "logit"}, "it has no output 'logit'; did you mean 'logits'"),
        ({"kind": "mean"}, "gives 3 numbers as mean, and the env takes one of 3 choices"),
        ({"knd": "q"}, "unknown key 'knd'"),
    ],
)
def test_settings_that_do_not_fit_the_graph_are_one_sentence(options, match, teach, tmp_path):
    path = stranger(tmp_path / "it.onnx", dense(), outputs=[LOGITS])
    refused(teach, f"onnx:{path}", match, **options)


def test_a_graph_for_another_env_is_one_sentence(teach, export, registry, tmp_path):
    path = stranger(tmp_path / "it.onnx", dense(), outputs=[LOGITS])
    refused(
        teach,
        f"onnx:{path}",
        r"its input seen takes \(5,\) a row and the env shows \(7,\)",
        seen=(ObsPart("o", (7,), "float32", ""),),
    )
    refused(teach, f"onnx:{path}", "gives 3 numbers as action, and the env takes 2 real numbers", NUMBERS)
    two = stranger(
        tmp_path / "two.onnx", helper.make_node("MatMul", ["seen", "weight"], ["logits"]),
        helper.make_node("Add", ["logits", "more"], ["sum"]), outputs=[("sum", TensorProto.FLOAT, ["B", 3])],
        inputs=(("seen", TensorProto.FLOAT, 5), ("more", TensorProto.FLOAT, 3)),
    )  # fmt: skip
    refused(teach, f"onnx:{two}", "it has the inputs seen, more and the env shows observation")
    both = stranger(
        tmp_path / "both.onnx",
        dense("a"),
        dense("b"),
        outputs=[("a", TensorProto.FLOAT, ["B", 3]), ("b", TensorProto.FLOAT, ["B", 3])],
    )
    refused(teach, f"onnx:{both}", r"several outputs \(a, b\); say which holds the action")
    policy = build_policy(PolicyCard("practice", {}, spec_of(CHOICE, SEEN), "mlp", {}), registry)
    ours = export(policy, tmp_path / "ours.onnx")
    refused(
        teach,
        f"onnx:{ours}",
        "it was made for world with other observation",
        seen=(ObsPart("o", (7,), "float32", ""),),
    )


def test_a_graph_of_a_fixed_batch_is_one_sentence(teach, tmp_path):
    path = stranger(tmp_path / "it.onnx", dense(), outputs=[("logits", TensorProto.FLOAT, [4, 3])], batch=4)
    with pytest.raises(TeacherFileError, match="its batch is fixed to 4 rows"):
        teach(f"onnx:{path}")
