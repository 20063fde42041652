"""Each operator of the numpy runtime against onnxruntime, on graphs of one or two nodes."""

import ast
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from lanista_submission.errors import ExportError
from lanista_submission.runtime.execute import STEPS, Executor
from lanista_submission.runtime.onnx_graph import OPERATORS
from lanista_submission.runtime.operators import PlanError
from lanista_submission.runtime.plan import compile_plan

FLOAT, BOOL, INT64 = TensorProto.FLOAT, TensorProto.BOOL, TensorProto.INT64


def model_of(nodes, inputs, constants=None, out=FLOAT):
    """A model with outputs "y"; `inputs` maps a name to (type, shape without the batch axis)."""
    graph = helper.make_graph(
        nodes,
        "test",
        [helper.make_tensor_value_info(name, kind, ["B", *shape]) for name, (kind, shape) in inputs.items()],
        [helper.make_tensor_value_info("y", out, None)],
        [numpy_helper.from_array(np.asarray(array), name) for name, array in (constants or {}).items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)


def arrays_for(inputs, batch, rng, scale=2.0):
    found = {}
    for name, (kind, shape) in inputs.items():
        numbers = rng.standard_normal((batch, *shape)) * scale
        dtype = {FLOAT: np.float32, BOOL: np.bool_, INT64: np.int64}[kind]
        found[name] = (numbers > 0) if kind == BOOL else numbers.astype(dtype)
    return found


def assert_same(model, inputs, batches=(1, 8, 17), scale=2.0, seed=0, positive=False):
    """The runtime gives what onnxruntime gives, twice over the same buffers."""
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    executor = compile_plan(model).executor()
    rng = np.random.default_rng(seed)
    for batch in batches:
        for _ in range(2):
            arrays = arrays_for(inputs, batch, rng, scale)
            if positive:
                arrays = {name: np.abs(array) + np.float32(0.1) for name, array in arrays.items()}
            (expected,) = session.run(["y"], arrays)
            found = executor.run(arrays)["y"]
            assert found.dtype == expected.dtype
            np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)
            assert found.shape == expected.shape


def node(op, inputs="x", **attributes):
    return helper.make_node(op, inputs.split(), ["y"], **attributes)


UNARY = [
    "Abs",
    "Exp",
    "Identity",
    "Neg",
    "Erf",
    "Gelu",
    "HardSwish",
    "Mish",
    "Relu",
    "Sigmoid",
    "Tanh",
    "Softplus",
]


@pytest.mark.parametrize("op", UNARY)
@pytest.mark.parametrize("scale", [1.0, 6.0])
def test_unary(op, scale):
    inputs = {"x": (FLOAT, [3, 5])}
    assert_same(model_of([node(op)], inputs), inputs, scale=scale)


@pytest.mark.parametrize("op", ["Sigmoid", "Tanh", "Erf", "Gelu", "Softplus", "Mish", "Relu", "HardSwish"])
def test_activations_do_not_overflow(op):
    model = model_of([node(op)], {"x": (FLOAT, [6])})
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    x = np.array([[-1e4, -90.0, -0.0, 0.0, 90.0, 1e4]], np.float32)
    (expected,) = session.run(["y"], {"x": x})
    np.testing.assert_allclose(
        compile_plan(model).executor().run({"x": x})["y"], expected, rtol=1e-5, atol=1e-5
    )


@pytest.mark.parametrize("op", ["Sqrt", "Log", "Reciprocal"])
def test_unary_of_positive_numbers(op):
    inputs = {"x": (FLOAT, [7])}
    assert_same(model_of([node(op)], inputs), inputs, positive=True)


def test_activations_with_a_slope_and_gelu_by_tanh():
    inputs = {"x": (FLOAT, [9])}
    for made in (
        node("LeakyRelu", alpha=0.2),
        node("LeakyRelu"),
        node("Elu", alpha=0.7),
        node("Gelu", approximate="tanh"),
    ):
        assert_same(model_of([made], inputs), inputs)


