"""Figures of metrics.jsonl as curves: one a phase, averaged into a few hundred points where there are more."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lanista.report.folder import PhaseFolder
from lanista.report.values import figure

#: points of a curve, at most
POINTS = 400


@dataclass(frozen=True)
class Curve:
    """One figure over one phase."""

    phase: str
    figure: str
    #: env steps of the run
    steps: list[float]
    values: list[float]
    #: rows of the log that each point is the mean of
    rows_a_point: int


def curve(phase: PhaseFolder, name: str) -> Curve | None:
    """The curve of a figure in a phase; None if the phase's rows hold no finite number of it."""
    found = [
        (step, value)
        for row in phase.rows
        if (step := figure(row.get("step"))) is not None and (value := figure(row.get(name))) is not None
    ]
    if not found:
        return None
    points = np.array(found, np.float64)
    each = -(-len(points) // POINTS)
    if each > 1:
        starts = np.arange(0, len(points), each)
        counts = np.diff(np.append(starts, len(points)))[:, None]
        points = np.add.reduceat(points, starts, axis=0) / counts
    return Curve(phase.name, name, _rounded(points[:, 0]), _rounded(points[:, 1]), each)


def figures_of(phase: PhaseFolder) -> list[str]:
    """The figures that a phase logged, in the order in which they came up."""
    seen: dict[str, None] = {}
    for row in phase.rows:
        seen.update(dict.fromkeys(name for name in row if name not in {"step", "phase"}))
    return list(seen)


def mean_of(rows: Sequence[Mapping[str, Any]], name: str, last: float = 1.0) -> float | None:
    """The mean of a figure over the last share of the rows that have it; None if none has."""
    values = [value for row in rows if (value := figure(row.get(name))) is not None]
    if not values:
        return None
    kept = values[-max(1, round(len(values) * last)) :]
    return sum(kept) / len(kept)


def _rounded(values: Any) -> list[float]:  # noqa: ANN401 - an array of float64
    """Six digits are more than a screen shows."""
    return [float(f"{value:.6g}") for value in values.tolist()]
