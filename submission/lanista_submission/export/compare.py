"""Compares three runners of one policy (torch, onnxruntime, numpy) on recorded observations.

For batches of 1, of 8 and of all rows: the greatest difference of what the heads let out (legal logits; actions and
distributions of real numbers) and of values from torch, and the share of rows with the same greedy action. A
difference is counted in units of the largest such number of torch, where that exceeds 1, because float32 rounds
relative to the numbers it holds. Real numbers are the same action within the limit, in shares of their range.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch

from lanista.actions import agreement
from lanista.arrays import AnyArray
from lanista.policy import Policy
from lanista.spec import HeadSpec
from lanista.units import ROW
from lanista_submission.errors import ExportError
from lanista_submission.export.graph import HeadOutputs, input_names, output_names
from lanista_submission.export.record import Recorded
from lanista_submission.runtime.plan import Plan

#: the greatest allowed difference of a legal logit, and of a value, in units of max(1, torch's largest)
LIMIT = 1e-4
#: the least share of rows with the same greedy action, ties within rounding left out
MIN_EQUAL = 1.0
BATCHES = (1, 8, 0)

Runner = Callable[[Mapping[str, AnyArray]], Mapping[str, AnyArray]]


@dataclass(frozen=True)
class Comparison:
    """One runner at one batch size against torch at the same."""

    runner: str
    #: rows a call
    batch: int
    #: greatest difference of a legal logit or another output of a head, in units of max(1, torch's largest)
    logits: float
    #: the same for values
    value: float
    #: share of rows with torch's greedy action, rows in which torch's best two are within the limit left out
    equal: float
    #: rows left out of `equal`: torch itself cannot tell the chosen two apart within the limit
    ties: int

    @property
    def within(self) -> bool:
        """Are all limits kept?"""
        return self.logits <= LIMIT and self.value <= LIMIT and self.equal >= MIN_EQUAL

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values; differences to two digits, so that they do not vary with rounding alone."""
        return {**asdict(self), "logits": float(f"{self.logits:.1e}"), "value": float(f"{self.value:.1e}")}


def torch_runner(policy: Policy) -> Runner:
    """The policy itself, in evaluation mode for as long as a call lasts."""
    module, names, outputs = HeadOutputs(policy), input_names(policy), output_names(policy)

    def run(inputs: Mapping[str, AnyArray]) -> Mapping[str, AnyArray]:
        training = policy.network.training
        policy.network.eval()
        try:
            with torch.no_grad():
                found = module.forward(
                    *[torch.from_numpy(np.ascontiguousarray(inputs[name])) for name in names]
                )
        finally:
            policy.network.train(training)
        return {name: tensor.numpy() for name, tensor in zip(outputs, found, strict=True)}

    return run


def onnx_session(model: bytes) -> Any:  # noqa: ANN401 - onnxruntime has no types
    """An onnxruntime session on one thread."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def onnx_runner(model: bytes) -> Runner:
    """onnxruntime, every output."""
    session = onnx_session(model)
    names = [output.name for output in session.get_outputs()]
    # What the graph does not read (say, a mask that a head ignores) is no input of the session.
    wanted = {entry.name for entry in session.get_inputs()}

    def run(inputs: Mapping[str, AnyArray]) -> Mapping[str, AnyArray]:
        found = session.run(names, {name: array for name, array in inputs.items() if name in wanted})
        return dict(zip(names, found, strict=True))

    return run


def numpy_runner(plan: Plan) -> Runner:
    """The runtime that goes into the bundle."""
    return plan.executor().run


def compare(
    policy: Policy, model: bytes, plan: Plan, recorded: Recorded, int8: bool = False
) -> list[Comparison]:
    """Run all on every row at every batch size; raises `ExportError` if the reference's outputs are not finite.

    The reference is torch. With `int8` weights, which torch does not have, it is onnxruntime, and numpy is compared.
    """
    if len(recorded) == 0:
        raise ExportError(
            "there is no recorded observation to compare on; record at least one in which a seat acts"
        )
    runners = {"onnxruntime": onnx_runner(model), "numpy": numpy_runner(plan)}
    reference = runners.pop("onnxruntime") if int8 else torch_runner(policy)
    rows = []
    for batch in BATCHES:
        size = batch or len(recorded)
        expected = in_batches(reference, recorded, size)
        for name, values in expected.items():
            if not np.isfinite(values).all():
                raise ExportError(
                    f"{name} of policy {policy.card.name!r} is not finite on a recorded observation"
                )
        for name, runner in runners.items():
            found = in_batches(runner, recorded, size)
            rows.append(_compare_outputs(name, size, expected, found, recorded, policy.card.spec.heads))
    return rows


def cost_of_int8(policy: Policy, plan: Plan, recorded: Recorded) -> tuple[float, float]:
    """How far int8 weights are from torch's own: greatest difference of an output, and mean agreement 0..1.

    No limit is set on either; agreement is `lanista.actions.agreement` of the greedy actions.
    """
    expected = in_batches(torch_runner(policy), recorded, len(recorded))
    found = in_batches(numpy_runner(plan), recorded, len(recorded))
    heads = policy.card.spec.heads
    rows = _compare_outputs("numpy", len(recorded), expected, found, recorded, heads)
    shared = [
        float(agreement(head, *(_greedy(head, recorded, outputs) for outputs in (expected, found))).mean())
        for head in heads
    ]
    return rows.logits, float(np.mean(shared))


def _greedy(head: HeadSpec, recorded: Recorded, outputs: Mapping[str, AnyArray]) -> AnyArray:
    """The greedy actions of one head, ``[B]`` or ``[B, A]``; of a head of units each unit's by itself, ``[U]``."""
    if head.continuous:
        return outputs[f"action_{head.name}"]
    legal = masks_of(recorded)[head.name]
    chosen: AnyArray = np.where(legal, outputs[f"logits_{head.name}"], -np.inf).argmax(axis=1)
    return chosen


