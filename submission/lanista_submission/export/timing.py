"""Microseconds of a decision at batch 1: from one observation in numpy arrays to the greedy action's numbers.

torch (eager), onnxruntime and the numpy runtime take turns on the same recorded observations, in blocks of calls, on
one thread; a block's figure is the mean of its calls. The median says what a decision costs, the 99th percentile of the
blocks what the machine adds on a bad day.
"""

import itertools
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from time import perf_counter

import numpy as np
import torch

from lanista.arrays import AnyArray
from lanista.policy import Policy
from lanista_submission.export.compare import onnx_session
from lanista_submission.export.graph import HeadOutputs, input_names
from lanista_submission.export.record import Recorded
from lanista_submission.runtime.plan import Plan

#: calls a block
CALLS = 20
#: recorded observations that are played round and round
ROWS = 64


@dataclass(frozen=True)
class DecisionTime:
    """Microseconds of a decision."""

    median: float
    p99: float


def decision_times(
    policy: Policy, model: bytes, plan: Plan, recorded: Recorded, seconds: float = 1.0
) -> dict[str, DecisionTime]:
    """Time torch, onnxruntime and numpy for `seconds` each, block by block in turn."""
    wanted = [f"{'action' if head.continuous else 'logits'}_{head.name}" for head in policy.card.spec.heads]
    session = onnx_session(model)
    # What the graph does not read (say, a mask that a head ignores) is no input of the session.
    read = [entry.name for entry in session.get_inputs()]
    rows = [
        {
            name: np.ascontiguousarray(array)
            for name, array in recorded.rows(slice(row, row + 1)).inputs().items()
        }
        for row in range(min(ROWS, len(recorded)))
    ]
    fed = [{name: row[name] for name in read} for row in rows]
    runners: dict[str, tuple[Callable[[Mapping[str, AnyArray]], object], list[dict[str, AnyArray]]]] = {
        "torch": (_torch(policy), rows),
        "onnxruntime": (lambda row: session.run(wanted, row), fed),
        "numpy": (plan.executor(wanted).run, rows),
    }
    turns = {name: (runner, itertools.cycle(given)) for name, (runner, given) in runners.items()}
    found: dict[str, list[float]] = {name: [] for name in runners}
    with _at_rest(policy):
        for runner, given in turns.values():
            _block(runner, given)
        until = perf_counter() + seconds * len(runners)
        while perf_counter() < until:
            for name, (runner, given) in turns.items():
                found[name].append(_block(runner, given))
    return {
        name: DecisionTime(float(np.median(blocks)) * 1e6, float(np.quantile(blocks, 0.99)) * 1e6)
        for name, blocks in found.items()
    }


def _torch(policy: Policy) -> Callable[[Mapping[str, AnyArray]], object]:
    """The policy itself, numpy arrays in and out."""
    module, names = HeadOutputs(policy), input_names(policy)

    @torch.inference_mode()
    def run(inputs: Mapping[str, AnyArray]) -> object:
        return [tensor.numpy() for tensor in module(*[torch.from_numpy(inputs[name]) for name in names])]

    return run


def _block(
    runner: Callable[[Mapping[str, AnyArray]], object], given: Iterator[Mapping[str, AnyArray]]
) -> float:
    """Mean seconds of a call."""
    rows = list(itertools.islice(given, CALLS))
    started = perf_counter()
    for row in rows:
        runner(row)
    return (perf_counter() - started) / CALLS


@contextmanager
def _at_rest(policy: Policy) -> Iterator[None]:
    """Hold torch to one thread and the network to evaluation mode, then give both back."""
    threads, training = torch.get_num_threads(), policy.network.training
    torch.set_num_threads(1)
    policy.network.eval()
    try:
        yield
    finally:
        torch.set_num_threads(threads)
        policy.network.train(training)
