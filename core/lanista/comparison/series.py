"""What the plots of a comparison draw, as plain arrays: learning curves, intervals, performance profiles."""

from dataclasses import dataclass

import numpy as np

from lanista.arrays import IntArray
from lanista.comparison.compare import Comparison
from lanista.comparison.groups import Group
from lanista.statistics.iqm import iqm_interval
from lanista.statistics.profile import performance_profile, profile_band
from lanista.statistics.scores import Scores

#: points of a curve at most
_POINTS = 100


@dataclass(frozen=True)
class Series:
    """A line with its band, ``[L]`` each; the band is NaN where one run has none."""

    x: Scores
    middle: Scores
    low: Scores
    high: Scores


def curve_steps(groups: tuple[Group, ...], horizon: int) -> IntArray:
    """The env steps ``[L]`` at which all curves are drawn: from where every run was evaluated once."""
    runs = [run for group in groups for run in group.runs]
    first = max(int(run.steps[0]) for run in runs)
    marks = np.unique(np.concatenate([run.steps for run in runs]))
    marks = marks[(marks >= first) & (marks <= horizon)]
    if len(marks) > _POINTS:
        marks = marks[np.linspace(0, len(marks) - 1, _POINTS).round().astype(int)]
    return marks


def learning_curve(group: Group, steps: IntArray) -> Series:
    """The interquartile mean over the runs at each step, with its bootstrap interval."""
    values = np.stack([run.held(steps) for run in group.runs])
    found = [iqm_interval(column) for column in values.T]
    return Series(
        steps.astype(np.float64),
        np.array([one.value for one in found]),
        _drawable([one.low for one in found]),
        _drawable([one.high for one in found]),
    )


def profile(comparison: Comparison, group: str, figure: str) -> Series:
    """The share of a group's runs above each threshold, over the range of all groups."""
    arrays = {name: found[figure].array for name, found in comparison.figures.items()}
    every = np.concatenate(list(arrays.values()))
    margin = 0.02 * max(float(np.ptp(every)), 1e-9)
    thresholds = np.linspace(every.min() - margin, every.max() + margin, 101)
    own = arrays[group]
    low, high = profile_band(thresholds, own)
    return Series(thresholds, performance_profile(thresholds, own), low, high)


def _drawable(bounds: list[float]) -> Scores:
    found = np.array(bounds)
    return np.where(np.isfinite(found), found, np.nan)
