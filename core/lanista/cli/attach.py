"""How commands come together: core's files have `attach(app)`, plugins the hook `register_commands`."""

from collections.abc import Iterator

import typer


def command_names(app: typer.Typer) -> Iterator[str]:
    """The names of an app's commands and command groups, as a user types them."""
    for command in app.registered_commands:
        name = command.name or str(getattr(command.callback, "__name__", ""))
        yield name.lower().replace("_", "-")
    for group in app.registered_groups:
        yield str(group.name or (group.typer_instance.info.name if group.typer_instance else ""))


def merge(app: typer.Typer, other: typer.Typer) -> None:
    """Add the commands of one app to another."""
    app.registered_commands += other.registered_commands
    app.registered_groups += other.registered_groups
