"""Whether a figure rises or falls over updates, and the warning when the shaped return rises while the outcome falls.

1. A series is averaged into at most `BLOCKS` blocks of consecutive updates, so that single games do not count.
2. Its direction is tested by Mann-Kendall (Mann 1945, Kendall 1975): z of the number of pairs in order, its variance
   widened for residuals that hang together from block to block (effective sample size from their first
   autocorrelation, Hamed and Rao 1998 in short).
3. Its size is Theil's and Sen's median of slopes times the length, which single outliers do not move.

A warning needs both directions sure (|z| of `SURE` or more) and both changes large against their own scatter, over
the whole phase or over its last half, and at least `LEAST` updates with both figures.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np
import numpy.typing as npt

from lanista.report.values import figure

#: updates with both figures that a phase must have
LEAST = 24
#: blocks that a phase is averaged into, at most
BLOCKS = 40
#: |z| from which on a direction is taken for sure: one-sided 0.005 in each of two series that must agree
SURE = 2.6
#: a change must be this many times the blocks' median distance from the trend line
_AGAINST_SCATTER = 1.0
#: a fall of the outcome must be at least this share of its level, or this much where the level is below 1
_LEAST_FALL = 0.05

Series = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Trend:
    """Where a series went."""

    #: first and last value of the trend line
    start: float
    end: float
    #: Mann-Kendall's z: above 0 it rises
    z: float
    #: the blocks' median distance from the trend line
    scatter: float

    @property
    def change(self) -> float:
        """From the line's first value to its last."""
        return self.end - self.start

    @property
    def rises(self) -> bool:
        """Surely, and by more than its scatter."""
        return self.z >= SURE and self.change > _AGAINST_SCATTER * self.scatter

    @property
    def falls(self) -> bool:
        """Surely, and by more than its scatter."""
        return self.z <= -SURE and -self.change > _AGAINST_SCATTER * self.scatter


def trend(values: Sequence[float] | Series) -> Trend:
    """The trend of a series of 4 values or more, none of them NaN."""
    from scipy.stats import kendalltau, theilslopes  # a second to import, so not before it is needed

    series = np.asarray(values, np.float64)
    count = len(series)
    if count < 4:
        raise ValueError(f"a trend needs 4 values or more, found {count}")
    time = np.arange(count, dtype=np.float64)
    slope, middle = (float(number) for number in theilslopes(series, time)[:2])
    line = middle + slope * time
    away = series - line
    scatter = float(np.median(np.abs(away)))
    if np.ptp(series) == 0.0:
        return Trend(float(series[0]), float(series[0]), 0.0, 0.0)
    tau = float(kendalltau(time, series).statistic)
    spread = sqrt(2.0 * (2 * count + 5) / (9.0 * count * (count - 1)))
    return Trend(float(line[0]), float(line[-1]), tau / spread / sqrt(_widening(away)), scatter)


def _widening(away: Series) -> float:
    """How much the variance of independent values is to be widened: (1 + r) / (1 - r), at least 1."""
    centred = away - away.mean()
    total = float(centred @ centred)
    if total == 0.0:
        return 1.0
    # The estimate of a short series is too low by about (1 + 4 r) / n (Kendall 1954).
    raw = float(centred[1:] @ centred[:-1]) / total
    first = min(0.95, raw + (1.0 + 4.0 * max(raw, 0.0)) / len(away))
    return max(1.0, (1.0 + first) / (1.0 - first))


def blocks(values: Series, most: int = BLOCKS) -> Series:
    """Means of at most `most` blocks of consecutive values, as even as can be."""
    if len(values) <= most:
        return values
    edges = np.linspace(0, len(values), most + 1).astype(np.int64)
    means: Series = np.add.reduceat(values, edges[:-1]) / np.diff(edges)
    return means


@dataclass(frozen=True)
class Divergence:
    """The shaped return rose while the outcome fell."""

    phase: str
    #: the figure that fell
    figure: str
    shaped: Trend
    outcome: Trend
    #: "the phase" or "its last half"
    stretch: str

    @property
    def sentence(self) -> str:
        """The warning, as it is shown."""
        return (
            f"phase {self.phase!r}: the shaped return rose over {self.stretch} ({_short(self.shaped.start)} to "
            f"{_short(self.shaped.end)} points a game) while {self.figure} fell ({_short(self.outcome.start)} to "
            f"{_short(self.outcome.end)}); the reward's parts may pay for something else than winning: lower "
            "their weights, anneal them, or end on the outcome alone"
        )


