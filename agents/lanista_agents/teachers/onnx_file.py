"""Teachers of ONNX, ``onnx:FILE.onnx``: a graph that we exported, or a stranger's with one observation input.

A graph of ours says itself what its outputs are. Of another one, the settings `output`, `kind`, `std` and `value` name
them; what is left out is taken from what is there: the only output, whole numbers or one number a row as choices,
float numbers as logits of choices, or as the action itself where the env takes real numbers.
"""

import json
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import onnx
import torch

from lanista.hints import hint, told
from lanista.plugins import Registry
from lanista.policy import Policy, PolicyCard, assemble_policy
from lanista.spec import EnvSpec
from lanista_agents.teachers.plan import TeacherFileError, origin, read_bytes
from lanista_agents.teachers.settings import OnnxSettings
from lanista_agents.teachers.temperature import temperature_of

_WHOLE = {onnx.TensorProto.INT64, onnx.TensorProto.INT32, onnx.TensorProto.UINT8, onnx.TensorProto.INT8}


@dataclass
class Graph:
    """What a file holds: names, types and sizes."""

    words: str
    content: bytes
    inputs: dict[str, tuple[int | None, ...]]
    #: output -> (whether its numbers are whole, its shape without the batch)
    outputs: dict[str, tuple[bool, tuple[int | None, ...]]]
    parameters: int
    metadata: dict[str, str] = field(default_factory=dict)
    row_by_row: bool = False


def onnx_teacher(settings: OnnxSettings, card: PolicyCard, registry: Registry) -> Policy:
    """Build the teacher; see the module."""
    words = f"teacher 'onnx:{settings.file}'"
    graph = _read(read_bytes(settings.file, words), words)
    own = _own_card(graph)
    if own is not None:
        options, heads = _own(graph, own, card)
    else:
        options, heads = _foreign(graph, settings, card)
    options |= {"size": len(graph.content), "parameters": graph.parameters, "row_by_row": graph.row_by_row}
    # Ours names its inputs as the env names its parts, which were compared by their shapes.
    if own is None:
        _refuse_inputs(graph, card.spec)
    notes = [f"its outputs are read as {options['kind']}: {', '.join(options['outputs'].values())}"]
    policy = _assembled(graph, options, card, registry)
    if options["kind"] == "q":
        temperature, note = (
            (settings.q_temperature, "") if settings.q_temperature else temperature_of(policy, registry)
        )
        notes += [note] if note else []
        policy = _assembled(graph, {**options, "q_temperature": temperature}, card, registry)
    record = {
        **origin(settings.file, graph.content, None if own is None else f"ours ({own.name})"),
        "heads": heads, "notes": notes,
    }  # fmt: skip
    policy.card = replace(policy.card, history={**policy.card.history, "teacher": record})
    return policy


def _assembled(graph: Graph, options: dict[str, Any], card: PolicyCard, registry: Registry) -> Policy:
    settings = registry.settings("networks", "onnx", options).model_dump(mode="json")
    policy = assemble_policy(replace(card, network="onnx", network_settings=settings), registry)
    policy.network.load_state_dict({"graph": torch.from_numpy(np.frombuffer(graph.content, np.uint8).copy())})
    policy.network.eval()
    return policy


