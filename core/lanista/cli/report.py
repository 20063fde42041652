"""`lanista report`: what a run came to, as one page."""

from pathlib import Path
from typing import Annotated

import typer


def attach(app: typer.Typer) -> None:
    """Add the command."""
    app.command("report")(report)


def report(
    run_folder: Annotated[
        Path, typer.Argument(metavar="RUN", help="The folder of a run, finished or not, or of several seeds.")
    ],
    out: Annotated[Path | None, typer.Option(help="The page to write; by default RUN/report.html.")] = None,
    show: Annotated[bool, typer.Option("--open", help="Open the page in the browser.")] = False,
) -> None:
    """Write what a run came to as one HTML file that needs nothing else: phases, figures, league, export, checks.

    A run writes it at its end by itself. For a folder of several seeds each gets its page, and RUN/report.html lays
    them over each other.

    Examples: lanista report runs/demo; lanista report runs/demo --out demo.html --open.
    """
    from lanista.errors import UsageError
    from lanista.report.folder import read_run
    from lanista.report.group import seed_folders, write_group
    from lanista.report.page import make_report, write_page

    target = out or run_folder / "report.html"
    try:
        if not (run_folder / "recipe.toml").is_file() and seed_folders(run_folder):
            size, seeds = write_group(run_folder, target)
            typer.echo(f"{target}: {seeds} seeds, {size / 1e6:.1f} MB; a page for each in its folder")
        else:
            run = read_run(run_folder)
            size = write_page(target, make_report(run))
            for warning in run.warnings:
                typer.echo(f"warning: {warning.sentence}")
            typer.echo(f"{target}: {run.name}, {len(run.rows):,} updates, {size / 1e6:.1f} MB")
    except OSError as error:
        raise UsageError(f"{target} cannot be written: {error.strerror}; choose another --out") from error
    if show:
        import webbrowser

        webbrowser.open(target.resolve().as_uri())