@pytest.mark.parametrize("bounds", [("low", "high"), ("low", ""), ("", "high")])
def test_clip(bounds):
    inputs, constants = {"x": (FLOAT, [9])}, {"low": np.float32(-0.5), "high": np.float32(1.0)}
    made = helper.make_node("Clip", ["x", *bounds], ["y"])
    assert_same(model_of([made], inputs, {name: constants[name] for name in bounds if name}), inputs)


@pytest.mark.parametrize("op", ["Add", "Sub", "Mul", "Max", "Min"])
@pytest.mark.parametrize("shapes", [([4], [4]), ([3, 4], [1, 4]), ([1], [4])])
def test_binary(op, shapes):
    inputs = {"a": (FLOAT, shapes[0]), "b": (FLOAT, shapes[1])}
    assert_same(model_of([node(op, "a b")], inputs), inputs)


def test_division_and_powers():
    inputs = {"a": (FLOAT, [4]), "b": (FLOAT, [4])}
    for op in ("Div", "Pow"):
        assert_same(model_of([node(op, "a b")], inputs), inputs, positive=True)


def test_integers_divide_towards_zero():
    inputs = {"a": (INT64, [6])}
    made = model_of([node("Div", "a three")], inputs, {"three": np.int64(3)}, INT64)
    assert_same(made, inputs, scale=9.0)


@pytest.mark.parametrize("op", ["And", "Or"])
def test_logic(op):
    inputs = {"a": (BOOL, [5]), "b": (BOOL, [5])}
    assert_same(model_of([node(op, "a b")], inputs, out=BOOL), inputs)


@pytest.mark.parametrize("op", ["Equal", "Greater", "Less"])
def test_comparisons(op):
    inputs = {"a": (INT64, [5]), "b": (INT64, [5])}
    assert_same(model_of([node(op, "a b")], inputs, out=BOOL), inputs)


def test_not_where_and_casts():
    inputs = {"c": (BOOL, [5]), "x": (FLOAT, [5])}
    nodes = [
        helper.make_node("Not", ["c"], ["n"]),
        helper.make_node("Cast", ["n"], ["f"], to=FLOAT),
        helper.make_node("Where", ["c", "x", "f"], ["y"]),
    ]
    assert_same(model_of(nodes, inputs), inputs)


@pytest.mark.parametrize("op", ["ReduceMax", "ReduceMean", "ReduceMin", "ReduceSum"])
@pytest.mark.parametrize("axes", [[1], [-1], [1, 2], [2, 3], None])
@pytest.mark.parametrize("keepdims", [0, 1])
def test_reductions(op, axes, keepdims):
    inputs = {"x": (FLOAT, [2, 3, 4])}
    constants = {} if axes is None else {"axes": np.array(axes)}
    made = node(op, "x" if axes is None else "x axes", keepdims=keepdims)
    assert_same(model_of([made], inputs, constants), inputs)


@pytest.mark.parametrize("op", ["Softmax", "LogSoftmax"])
@pytest.mark.parametrize("axis", [-1, 1])
def test_softmax(op, axis):
    inputs = {"x": (FLOAT, [3, 4])}
    assert_same(model_of([node(op, axis=axis)], inputs), inputs, scale=20.0)


@pytest.mark.parametrize("axis", [-1, 1])
@pytest.mark.parametrize("bias", [True, False])
def test_layer_normalization(axis, bias):
    shape = [3, 6]
    rng = np.random.default_rng(1)
    wide = [6] if axis == -1 else [3, 6]
    constants = {
        "s": rng.standard_normal(wide).astype(np.float32),
        "b": rng.standard_normal(wide).astype(np.float32),
    }
    inputs = {"x": (FLOAT, shape)}
    made = node("LayerNormalization", "x s b" if bias else "x s", axis=axis)
    assert_same(model_of([made], inputs, constants if bias else {"s": constants["s"]}), inputs)


