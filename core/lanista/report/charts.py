"""The charts of a report as plotly figures in plain JSON; colours of text and grid come from the page."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from lanista.league.report import LeagueReport
from lanista.report.curves import Curve, curve, figures_of
from lanista.report.folder import RunFolder
from lanista.report.values import figure

#: readable on white and on near-black (Okabe and Ito's palette, its black and yellow replaced)
COLORS = ("#2f81f7", "#e8590c", "#1a9e77", "#c2569b", "#b08800", "#7a63d6", "#d1383d", "#3aa6b9", "#8a8f98")
#: beyond this many lines a chart is a thicket; the rest is said in a note
_MOST_LINES = 24
#: a phase of at least this share of the run's steps has its name over the charts
_NAMED = 0.07
#: beyond this many members a heat map has no room for names
_MOST_MEMBERS = 40


@dataclass(frozen=True)
class Wanted:
    """Which figures share a chart: names, or patterns with a star."""

    title: str
    unit: str
    figures: tuple[str, ...]
    note: str = ""


#: in the order of the page; a figure goes to the first chart that names it
CHARTS = (
    Wanted(
        "Return",
        "points a game",
        ("return", "evaluated_return", "evaluated_return_min", "greedy_return", "greedy_return_min"),
        "official reward, summed over a game; greedy and evaluated: games without sampling",
    ),
    Wanted(
        "Outcome",
        "points",
        ("outcome", "outcome/*"),
        "+1 win, 0 draw, -1 loss, or the env's score",
    ),
    Wanted(
        "Score against fixed players",
        "share of points",
        ("evaluated_score", "score/*", "score_low/*", "gate_score", "gate_low"),
        "a draw is half a point; low: lower bound",
    ),
    Wanted(
        "Score by variant",
        "share of points",
        ("by/*/evaluated_score", "by/*/score/*"),
        "over the games of one variant alone, boards of one size for example",
    ),
    Wanted("Outcome by variant", "points", ("by/*/outcome",), "of the games that were trained on"),
    Wanted("Return by variant", "points a game", ("by/*/return",)),
    Wanted("Reward parts", "points a step", ("reward/*",), "each part of the shaped reward apart"),
    Wanted(
        "Facts",
        "of the env",
        ("fact/*",),
        "what `watch` names: mean over the steps and the learning policy's seats",
    ),
    Wanted("Feedback", "share of steps", ("feedback",), "steps with an official reward other than 0"),
    Wanted(
        "Teacher",
        "nats",
        ("teacher_divergence", "teacher_loss", "teacher_coef", "kl_loss", "reverse_kl_loss"),
    ),
    Wanted("Agreement with the teacher", "share of rows", ("agreement", "student_share")),
    Wanted("Step of the policy", "nats", ("approx_kl",), "KL between the policy before and after an update"),
    Wanted("Entropy", "nats", ("entropy",)),
    Wanted("Explained variance", "1 is best", ("explained_variance",)),
    Wanted("Losses", "", ("loss", "policy_loss", "value_loss", "*_loss")),
    Wanted("Clipped and gradient", "", ("clipfrac", "grad_norm")),
    Wanted("Learning rate", "", ("learning_rate",)),
    Wanted("Length of games", "steps", ("length",)),
    Wanted("Throughput", "env steps a second", ("sps",)),
)
#: what a chart of its own shows, or nobody asks for
_ELSEWHERE = (
    "time/*", "shaped_up_outcome_down", "optimizer_steps", "episodes", "promoted", "seconds", "cpu_seconds", "first_update",
)  # fmt: skip


@dataclass(frozen=True)
class Chart:
    """One figure of the page."""

    title: str
    note: str
    #: plotly's traces and layout
    traces: list[dict[str, Any]]
    layout: dict[str, Any] = field(default_factory=dict)
    #: CSS pixels
    height: int = 280


def charts_of(run: RunFolder) -> list[Chart]:
    """All charts that the run's log has figures for."""
    left: dict[str, None] = {}
    for phase in run.phases:
        left.update(dict.fromkeys(figures_of(phase)))
    for pattern in _ELSEWHERE:
        for name in [name for name in left if fnmatchcase(name, pattern)]:
            del left[name]
    found = []
    for wanted in CHARTS:
        names = [name for pattern in wanted.figures for name in left if fnmatchcase(name, pattern)]
        names = list(dict.fromkeys(names))
        for name in names:
            del left[name]
        found.append(_lines(run, wanted, names))
    found.append(_lines(run, Wanted("Further figures", "", ()), list(left)))
    found.append(_shares(run))
    return [chart for chart in found if chart is not None]


def _lines(run: RunFolder, wanted: Wanted, names: Sequence[str]) -> Chart | None:
    """One line a figure and phase; a figure has one colour over all phases."""
    traces: list[dict[str, Any]] = []
    averaged = 1
    shown = names[:_MOST_LINES]
    for place, name in enumerate(shown):
        first = True
        for phase in run.phases:
            line = curve(phase, name)
            if line is None:
                continue
            averaged = max(averaged, line.rows_a_point)
            color = COLORS[place % len(COLORS)]
            traces.append(_trace(line, name, color, first, dashed=place >= len(COLORS)))
            first = False
    if not traces:
        return None
    notes = [wanted.note] if wanted.note else []
    if averaged > 1:
        notes.append(f"each point is the mean of up to {averaged} updates")
    if len(names) > len(shown):
        notes.append(f"{len(names) - len(shown)} more figures are in metrics.jsonl")
    layout = {**_layout(run), "yaxis": {"title": {"text": wanted.unit}}, "showlegend": len(shown) > 1}
    return Chart(wanted.title, "; ".join(notes), traces, layout)


