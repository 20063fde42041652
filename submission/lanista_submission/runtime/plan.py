"""Compiles an ONNX graph into a plan for `execute`: JSON steps and an array a constant.

1. Read the nodes; an operator that the runtime lacks is refused, naming the operator and the node.
2. Simplify: casts move into the inputs, scaling of inputs into the first layer, activations into the layer
   before them.
3. Drop what nothing reads, give everything a short name, and bind the plan once for two batch sizes, so that
   a plan which compiles also runs.
"""

import io
import json
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import onnx

from lanista_submission.errors import ExportError
from lanista_submission.runtime.activations import ACTIVATIONS, Array
from lanista_submission.runtime.execute import PLAN_VERSION, Executor
from lanista_submission.runtime.onnx_graph import Graph, Step, read_graph
from lanista_submission.runtime.operators import PlanError


@dataclass(frozen=True)
class Plan:
    """A compiled network: `steps` as JSON values and the arrays that they name."""

    record: dict[str, Any]
    weights: dict[str, Array]

    def executor(self, wanted: Collection[str] | None = None) -> Executor:
        """Run it here; `wanted` are the outputs that are needed, all by default."""
        return Executor(self.record, self.weights, wanted=wanted)

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
        for batch, units in ((1, 2), (3, 7)):
            executor.program(batch, units)
    except (PlanError, ValueError, KeyError, IndexError, TypeError) as error:
        raise ExportError(f"the network cannot be planned for the numpy runtime: {error}") from error
    return plan


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
            x, weight, bias, rows = folded
            stored = graph.packed.get(dense.inputs[1])
            graph.constants[f"{dense.outputs[0]}/weight"] = weight
            dense.inputs = [x, f"{dense.outputs[0]}/weight"]
            if stored is not None:
                before = 1.0 if stored.rows is None else stored.rows
                rows = stored.rows if rows is None else (before * rows).astype(np.float32)
                graph.packed[dense.inputs[1]] = replace(stored, rows=rows)
            if bias is not None:
                graph.constants[f"{dense.outputs[0]}/bias"] = bias
                dense.inputs.append(f"{dense.outputs[0]}/bias")
            graph.steps.remove(step)


def _folded(graph: Graph, step: Step, dense: Step) -> tuple[str, Array, Array | None, Array | None] | None:
    """What the layer reads then, its weight and bias, and the factors of the weight's rows (None: all 1)."""
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
        return x, (row[:, None] * weight).astype(weight.dtype), bias, row
    moved = row @ weight.astype(np.float64) + (0.0 if bias is None else bias)
    return x, weight, moved.astype(weight.dtype), None


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
    packed = {}
    for name, stored in graph.packed.items():
        if short.get(name) in weights:
            own = short[name]
            weights[own], weights[f"{own}s"] = stored.q, stored.scale
            if stored.rows is not None:
                weights[f"{own}r"] = stored.rows
            rows = None if stored.rows is None else f"{own}r"
            packed[own] = {"scale": f"{own}s", "rows": rows, "axis": stored.axis}
    record = {
        "version": PLAN_VERSION,
        "packed": packed,
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