@given(
    trans_b=st.integers(0, 1), alpha=st.sampled_from([1.0, 0.5]), beta=st.sampled_from([1.0, 2.0]),
    bias=st.sampled_from([None, (), (1,), (4,), (1, 4)]), free=st.booleans(),
)  # fmt: skip
@settings(max_examples=25, deadline=None)
def test_gemm(trans_b, alpha, beta, bias, free):
    rng = np.random.default_rng(2)
    weight = rng.standard_normal((4, 5) if trans_b else (5, 4)).astype(np.float32)
    inputs, constants, words = {"x": (FLOAT, [5])}, {"w": weight}, ["x", "w"]
    if bias is not None:
        constants["c"] = rng.standard_normal(bias).astype(np.float32)
        words.append("c")
    nodes = [helper.make_node("Gemm", words, ["y"], transB=trans_b, alpha=alpha, beta=beta)]
    if free and bias is not None:  # a bias that is computed, so that the weights alone are constant
        nodes = [
            helper.make_node("Abs", ["x"], ["g"]),
            helper.make_node("ReduceMax", ["g"], ["top"], keepdims=0),
            helper.make_node("Gemm", ["x", "w", "top"], ["y"], transB=trans_b, alpha=alpha, beta=beta),
        ]
        constants.pop("c")
    assert_same(model_of(nodes, inputs, constants), inputs)


def test_matmul_of_two_inputs_and_of_stacks():
    inputs = {"a": (FLOAT, [3, 5]), "b": (FLOAT, [5, 2])}
    assert_same(model_of([node("MatMul", "a b")], inputs), inputs)
    constants = {"w": np.random.default_rng(0).standard_normal((5, 4)).astype(np.float32)}
    for shape in ([5], [2, 3, 5]):
        inputs = {"x": (FLOAT, shape)}
        assert_same(model_of([node("MatMul", "x w")], inputs, constants), inputs)


SHAPES = [
    (node("Concat", "x x x", axis=1), {}),
    (node("Concat", "x x", axis=-1), {}),
    (node("Flatten", axis=1), {}),
    (node("Flatten", axis=-1), {}),
    (node("Flatten", axis=0), {}),
    (node("Transpose", perm=[0, 2, 3, 1]), {}),
    (node("Transpose"), {}),
    (node("Reshape", "x s"), {"s": [0, -1]}),
    (node("Reshape", "x s"), {"s": [-1, 4, 6]}),
    (node("Squeeze", "x s"), {"s": [2]}),
    (node("Unsqueeze", "x s"), {"s": [1, -1]}),
    (node("Expand", "x s"), {"s": [1, 2, 5, 4]}),
    (node("Gather", "x s", axis=3), {"s": 1}),
    (node("Gather", "x s", axis=1), {"s": -1}),
    (node("Gather", "x s", axis=3), {"s": [[0, 2], [1, -1]]}),
    (node("Slice", "x s e a"), {"s": [0], "e": [1], "a": [1]}),
    (node("Slice", "x s e a t"), {"s": [3, 1], "e": [-9, -1], "a": [3, 1], "t": [-2, 1]}),
    (node("Slice", "x s e a t"), {"s": [0], "e": [2**62], "a": [-1], "t": [2]}),
    (node("Pad", "x p"), {"p": [0, 0, 1, 2, 0, 0, 0, 1]}),
    (node("Pad", "x p v"), {"p": [0, 0, 0, -1, 0, 0, 1, 2], "v": np.float32(3.0)}),
    (node("Pad", "x p", mode="wrap"), {"p": [0, 0, 1, 2, 0, 0, 1, 2]}),
    (node("Pad", "x p", mode="edge"), {"p": [0, 1, 0, 2, 0, 0, 1, 0]}),
    (node("Pad", "x p", mode="reflect"), {"p": [0, 1, 0, 2, 0, 0, 0, 1]}),
]


@pytest.mark.parametrize(("made", "constants"), SHAPES)
def test_shapes(made, constants):
    inputs = {"x": (FLOAT, [2, 1, 4] if "Gather" not in made.op_type else [3, 2, 4])}
    if made.op_type == "Concat" or (made.op_type == "Reshape" and list(constants["s"])[-1] == 6):
        inputs = {"x": (FLOAT, [2, 3, 4])}
    assert_same(
        model_of([made], inputs, {name: np.asarray(array) for name, array in constants.items()}), inputs
    )


