"""What is asked of a run: one number a figure, all over the same env steps (docs/statistics.md).

`horizon` is the number of env steps that all compared runs had; evaluations after it are not looked at. A run that ended
earlier by its own rule stays at its last evaluation. `bar` is the return or score from which the task is solved.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from lanista.comparison.curve import Curve
from lanista.statistics.scores import Scores


@dataclass(frozen=True)
class Figure:
    """One figure; `measure` gives NaN where a run has no such figure."""

    name: str
    #: as it stands in a sentence
    told: str
    unit: str
    more_is_better: bool
    needs_bar: bool
    measure: Callable[[Curve, int, float], float]
    #: how a value is written
    form: str = "{:,.1f}"


def _within(curve: Curve, horizon: int) -> Scores:
    return curve.values[curve.steps <= horizon]


def _final(curve: Curve, horizon: int, bar: float) -> float:
    return float(curve.held(np.array([horizon]))[0])


def _best(curve: Curve, horizon: int, bar: float) -> float:
    values = _within(curve, horizon)
    return float(values.max()) if len(values) else np.nan


def _mean(curve: Curve, horizon: int, bar: float) -> float:
    """Each evaluation weighs as many env steps as it stands for: those since the one before."""
    kept = curve.steps <= horizon
    if not kept.any():
        return np.nan
    steps = np.append(curve.steps[kept], horizon)
    values = np.append(curve.values[kept], curve.values[kept][-1])
    return float(np.average(values, weights=np.diff(steps, prepend=0)))


def solved_at(curve: Curve, horizon: int, bar: float) -> int | None:
    """The place of the first evaluation at or above the bar."""
    solved = np.flatnonzero((curve.values >= bar) & (curve.steps <= horizon))
    return int(solved[0]) if len(solved) else None


def _steps_to_solve(curve: Curve, horizon: int, bar: float) -> float:
    place = solved_at(curve, horizon, bar)
    return float(horizon if place is None else curve.steps[place])


def _clock(name: str) -> Callable[[Curve, int, float], float]:
    def measure(curve: Curve, horizon: int, bar: float) -> float:
        place = solved_at(curve, horizon, bar)
        clock: Scores = getattr(curve, name)[curve.steps <= horizon]
        if not len(clock):
            return np.nan
        return float(clock[-1 if place is None else place])

    return measure


def _share_after(curve: Curve, horizon: int, bar: float) -> float:
    place = solved_at(curve, horizon, bar)
    if place is None:
        return np.nan
    later = _within(curve, horizon)[place + 1 :]
    return float(np.mean(later >= bar)) if len(later) else np.nan


def _share_late(curve: Curve, horizon: int, bar: float) -> float:
    late = curve.values[(curve.steps > 0.75 * horizon) & (curve.steps <= horizon)]
    if not len(late):
        late = curve.held(np.array([horizon]))
    return float(np.mean(late >= bar)) if not np.isnan(late).any() else np.nan


def _dip(curve: Curve, horizon: int, bar: float) -> float:
    """The largest over the phases but the first; never below 0."""
    falls = []
    for phase in range(1, len(curve.bounds) - 1):
        begin, end = curve.bounds[phase], curve.bounds[phase + 1]
        before = curve.values[(curve.phase < phase) & (curve.steps <= begin)]
        opening = (curve.phase == phase) & (curve.steps <= min(begin + 0.25 * (end - begin), horizon))
        if len(before) and opening.any():
            falls.append(max(0.0, float(before[-1] - curve.values[opening].min())))
    return max(falls, default=np.nan)


FIGURES = {
    figure.name: figure
    for figure in (
        Figure("final", "final return", "points", True, False, _final),
        Figure("best", "best return", "points", True, False, _best),
        Figure("mean", "mean return over training", "points", True, False, _mean),
        Figure("steps_to_solve", "steps to solve", "env steps", False, True, _steps_to_solve, "{:,.0f}"),
        Figure("cpu_to_solve", "CPU seconds to solve", "s", False, True, _clock("cpu_seconds"), "{:,.2f}"),
        Figure("seconds_to_solve", "seconds to solve", "s", False, True, _clock("seconds"), "{:,.2f}"),
        Figure("share_after", "share of evaluations at the bar after solving", "", True, True, _share_after, "{:.2f}"),
        Figure("share_late", "share of evaluations at the bar in the last quarter", "", True, True, _share_late, "{:.2f}"),
        Figure("dip", "dip at a phase's start", "points", False, False, _dip),
    )
}  # fmt: skip
