"""A run folder as far as it has come: finished, stopped, failed, or written by an older version.

Nothing here needs the plugins that the run used, nor torch. A file that is missing is a part of the report that
is missing; a file that is damaged is one sentence in `RunFolder.faults`.
"""

import json
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from lanista.errors import CheckpointError, UsageError
from lanista.league.report import LeagueReport, read_report
from lanista.report.trends import Divergence, divergences
from lanista.report.values import figure, total_of

Row = dict[str, Any]


@dataclass(frozen=True)
class PhaseFolder:
    """One phase of the recipe and what came of it."""

    name: str
    kind: str
    #: its table in the recipe, as resolved
    recipe: dict[str, Any]
    #: its rows of metrics.jsonl
    rows: list[Row]
    #: phase.json; empty while the phase is not over
    card: dict[str, Any]
    #: env steps of the run before it
    begins: float = 0.0

    @property
    def finished(self) -> bool:
        """Whether it has handed its policy on."""
        return bool(self.card)

    @property
    def steps(self) -> float | None:
        """Its env steps by its card, else by the log so far; None before its first update."""
        known = figure(self.card.get("steps"))
        if known is not None:
            return known
        ends = [step for row in self.rows if (step := figure(row.get("step"))) is not None]
        return ends[-1] - self.begins if ends else None

    @property
    def seconds(self) -> float | None:
        """Seconds of its updates, by the log; those of older runs follow from steps and steps a second."""
        if any("seconds" in row for row in self.rows):
            return total_of([row.get("seconds") for row in self.rows])
        total, before = 0.0, self.begins
        for row in self.rows:
            step, speed = figure(row.get("step")), figure(row.get("sps"))
            if step is not None and speed is not None and speed > 0.0:
                total += (step - before) / speed
            before = before if step is None else step
        return total or None


@dataclass
class RunFolder:
    """What is in a run's folder."""

    path: Path
    recipe: dict[str, Any]
    record: dict[str, Any] = field(default_factory=dict)
    rows: list[Row] = field(default_factory=list)
    phases: list[PhaseFolder] = field(default_factory=list)
    league: LeagueReport | None = None
    delivery: dict[str, Any] = field(default_factory=dict)
    verification: dict[str, Any] = field(default_factory=dict)
    #: what went wrong when the run was last played: phase and sentence
    failure: dict[str, Any] = field(default_factory=dict)
    #: sentences on files that could not be read
    faults: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The recipe's name."""
        return str(self.recipe.get("name", self.path.name))

    @property
    def finished(self) -> bool:
        """Whether all phases are over."""
        return bool(self.phases) and all(phase.finished for phase in self.phases)

    @cached_property
    def warnings(self) -> list[Divergence]:
        """Phases whose shaped return rose while the outcome fell."""
        return divergences(self.rows)


def read_run(path: Path) -> RunFolder:
    """Read a run folder; raises `UsageError` if it is none."""
    if not (path / "recipe.toml").is_file():
        what = "is no folder" if not path.is_dir() else "is no run folder: recipe.toml is missing"
        raise UsageError(f"{path} {what}; name the folder of a run, such as runs/demo")
    faults: list[str] = []
    recipe = _read(path / "recipe.toml", tomllib.loads, faults) or {}
    rows = read_rows(path / "metrics.jsonl", faults)
    run = RunFolder(path, recipe, rows=rows, faults=faults)
    run.record = _read(path / "run.json", json.loads, faults) or {}
    run.delivery = _read(path / "exported" / "delivery.json", json.loads, faults) or {}
    run.verification = _read(path / "exported" / "verification.json", json.loads, faults) or {}
    run.failure = _read(path / "failure.json", json.loads, faults) or {}
    by_phase: dict[str, list[Row]] = {}
    for row in rows:
        by_phase.setdefault(str(row.get("phase")), []).append(row)
    tables = recipe.get("phases")
    for table in tables if isinstance(tables, list) else []:
        name = str(table.get("name")) if isinstance(table, dict) else ""
        if not name:
            continue
        card = _read(path / "phases" / name / "phase.json", json.loads, faults) or {}
        begins = run.phases[-1].begins + (run.phases[-1].steps or 0.0) if run.phases else 0.0
        rows_of_it = by_phase.get(name, [])
        run.phases.append(PhaseFolder(name, str(table.get("kind", "")), table, rows_of_it, card, begins))
    if (path / "league" / "league.json").is_file():
        run.league = _read_league(path / "league", faults)
    return run


def _read_league(folder: Path, faults: list[str]) -> LeagueReport | None:
    try:
        league = read_report(folder)
        league.table()
    except CheckpointError as error:
        faults.append(str(error))
    except Exception as error:  # a file that was changed by hand may hold anything, and fails anywhere
        faults.append(f"league.json holds what no league has ({type(error).__name__}: {error})")
    else:
        return league
    return None


def read_rows(path: Path, faults: list[str]) -> list[Row]:
    """All rows of a metrics.jsonl; a line that is no JSON object is left out, and a sentence counts them."""
    if not path.is_file():
        return []
    rows, bad = [], 0
    with path.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            try:
                row = json.loads(line)
            except ValueError:
                row = None
            if isinstance(row, dict):
                rows.append(row)
            elif line.strip():
                bad += 1
    if bad:
        faults.append(f"{path.name}: {bad} line{'s' if bad > 1 else ''} could not be read")
    return rows


def _read(path: Path, parse: Callable[[str], Any], faults: list[str]) -> dict[str, Any] | None:
    if not path.is_file():
        return None
    try:
        value = parse(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        cause = (str(error).splitlines() or [type(error).__name__])[0][:120]
        faults.append(f"{path.name} could not be read: {cause}")
        return None
    if not isinstance(value, dict):
        faults.append(f"{path.name} holds a {type(value).__name__}, a table is asked")
        return None
    return value
