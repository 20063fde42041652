"""From the words of a command line to an exit code.

1. `--plugin FILE.py` and `--debug` are taken out wherever they stand: plugins decide what commands there are.
2. The plugins load; core's commands and theirs make the app.
3. The command runs. Whatever goes wrong becomes one sentence on stderr and an exit code: the error's own for
   a `LanistaError`, 64 for wrong usage, 130 for Ctrl-C, 70 for a fault of ours; `--debug` adds the traceback.
"""

import importlib
import sys
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from lanista.errors import LanistaError, UsageError
from lanista.hints import one_line, told
from lanista.plugins import PluginHost, start_host

#: core's own commands, a file each with `attach(app)`
FILES = (
    "run",
    "distill",
    "league",
    "eval",
    "compare",
    "watch",
    "report",
    "plugins",
    "check",
    "recipes",
    "new",
)
#: the order in the help: as one walks from a game to an entry; plugins' own commands come after
ORDER = (
    "run",
    "resume",
    "distill",
    "eval",
    "compare",
    "league",
    "export",
    "pack",
    "verify",
    "report",
    "watch",
    "recipes",
    "plugins",
    "new",
    "check",
    "doctor",
)
EVERYWHERE = (
    "On every command: --plugin FILE.py (repeatable) loads a file as a plugin, --debug shows tracebacks."
)

#: typer's usage errors share a parent that typer does not export
_TYPER_USAGE_ERROR: type[Exception] = typer.BadParameter.__mro__[1]

WRONG_USAGE, OUR_FAULT, INTERRUPTED = 64, 70, 130


@dataclass(frozen=True)
class CommandLine:
    """A command line in parts."""

    #: what is left for the command
    words: list[str]
    plugin_files: list[str]
    debug: bool

    @staticmethod
    def split(argv: Sequence[str]) -> "CommandLine":
        """Take out the options that belong to every command; nothing is touched after ``--``."""
        words, files, debug = [], [], False
        rest = iter(argv)
        for word in rest:
            if word == "--":
                words += [word, *rest]
            elif word == "--debug":
                debug = True
            elif word == "--plugin":
                file = next(rest, None)
                if file is None:
                    raise UsageError("--plugin takes a file, and none was given; write --plugin FILE.py")
                files.append(file)
            elif word.startswith("--plugin="):
                files.append(word.removeprefix("--plugin="))
            else:
                words.append(word)
        return CommandLine(words, files, debug)

    @property
    def command(self) -> str | None:
        """The command's name, if one was given."""
        return next((word for word in self.words if not word.startswith("-")), None)


def run_command_line(argv: Sequence[str] | None = None) -> int:
    """Run one command line and give its exit code; errors are sentences on stderr."""
    debug = "--debug" in (sys.argv[1:] if argv is None else argv)
    try:
        line = CommandLine.split(sys.argv[1:] if argv is None else argv)
        host = start_host(
            [Path(file) for file in line.plugin_files],
            strict=line.command != "plugins",
            strangers=line.command
            != "check",  # a plugin that hangs is met by the check's own process and its clock
        )
        app = build_app(host)
        if line.command != "plugins":
            host.require_files()
            for note in [*host.notes, *(_broken_note(plugin.name, plugin.origin) for plugin in host.broken)]:
                _say(note)
        return _run(app, line.words or ["--help"])
    except LanistaError as error:
        return _fail(str(error), error.exit_code, debug)
    except KeyboardInterrupt:
        return _fail("stopped", INTERRUPTED, debug)
    except SystemExit as error:  # typer leaves this way when a reader closes the pipe
        return error.code if isinstance(error.code, int) else int(error.code is not None)
    except Exception as error:
        named = _plugin_at_fault(error)
        if named is not None:
            return _fail(f"{named}, or run again with --debug to see more", LanistaError.exit_code, debug)
        text = f"this is a fault in lanista or in a plugin: {told(error)}"
        return _fail(f"{text}; run again with --debug to see where", OUR_FAULT, debug)