def unit_model(nodes, inputs, constants=None, out=FLOAT):
    """As `model_of`, with the axis of the units first where the shape begins with "U"."""
    model = model_of(
        nodes, {name: (kind, shape[1:]) for name, (kind, shape) in inputs.items()}, constants, out
    )
    for value, (_, shape) in zip(model.graph.input, inputs.values(), strict=True):
        value.type.tensor_type.shape.dim[0].dim_param = shape[0]
    return model


POOLED = {"x": (FLOAT, ["B", 3]), "row": (INT64, ["U"]), "of_unit": (FLOAT, ["U", 3])}
SCATTERED = [
    [
        helper.make_node("Unsqueeze", ["row", "one"], ["at"]),
        node("ScatterND", "x at of_unit", reduction="add"),
    ],
    [helper.make_node("Gather", ["x", "row"], ["here"]), node("Add", "here of_unit")],
    [
        helper.make_node("Shape", ["x"], ["sizes"]),
        helper.make_node(
            "ConstantOfShape", ["sizes"], ["zeros"], value=numpy_helper.from_array(np.float32([0.5]))
        ),
        helper.make_node("Unsqueeze", ["row", "one"], ["at"]),
        node("ScatterND", "zeros at of_unit", reduction="add"),
    ],
    [
        helper.make_node("CumSum", ["of_unit", "zero"], ["sum"]),
        node("CumSum", "sum one0", exclusive=1, reverse=1),
    ],
]


@pytest.mark.parametrize("nodes", SCATTERED, ids=lambda nodes: nodes[-1].op_type)
@pytest.mark.parametrize(("rows", "units"), [(1, 1), (1, 9), (4, 9), (5, 2)])
def test_units_are_pooled_and_picked_by_number(nodes, rows, units):
    constants = {"one": np.array([1], np.int64), "zero": np.array(0, np.int64), "one0": np.array(1, np.int64)}
    model = unit_model(nodes, POOLED, constants)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    wanted = {entry.name for entry in session.get_inputs()}
    executor = compile_plan(model).executor()
    rng = np.random.default_rng(0)
    for _ in range(2):
        arrays = {
            "x": rng.standard_normal((rows, 3)).astype(np.float32),
            "row": np.sort(rng.integers(0, rows, units)),
            "of_unit": rng.standard_normal((units, 3)).astype(np.float32),
        }
        (expected,) = session.run(["y"], {name: array for name, array in arrays.items() if name in wanted})
        np.testing.assert_allclose(executor.run(arrays)["y"], expected, rtol=1e-5, atol=1e-5)


def test_writing_by_number_and_gathering_by_element():
    inputs = {"x": (FLOAT, ["B", 4]), "at": (INT64, ["U", 2]), "new": (FLOAT, ["U"])}
    model = unit_model([node("ScatterND", "x at new")], inputs)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    arrays = {
        "x": np.arange(12, dtype=np.float32).reshape(3, 4),
        "at": np.array([[0, 1], [2, 3], [1, 0]]),
        "new": np.array([50.0, 60.0, 70.0], np.float32),
    }
    np.testing.assert_array_equal(
        compile_plan(model).executor().run(arrays)["y"], session.run(["y"], arrays)[0]
    )
    inputs = {"x": (FLOAT, ["U", 2, 3]), "at": (INT64, ["U", 1, 3])}
    model = unit_model([node("GatherElements", "x at", axis=1)], inputs)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    executor = compile_plan(model).executor()
    rng = np.random.default_rng(1)
    for _ in range(2):
        arrays = {
            "x": rng.standard_normal((5, 2, 3)).astype(np.float32),
            "at": rng.integers(-2, 2, (5, 1, 3)),
        }
        np.testing.assert_array_equal(executor.run(arrays)["y"], session.run(["y"], arrays)[0])


