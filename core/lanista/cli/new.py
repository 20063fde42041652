"""`lanista new`: write a package of your own that works before the first edit."""

from pathlib import Path
from typing import Annotated

import typer


def attach(app: typer.Typer) -> None:
    """Add the group of commands."""
    group = typer.Typer(
        help="Write a package of your own, to edit and install. Example: lanista new plugin calm.",
        no_args_is_help=True,
    )
    group.command("plugin")(plugin)
    group.command("env")(env)
    group.command("recipe")(recipe)
    app.add_typer(group, name="new")


Name = Annotated[str, typer.Argument(help="What it is called: small letters, digits and - or _.")]
Folder = Annotated[Path | None, typer.Option("--in", help="Where the package's folder goes; default here.")]


def plugin(
    name: Name,
    kind: Annotated[
        str, typer.Option(help="shaper, distiller, matchmaker, player, network, phase, ...")
    ] = "shaper",
    folder: Folder = None,
) -> None:
    """Write a package with one plugin, its tests and its pyproject.toml.

    Examples: lanista new plugin calm; lanista new plugin my-net --kind network
    """
    from lanista.scaffold import write_plugin

    _tell(write_plugin(name, kind, folder or Path()))


def env(name: Name, folder: Folder = None) -> None:
    """Write a package with a game of your own: a small one that works, with a recipe, to be replaced rule by rule.

    Example: lanista new env hex
    """
    from lanista.scaffold import write_plugin

    _tell(write_plugin(name, "env", folder or Path()))


def recipe(
    name: Name,
    env: Annotated[str, typer.Option(help="The env that it trains in (see `lanista plugins`).")] = "cartpole",
    folder: Folder = None,
) -> None:
    """Write a package with a recipe that `lanista run NAME` finds.

    Example: lanista new recipe my-cartpole --env cartpole
    """
    from lanista.plugins import current_host
    from lanista.scaffold import write_recipe

    _tell(write_recipe(name, env, folder or Path(), current_host().registry))


def _tell(written: "Written") -> None:  # type: ignore[name-defined]  # noqa: F821 - imported late
    for path in written.files:
        typer.echo(path)
    typer.echo(f"install it with:  pip install --no-build-isolation -e {written.folder}")
    typer.echo(f"then:             {written.then}")
