"""One table and one plot a question and env, from results/*.json."""

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

from arms import Field
from kept import RESULTS, kept_groups

from lanista.comparison.compare import Comparison, compare_groups
from lanista.comparison.plot import write_plot

#: column -> figure
COLUMNS = {
    "steps to solve": "steps_to_solve",
    "CPU s to solve": "cpu_to_solve",
    "s to solve": "seconds_to_solve",
    "≥ bar after solving": "share_after",
    "≥ bar, last quarter": "share_late",
    "mean return": "mean",
    "best return": "best",
    "dip": "dip",
}
#: by what the arms are held against the first one
DECIDES = ("steps_to_solve", "share_after", "share_late", "mean", "dip")
DRAWN = "share_late"


def write_question(field: Field, question: str, arms: Sequence[str]) -> None:
    """Write results/<question>-<env>.md and .png."""
    groups = kept_groups(field, arms)
    every = compare_groups(groups, DRAWN)
    found = {}
    for figure in DECIDES:
        # An arm that never solved has no share after solving, and is not held against the others by it.
        having = [group for group in groups if every.figures[group.name][figure].iqm is not None]
        if groups[0] in having:
            found[figure] = compare_groups(having, figure)
    name = f"{question}-{field.env}"
    (RESULTS / f"{name}.md").write_text(_table(every, found), encoding="utf-8")
    write_plot(every, DRAWN, RESULTS / f"{name}.png")
    _shrink(RESULTS / f"{name}.png")


def _table(first: Comparison, found: dict[str, Comparison]) -> str:
    lines = [
        f"{first.env}, {first.horizon:,} env steps, solved at {first.bar:g}; {first.measured}. Interquartile mean "
        "(95 % bootstrap interval); p is held to Holm's levels.\n",
        f"| arm | seeds | solved | {' | '.join(COLUMNS)} |",
        f"| --- | ---: | ---: | {' | '.join('---:' for _ in COLUMNS)} |",
    ]
    for group in first.groups:
        figures = [first.figures[group.name][figure].text() for figure in COLUMNS.values()]
        cells = [group.name, str(len(group.runs)), str(first.solved[group.name]), *figures]
        lines.append(f"| {' | '.join(cells)} |")
    lines.append("")
    for comparison in found.values():
        lines += [f"* {verdict.sentence}." for verdict in comparison.verdicts if verdict.shown]
        alike = [verdict for verdict in comparison.verdicts if not verdict.shown]
        if alike:
            told = "; ".join(f"{verdict.b} (p = {verdict.difference.p:.2g})" for verdict in alike)
            lines.append(f'* By {alike[0].figure.told} no difference from "{alike[0].a}" is shown: {told}.')
    return "\n".join(lines) + "\n"


def _shrink(picture: Path) -> None:
    """A plot has few colours: a palette makes the file a third as large."""
    from PIL import Image

    small = BytesIO()
    Image.open(picture).convert("RGB").quantize(256).save(small, "PNG", optimize=True)
    picture.write_bytes(small.getvalue())