def test_reshape_of_a_transposed_value_follows_the_input():
    inputs = {"x": (FLOAT, [3, 4])}
    nodes = [
        helper.make_node("Transpose", ["x"], ["t"], perm=[0, 2, 1]),
        helper.make_node("Reshape", ["t", "s"], ["y"]),
    ]
    assert_same(model_of(nodes, inputs, {"s": np.array([-1, 12])}), inputs)


def test_shape_arithmetic_is_settled_when_the_batch_is_known():
    inputs = {"x": (FLOAT, [3, 4])}
    nodes = [
        helper.make_node("Shape", ["x"], ["n"], start=0, end=1),
        helper.make_node("Concat", ["n", "rest"], ["s"], axis=0),
        helper.make_node("Reshape", ["x", "s"], ["y"]),
    ]
    assert_same(model_of(nodes, inputs, {"rest": np.array([12])}), inputs)


@pytest.mark.parametrize("parts", [{"sizes": [1, 3]}, {"num_outputs": 2}])
def test_split(parts):
    inputs = {"x": (FLOAT, [4])}
    words, constants = ["x"], {}
    if "sizes" in parts:
        words, constants = ["x", "sizes"], {"sizes": np.array(parts["sizes"])}
    extra = {key: value for key, value in parts.items() if key != "sizes"}
    nodes = [
        helper.make_node("Split", words, ["a", "b"], axis=1, **extra),
        helper.make_node("ReduceSum", ["a", "one"], ["t"], keepdims=1),
        helper.make_node("Mul", ["t", "b"], ["y"]),
    ]
    assert_same(model_of(nodes, inputs, {**constants, "one": np.array([1])}), inputs)


