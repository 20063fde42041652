"""What the commands of this package put on the screen: rich on a terminal, plain text elsewhere."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import typer


@contextmanager
def working(text: str) -> Iterator[None]:
    """Say on stderr what takes a while; a spinner on a terminal, one line elsewhere."""
    from rich.console import Console

    console = Console(stderr=True, highlight=False)
    if console.is_terminal:
        with console.status(text):
            yield
    else:
        console.print(f"{text}…", soft_wrap=True)
        yield


def show_table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table on stdout: the first column to the left, numbers to the right."""
    widths = [max(len(row[place]) for row in [titles, *rows]) for place in range(len(titles))]
    for number, row in enumerate([titles, *rows]):
        cells = [
            cell.rjust(width) if place else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        typer.secho("  ".join(cells), bold=number == 0)
