"""Runs a plan with numpy alone. Portable: this file and those that it imports are copied into bundles.

1. `load` reads ``plan.json`` (steps) and ``weights.npz`` (constants); int8 weights are written out in float32.
2. At the first run with a new batch size, or a new number of acting units, the plan is *bound*: every array is
   allocated, every view taken, everything that depends on shapes alone is computed, and a list of calls without
   arguments is left.
3. A run copies the inputs in, makes the calls, and gives the output arrays, which the next run overwrites.
"""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .activations import Array, Call
from .convolution import SPATIAL
from .operators import BINDERS, STATIC, PlanError
from .packed import unpacked
from .scattering import SCATTERING
from .views import VIEWS

#: what this runtime reads; a plan made for another layout is refused
PLAN_VERSION = 2
#: in an input's shape: the axis of the acting units, where None is that of the batch
UNITS = "U"
#: every step that a plan may have
STEPS = {**BINDERS, **SCATTERING, **SPATIAL, **VIEWS}


class Program:
    """A plan bound to one batch size and one number of units."""

    def __init__(
        self,
        plan: Mapping[str, Any],
        weights: Mapping[str, Array],
        batch: int,
        wanted: Collection[str],
        units: int = 1,
    ) -> None:
        """Allocate everything for `batch` rows; steps that no `wanted` output depends on are left out."""
        self.inputs: list[tuple[str, Array]] = []
        self.calls: list[Call] = []
        values: dict[str, Array] = dict(weights)
        fixed = set(weights)
        for entry in plan["inputs"]:
            sizes = [{None: batch, UNITS: units}.get(size, size) for size in entry["shape"]]
            array = np.zeros(sizes, entry["stored"])
            values[entry["name"]] = array
            self.inputs.append((entry["name"], array))
        results = {entry["name"]: entry["value"] for entry in plan["outputs"] if entry["name"] in wanted}
        for step in _needed(plan["steps"], results.values()):
            self._bind(step, values, fixed)
        self.outputs = {name: values[value] for name, value in results.items()}

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
        attributes = {**step["attributes"], "fixed": [name in fixed for name in names]}
        outputs, calls = STEPS[op](attributes, *operands)
        if op == "Shape" or all(name in fixed for name in names if name):
            for call in calls:
                call()
            fixed.update(step["outputs"])
        else:
            self.calls += calls
        values.update(zip(step["outputs"], outputs, strict=True))


class Executor:
    """A network that numpy runs. Not for several threads at once: the arrays are its own."""

    def __init__(
        self,
        plan: Mapping[str, Any],
        weights: Mapping[str, Array],
        keep: int = 8,
        wanted: Collection[str] | None = None,
    ) -> None:
        """`keep` is the number of batch sizes (with a number of units) whose arrays are held; the oldest goes first.

        `wanted` are the outputs that `run` is to give, all by default; the others cost nothing.
        """
        if plan.get("version") != PLAN_VERSION:
            raise PlanError(
                f"the plan has version {plan.get('version')!r}, this runtime reads {PLAN_VERSION}"
            )
        self.plan = plan
        self._weights = unpacked(plan, weights)
        self._keep = keep
        given = [entry["name"] for entry in plan["outputs"]]
        self.wanted = given if wanted is None else [name for name in given if name in wanted]
        self._programs: dict[tuple[int, int], Program] = {}
        self._first = _first_of(plan, None)
        #: an input with the axis of the units; None where there is none
        self._first_unit = _first_of(plan, UNITS)
        #: input name -> shape without the first axis
        self.shapes = {entry["name"]: tuple(entry["shape"][1:]) for entry in plan["inputs"]}
        #: the inputs with the axis of the units
        self.unit_inputs = {entry["name"] for entry in plan["inputs"] if entry["shape"][0] == UNITS}

    def program(self, batch: int, units: int = 1) -> Program:
        """The plan, bound to `batch` rows and, if it takes any, to `units` units."""
        found = self._programs.get((batch, units))
        if found is None:
            if len(self._programs) >= self._keep:
                del self._programs[next(iter(self._programs))]
            found = self._programs[batch, units] = Program(
                self.plan, self._weights, batch, self.wanted, units
            )
        return found

    def fits(self, observation: Mapping[str, Array]) -> bool:
        """Are one row's arrays (of units ``[U, ...]``) of the shapes that the network takes?"""
        return all(
            np.shape(array)[1 if name in self.unit_inputs else 0 :] == self.shapes[name]
            for name, array in observation.items()
            if name in self.shapes
        )

    def run(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """Map all inputs, ``[B, ...]``, to the outputs; the next run of that B overwrites these arrays."""
        batch = len(inputs[self._first]) if self._first else 1
        units = len(inputs[self._first_unit]) if self._first_unit else 1
        found = self._programs.get((batch, units)) or self.program(batch, units)
        for name, array in found.inputs:
            given = inputs[name]
            if given.shape != array.shape:
                raise PlanError(f"input {name} has shape {given.shape}, the network takes {array.shape}")
            if given.dtype is array.dtype:
                array[...] = given
            else:  # slower, and refuses what would lose more than precision
                np.copyto(array, given)
        for call in found.calls:
            call()
        return found.outputs


def _first_of(plan: Mapping[str, Any], axis: str | None) -> str | None:
    """The first input whose first axis this is; None if there is none."""
    return next((entry["name"] for entry in plan["inputs"] if entry["shape"][0] == axis), None)


def _needed(steps: Sequence[Mapping[str, Any]], values: Iterable[str]) -> list[Mapping[str, Any]]:
    """The steps that `values` depend on, in order."""
    needed, kept = set(values), []
    for step in reversed(steps):
        if needed.intersection(step["outputs"]):
            needed.update(step["inputs"])
            kept.append(step)
    return kept[::-1]


def load(plan: Path, weights: Path, wanted: Collection[str] | None = None) -> Executor:
    """Read a plan and its constants from two files."""
    with np.load(weights, allow_pickle=False) as arrays:
        constants = {name: arrays[name] for name in arrays.files}
    return Executor(json.loads(plan.read_text()), constants, wanted=wanted)
