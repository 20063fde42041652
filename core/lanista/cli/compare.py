"""`lanista compare`: runs or groups of seeds by the same figures, and whether a difference is real."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from lanista.comparison.compare import Comparison


def attach(app: typer.Typer) -> None:
    """Add the command."""
    app.command("compare")(compare)


def compare(
    folders: Annotated[
        list[Path],
        typer.Argument(metavar="A B ...", help="Runs, or folders of runs with different seeds."),
    ],
    metric: Annotated[
        str,
        typer.Option(
            help="The figure that decides: final, best, mean, steps_to_solve, cpu_to_solve, seconds_to_solve, "
            "share_after, share_late or dip."
        ),
    ] = "final",
    bar: Annotated[
        float | None, typer.Option(help="The return or score that solves the task; the recipe's by default.")
    ] = None,
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Write all figures as JSON.")
    ] = None,
    plot: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Draw curves and intervals: .png, .svg or .html.")
    ] = None,
) -> None:
    """Hold groups of seeds against the first one, over equal env steps, and say whether a difference is real.

    Interquartile means with 95 % bootstrap intervals; docs/statistics.md defines every figure.

    Examples: lanista compare runs/a runs/b; lanista compare runs/a runs/b runs/c --metric steps_to_solve --bar 475;
    lanista compare runs/a runs/b --plot ab.png --json ab.json.
    """
    import json

    from lanista.comparison.compare import compare_groups
    from lanista.comparison.groups import read_groups
    from lanista.comparison.plot import check_ending, write_plot
    from lanista.errors import UsageError
    from lanista.files import write_atomically

    if plot is not None:
        check_ending(plot)
    found = compare_groups(read_groups(folders), metric, bar)
    print_comparison(found)
    for verdict in found.verdicts:
        typer.echo(verdict.sentence)
    if json_file is not None:
        text = json.dumps(found.json_values(), indent=1, allow_nan=False)
        try:
            write_atomically(json_file, f"{text}\n".encode())
        except OSError as error:
            raise UsageError(
                f"{json_file} cannot be written: {error.strerror}; choose another --json"
            ) from error
    if plot is not None:
        write_plot(found, metric, plot)


def print_comparison(found: "Comparison") -> None:
    """The table: a row a figure, a column a group, and what the reader should know."""
    from lanista.cli.columns import print_columns
    from lanista.comparison.figures import FIGURES

    names = [group.name for group in found.groups]
    rows = [["seeds", *(str(len(group.runs)) for group in found.groups)]]
    if found.solved:
        rows.append(["solved", *(str(found.solved[name]) for name in names)])
    for name, figure in FIGURES.items():
        cells = [found.figures[group][name].text() for group in names if name in found.figures[group]]
        if any(cell != "-" for cell in cells):
            unit = f", {figure.unit}" if figure.unit else ""
            rows.append([f"{figure.told}{unit}", *cells])
    bar = "" if found.bar is None else f", solved at {found.bar:g}"
    print_columns(
        f"{found.env}, {found.horizon:,} env steps: {found.measured}{bar}; interquartile means, 95 % intervals",
        ["", *names],
        rows,
    )
    for note in found.notes:
        typer.echo(f"note: {note}")
