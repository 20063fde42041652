"""Several seeds of one recipe: a page each, and an index that lays their curves over each other."""

from pathlib import Path
from typing import Any

from lanista.errors import UsageError
from lanista.report.charts import COLORS, Chart
from lanista.report.curves import curve, mean_of
from lanista.report.folder import PhaseFolder, RunFolder, read_run
from lanista.report.page import Page, make_report, write_page
from lanista.report.tables import Table, Verdict, duration, number, verdict_of

#: what says best how good a policy is comes first; the index shows the first two that there are
_FIGURES = ("evaluated_score", "evaluated_return", "greedy_return", "outcome", "return")


def seed_folders(folder: Path) -> list[Path]:
    """The run folders ``seed-0``, ``seed-1``, ... in `folder`, by number."""
    found = [
        path for path in folder.glob("seed-*") if path.name[5:].isdigit() and (path / "recipe.toml").is_file()
    ]
    return sorted(found, key=lambda path: int(path.name[5:]))


def write_group(folder: Path, out: Path) -> tuple[int, int]:
    """Write a report into each seed's folder and the index to `out`: (bytes of the index, number of seeds)."""
    folders = seed_folders(folder)
    if not folders:
        raise UsageError(
            f"{folder} holds no runs seed-0, seed-1, ...; name the folder of a run or of several seeds"
        )
    runs = [read_run(path) for path in folders]
    for run in runs:
        write_page(run.path / "report.html", make_report(run))
    return write_page(out, _index(folder, runs, out)), len(runs)


def _index(folder: Path, runs: list[RunFolder], out: Path) -> str:
    good = sum(verdict_of(run).mood == "good" for run in runs)
    mood = "good" if good == len(runs) else "open"
    words = f"{good} of {len(runs)} came to a good end"
    page = Page(f"{runs[0].name}: {len(runs)} seeds", Verdict(mood, f"{len(runs)} seeds", words), [])
    page.summary = str(runs[0].recipe.get("summary", ""))
    page.warnings = [f"{run.path.name}, {warning.sentence}" for run in runs for warning in run.warnings]
    shown = [name for name in _FIGURES if any(name in row for run in runs for row in run.rows)][:2]
    headers = ["run", "state", "env steps", "time", *(f"{name}, last tenth" for name in shown), ""]
    rows, links = [], {}
    for run in runs:
        verdict = verdict_of(run)
        seconds = [phase.seconds for phase in run.phases if phase.seconds is not None]
        steps = run.rows[-1].get("step") if run.rows else None
        figures = [number(mean_of(run.rows, name, last=0.1)) for name in shown]
        spent = duration(sum(seconds)) if seconds else ""
        rows.append([run.path.name, verdict.word, number(steps), spent, *figures, verdict.sentence])
        if out.parent == folder:
            links[run.path.name] = f"{run.path.name}/report.html"
    page.section("Runs").tables.append(("", Table(headers, rows), links))
    page.section("Seeds over each other", [_overlay(name, runs) for name in shown])
    return page.html()


def _overlay(figure: str, runs: list[RunFolder]) -> Chart:
    """One line a run, its phases one after the other."""
    traces: list[dict[str, Any]] = []
    for place, run in enumerate(runs):
        whole = curve(PhaseFolder(run.path.name, "", {}, run.rows, {}), figure)
        if whole is None:
            continue
        color = COLORS[place % len(COLORS)]
        traces.append(
            {
                "type": "scatter",
                "mode": "lines",
                "x": whole.steps,
                "y": whole.values,
                "name": run.path.name,
                "line": {"color": color, "width": 1.4},
                "opacity": 0.85,
                "hovertemplate": "%{y:.4g} at %{x:,} steps<extra>%{fullData.name}</extra>",
            }
        )
    layout = {"xaxis": {"title": {"text": "env steps of the run"}, "rangemode": "tozero"}, "showlegend": True}
    return Chart(figure, "", traces, layout, height=320)