def divergence(phase: str, rows: Sequence[Mapping[str, Any]]) -> Divergence | None:
    """Whether in a phase's rows of metrics.jsonl the shaped return rose while the outcome fell; None if not.

    The outcome is judged against opponents that do not change where there are such: scripted ones, or measurements;
    else over all games. Against snapshots it falls by itself as they grow stronger, so it is not asked there.
    """
    for yardstick in _yardsticks(rows):
        outcome = _column(rows, yardstick)
        shaped = _shaped(rows, np.isfinite(outcome))
        both = np.isfinite(shaped) & np.isfinite(outcome)
        if int(both.sum()) < LEAST:
            continue
        first, second = blocks(shaped[both]), blocks(outcome[both])
        for stretch, start in (("the phase", 0), ("its last half", len(first) // 2)):
            up, down = trend(first[start:]), trend(second[start:])
            level = max(1.0, float(np.median(np.abs(second))))
            if up.rises and down.falls and -down.change >= _LEAST_FALL * level:
                return Divergence(phase, yardstick, up, down, stretch)
        return None
    return None


def divergences(rows: Sequence[Mapping[str, Any]]) -> list[Divergence]:
    """The warnings of all phases, in their order."""
    phases: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        phases.setdefault(str(row.get("phase")), []).append(row)
    found = (divergence(name, of_phase) for name, of_phase in phases.items())
    return [warning for warning in found if warning is not None]


def alarm(phase: str, rows: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """The figure for the last row of a phase: 1 if it is to be warned of, 0 if not; empty where nothing can be said."""
    shaped = _shaped(rows, np.ones(len(rows), np.bool_))
    judged = any(
        int((np.isfinite(_column(rows, name)) & np.isfinite(shaped)).sum()) >= LEAST
        for name in _yardsticks(rows)
    )
    return {"shaped_up_outcome_down": float(divergence(phase, rows) is not None)} if judged else {}


def _shaped(rows: Sequence[Mapping[str, Any]], asked: npt.NDArray[np.bool_]) -> Series:
    """Points a game in the rows that are asked for: the sum of the reward's parts a step, times the length of games.

    Both are means over the rows since the last one that was asked for: where games are longer than rollouts and end
    together, the updates in which they end see the last part of a game alone.
    """
    names = sorted({name for row in rows for name in row if name.startswith("reward/")})
    if not names:
        return np.full(len(rows), np.nan)
    a_step = _since_last(np.sum([_column(rows, name) for name in names], axis=0), asked)
    length = _column(rows, "length")
    # Without lengths the reward a step has to do: no game may have ended in a whole phase.
    if np.isfinite(length).sum() >= LEAST:
        a_step *= _since_last(length, asked)
    return a_step


def _since_last(values: Series, asked: npt.NDArray[np.bool_]) -> Series:
    """In the rows that are asked for the mean of all values since the last such row, NaN without any and elsewhere."""
    there = np.isfinite(values)
    sums = np.concatenate([[0.0], np.cumsum(np.where(there, values, 0.0))])
    counts = np.concatenate([[0], np.cumsum(there)])
    ends = np.flatnonzero(asked) + 1
    begins = np.concatenate([[0], ends[:-1]])[: len(ends)]
    found = np.full(len(values), np.nan)
    count = counts[ends] - counts[begins]
    found[ends[count > 0] - 1] = ((sums[ends] - sums[begins])[count > 0]) / count[count > 0]
    return found


def _yardsticks(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """The figures that say how good the policy is, the steadiest first."""
    seen = {name for row in rows for name in row}
    scores = sorted(name for name in seen if name.startswith("score/"))
    wanted = ["evaluated_score", "evaluated_return", *scores, "greedy_return", "outcome/bots"]
    if "outcome/pool" not in seen:
        wanted.append("outcome")
    return [name for name in wanted if name in seen]


def _column(rows: Sequence[Mapping[str, Any]], name: str) -> Series:
    found = [figure(row.get(name)) for row in rows]
    # Numbers beyond these are no points of any game, and their sums would overflow.
    return np.array([np.nan if value is None or abs(value) > 1e100 else value for value in found], np.float64)


def _short(value: float) -> str:
    return f"{value:.3g}"