def _trace(line: Curve, name: str, color: str, first: bool, dashed: bool) -> dict[str, Any]:
    few = len(line.values) < 30
    return {
        "type": "scatter",
        "mode": "lines+markers" if few else "lines",
        "x": line.steps,
        "y": line.values,
        "name": name,
        "legendgroup": name,
        "showlegend": first,
        "line": {"color": color, "width": 1.8, "dash": "dot" if dashed else "solid"},
        "marker": {"size": 5, "color": color},
        "hovertemplate": "%{y:.4g} at %{x:,} steps<extra>%{fullData.name}</extra>",
    }


def _shares(run: RunFolder) -> Chart | None:
    """Where the time goes, a bar a phase: the last shares of its log, which are those of the whole phase so far."""
    parts = ("env", "infer", "learn", "copy")
    bars = [
        (phase.name, last)
        for phase in run.phases
        if (last := next((row for row in reversed(phase.rows) if "time/env" in row), None)) is not None
    ]
    if not bars:
        return None
    traces = [
        {
            "type": "bar",
            "orientation": "h",
            "name": part,
            "y": [name for name, _ in bars],
            "x": [round(100.0 * (figure(row.get(f"time/{part}")) or 0.0), 1) for _, row in bars],
            "marker": {"color": COLORS[place]},
            "texttemplate": "%{x:.0f} %",
            "textposition": "inside",
            "insidetextanchor": "middle",
            "hovertemplate": "%{y}: %{x:.1f} %<extra>" + part + "</extra>",
        }
        for place, part in enumerate(parts)
    ]
    layout = {
        "barmode": "stack",
        "xaxis": {"title": {"text": "% of the phase's time"}, "range": [0, 100]},
        "yaxis": {"autorange": "reversed", "type": "category", "automargin": True},
        "showlegend": True,
        "legend": {"orientation": "h", "y": -0.5, "x": 0, "traceorder": "normal"},
    }
    note = "env: stepping games; infer: choosing actions; learn: learning; copy: moving arrays"
    return Chart("Where the time goes", note, traces, layout, height=130 + 44 * len(bars))


def _layout(run: RunFolder) -> dict[str, Any]:
    """The axis of steps, with a line and a name where each phase begins."""
    shapes, labels = [], []
    begun = [phase for phase in run.phases if phase.rows]
    whole = max((phase.begins + (phase.steps or 0.0) for phase in begun), default=0.0)
    for phase in begun:
        if phase.begins > 0.0:
            line = {"type": "line", "x0": phase.begins, "x1": phase.begins, "y0": 0, "y1": 1, "yref": "paper"}
            shapes.append({**line, "line": {"dash": "dot", "width": 1}})
        # A phase too short for its name would write over the next one's.
        if len(begun) > 1 and (phase.steps or 0.0) >= _NAMED * whole:
            text = {
                "x": phase.begins,
                "y": 1,
                "yref": "paper",
                "text": _plain(phase.name),
                "showarrow": False,
            }
            labels.append({**text, "xanchor": "left", "yanchor": "bottom", "font": {"size": 11}})
    return {
        "xaxis": {"title": {"text": "env steps of the run"}, "rangemode": "tozero"},
        "shapes": shapes,
        "annotations": labels,
    }


def payoff_chart(league: LeagueReport) -> Chart | None:
    """Who scored how against whom: rows are players, in the order of the table."""
    names = [row.member.name for row in league.table() if row.tally.games][:_MOST_MEMBERS]
    if len(names) < 2:
        return None
    scores: list[list[float | None]] = []
    told: list[list[str]] = []
    for player in names:
        tallies = [league.payoff.tally(player, opponent) for opponent in names]
        met = [tally.games > 0 and player != opponent for tally, opponent in zip(tallies, names, strict=True)]
        scores.append([round(t.share, 4) if m else None for t, m in zip(tallies, met, strict=True)])
        told.append([_met(t) if m else "" for t, m in zip(tallies, met, strict=True)])
    trace = {
        "type": "heatmap",
        "x": [_plain(name) for name in names],
        "y": [_plain(name) for name in names],
        "z": scores,
        "customdata": told,
        "zmin": 0,
        "zmax": 1,
        "zmid": 0.5,
        "colorscale": [[0, "#c8503c"], [0.5, "#e9e6df"], [1, "#2f6fb7"]],
        "colorbar": {"title": {"text": "score"}, "thickness": 12},
        "hoverongaps": False,
        "xgap": 1,
        "ygap": 1,
        "hovertemplate": "%{y} against %{x}: %{customdata}<extra></extra>",
    }
    if len(names) <= 14:
        words = [["" if score is None else f"{score:.2f}" for score in row] for row in scores]
        trace |= {"text": words, "texttemplate": "%{text}", "textfont": {"color": "#1c1c1c", "size": 11}}
    axis = {"type": "category", "automargin": True, "showgrid": False, "tickfont": {"size": 11}}
    layout = {
        "xaxis": {**axis, "tickangle": -40, "side": "bottom"},
        "yaxis": {**axis, "autorange": "reversed"},
        "showlegend": False,
    }
    note = "row against column; a draw is half a point; empty: they never met"
    return Chart("Payoff", note, [trace], layout, height=180 + 30 * len(names))


def _met(tally: Any) -> str:  # noqa: ANN401 - lanista.matches.Tally
    return f"{tally.share:.3f} in {tally.games} games ({tally.wins} won, {tally.draws} drawn, {tally.losses} lost)"


def _plain(text: str) -> str:
    """A name as plotly shows it: plotly reads some HTML in labels."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
