"""Tables on the screen: rich where a person looks, plain columns in a file or a pipe."""

import sys
from collections.abc import Sequence

import typer


def print_columns(title: str, headers: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows under their headers; the first column to the left, the others to the right."""
    if sys.stdout.isatty():
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        table = Table(title=title, title_justify="left")
        for place, header in enumerate(headers):
            table.add_column(header, justify="right" if place else "left")
        for row in rows:
            table.add_row(*(Text(cell) for cell in row))  # Text: names are no markup
        Console().print(table)
        return
    typer.echo(title)
    widths = [max(len(row[place]) for row in [headers, *rows]) for place in range(len(headers))]
    for row in [headers, *rows]:
        cells = [
            cell.rjust(width) if place else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        typer.echo("  ".join(cells).rstrip())
