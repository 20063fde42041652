"""Turns a policy into ONNX bytes: masks and input scaling inside, the batch axis free.

Inputs are the observation parts in their own types, then ``legal_<head>`` (bool) of each head that chooses;
outputs are what each head lets out (`lanista.policy.Head.exported`): ``logits_<head>``, masked, of a choice, and
``action_<head>`` of real numbers, with ``mean_<head>`` and ``std_<head>`` where it has them; then ``value``.
"""

import contextlib
import io
import json
import logging
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import onnx
import torch
from torch import Tensor, nn

from lanista.policy import Policy, save_policy
from lanista.spec import UNITS
from lanista.units import blank_rows
from lanista.version import __version__
from lanista_submission.errors import ExportError
from lanista_submission.export.units import example_units, traced_table, unit_inputs
from lanista_submission.runtime.onnx_graph import check_operators

#: the ONNX operator set that is written
OPSET = 20
#: the file format that goes with it, read by every onnxruntime since 1.15
IR_VERSION = 9


class HeadOutputs(nn.Module):
    """A policy's network with its heads behind it; takes and gives tensors in a fixed order."""

    def __init__(self, policy: Policy) -> None:
        """Wrap, without a copy."""
        super().__init__()
        self.network = policy.network
        self.parts = [part.name for part in policy.card.spec.observation]
        self.policy_heads = policy.heads
        self.masked = masked_heads(policy)
        self.spec = policy.card.spec
        self.unit_columns = unit_inputs(self.spec)

    def forward(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        """All parts, the columns of the units, then all masks; give what the heads let out, then the value ``[B]``."""
        observation: dict[str, Any] = dict(zip(self.parts, inputs, strict=False))
        seen, masks = len(self.parts), len(self.parts) + len(self.unit_columns)
        legal: dict[str, Any] = dict(zip(self.masked, inputs[masks:], strict=True))
        asked = self.spec.units_head
        if asked is not None:
            table = traced_table(inputs[seen:masks], legal[asked.name], inputs[0], self.spec)
            observation[UNITS] = legal[asked.name] = table
        output = self.network(observation)
        let_out: list[Tensor] = []
        for name, head in self.policy_heads.items():
            let_out += head.exported(output.logits[name], legal.get(name)).values()
        return (*let_out, output.value)


def masked_heads(policy: Policy) -> list[str]:
    """The heads that a mask of legal actions belongs to."""
    return [spec.name for spec in policy.card.spec.heads if not spec.continuous]


def input_names(policy: Policy) -> list[str]:
    """The graph's inputs, in order."""
    spec = policy.card.spec
    parts = [part.name for part in spec.observation]
    return [*parts, *unit_inputs(spec), *(f"legal_{name}" for name in masked_heads(policy))]


def output_names(policy: Policy) -> list[str]:
    """The graph's outputs, in order; raises `ExportError` for a head that does not let out its greedy action."""
    names: list[str] = []
    for spec in policy.card.spec.heads:
        head = policy.heads[spec.name]
        legal: Any = None if spec.continuous else torch.ones((1, spec.size), dtype=torch.bool)
        if spec.kind == UNITS:
            legal = blank_rows(policy.card.spec, 1)[UNITS]
        lines = legal.num_units if spec.kind == UNITS else 1
        with torch.no_grad():
            found = head.exported(torch.zeros((lines, head.num_outputs)), legal)
        needed = "action" if spec.continuous else "logits"
        if needed not in found or found[needed].shape != (lines, spec.size):
            shapes = {name: tuple(tensor.shape) for name, tensor in found.items()}
            raise ExportError(
                f"head {spec.name!r} of kind {policy.card.head_table(spec)['use']!r}: exported() gives {shapes}; "
                f"let it give {needed!r} as [B, {spec.size}]"
            )
        names += [f"{name}_{spec.name}" for name in found]
    return [*names, "value"]


def content_hash(policy: Policy) -> str:
    """The hash that a folder of this policy has (`lanista.policy.policy_hash`)."""
    with tempfile.TemporaryDirectory() as folder:
        return save_policy(Path(folder), policy)


def export_model(policy: Policy) -> onnx.ModelProto:
    """Trace the policy; equal policies give equal bytes. Raises `ExportError` for what the runtime lacks."""
    _refuse_broken_weights(policy)
    spec = policy.card.spec
    # Three rows, a number that no layer has by chance, so that the batch axis cannot be taken for another.
    inputs = [torch.zeros((3, *part.shape), dtype=getattr(torch, part.dtype)) for part in spec.observation]
    num_parts = len(inputs)
    inputs += example_units(spec) if spec.units_head is not None else []
    masks = {
        head.name: torch.ones((7 if head.kind == UNITS else 3, head.size), dtype=torch.bool)
        for head in spec.heads
        if not head.continuous
    }
    batch, units = torch.export.Dim("B", min=1), torch.export.Dim("U", min=1)
    free = [{0: batch}] * num_parts + [{0: units}] * (len(inputs) - num_parts)
    free += [{0: units if len(mask) == 7 else batch} for mask in masks.values()]
    inputs += masks.values()
    training = policy.network.training
    policy.network.eval()
    try:
        with _quiet():
            program = torch.onnx.export(
                HeadOutputs(policy).eval(),
                tuple(inputs),
                dynamo=True,
                input_names=input_names(policy),
                output_names=output_names(policy),
                dynamic_shapes=(tuple(free),),
                opset_version=OPSET,
                verbose=False,
                optimize=True,
            )
    except Exception as error:  # whatever the tracer raises is about the network that it was given
        reason = next(
            (line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__
        )
        raise ExportError(
            f"network {policy.card.network!r} cannot be traced for ONNX with a free batch axis: {reason}"
        ) from error
    finally:
        policy.network.train(training)
    if program is None:
        raise ExportError(f"network {policy.card.network!r} cannot be traced for ONNX: torch gave no program")
    model = _bare(program.model_proto)
    _refuse_fixed_batch(model, policy.card.network)
    check_operators(model)
    onnx.checker.check_model(model)
    record = {
        "lanista.card": json.dumps(policy.card.to_json(), sort_keys=True),
        "lanista.env": spec.name,
        "lanista.env_version": spec.version,
        "lanista.policy_sha256": content_hash(policy),
        "lanista.parameters": str(policy.num_parameters),
        "lanista.version": __version__,
    }
    add_metadata(model, record)
    return model


def add_metadata(model: onnx.ModelProto, record: dict[str, str]) -> None:
    """Write key and value pairs into the file's own metadata, sorted."""
    kept = {entry.key: entry.value for entry in model.metadata_props}
    onnx.helper.set_model_props(model, dict(sorted((kept | record).items())))


def _refuse_broken_weights(policy: Policy) -> None:
    for name, weight in policy.network.state_dict().items():
        if not bool(torch.isfinite(weight).all()):
            raise ExportError(
                f"weight {name!r} of policy {policy.card.name!r} holds a number that is not finite; "
                f"export an earlier checkpoint"
            )


def _refuse_fixed_batch(model: onnx.ModelProto, network: str) -> None:
    for value in model.graph.input:
        rows = value.type.tensor_type.shape.dim[0]
        if not rows.dim_param:
            raise ExportError(
                f"network {network!r} works for a batch of {rows.dim_value} rows only: tracing "
                f"found the first axis of {value.name!r} fixed; where its forward reshapes, use sizes of tensors"
            )


def _bare(traced: onnx.ModelProto) -> onnx.ModelProto:
    """Rebuild without stack traces, paths and the tracer's notes; names are kept."""
    graph = traced.graph
    for node in graph.node:
        node.doc_string = ""
        del node.metadata_props[:]
    for value in (*graph.input, *graph.output, *graph.value_info):
        value.doc_string = ""
        del value.metadata_props[:]
    for tensor in graph.initializer:
        tensor.doc_string = ""
        del tensor.metadata_props[:]
    known = onnx.helper.make_graph(
        list(graph.node),
        "policy",
        list(graph.input),
        list(graph.output),
        initializer=list(graph.initializer),
        value_info=list(graph.value_info),
    )
    opsets: Any = [onnx.helper.make_opsetid(entry.domain, entry.version) for entry in traced.opset_import]
    return onnx.helper.make_model(
        known,
        producer_name="lanista",
        producer_version=__version__,
        opset_imports=opsets,
        ir_version=IR_VERSION,
        functions=list(traced.functions),
    )


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep the tracer's progress lines, warnings and log lines off the screen, then restore everything."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with (
            warnings.catch_warnings(),
            contextlib.redirect_stdout(io.StringIO()),
            contextlib.redirect_stderr(io.StringIO()),
        ):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