@given(
    channels=st.sampled_from([1, 2, 4]), outputs=st.sampled_from([2, 4]), group=st.sampled_from([1, 2]),
    kernel=st.lists(st.integers(1, 3), min_size=1, max_size=3), strides=st.integers(1, 2),
    dilations=st.integers(1, 2), pads=st.lists(st.integers(0, 2), min_size=6, max_size=6),
    bias=st.booleans(), activation=st.booleans(), data=st.data(),
    auto=st.sampled_from(["NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID"]),
)  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_convolutions(
    channels, outputs, group, kernel, strides, dilations, pads, bias, activation, auto, data
):
    if channels % group:
        group = 1
    axes = len(kernel)
    sizes = [data.draw(st.integers((span - 1) * dilations + 1, 6)) for span in kernel]
    attributes = {"group": group, "strides": [strides] * axes, "kernel_shape": kernel}
    if auto == "NOTSET":
        attributes |= {"pads": pads[: 2 * axes], "dilations": [dilations] * axes}
    else:
        attributes |= {"auto_pad": auto, "dilations": [1] * axes}
    rng = np.random.default_rng(3)
    constants = {"w": rng.standard_normal((outputs, channels // group, *kernel)).astype(np.float32)}
    if bias:
        constants["b"] = rng.standard_normal(outputs).astype(np.float32)
    nodes = [helper.make_node("Conv", ["x", *constants], ["h" if activation else "y"], **attributes)]
    if activation:
        nodes.append(helper.make_node("Tanh", ["h"], ["y"]))
    inputs = {"x": (FLOAT, [channels, *sizes])}
    assert_same(model_of(nodes, inputs, constants), inputs, scale=1.0)


@pytest.mark.parametrize("op", ["MaxPool", "AveragePool"])
@pytest.mark.parametrize("include", [0, 1])
@pytest.mark.parametrize("pads", [[0, 0, 0, 0], [1, 0, 0, 1]])
def test_pools(op, include, pads):
    extra = {"count_include_pad": include} if op == "AveragePool" else {}
    inputs = {"x": (FLOAT, [2, 5, 6])}
    assert_same(model_of([node(op, kernel_shape=[2, 3], strides=[1, 2], pads=pads, **extra)], inputs), inputs)


@pytest.mark.parametrize("op", ["GlobalAveragePool", "GlobalMaxPool"])
def test_global_pools(op):
    inputs = {"x": (FLOAT, [2, 5, 6])}
    assert_same(model_of([node(op)], inputs), inputs)


def test_scaling_folds_into_the_first_layer_only_where_widths_agree():
    rng = np.random.default_rng(4)
    constants = {
        "f": rng.uniform(0.1, 2.0, 4).astype(np.float32),
        "o": rng.standard_normal(4).astype(np.float32),
        "w": rng.standard_normal((4, 3)).astype(np.float32),
        "b": rng.standard_normal(3).astype(np.float32),
    }
    nodes = [
        helper.make_node("Mul", ["x", "f"], ["m"]),
        helper.make_node("Add", ["o", "m"], ["s"]),
        helper.make_node("Gemm", ["s", "w", "b"], ["y"]),
    ]
    for width, steps in (
        (4, ["Dense"]),
        (1, ["Mul", "Dense"]),
    ):  # a column that Mul spreads must stay with Mul
        inputs = {"x": (FLOAT, [width])}
        model = model_of(nodes, inputs, constants)
        assert_same(model, inputs)
        assert [step["op"] for step in compile_plan(model).record["steps"]] == steps


def test_a_value_that_is_read_twice_is_not_overwritten_by_a_fused_activation():
    inputs, constants = {"x": (FLOAT, [4])}, {"w": np.eye(4, dtype=np.float32)}
    nodes = [
        helper.make_node("Gemm", ["x", "w"], ["h"]),
        helper.make_node("Relu", ["h"], ["r"]),
        helper.make_node("Sub", ["r", "h"], ["y"]),
    ]
    assert_same(model_of(nodes, inputs, constants), inputs)


def test_rows_do_not_touch_each_other_and_nan_stays_in_its_row():
    inputs, constants = {"x": (FLOAT, [4])}, {"w": np.ones((4, 4), np.float32)}
    nodes = [helper.make_node("Gemm", ["x", "w"], ["h"]), helper.make_node("Softmax", ["h"], ["y"])]
    executor = compile_plan(model_of(nodes, inputs, constants)).executor()
    x = np.random.default_rng(0).standard_normal((3, 4)).astype(np.float32)
    clean = executor.run({"x": x})["y"].copy()
    x[1] = np.nan
    found = executor.run({"x": x})["y"]
    assert np.isnan(found[1]).all()
    np.testing.assert_array_equal(found[[0, 2]], clean[[0, 2]])


def test_the_oldest_batch_size_is_let_go():
    model = model_of([node("Relu")], {"x": (FLOAT, [2])})
    plan = compile_plan(model)
    executor = Executor(plan.record, plan.weights, keep=2)
    first = executor.program(1)
    executor.program(2)
    assert executor.program(1) is first
    executor.program(3)
    assert executor.program(1) is not first


def test_what_the_runtime_lacks_is_named():
    made = helper.make_node("Sin", ["x"], ["y"], name="wave")
    with pytest.raises(
        ExportError, match=r"operator Sin \(node 'wave'\), which the numpy runtime does not have"
    ):
        compile_plan(model_of([made], {"x": (FLOAT, [2])}))


def test_other_operator_sets_are_refused():
    graph = model_of([node("Relu")], {"x": (FLOAT, [2])}).graph
    old = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
    with pytest.raises(ExportError, match="operator set 13, the runtime reads 18 to 22"):
        compile_plan(old)


def test_shapes_that_depend_on_the_observation_are_refused():
    nodes = [helper.make_node("Cast", ["n"], ["s"], to=INT64), helper.make_node("Expand", ["x", "s"], ["y"])]
    model = model_of(nodes, {"x": (FLOAT, [2]), "n": (FLOAT, [2])})
    with pytest.raises(ExportError, match="Expand: operand 1 depends on the observation"):
        compile_plan(model)


def test_a_fixed_batch_axis_is_refused():
    model = model_of([node("Relu")], {"x": (FLOAT, [2])})
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 3
    with pytest.raises(ExportError, match=r"input 'x' has shape \[3, 2\]; only the first axis"):
        compile_plan(model)


def test_a_wrong_shape_and_a_wrong_version_are_said():
    plan = compile_plan(model_of([node("Relu")], {"x": (FLOAT, [2])}))
    with pytest.raises(PlanError, match=r"input x has shape \(1, 3\), the network takes \(1, 2\)"):
        plan.executor().run({"x": np.zeros((1, 3), np.float32)})
    with pytest.raises(PlanError, match="version 0, this runtime reads 2"):
        Executor({**plan.record, "version": 0}, plan.weights)
    with pytest.raises(PlanError, match="operator Sing, which this runtime does not know"):
        Executor({**plan.record, "steps": [{**plan.record["steps"][0], "op": "Sing"}]}, plan.weights).program(
            1
        )


def test_a_constant_is_not_mistaken_for_what_an_expand_looks_at():
    """A stretched view of the input is read-only, as a constant is, and changes with every run."""
    nodes = [
        helper.make_node("Expand", ["x", "shape"], ["wide"]),
        helper.make_node("Add", ["wide", "row"], ["sum"]),
        helper.make_node("Mul", ["sum", "x"], ["y"]),
    ]
    constants = {"shape": np.array([1, 4], np.int64), "row": np.arange(4, dtype=np.float32)}
    assert_same(model_of(nodes, {"x": (FLOAT, [1])}, constants), {"x": (FLOAT, [1])})


@pytest.mark.parametrize("width", [1, 3])
def test_layers_of_one_number_and_masks_that_are_stretched(width):
    weights = np.random.default_rng(0).standard_normal((5, width)).astype(np.float32)
    nodes = [
        helper.make_node("Gemm", ["x", "w", "b"], ["z"]),
        helper.make_node("Clip", ["z", "low", "high"], ["clipped"]),
        helper.make_node("Where", ["mask", "clipped", "low"], ["y"]),
    ]
    constants = {"w": weights, "b": np.full(width, 0.5, np.float32)}
    constants |= {"low": np.float32(-0.7), "high": np.float32(0.7)}
    for mask in (1, width):
        inputs = {"x": (FLOAT, [5]), "mask": (BOOL, [mask])}
        assert_same(model_of(nodes, inputs, constants), inputs)


def test_outputs_that_nobody_wants_cost_nothing():
    nodes = [node("Exp"), helper.make_node("Tanh", ["x"], ["z"])]
    model = model_of(nodes, {"x": (FLOAT, [3])})
    model.graph.output.append(helper.make_tensor_value_info("z", FLOAT, None))
    plan = compile_plan(model)
    x = {"x": np.ones((1, 3), np.float32)}
    whole, part = plan.executor(), Executor(plan.record, plan.weights, wanted=["z"])
    assert set(whole.run(x)) == {"y", "z"}
    assert set(part.run(x)) == {"z"}
    np.testing.assert_array_equal(part.run(x)["z"], whole.run(x)["z"])
    assert len(part.program(1).calls) == len(whole.program(1).calls) - 1


def test_inputs_of_another_type_are_cast_where_nothing_but_precision_is_lost():
    executor = compile_plan(model_of([node("Exp")], {"x": (FLOAT, [2])})).executor()
    found = executor.run({"x": np.array([[0.5, 1.0]])})["y"]
    np.testing.assert_allclose(found, np.exp([[0.5, 1.0]]), rtol=1e-6)
    with pytest.raises(TypeError, match="Cannot cast"):
        executor.run({"x": np.array([[1j, 2.0]])})


def test_every_operator_is_held_against_onnxruntime_by_a_test_of_this_file():
    """By the names that stand here: of a suite on several workers each runs a part of the tests."""
    assert len(OPERATORS) > 50
    tree = ast.parse(Path(__file__).read_text(encoding="utf-8"))
    named = {found.value for found in ast.walk(tree) if isinstance(found, ast.Constant)}
    # test_int8.py holds DequantizeLinear, which becomes a constant, against onnxruntime
    missing = {"Dequantize" + "Linear"}
    assert OPERATORS - named - {"Constant"} == missing
    assert len(STEPS) == len(OPERATORS) - 3 + 3
