"""Runs a plan with numpy alone. Portable: this file and the two that it imports are copied into bundles.

1. `load` reads ``plan.json`` (steps) and ``weights.npz`` (constants).
2. At the first run with a new batch size the plan is *bound*: every array is allocated, every view taken,
   everything that depends on shapes alone is computed, and a list of calls without arguments is left.
3. A run copies the inputs in, makes the calls, and gives the output arrays, which the next run overwrites.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from .activations import Array, Call
from .convolution import SPATIAL
from .operators import BINDERS, STATIC, PlanError
from .views import VIEWS

#: what this runtime reads; a plan made for another layout is refused
PLAN_VERSION = 1
#: every step that a plan may have
STEPS = {**BINDERS, **SPATIAL, **VIEWS}


class Program:
    """A plan bound to one batch size."""

    def __init__(self, plan: Mapping[str, Any], weights: Mapping[str, Array], batch: int) -> None:
        """Allocate everything for `batch` rows."""
        self.inputs: list[tuple[str, Array]] = []
        self.calls: list[Call] = []
        values: dict[str, Array] = dict(weights)
        fixed = set(weights)
        for entry in plan["inputs"]:
            array = np.zeros([batch if size is None else size for size in entry["shape"]], entry["stored"])
            values[entry["name"]] = array
            self.inputs.append((entry["name"], array))
        for step in plan["steps"]:
            self._bind(step, values, fixed)
        self.outputs = {entry["name"]: values[entry["value"]] for entry in plan["outputs"]}

    def _bind(self, step: Mapping[str, Any], values: dict[str, Array], fixed: set[str]) -> None:
        op, names = step["op"], step["inputs"]
        if op not in STEPS:
            raise PlanError(f"the plan has operator {op}, which this runtime does not know; pack it again")
        for place in STATIC.get(op, ()):
            if place < len(names) and names[place] and names[place] not in fixed:
                raise PlanError(
                    f"{op}: operand {place} depends on the observation, but must be known beforehand"
                )
        operands = [values[name] if name else None for name in names]
        outputs, calls = STEPS[op](step["attributes"], *operands)
        if op == "Shape" or all(name in fixed for name in names if name):
            for call in calls:
                call()
            fixed.update(step["outputs"])
        else:
            self.calls += calls
        values.update(zip(step["outputs"], outputs, strict=True))


class Executor:
    """A network that numpy runs. Not for several threads at once: the arrays are its own."""

    def __init__(self, plan: Mapping[str, Any], weights: Mapping[str, Array], keep: int = 8) -> None:
        """`keep` is the number of batch sizes whose arrays are held; the oldest goes first."""
        if plan.get("version") != PLAN_VERSION:
            raise PlanError(
                f"the plan has version {plan.get('version')!r}, this runtime reads {PLAN_VERSION}"
            )
        self.plan = plan
        self._weights = dict(weights)
        self._keep = keep
        self._programs: dict[int, Program] = {}
        self._first = plan["inputs"][0]["name"]
        #: input name -> shape without the batch axis
        self.shapes = {entry["name"]: tuple(entry["shape"][1:]) for entry in plan["inputs"]}

    def program(self, batch: int) -> Program:
        """The plan, bound to `batch` rows."""
        found = self._programs.get(batch)
        if found is None:
            if len(self._programs) >= self._keep:
                del self._programs[next(iter(self._programs))]
            found = self._programs[batch] = Program(self.plan, self._weights, batch)
        return found

    def run(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """Map all inputs, ``[B, ...]``, to the outputs; the next run of that B overwrites these arrays."""
        batch = len(inputs[self._first])
        found = self._programs.get(batch) or self.program(batch)
        for name, array in found.inputs:
            given = inputs[name]
            if given.shape != array.shape:
                raise PlanError(f"input {name} has shape {given.shape}, the network takes {array.shape}")
            np.copyto(array, given)
        for call in found.calls:
            call()
        return found.outputs


def load(plan: Path, weights: Path) -> Executor:
    """Read a plan and its constants from two files."""
    with np.load(weights, allow_pickle=False) as arrays:
        return Executor(json.loads(plan.read_text()), {name: arrays[name] for name in arrays.files})
