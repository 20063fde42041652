"""Reads an ONNX graph: its inputs, constants and operators, in the terms of the runtime.

An operator that the runtime lacks is refused, naming the operator and the node.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
from onnx import numpy_helper

from lanista_submission.errors import ExportError
from lanista_submission.runtime.activations import Array
from lanista_submission.runtime.execute import STEPS, UNITS
from lanista_submission.runtime.packed import spread_scale

#: what the plan's own steps are called; no ONNX operator has these names
OWN_STEPS = frozenset({"Dense", "GeluTanh", "Select"})
#: the ONNX operators that can be planned
OPERATORS = frozenset(STEPS) - OWN_STEPS | {"Constant", "DequantizeLinear", "Gemm"}
#: versions of ONNX's own operator set that the meaning of these operators was checked for
OPSETS = range(18, 23)


@dataclass
class Step:
    """One operator: what it reads, what it writes (names), and how."""

    op: str
    inputs: list[str]
    outputs: list[str]
    attributes: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Packed:
    """How a constant is stored: int8 `q`, the `scale` of each entry of `axis`, a factor a row (`rows`) or None."""

    q: Array
    scale: Array
    axis: int
    rows: Array | None = None

    def transposed(self) -> "Packed":
        """Of the transposed matrix."""
        return Packed(np.ascontiguousarray(self.q.T), self.scale, 1 - self.axis)


@dataclass
class Graph:
    """An ONNX graph on its way to a plan."""

    #: name -> (dtype, shape with None for the batch axis and `UNITS` for that of the acting units)
    inputs: dict[str, tuple[np.dtype[Any], list[int | str | None]]]
    outputs: list[str]
    steps: list[Step]
    constants: dict[str, Array]
    #: input name -> dtype that its buffer has in the plan
    stored: dict[str, np.dtype[Any]] = field(default_factory=dict)
    #: value name -> shape, None where it is not known beforehand
    shapes: dict[str, list[int | None]] = field(default_factory=dict)
    #: constant -> how it is stored, if not as it is
    packed: dict[str, Packed] = field(default_factory=dict)

    def readers(self) -> Counter[str]:
        """How often each value is read, graph outputs included."""
        return Counter([name for step in self.steps for name in step.inputs] + self.outputs)


def check_operators(model: onnx.ModelProto) -> None:
    """Refuse operators that the runtime lacks, other operator sets, functions, and data outside the file."""
    versions = {entry.domain: entry.version for entry in model.opset_import}
    for node in model.graph.node:
        known = node.domain in ("", "ai.onnx") and node.op_type in OPERATORS
        if not known:
            name = node.op_type if not node.domain else f"{node.domain}.{node.op_type}"
            raise ExportError(
                f"the network uses operator {name} (node {node.name or node.output[0]!r}), which the numpy "
                f"runtime does not have; build it from {', '.join(sorted(OPERATORS - {'Constant'}))}"
            )
    if versions.get("", 0) not in OPSETS:
        raise ExportError(
            f"the ONNX file has operator set {versions.get('')}, the runtime reads {OPSETS[0]} to "
            f"{OPSETS[-1]}; export it with one of these"
        )
    if model.functions:
        raise ExportError(
            f"the ONNX file defines functions ({model.functions[0].name}); export it with them inlined"
        )
    outside = [tensor.name for tensor in model.graph.initializer if tensor.external_data]
    if outside:
        raise ExportError(
            f"the ONNX file keeps {outside[0]!r} in another file; save it as one file, without external data"
        )


def read_graph(model: onnx.ModelProto) -> Graph:
    """Read nodes, constants, inputs and outputs."""
    check_operators(model)
    constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    inputs = {value.name: _signature(value) for value in model.graph.input if value.name not in constants}
    graph = Graph(inputs, [value.name for value in model.graph.output], [], constants)
    graph.stored = {name: dtype for name, (dtype, _) in inputs.items()}
    inferred = onnx.shape_inference.infer_shapes(model).graph
    graph.shapes = {value.name: _sizes(value) for value in (*inferred.input, *inferred.value_info)}
    for node in model.graph.node:
        attributes = {entry.name: _plain(onnx.helper.get_attribute_value(entry)) for entry in node.attribute}
        if node.op_type == "Constant":
            ((kind, value),) = attributes.items()
            types = {"value_float": np.float32, "value_floats": np.float32}
            constants[node.output[0]] = (
                value if kind == "value" else np.asarray(value, types.get(kind, np.int64))
            )
            continue
        READERS.get(node.op_type, _plain_step)(graph, node, attributes)
    return graph


def _signature(value: onnx.ValueInfoProto) -> tuple[np.dtype[Any], list[int | str | None]]:
    tensor, shape = value.type.tensor_type, _sizes(value)
    if not shape or shape[0] is not None or None in shape[1:]:
        raise ExportError(
            f"input {value.name!r} has shape {shape}; only the first axis, the batch, may and must be free"
        )
    first = UNITS if tensor.shape.dim[0].dim_param == UNITS else None
    return np.dtype(onnx.helper.tensor_dtype_to_np_dtype(tensor.elem_type)), [first, *shape[1:]]


def _sizes(value: onnx.ValueInfoProto) -> list[int | None]:
    sizes = value.type.tensor_type.shape.dim
    return [size.dim_value if size.HasField("dim_value") else None for size in sizes]


def _plain(value: Any) -> Any:  # noqa: ANN401 - whatever an ONNX attribute holds
    if isinstance(value, onnx.TensorProto):
        return numpy_helper.to_array(value)
    if isinstance(value, bytes):
        return value.decode()
    return list(value) if isinstance(value, (list, tuple)) else value


def _plain_step(graph: Graph, node: onnx.NodeProto, attributes: dict[str, Any]) -> None:
    # The mask of a MaxPool and the statistics of a LayerNormalization are outputs that inference never reads.
    graph.steps.append(
        Step(node.op_type, list(node.input), [name for name in node.output if name], attributes)
    )


def _read_cast(graph: Graph, node: onnx.NodeProto, attributes: dict[str, Any]) -> None:
    dtype = np.dtype(onnx.helper.tensor_dtype_to_np_dtype(attributes["to"]))
    graph.steps.append(Step("Cast", list(node.input), list(node.output), {"dtype": dtype.name}))


def _read_gelu(graph: Graph, node: onnx.NodeProto, attributes: dict[str, Any]) -> None:
    op = "GeluTanh" if attributes.get("approximate") == "tanh" else "Gelu"
    graph.steps.append(Step(op, list(node.input), list(node.output)))


def _read_gather(graph: Graph, node: onnx.NodeProto, attributes: dict[str, Any]) -> None:
    index = graph.constants.get(node.input[1])
    if index is None or index.ndim:
        _plain_step(graph, node, attributes)
        return
    record = {"axis": attributes.get("axis", 0), "index": int(index)}
    graph.steps.append(Step("Select", [node.input[0]], list(node.output), record))


def _read_gemm(graph: Graph, node: onnx.NodeProto, attributes: dict[str, Any]) -> None:
    """``alpha * A' @ B' + beta * C``: a Dense step if the weights are constant, else one step an operator."""
    a, b = node.input[:2]
    c = node.input[2] if len(node.input) > 2 else ""
    alpha, beta = attributes.get("alpha", 1.0), attributes.get("beta", 1.0)
    weight, bias = graph.constants.get(b), graph.constants.get(c) if c else None
    out = node.output[0]

    def named(array: Array, role: str) -> str:
        name = f"{out}/{role}"
        graph.constants[name] = array
        return name

    if attributes.get("transA", 0):
        graph.steps.append(Step("Transpose", [a], [f"{out}/A"], {"perm": [1, 0]}))
        a = f"{out}/A"
    if weight is not None and (
        not c or (bias is not None and bias.size in (1, bias.shape[-1] if bias.ndim else 1))
    ):
        matrix = (weight.T if attributes.get("transB", 0) else weight) * np.asarray(alpha, weight.dtype)
        inputs = [a, named(np.ascontiguousarray(matrix), "weight")]
        if b in graph.packed and alpha == 1.0:
            stored = graph.packed[b]
            graph.packed[inputs[1]] = stored.transposed() if attributes.get("transB", 0) else stored
        if bias is not None:
            row = np.broadcast_to(bias.reshape(-1) * np.asarray(beta, bias.dtype), (matrix.shape[1],))
            inputs.append(named(np.ascontiguousarray(row), "bias"))
        graph.steps.append(Step("Dense", inputs, [out]))
        return
    if attributes.get("transB", 0):
        graph.steps.append(Step("Transpose", [b], [f"{out}/B"], {"perm": [1, 0]}))
        b = f"{out}/B"
    scaled = f"{out}/scaled" if c else out
    graph.steps.append(Step("MatMul", [a, b], [f"{out}/AB"]))
    graph.steps.append(
        Step(
            "Mul",
            [f"{out}/AB", named(np.asarray(alpha, np.float32), "alpha")],
            [f"{out}/scaled" if c else out],
        )
    )
    if c:
        graph.steps.append(Step("Mul", [c, named(np.asarray(beta, np.float32), "beta")], [f"{out}/C"]))
        graph.steps.append(Step("Add", [scaled, f"{out}/C"], [out]))


def _read_constant_of_shape(graph: Graph, node: onnx.NodeProto, attributes: dict[str, Any]) -> None:
    value = np.asarray(attributes.get("value", np.zeros(1, np.float32))).reshape(-1)
    record = {"value": value[0].item(), "dtype": value.dtype.name}
    graph.steps.append(Step("ConstantOfShape", list(node.input), list(node.output), record))


def _read_dequantize(graph: Graph, node: onnx.NodeProto, attributes: dict[str, Any]) -> None:
    """Constants only, and with zero point 0: what an export with int8 weights writes."""
    found = [graph.constants.get(name) for name in node.input]
    q, scale = found[0], found[1] if len(found) > 1 else None
    axis = attributes.get("axis", 1)
    usual = q is not None and scale is not None and q.dtype == np.int8 and scale.ndim == 1
    zero = all(point is not None and not point.any() for point in found[2:])
    if q is None or scale is None or not usual or not zero or attributes.get("block_size", 0):
        raise ExportError(
            f"the network uses DequantizeLinear (node {node.name or node.output[0]!r}) on something other than int8 "
            f"weights with one scale an output and zero point 0; quantise it with `lanista export --int8`"
        )
    packed = Packed(q, scale, axis % q.ndim)
    graph.packed[node.output[0]] = packed
    graph.constants[node.output[0]] = q.astype(np.float32) * spread_scale(scale, packed.axis, q.ndim)


READERS: dict[str, Callable[[Graph, onnx.NodeProto, dict[str, Any]], None]] = {
    "Cast": _read_cast,
    "ConstantOfShape": _read_constant_of_shape,
    "DequantizeLinear": _read_dequantize,
    "Gather": _read_gather,
    "Gelu": _read_gelu,
    "Gemm": _read_gemm,
}
