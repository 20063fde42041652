"""A comparison as a picture: PNG or SVG by matplotlib, or one self-contained HTML page by plotly.

Three panels: the learning curves over equal env steps (interquartile mean, 95 % band), the chosen figure of each group
with its interval, and the performance profile of that figure.
"""

from pathlib import Path
from typing import Any

import numpy as np

from lanista.comparison.compare import Comparison
from lanista.comparison.figures import FIGURES, Figure
from lanista.comparison.series import curve_steps, learning_curve, profile
from lanista.errors import UsageError
from lanista.files import write_atomically

ENDINGS = (".png", ".svg", ".html")
#: told apart by most who see colours differently (Okabe and Ito 2008)
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#999999")


def check_ending(file: Path) -> None:
    """Refuse a file whose ending says nothing that can be drawn."""
    if file.suffix.lower() not in ENDINGS:
        raise UsageError(f"{file}: a plot ends in {', '.join(ENDINGS)}; found {file.suffix or 'no ending'!r}")


def write_plot(comparison: Comparison, figure: str, file: Path) -> None:
    """Draw into `file`, by its ending."""
    check_ending(file)
    chosen = FIGURES[figure]
    content = (
        _page(comparison, chosen) if file.suffix.lower() == ".html" else _picture(comparison, chosen, file)
    )
    try:
        write_atomically(file, content)
    except OSError as error:
        raise UsageError(f"{file} cannot be written: {error.strerror}; choose another --plot") from error


def _picture(comparison: Comparison, figure: Figure, file: Path) -> bytes:
    from io import BytesIO
    from textwrap import wrap

    from matplotlib.figure import Figure as Canvas

    canvas = Canvas(figsize=(13, 4.2), layout="constrained")
    curves, intervals, profiles = canvas.subplots(1, 3, width_ratios=[1.5, 1, 1])
    steps = curve_steps(comparison.groups, comparison.horizon)
    haze = 0.4 / (1 + len(comparison.groups))  # bands of many groups lie over each other
    for place, group in enumerate(comparison.groups):
        colour = COLOURS[place % len(COLOURS)]
        line = learning_curve(group, steps)
        curves.plot(line.x, line.middle, color=colour, label=group.name, linewidth=1.6)
        curves.fill_between(line.x, line.low, line.high, color=colour, alpha=haze, linewidth=0)
        found = comparison.figures[group.name][figure.name]
        if found.iqm is not None:
            ends = np.array([[found.iqm.low], [found.iqm.high]])
            if np.isfinite(ends).all():
                intervals.plot(ends[:, 0], [place, place], color=colour, linewidth=6, alpha=0.35)
            intervals.plot([found.iqm.value], [place], "|", color=colour, markersize=16, markeredgewidth=2.5)
            share = profile(comparison, group.name, figure.name)
            profiles.plot(share.x, share.middle, color=colour, linewidth=1.6)
            profiles.fill_between(share.x, share.low, share.high, color=colour, alpha=haze / 2, linewidth=0)
    if comparison.bar is not None:
        curves.axhline(comparison.bar, color="#666666", linewidth=0.8, linestyle=":")
    curves.set(
        xlabel="env steps",
        ylabel=comparison.measured.partition(",")[0],
        title=f"{comparison.env}: interquartile mean",
    )
    curves.legend(fontsize=8, framealpha=0.7)
    intervals.set_yticks(
        range(len(comparison.groups)), [group.name for group in comparison.groups], fontsize=8
    )
    intervals.invert_yaxis()
    intervals.set(xlabel="\n".join(wrap(_axis(figure), 36)), title="with 95 % interval")
    profiles.set(
        xlabel="threshold of the same figure", ylabel="share of runs above", title="performance profile"
    )
    for axes in (curves, intervals, profiles):
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(alpha=0.25, linewidth=0.5)
    out = BytesIO()
    # Without a date the same comparison gives the same file.
    ending = file.suffix.lower()[1:]
    canvas.savefig(out, format=ending, dpi=100, metadata={"Date": None} if ending == "svg" else None)
    return out.getvalue()


def _page(comparison: Comparison, figure: Figure) -> bytes:
    from plotly import graph_objects
    from plotly.subplots import make_subplots

    titles = ["interquartile mean over env steps", f"{figure.told}, 95 % interval", "performance profile"]
    page = make_subplots(rows=1, cols=3, column_widths=[0.45, 0.27, 0.28], subplot_titles=titles)
    steps = curve_steps(comparison.groups, comparison.horizon)
    for place, group in enumerate(comparison.groups):
        colour = COLOURS[place % len(COLOURS)]
        name = _as_text(group.name)
        look: dict[str, Any] = {"legendgroup": str(place), "name": name, "line": {"color": colour}}
        line = learning_curve(group, steps)
        _add_band(page, graph_objects, line, colour, place, 1)
        page.add_trace(graph_objects.Scatter(x=line.x, y=line.middle, mode="lines", **look), row=1, col=1)
        found = comparison.figures[group.name][figure.name]
        if found.iqm is None:
            continue
        ends = [found.iqm.low, found.iqm.high]
        arms = [end - found.iqm.value if np.isfinite(end) else 0.0 for end in ends]
        bars = {
            "type": "data",
            "symmetric": False,
            "array": [arms[1]],
            "arrayminus": [-arms[0]],
            "color": colour,
        }
        page.add_trace(
            graph_objects.Scatter(
                x=[found.iqm.value], y=[name], error_x=bars, mode="markers", marker={"color": colour, "size": 9},
                legendgroup=str(place), showlegend=False, name=name,
            ),
            row=1, col=2,
        )  # fmt: skip
        share = profile(comparison, group.name, figure.name)
        _add_band(page, graph_objects, share, colour, place, 3)
        page.add_trace(
            graph_objects.Scatter(x=share.x, y=share.middle, mode="lines", showlegend=False, **look),
            row=1,
            col=3,
        )
    page.update_layout(
        title=f"{_as_text(comparison.env)}: {_as_text(comparison.measured)}",
        template="plotly_white",
        height=480,
    )
    page.update_yaxes(autorange="reversed", row=1, col=2)
    text: str = page.to_html(include_plotlyjs=True, full_html=True)
    return text.encode()


def _add_band(page: Any, graph_objects: Any, line: Any, colour: str, place: int, column: int) -> None:  # noqa: ANN401 - plotly has no types
    """The area between the ends of the intervals; nothing where there are none."""
    if not np.isfinite(line.low).all():
        return
    page.add_trace(
        graph_objects.Scatter(
            x=np.concatenate([line.x, line.x[::-1]]), y=np.concatenate([line.high, line.low[::-1]]),
            fill="toself", fillcolor=colour, opacity=0.15, line={"width": 0}, hoverinfo="skip",
            showlegend=False, legendgroup=str(place),
        ),
        row=1, col=column,
    )  # fmt: skip


def _axis(figure: Figure) -> str:
    return f"{figure.told}, {figure.unit}" if figure.unit else figure.told


def _as_text(name: str) -> str:
    """A folder's name is no markup: plotly reads tags in its texts."""
    from html import escape

    return escape(name)
