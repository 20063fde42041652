"""`lanista recipes`: the recipes that come with plugins, to list, read and copy."""

from pathlib import Path
from typing import Annotated

import typer

from lanista.errors import LanistaError
from lanista.plugins import Entry, current_host
from lanista.registry import recipe_text


def attach(app: typer.Typer) -> None:
    """Add the group of commands."""
    group = typer.Typer(invoke_without_command=True)
    group.callback()(listing)
    group.command("show")(show)
    group.command("copy")(copy)
    app.add_typer(group, name="recipes")


def listing(context: typer.Context) -> None:
    """List the recipes that come with a name; show or copy one.

    Examples: lanista recipes; lanista recipes show cartpole; lanista recipes copy cartpole my.toml.
    """
    if context.invoked_subcommand is not None:
        return
    entries = [entry for entry in current_host().registry.entries() if entry.kind == "recipes"]
    width = max((len(entry.name) for entry in entries), default=0)
    for entry in entries:
        typer.secho(entry.name.ljust(width), bold=True, nl=False)
        typer.echo(f"  {entry.summary or _opening_of(entry)}".rstrip())


def show(name: Annotated[str, typer.Argument(help="A recipe's name.")]) -> None:
    """Print a recipe's TOML.

    Example: lanista recipes show cartpole
    """
    typer.echo(recipe_text(current_host().registry.get("recipes", name)), nl=False)


def copy(
    name: Annotated[str, typer.Argument(help="A recipe's name.")],
    path: Annotated[Path | None, typer.Argument(help="Where to write it; default NAME.toml here.")] = None,
) -> None:
    """Copy a recipe into a file of your own, to change and run.

    Example: lanista recipes copy cartpole my.toml && lanista run my.toml
    """
    entry = current_host().registry.get("recipes", name)
    goal = Path(f"{name}.toml") if path is None else path
    if goal.is_dir():
        goal /= f"{name}.toml"
    try:
        with goal.open("x", encoding="utf-8", newline="\n") as file:
            file.write(recipe_text(entry))
    except FileExistsError:
        raise LanistaError(f"{goal} is there already and is not overwritten; give another path") from None
    except OSError as error:
        raise LanistaError(f"{goal} cannot be written: {error.strerror}; give another path") from error
    typer.echo(f"{goal} written; run it with: lanista run {goal}")


def _opening_of(entry: Entry) -> str:
    """A recipe's opening, or why it cannot be read; the other recipes are listed all the same."""
    try:
        return opening(recipe_text(entry))
    except LanistaError as error:
        return f"({error})"


def opening(text: str) -> str:
    """The comment lines that a recipe opens with, less the command that runs it, as one line."""
    lines = []
    for line in text.splitlines():
        if not line.startswith("#"):
            break
        lines.append(line.lstrip("# ").strip())
    return " ".join(line for line in lines if line and not line.startswith("lanista "))