def masks_of(recorded: Recorded) -> dict[str, AnyArray]:
    """The masks of all heads that have one: ``[B, A]``, of a head of units ``[U, A]``."""
    masks = {name: mask for name, mask in recorded.units.items() if name.startswith("legal_")}
    return {**recorded.legal, **{name.removeprefix("legal_"): mask for name, mask in masks.items()}}


def in_batches(runner: Runner, recorded: Recorded, size: int) -> dict[str, AnyArray]:
    """Run all rows, `size` at a time (the last call may have fewer); the outputs, joined."""
    pieces = []
    for start in range(0, len(recorded), size):
        outputs = runner(recorded.rows(slice(start, start + size)).inputs())
        pieces.append({name: np.array(array) for name, array in outputs.items()})
    return {name: np.concatenate([piece[name] for piece in pieces]) for name in pieces[0]}


def _compare_outputs(
    runner: str,
    batch: int,
    expected: Mapping[str, AnyArray],
    found: Mapping[str, AnyArray],
    recorded: Recorded,
    heads: Sequence[HeadSpec],
) -> Comparison:
    logits, equal, ties = 0.0, np.ones(len(recorded), np.bool_), np.zeros(len(recorded), np.bool_)
    masks = masks_of(recorded)
    plain = set(expected) - {"value"} - {f"logits_{head}" for head in masks}
    for name in plain:
        logits = max(logits, scaled_difference(expected[name], found[name]))
    for head in heads:
        if head.continuous:
            actions = (expected[f"action_{head.name}"], found[f"action_{head.name}"])
            equal &= agreement(head, *actions) >= 1.0 - LIMIT
    for name, legal in masks.items():
        ours, theirs = expected[f"logits_{name}"], found[f"logits_{name}"]
        logits = max(logits, scaled_difference(ours[legal], theirs[legal]))
        best, other = (np.where(legal, scores, -np.inf).argmax(axis=1) for scores in (ours, theirs))
        line = np.arange(len(ours))
        allowed = 2 * LIMIT * max(1.0, float(np.abs(ours[legal]).max()))
        differs = best != other
        close = differs & (ours[line, best] - ours[line, other] <= allowed)
        # A row of units is as good as the worst of them.
        row = line if name in recorded.legal else recorded.units[ROW]
        ties[row[close]] = True
        equal[row[differs]] = False
    counted = equal[~ties]
    share = float(counted.mean()) if counted.size else 1.0
    return Comparison(
        runner, batch, logits, scaled_difference(expected["value"], found["value"]), share, int(ties.sum())
    )


def scaled_difference(expected: AnyArray, found: AnyArray) -> float:
    """Greatest difference in units of max(1, the largest expected); infinite where `found` is not finite."""
    if expected.size == 0:
        return 0.0
    if not np.isfinite(found).all():
        return float("inf")
    difference = np.abs(expected.astype(np.float64) - found.astype(np.float64)).max()
    return float(difference / max(1.0, float(np.abs(expected).max())))
