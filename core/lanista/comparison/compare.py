"""The comparison itself: figures of each group, differences from the first group, and one sentence for each."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

import numpy as np

from lanista.comparison.figures import FIGURES, Figure, solved_at
from lanista.comparison.groups import Group
from lanista.errors import UsageError
from lanista.hints import hint
from lanista.statistics.bootstrap import Interval
from lanista.statistics.difference import Difference, fewest_runs, holm_levels, iqm_difference
from lanista.statistics.improvement import improvement_interval
from lanista.statistics.iqm import iqm_interval
from lanista.statistics.scores import Scores

LEVEL = 0.05


@dataclass(frozen=True)
class Measured:
    """One figure of one group."""

    figure: Figure
    #: seed -> value, of the runs that have this figure
    values: dict[int, float]
    #: the interquartile mean; None where no run has the figure
    iqm: Interval | None

    @property
    def array(self) -> Scores:
        """``[r]`` the values."""
        return np.array(list(self.values.values()))

    def text(self) -> str:
        """The value with its interval, as a table shows it."""
        if self.iqm is None:
            return "-"
        form = self.figure.form.format
        if not isfinite(self.iqm.low):
            return form(self.iqm.value)
        return f"{form(self.iqm.value)} ({form(self.iqm.low)} to {form(self.iqm.high)})"


@dataclass(frozen=True)
class Verdict:
    """One group against the first, by one figure."""

    a: str
    b: str
    figure: Figure
    difference: Difference
    improvement: Interval
    #: the level that the test was held to
    level: float
    sentence: str

    @property
    def shown(self) -> bool:
        """Whether the difference is real."""
        return self.difference.shown(self.level)


@dataclass(frozen=True)
class Comparison:
    """What `lanista compare` found."""

    env: str
    #: what was measured, in words
    measured: str
    #: env steps that all groups had
    horizon: int
    bar: float | None
    groups: tuple[Group, ...]
    #: group name -> figure name -> what it came to
    figures: dict[str, dict[str, Measured]]
    #: group name -> how many runs reached the bar
    solved: dict[str, int]
    verdicts: tuple[Verdict, ...] = ()
    #: sentences that the reader should know
    notes: tuple[str, ...] = field(default=())

    def json_values(self) -> dict[str, Any]:
        """Plain values for a JSON document; what is unbounded or missing is null."""
        return {
            "env": self.env,
            "measured": self.measured,
            "env_steps": self.horizon,
            "bar": self.bar,
            "groups": [
                {
                    "name": group.name,
                    "seeds": [run.seed for run in group.runs],
                    "solved": self.solved.get(group.name),
                    "figures": {
                        name: {
                            "values": {str(seed): value for seed, value in found.values.items()},
                            **_interval(found.iqm, "iqm"),
                        }
                        for name, found in self.figures[group.name].items()
                    },
                }
                for group in self.groups
            ],
            "comparisons": [
                {
                    "a": verdict.a,
                    "b": verdict.b,
                    "figure": verdict.figure.name,
                    **_interval(verdict.difference.interval, "difference"),
                    "p": verdict.difference.p,
                    "level": verdict.level,
                    "probability_of_improvement": _interval(verdict.improvement, "value"),
                    "shown": verdict.shown,
                    "sentence": verdict.sentence,
                }
                for verdict in self.verdicts
            ],
            "notes": list(self.notes),
        }


def compare_groups(groups: Sequence[Group], metric: str = "final", bar: float | None = None) -> Comparison:
    """Measure every figure of every group and hold all groups against the first one by `metric`."""
    if metric not in FIGURES:
        raise UsageError(f"there is no figure {metric!r}; {hint(metric, FIGURES)}")
    bar = _agreed_bar(groups) if bar is None else bar
    chosen = FIGURES[metric]
    if chosen.needs_bar and bar is None:
        raise UsageError(
            f"{metric} needs to know when the task is solved; give --bar, or `bar` in the recipe's table `evaluate`"
        )
    horizon = min(group.budget for group in groups)
    figures = {group.name: _figures(group, horizon, bar) for group in groups}
    solved = (
        {}
        if bar is None
        else {
            group.name: sum(solved_at(run, horizon, bar) is not None for run in group.runs)
            for group in groups
        }
    )
    first = groups[0].runs[0]
    comparison = Comparison(
        first.recipe["env"]["use"],
        _measured(groups[0]),
        horizon,
        bar,
        tuple(groups),
        figures,
        solved,
        notes=tuple(_notes(groups, horizon, chosen, solved)),
    )
    return Comparison(**{**comparison.__dict__, "verdicts": tuple(_verdicts(comparison, chosen))})


def _agreed_bar(groups: Sequence[Group]) -> float | None:
    bars: dict[str, float | None] = {
        group.name: group.runs[0].recipe.get("evaluate", {}).get("bar") for group in groups
    }
    if len(set(bars.values())) > 1:
        told = ", ".join(
            f"{name} {'none' if bar is None else format(bar, 'g')}" for name, bar in bars.items()
        )
        raise UsageError(
            f"the recipes have different bars for a solved task ({told}); say which holds with --bar"
        )
    return next(iter(bars.values()))


def _figures(group: Group, horizon: int, bar: float | None) -> dict[str, Measured]:
    found = {}
    for figure in FIGURES.values():
        if figure.needs_bar and bar is None:
            continue
        values = {
            run.seed: figure.measure(run, horizon, np.nan if bar is None else bar) for run in group.runs
        }
        values = {seed: value for seed, value in values.items() if isfinite(value)}
        iqm = iqm_interval(np.array(list(values.values()))) if values else None
        found[figure.name] = Measured(figure, values, iqm)
    return found


def _measured(group: Group) -> str:
    run = group.runs[0]
    if not run.regular:
        return f"{run.measure} as the phases' until rules measured it"
    way = run.recipe["evaluate"]
    against = f" against {way['opponent']}" if way.get("opponent") else ""
    kind = "return" if run.measure == "evaluated_return" else "score"
    return f"greedy {kind}{against}, mean of {way['episodes']} games every {way['every']:,} env steps"


def _notes(groups: Sequence[Group], horizon: int, chosen: Figure, solved: dict[str, int]) -> list[str]:
    notes = [note for group in groups for note in group.notes]
    for group in groups:
        if len(group.runs) < 3:
            few = "1 seed" if len(group.runs) == 1 else f"{len(group.runs)} seeds"
            notes.append(
                f"{group.name} has {few}: that says next to nothing about its recipe; `lanista run RECIPE --seeds 10` "
                "makes ten"
            )
        if group.budget > horizon:
            notes.append(
                f"{group.name} went on to {group.budget:,} env steps; compared are the first {horizon:,}, which all had"
            )
        if chosen.name.endswith("to_solve") and solved[group.name] < len(group.runs):
            notes.append(
                f"{group.name} reached the bar with {solved[group.name]} of {len(group.runs)} seeds; the others count "
                "with all that they spent, which is too little"
            )
    if not groups[0].runs[0].regular:
        notes.append(
            "the runs were measured where their until rules asked for it; give the recipes a table `evaluate` for "
            "curves over equal env steps"
        )
    return notes


def _verdicts(comparison: Comparison, figure: Figure) -> list[Verdict]:
    first, *others = comparison.groups
    a = comparison.figures[first.name][figure.name]
    pairs = []
    for other in others:
        b = comparison.figures[other.name][figure.name]
        for name, found in ((first.name, a), (other.name, b)):
            if found.iqm is None:
                raise UsageError(f"no run of {name} has a {figure.told}; choose another --metric")
        pairs.append((other.name, b, iqm_difference(a.array, b.array)))
    levels = holm_levels([difference.p for _, _, difference in pairs], LEVEL)
    verdicts = []
    for (name, b, difference), level in zip(pairs, levels, strict=True):
        sides = (a.array, b.array) if figure.more_is_better else (-a.array, -b.array)
        sentence = _sentence(figure, first.name, name, a, b, difference, level)
        verdicts.append(
            Verdict(first.name, name, figure, difference, improvement_interval(*sides), level, sentence)
        )
    return verdicts


def _sentence(
    figure: Figure, a: str, b: str, first: Measured, second: Measured, found: Difference, level: float
) -> str:
    """Whether the difference is real, in one sentence; the difference is told as the higher less the lower."""
    gap, form = found.interval, figure.form.format
    counts = (len(first.values), len(second.values))
    each = f"{counts[0]} seeds each" if counts[0] == counts[1] else f"{counts[0]} and {counts[1]} seeds"
    seeds = "1 seed each" if counts == (1, 1) else each
    unit = f" {figure.unit}" if figure.unit else ""
    b_is_higher = gap.value > 0.0
    low, high = (gap.low, gap.high) if b_is_higher else (-gap.high, -gap.low)
    bounds = f"95 % interval {form(low)} to {form(high)}, p = {found.p:.2g}, " if isfinite(low) else ""
    facts = f"{figure.told} is {form(abs(gap.value))}{unit} higher with {b if b_is_higher else a} ({bounds}{seeds})"
    if found.shown(level):
        winner, loser = (b, a) if b_is_higher == figure.more_is_better else (a, b)
        return f"{winner} is better than {loser}: {facts}"
    if gap.value == 0.0:
        return f"no difference between {a} and {b} is shown: {figure.told} is {first.text()}{unit} with both, {seeds}"
    more = found.more_runs(level)
    needed = (
        "more than a thousand seeds each would be needed"
        if more is None
        else f"about {more} more seeds each would be needed to show a difference of this size"
    )
    if found.runs < fewest_runs(level):
        needed += f" (fewer than {fewest_runs(level)} can show none)"
    return f"no difference between {a} and {b} is shown: {facts}; {needed}"


def _interval(found: Interval | None, name: str) -> dict[str, float | None]:
    if found is None:
        return {name: None, "low": None, "high": None}
    low, high = (bound if isfinite(bound) else None for bound in (found.low, found.high))
    return {name: found.value, "low": low, "high": high}
