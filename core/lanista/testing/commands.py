"""What must hold of a plugin's commands: each has a help text, and asking for it works."""

from collections.abc import Iterator
from typing import Any

from lanista.errors import PluginError
from lanista.plugins import PluginHost


def check_commands(host: PluginHost, plugin: str) -> None:
    """Raise `LanistaError`, one sentence, for the first command of `plugin` whose help does not work."""
    from dataclasses import replace

    import typer
    from typer.testing import CliRunner

    from lanista.cli.attach import command_names

    alone = PluginHost()
    for known in host.plugins:
        if known.name == plugin:
            alone.load(replace(known, problem=None, stage=None, error=None))
    app = typer.Typer()
    alone.attach_commands(app)
    for broken in alone.broken:
        raise PluginError(f"plugin {plugin}: {broken.problem}; mend its register_commands")
    if not list(command_names(app)):
        raise PluginError(
            f"plugin {plugin}: register_commands adds no command; call app.command(NAME)(function)"
        )

    @app.callback()
    def several() -> None:
        """Keep typer from taking a single command for the whole program."""

    command = typer.main.get_command(app)
    for path in _paths(command, ()):
        result = CliRunner().invoke(app, [*path, "--help"])
        said = " ".join(path)
        if result.exit_code != 0:
            raise PluginError(
                f"plugin {plugin}, command {said!r}: --help ends with exit code {result.exit_code} "
                f"({result.exception!r}); look at its parameters' types and defaults"
            )
        if not _help_of(command, path).strip():
            raise PluginError(
                f"plugin {plugin}, command {said!r}: has no help; give its function a docstring"
            )


def _paths(command: Any, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:  # noqa: ANN401 - typer's are private
    for name, inner in getattr(command, "commands", {}).items():
        yield (*path, name)
        yield from _paths(inner, (*path, name))


def _help_of(command: Any, path: tuple[str, ...]) -> str:  # noqa: ANN401 - typer's are private
    for name in path:
        command = command.commands[name]
    return str(command.help or "")
