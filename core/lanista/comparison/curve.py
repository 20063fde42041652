"""The curve of a run: what its policy scored after how many env steps, read from its folder alone.

1. The recipe says what was evaluated and how often (`evaluate`); without it the measurements of the phases' `until`
   rules are taken, which lie where the rules asked for them.
2. `metrics.jsonl` gives the points. Seconds are summed over the updates before each; an update that is the first of its
   phase in a process also loads and compiles, and counts as long as the median update of the phase.
"""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from lanista.arrays import IntArray
from lanista.errors import CheckpointError, UsageError
from lanista.hints import told
from lanista.metrics import read_metrics
from lanista.statistics.scores import Scores

#: what `evaluate` records, one seat or several
_EVALUATED = ("evaluated_return", "evaluated_score")


@dataclass(frozen=True)
class Curve:
    """E evaluations of one run."""

    folder: Path
    #: the resolved recipe as plain values
    recipe: dict[str, Any]
    #: the figure in metrics.jsonl
    measure: str
    #: ``[E]`` env steps of the run, ascending
    steps: IntArray
    #: ``[E]`` mean return or score; more is better
    values: Scores
    #: ``[E]`` place of the phase in the recipe
    phase: IntArray
    #: ``[E]`` seconds and process CPU seconds of training up to there; evaluations, loading and compiling left out
    seconds: Scores
    cpu_seconds: Scores
    #: ``[P + 1]`` env steps at which the phases that were played begin, and where the last ends
    bounds: tuple[int, ...]

    @property
    def seed(self) -> int:
        """The run's seed."""
        return int(self.recipe["seed"])

    @property
    def budget(self) -> int:
        """The env steps that the recipe allows, or what was played where a phase kind does not say."""
        asked = [phase.get("until", {}).get("steps") for phase in self.recipe["phases"]]
        if any(not isinstance(steps, int) for steps in asked):
            return self.bounds[-1]
        return max(sum(map(int, asked)), self.bounds[-1])

    @property
    def regular(self) -> bool:
        """Whether the points come from `evaluate`, at the same steps whatever the phases do."""
        return self.measure in _EVALUATED

    def held(self, steps: IntArray) -> Scores:
        """The value at each of `steps`: that of the last evaluation at or before it; NaN before the first."""
        place = np.searchsorted(self.steps, steps, side="right") - 1
        return np.where(place >= 0, self.values[np.maximum(place, 0)], np.nan)


def is_run(folder: Path) -> bool:
    """Whether a folder is a run's."""
    return (folder / "recipe.toml").is_file()


def is_finished(folder: Path) -> bool:
    """Whether a run came to its end."""
    return (folder / "final" / "policy.json").is_file()


def read_curve(folder: Path) -> Curve:
    """Read a run; raises `UsageError` if it recorded nothing that could be compared, `CheckpointError` if damaged."""
    try:
        recipe = tomllib.loads((folder / "recipe.toml").read_text(encoding="utf-8"))
        return _curve(folder, recipe, read_metrics(folder / "metrics.jsonl"))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise CheckpointError(
            f"{folder} cannot be read as a run: {told(error)}; name a folder that `lanista run` made"
        ) from error


def _curve(folder: Path, recipe: dict[str, Any], rows: list[dict[str, Any]]) -> Curve:
    names = [phase["name"] for phase in recipe["phases"]]
    places = [names.index(row["phase"]) for row in rows]
    steps = [int(row["step"]) for row in rows]
    measure = _measure(folder, rows)
    seconds, cpu_seconds = (_running(rows, places, name) for name in ("seconds", "cpu_seconds"))
    at = [place for place, row in enumerate(rows) if measure in row]
    ends = [
        step for step, place, after in zip(steps, places, [*places[1:], None], strict=True) if place != after
    ]
    curve = Curve(
        folder,
        recipe,
        measure,
        np.array([steps[place] for place in at]),
        np.array([float(rows[place][measure]) for place in at]),
        np.array([places[place] for place in at]),
        seconds[at],
        cpu_seconds[at],
        (0, *ends),
    )
    # What is read later must be there; whoever evaluated says how.
    _ = (
        recipe["env"]["use"],
        curve.seed,
        curve.budget,
        recipe["evaluate"]["every"] if curve.regular else None,
    )
    return curve


def _measure(folder: Path, rows: Sequence[dict[str, Any]]) -> str:
    """The figure to compare by."""
    seen = {name for row in rows for name in row}
    for name in (*_EVALUATED, "greedy_return"):
        if name in seen:
            return name
    scores = sorted(name for name in seen if name.startswith("score/"))
    if len(scores) == 1:
        return scores[0]
    found = f"scores against several players ({', '.join(scores)})" if scores else "no evaluation"
    raise UsageError(
        f"{folder} recorded {found}, so there is nothing to compare it by; give its recipe a table evaluate = "
        "{ every = 4096, episodes = 100 } (and an opponent where the game has several seats), and run it again"
    )


def _running(rows: Sequence[dict[str, Any]], places: Sequence[int], name: str) -> Scores:
    """Sum a clock's figure over the updates; NaN from where a run did not record it."""
    own: dict[int, list[float]] = {}
    for row, place in zip(rows, places, strict=True):
        if name in row and "first_update" not in row:
            own.setdefault(place, []).append(row[name])
    spent = [
        median(own[place]) if "first_update" in row and place in own else row.get(name, np.nan)
        for row, place in zip(rows, places, strict=True)
    ]
    return np.cumsum(np.array(spent, dtype=np.float64))