def _plugin_at_fault(error: Exception) -> str | None:
    """Name the plugin of somebody else's whose own line raised, if one did."""
    from lanista.plugins import current_host
    from lanista.testing.plugin_check import raised

    frames = [frame.filename for frame in reversed(traceback.extract_tb(error.__traceback__))]
    foreign = [plugin for plugin in current_host().working if plugin.distribution != "lanista"]
    for filename in frames:
        for plugin in foreign:
            if plugin.owns(filename):
                return f"plugin {plugin.name}: {raised(error, plugin)}"
    return None


def build_app(host: PluginHost) -> typer.Typer:
    """The whole command line: core's commands and those of the host's plugins."""
    # The plain help, without boxes, where nobody looks at it: in a file, in a pipe.
    markup: Any = "rich" if sys.stdout.isatty() else None
    app = typer.Typer(
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=markup,
        context_settings={"help_option_names": ["-h", "--help"]},
    )

    @app.callback()
    def lanista(
        version: Annotated[
            bool, typer.Option("--version", help="Print the version.", is_eager=True, callback=_print_version)
        ] = False,
        plugin: Annotated[
            list[Path] | None,
            typer.Option(metavar="FILE.py", help="Load a file as a plugin; on every command, repeatable."),
        ] = None,
        debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks; on every command.")] = False,
    ) -> None:
        """Turn a simulation game into a competition entry, and play it before it is sent."""

    for name in FILES:
        importlib.import_module(f"lanista.cli.{name}").attach(app)
    host.attach_commands(app)
    app.registered_commands.sort(key=lambda command: _place(command.name or ""))
    return app


def _place(name: str) -> tuple[int, str]:
    return (ORDER.index(name), "") if name in ORDER else (len(ORDER), name)


def _run(app: typer.Typer, words: list[str]) -> int:
    """Run typer on the words that are left."""
    command = typer.main.get_command(app)
    _add_epilogs(command)
    try:
        given = command.main(args=words, prog_name="lanista", standalone_mode=False)
    except _TYPER_USAGE_ERROR as error:
        raise UsageError(_usage_sentence(error)) from error
    except typer.TyperException as error:
        raise LanistaError(one_line(error.format_message())) from error
    except typer.Abort as error:
        raise KeyboardInterrupt from error
    return given if isinstance(given, int) else 0


def _add_epilogs(command: Any) -> None:  # noqa: ANN401 - typer's command classes are private
    """Say under each command's help what every command takes."""
    for inner in getattr(command, "commands", {}).values():
        inner.epilog = f"{inner.epilog}\n\n{EVERYWHERE}" if inner.epilog else EVERYWHERE
        _add_epilogs(inner)


def _usage_sentence(error: Any) -> str:  # noqa: ANN401 - the parent of typer's usage errors is private
    """What was wrong with the command line, and where to read on."""
    path = error.ctx.command_path if error.ctx is not None else "lanista"
    text = one_line(error.format_message()).rstrip(".")
    commands = getattr(getattr(error.ctx, "command", None), "commands", {})
    if text.startswith("No such command") and not text.endswith("?"):  # nothing near it was found
        text = f"{text}; there are: {', '.join(commands)}"
    return f"{text}{'' if text.endswith('?') else '.'} See `{path} --help`"


def _print_version(wanted: bool) -> None:
    if wanted:
        from lanista.version import __version__

        typer.echo(f"lanista {__version__}")
        raise typer.Exit


def _broken_note(name: str, origin: str) -> str:
    return f"plugin {name} ({origin}) is broken and left out; `lanista plugins` says why"


def _say(text: str) -> None:
    typer.secho("lanista: ", fg="red", nl=False, err=True)
    typer.echo(one_line(text), err=True)


def _fail(text: str, code: int, debug: bool) -> int:
    """Print the sentence, under the traceback if that was asked for."""
    if debug and sys.exc_info()[0] is not None:
        traceback.print_exc()
    _say(text)
    return code
