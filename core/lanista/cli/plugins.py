"""`lanista plugins`: where each plugin came from, what it offers, and why a broken one is broken."""

from typing import Annotated, Any

import typer

from lanista.plugins import Plugin, PluginHost, current_host


def attach(app: typer.Typer) -> None:
    """Add the command."""
    app.command("plugins")(plugins)


def plugins(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout.")] = False,
) -> None:
    """List the plugins: where each came from, what it offers, what is broken. Exit code 1 if one is.

    Examples: lanista plugins; lanista plugins --plugin my_shaper.py --json.
    """
    host = current_host()
    if as_json:
        import json

        typer.echo(json.dumps([described(host, plugin) for plugin in host.plugins], indent=2))
    else:
        for note in host.notes:
            typer.echo(f"lanista: {note}", err=True)
        for plugin in host.plugins:
            _print(host, plugin)
    if host.broken:
        raise typer.Exit(1)


def described(host: PluginHost, plugin: Plugin) -> dict[str, Any]:
    """A plugin as plain JSON values."""
    offers: dict[str, list[str]] = {}
    for entry in host.registry.entries(plugin.name) if plugin in host.working else []:
        offers.setdefault(entry.kind, []).append(entry.listed)
    problem = plugin.problem
    return {
        "name": plugin.name,
        "distribution": plugin.distribution,
        "version": plugin.version,
        "file": plugin.file,
        "sha256": plugin.sha256,
        "state": "broken" if problem else "blocked" if plugin.blocked else "working",
        "offers": offers,
        "problem": None
        if problem is None
        else {"stage": plugin.stage, "file": problem.file, "line": problem.line, "cause": problem.cause},
    }


def _print(host: PluginHost, plugin: Plugin) -> None:
    typer.secho(plugin.name, bold=True, nl=False)
    typer.echo(f"  from {plugin.origin}")
    row = described(host, plugin)
    if plugin.problem is not None:
        typer.secho("  broken: ", fg="red", nl=False)
        typer.echo(str(plugin.problem))
    elif plugin.blocked:
        typer.echo("  blocked by LANISTA_PLUGINS_OFF")
    elif not row["offers"]:
        typer.echo("  offers nothing that a recipe can name")
    for kind, names in row["offers"].items():
        typer.echo(f"  {kind}: {', '.join(names)}")