def _read(content: bytes, words: str) -> Graph:
    try:
        model = onnx.load_model_from_string(content)
        onnx.checker.check_model(model)
    except Exception as error:  # the parser and the checker have errors of several kinds
        raise TeacherFileError(
            f"{words}: it is no ONNX file, or a damaged one ({told(error)[:200]})"
        ) from error
    held = {tensor.name for tensor in model.graph.initializer}
    if any(tensor.data_location == onnx.TensorProto.EXTERNAL for tensor in model.graph.initializer):
        raise TeacherFileError(
            f"{words}: its weights lie in another file; save it as one file (onnx.save_model) and give that"
        )

    def shape(value: Any) -> tuple[int | None, ...]:  # noqa: ANN401 - a ValueInfoProto
        return tuple(
            dim.dim_value if dim.HasField("dim_value") else None for dim in value.type.tensor_type.shape.dim
        )

    inputs = {value.name: shape(value) for value in model.graph.input if value.name not in held}
    outputs = {
        value.name: (value.type.tensor_type.elem_type in _WHOLE, shape(value)[1:])
        for value in model.graph.output
    }
    count = sum(
        int(np.prod(tensor.dims, dtype=np.int64))
        for tensor in model.graph.initializer
        if tensor.data_type in (1, 10, 11)
    )
    fixed = [sizes[0] for sizes in inputs.values() if sizes and sizes[0] is not None]
    if any(size != 1 for size in fixed):
        raise TeacherFileError(
            f"{words}: its batch is fixed to {fixed[0]} rows; export it with a free batch axis, or with one row"
        )
    metadata = {entry.key: entry.value for entry in model.metadata_props}
    if metadata.get("lanista.parameters", "").isdigit():  # offsets that are 0 do not come into the graph
        count = int(metadata["lanista.parameters"])
    return Graph(words, content, inputs, outputs, count, metadata, row_by_row=bool(fixed))


def _own_card(graph: Graph) -> PolicyCard | None:
    text = graph.metadata.get("lanista.card")
    if text is None:
        return None
    try:
        return PolicyCard.from_json(json.loads(text))
    except (ValueError, TypeError, KeyError) as error:
        raise TeacherFileError(
            f"{graph.words}: the card in it cannot be read ({told(error)[:200]})"
        ) from error


def _own(graph: Graph, own: PolicyCard, card: PolicyCard) -> tuple[dict[str, Any], dict[str, Any]]:
    """A graph of ours: ``logits_<head>``, or ``action_<head>`` with ``mean_`` and ``std_``, and ``value``."""
    for what in ("observation", "unit_observation", "heads"):
        ours, theirs = getattr(own.spec, what), getattr(card.spec, what)
        if [(one.name, getattr(one, "shape", None), getattr(one, "size", None)) for one in ours] != [
            (one.name, getattr(one, "shape", None), getattr(one, "size", None)) for one in theirs
        ]:
            raise TeacherFileError(
                f"{graph.words} does not fit env {card.spec.name}: it was made for {own.spec.name} with other {what}; name "
                f"that env and its settings"
            )
    options: dict[str, Any] = {
        "kind": "logits",
        "outputs": {head.name: f"logits_{head.name}" for head in own.spec.heads},
        "value": "value" if "value" in graph.outputs else None,
        "masks": {f"legal_{head.name}": head.size for head in own.spec.heads if not head.continuous},
    }
    head = own.spec.heads[0]
    if head.continuous:
        table = dict(own.head_table(head))
        spread = f"mean_{head.name}" in graph.outputs and table.get("squash", "tanh") == "tanh"
        options |= {
            "kind": "mean" if spread else "action",
            "outputs": {head.name: f"mean_{head.name}" if spread else f"action_{head.name}"},
            "std": f"std_{head.name}" if spread else None,
            "squash": "tanh" if spread else "clip", "units": "half" if spread else "action",
            **_numbers(card),
        }  # fmt: skip
    missing = [name for name in options["outputs"].values() if name not in graph.outputs]
    if missing:
        raise TeacherFileError(f"{graph.words}: the output {missing[0]} is missing; export it anew")
    return options, {head.name: dict(own.head_table(head)) for head in own.spec.heads}


def _numbers(card: PolicyCard) -> dict[str, Any]:
    """Bounds and head of an env of real numbers."""
    (head,) = card.spec.heads
    table = dict(card.head_table(head))
    if table["use"] not in ("gaussian", "deterministic"):
        raise TeacherFileError(
            f"the student's head {table['use']!r} is none that an ONNX teacher can speak for; set [heads.{head.name}] "
            f'use = "gaussian" or "deterministic"'
        )
    return {"low": head.low, "high": head.high, "head": table}


