"""Compiles an ONNX graph into a plan for `execute`: JSON steps and an array a constant.

1. Read the nodes; an operator that the runtime lacks is refused, naming the operator and the node.
2. Simplify: casts move into the inputs, scaling of inputs into the first layer, activations into the layer
   before them.
3. Drop what nothing reads, give everything a short name, and bind the plan once for two batch sizes, so that
   a plan which compiles also runs.
"""

import io
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
from onnx import numpy_helper

from lanista_submission.errors import ExportError
from lanista_submission.runtime.execute import PLAN_VERSION, Executor
from lanista_submission.runtime.operators import ACTIVATIONS, BINDERS, Array, RuntimeFault

#: what the plan's own steps are called; no ONNX operator has these names
OWN_STEPS = frozenset({"Dense", "GeluTanh", "Select"})
#: the ONNX operators that can be planned
OPERATORS = frozenset(BINDERS) - OWN_STEPS | {"Constant", "Gemm"}
#: versions of ONNX's own operator set that the meaning of these operators was checked for
OPSETS = range(18, 23)


@dataclass
class Step:
    """One operator: what it reads, what it writes (names), and how."""

    op: str
    inputs: list[str]
    outputs: list[str]
    attributes: dict[str, Any] = field(default_factory=dict)


@dataclass
class Graph:
    """An ONNX graph on its way to a plan."""

    #: name -> (dtype, shape with None for the batch axis)
    inputs: dict[str, tuple[np.dtype[Any], list[int | None]]]
    outputs: list[str]
    steps: list[Step]
    constants: dict[str, Array]
    #: input name -> dtype that its buffer has in the plan
    stored: dict[str, np.dtype[Any]] = field(default_factory=dict)
    #: value name -> shape, None where it is not known beforehand
    shapes: dict[str, list[int | None]] = field(default_factory=dict)

    def readers(self) -> Counter[str]:
        """How often each value is read, graph outputs included."""
        return Counter([name for step in self.steps for name in step.inputs] + self.outputs)


@dataclass(frozen=True)
class Plan:
    """A compiled network: `steps` as JSON values and the arrays that they name."""

    record: dict[str, Any]
    weights: dict[str, Array]

    def executor(self) -> Executor:
        """Run it here."""
        return Executor(self.record, self.weights)

    def json_bytes(self) -> bytes:
        """``plan.json``; equal plans give equal bytes."""
        return json.dumps(self.record, sort_keys=True, separators=(",", ":")).encode()

    def npz_bytes(self) -> bytes:
        """``weights.npz``, uncompressed; equal arrays give equal bytes."""
        buffer = io.BytesIO()
        arrays: dict[str, Any] = self.weights
        np.savez(buffer, allow_pickle=False, **arrays)
        return buffer.getvalue()


def compile_plan(model: onnx.ModelProto) -> Plan:
    """Compile a model; raise `ExportError` if the runtime cannot run it."""
    graph = read_graph(model)
    for simplify in (_casts_into_inputs, _scaling_into_dense, _activations_into_layers, _drop_unread):
        simplify(graph)
    plan = _named(graph)
    try:
        executor = plan.executor()
        for batch in (1, 3):
            executor.program(batch)
    except (RuntimeFault, ValueError, KeyError, IndexError, TypeError) as error:
        raise ExportError(f"the network cannot be planned for the numpy runtime: {error}") from error
    return plan