def _foreign(graph: Graph, settings: OnnxSettings, card: PolicyCard) -> tuple[dict[str, Any], dict[str, Any]]:
    for name in (settings.output, settings.std, settings.value):
        if name is not None and name not in graph.outputs:
            raise TeacherFileError(f"{graph.words}: it has no output {name!r}; {hint(name, graph.outputs)}")
    if len(card.spec.heads) != 1:
        raise TeacherFileError(
            f"{graph.words}: an ONNX graph of others gives one action, and the env has {len(card.spec.heads)} heads"
        )
    (head,) = card.spec.heads
    rest = [name for name in graph.outputs if name not in (settings.std, settings.value)]
    output = settings.output or (rest[0] if len(rest) == 1 else None)
    if output is None:
        raise TeacherFileError(
            f'{graph.words}: it has several outputs ({", ".join(rest)}); say which holds the action, output = "{rest[0]}"'
        )
    whole, shape = graph.outputs[output]
    width = int(np.prod([size or 1 for size in shape], dtype=np.int64)) if None not in shape else None
    if head.continuous:
        if settings.kind not in (None, "action", "mean") or (width is not None and width != head.size):
            raise TeacherFileError(
                f"{graph.words}: output {output} gives {width} numbers as {settings.kind or 'action'}, and the env takes "
                f'{head.size} real numbers; name another output, and kind = "action" or "mean"'
            )
        kind = "mean" if settings.std is not None or settings.kind == "mean" else "action"
        squash = settings.squash if kind == "mean" else "clip"
        options = {
            "std": settings.std, "squash": squash, "units": "half" if squash == "tanh" else "action", **_numbers(card),
        }  # fmt: skip
        native = (
            {"use": "gaussian", "squash": squash, "std_range": 4.0}
            if settings.std is not None
            else {"use": "deterministic", "squash": squash}
        )
    else:
        kind = settings.kind or ("action" if whole or (width == 1 and head.size > 1) else "logits")
        if kind == "mean" or (kind != "action" and width is not None and width != head.size):
            raise TeacherFileError(
                f"{graph.words}: output {output} gives {width} numbers as {kind}, and the env takes one of {head.size} "
                f'choices; name another output, or kind = "action"'
            )
        options, native = {"certainty": settings.certainty}, {"use": "categorical"}
    options |= {"kind": kind, "outputs": {head.name: output}, "value": settings.value}
    return options, {head.name: native}


def _refuse_inputs(graph: Graph, spec: EnvSpec) -> None:
    """What a stranger's graph takes must be what the env shows."""
    if spec.units_head is not None:
        raise TeacherFileError(
            f"{graph.words}: env {spec.name} asks for every unit, and a graph of others knows no table of units; give one "
            f"that `lanista export` wrote"
        )
    asked = graph.inputs
    parts = {part.name: part for part in spec.observation}
    if set(asked) <= set(parts):
        wrong = [(name, shape[1:], parts[name].shape) for name, shape in asked.items()]
    elif len(asked) == 1:
        ((name, shape),) = asked.items()
        shown = (
            (sum(part.size for part in spec.observation),)
            if len(shape) == 2 or len(parts) > 1
            else spec.observation[0].shape
        )
        wrong = [(name, shape[1:], shown)]
    else:
        raise TeacherFileError(
            f"{graph.words}: it has the inputs {', '.join(asked)} and the env shows {', '.join(parts)}; asked is one "
            f"input, or those by the names of the env's parts"
        )
    for name, theirs, ours in wrong:
        if len(theirs) != len(ours) or any(
            size is not None and size != own for size, own in zip(theirs, ours, strict=True)
        ):
            raise TeacherFileError(
                f"{graph.words} does not fit env {spec.name}: its input {name} takes {theirs} a row and the env shows "
                f"{ours}; name the env, its settings and its wrappers as it was trained with"
            )