def check_operators(model: onnx.ModelProto) -> None:
    """Refuse operators that the runtime lacks, other operator sets, functions, and data outside the file."""
    versions = {entry.domain: entry.version for entry in model.opset_import}
    for node in model.graph.node:
        known = node.domain in ("", "ai.onnx") and node.op_type in OPERATORS
        if not known:
            name = node.op_type if not node.domain else f"{node.domain}.{node.op_type}"
            raise ExportError(
                f"the network uses operator {name} (node {node.name or node.output[0]!r}), which the numpy runtime "
                f"does not have; build it from {', '.join(sorted(OPERATORS - {'Constant'}))}"
            )
    if versions.get("", 0) not in OPSETS:
        raise ExportError(
            f"the ONNX file has operator set {versions.get('')}, the runtime reads {OPSETS[0]} to {OPSETS[-1]}; "
            f"export it with one of these"
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


def _signature(value: onnx.ValueInfoProto) -> tuple[np.dtype[Any], list[int | None]]:
    tensor, shape = value.type.tensor_type, _sizes(value)
    if not shape or shape[0] is not None or None in shape[1:]:
        raise ExportError(
            f"input {value.name!r} has shape {shape}; only the first axis, the batch, may and must be free"
        )
    return np.dtype(onnx.helper.tensor_dtype_to_np_dtype(tensor.elem_type)), shape


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
    """``alpha * A' @ B' + beta * C``: a Dense step if the weights are constant, else the operators one by one."""
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
        if bias is not None:
            row = np.broadcast_to(bias.reshape(-1) * np.asarray(beta, bias.dtype), (matrix.shape[1],))
            inputs.append(named(np.ascontiguousarray(row), "bias"))
        graph.steps.append(Step("Dense", inputs, [out]))
        return
    if attributes.get("transB", 0):
        graph.steps.append(Step("Transpose", [b], [f"{out}/B"], {"perm": [1, 0]}))
        b = f"{out}/B"
    graph.steps.append(Step("MatMul", [a, b], [f"{out}/AB"]))
    graph.steps.append(
        Step("Mul", [f"{out}/AB", named(np.float32(alpha), "alpha")], [f"{out}/scaled" if c else out])
    )
    if c:
        graph.steps.append(Step("Mul", [c, named(np.float32(beta), "beta")], [f"{out}/C"]))
        graph.steps.append(Step("Add", [f"{out}/scaled", f"{out}/C"], [out]))


READERS: dict[str, Callable[[Graph, onnx.NodeProto, dict[str, Any]], None]] = {
    "Cast": _read_cast,
    "Gather": _read_gather,
    "Gelu": _read_gelu,
    "Gemm": _read_gemm,
}


def _rename(graph: Graph, old: str, new: str) -> None:
    for step in graph.steps:
        step.inputs = [new if name == old else name for name in step.inputs]
    graph.outputs = [new if name == old else name for name in graph.outputs]


def _casts_into_inputs(graph: Graph) -> None:
    """An input that is only ever cast is copied into a buffer of the type it is cast to."""
    for name, (dtype, _) in graph.inputs.items():
        readers = [step for step in graph.steps if name in step.inputs]
        wanted = {step.attributes.get("dtype") if step.op == "Cast" else None for step in readers}
        if len(wanted) != 1 or None in wanted or name in graph.outputs:
            continue
        stored = np.dtype(wanted.pop())
        if not np.can_cast(dtype, stored, "same_kind"):
            continue
        graph.stored[name] = stored
        for step in readers:
            graph.steps.remove(step)
            _rename(graph, step.outputs[0], name)


def _scaling_into_dense(graph: Graph) -> None:
    """``(x * f + o) @ W + b`` becomes ``x @ (f W) + (o W + b)``, folded in float64; needs sole readers."""
    writers = {name: step for step in graph.steps for name in step.outputs}
    readers = graph.readers()
    for dense in [step for step in graph.steps if step.op == "Dense"]:
        while (step := writers.get(dense.inputs[0])) is not None and readers[step.outputs[0]] == 1:
            folded = _folded(graph, step, dense)
            if folded is None:
                break
            x, weight, bias = folded
            graph.constants[f"{dense.outputs[0]}/weight"] = weight
            dense.inputs = [x, f"{dense.outputs[0]}/weight"]
            if bias is not None:
                graph.constants[f"{dense.outputs[0]}/bias"] = bias
                dense.inputs.append(f"{dense.outputs[0]}/bias")
            graph.steps.remove(step)


def _folded(graph: Graph, step: Step, dense: Step) -> tuple[str, Array, Array | None] | None:
    if step.op not in ("Add", "Mul") or len(step.inputs) != 2:
        return None
    constant = [name for name in step.inputs if name in graph.constants]
    if len(constant) != 1:
        return None
    (x,) = [name for name in step.inputs if name not in graph.constants]
    weight = graph.constants[dense.inputs[1]]
    bias = graph.constants[dense.inputs[2]] if len(dense.inputs) > 2 else None
    number = graph.constants[constant[0]].astype(np.float64)
    if number.size not in (1, weight.shape[0]) or (number.ndim > 1 and number.shape[-1] != number.size):
        return None
    # A column that is spread over the width by this very step has another width of its own.
    if graph.shapes.get(x, [])[1:] != [weight.shape[0]]:
        return None
    row = np.broadcast_to(number.reshape(-1), (weight.shape[0],))
    if step.op == "Mul":
        return x, (row[:, None] * weight).astype(weight.dtype), bias
    moved = row @ weight.astype(np.float64) + (0.0 if bias is None else bias)
    return x, weight, moved.astype(weight.dtype)


def _activations_into_layers(graph: Graph) -> None:
    """An activation that is the sole reader of a layer works in place on the layer's output."""
    readers = graph.readers()
    layers = {step.outputs[0]: step for step in graph.steps if step.op in ("Dense", "Conv")}
    for step in [step for step in graph.steps if step.op in ACTIVATIONS]:
        layer = layers.get(step.inputs[0])
        if layer is not None and readers[layer.outputs[0]] == 1 and "activation" not in layer.attributes:
            layer.attributes["activation"] = step.op
            layer.outputs = step.outputs
            graph.steps.remove(step)


def _drop_unread(graph: Graph) -> None:
    """Drop steps and constants that no output depends on."""
    needed, kept = set(graph.outputs), []
    for step in reversed(graph.steps):
        if needed.intersection(step.outputs):
            needed.update(step.inputs)
            kept.append(step)
    graph.steps = kept[::-1]
    graph.constants = {name: array for name, array in graph.constants.items() if name in needed}


def _named(graph: Graph) -> Plan:
    """Give values short names in the order of their use; inputs and outputs keep theirs."""
    short = {name: name for name in graph.inputs} | {"": ""}
    weights: dict[str, Array] = {}
    for step in graph.steps:
        for name in (*step.inputs, *step.outputs):
            if name not in short:
                short[name] = f"%w{len(weights)}" if name in graph.constants else f"%v{len(short)}"
                if name in graph.constants:
                    weights[short[name]] = graph.constants[name]
    for name in graph.outputs:
        if name not in short:
            short[name] = f"%w{len(weights)}"
            weights[short[name]] = graph.constants[name]
    record = {
        "version": PLAN_VERSION,
        "inputs": [
            {"name": name, "dtype": dtype.name, "stored": graph.stored[name].name, "shape": shape}
            for name, (dtype, shape) in graph.inputs.items()
        ],
        "outputs": [{"name": name, "value": short[name]} for name in graph.outputs],
        "steps": [
            {
                "op": step.op,
                "inputs": [short[name] for name in step.inputs],
                "outputs": [short[name] for name in step.outputs],
                "attributes": step.attributes,
            }
            for step in graph.steps
        ],
    }
    return Plan(record, weights)
