"""`lanista check plugin`: hold what a plugin offers against the contracts, in a child process with a clock."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from lanista.plugin_sources import Plugin

#: seconds that a check may take beyond its own clock before the child is ended from outside
_GRACE_S = 10.0


def attach(app: typer.Typer) -> None:
    """Add the group of commands."""
    group = typer.Typer(no_args_is_help=True)
    group.command("plugin")(plugin)

    @group.callback()
    def check() -> None:
        """Hold what you wrote against lanista's contracts. Example: lanista check plugin my_shaper.py."""

    app.add_typer(group, name="check")


def plugin(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME|FILE.py", help="An installed plugin (see `lanista plugins`), or a file."
        ),
    ],
    kind: Annotated[
        str | None, typer.Option(help="Only this kind: env, shaper, distiller, player, command, event, ...")
    ] = None,
    env: Annotated[str | None, typer.Option(help="The env to try shapers, players and targets in.")] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", help="Settings: NAME.key=value, NAME being what the plugin offers."),
    ] = None,
    timeout: Annotated[float, typer.Option(min=1.0, help="Seconds that one check may take.")] = 120.0,
) -> None:
    """Check everything that a plugin offers; a line a check. Exit code 1 if one fails.

    Examples: lanista check plugin speed.py; lanista check plugin my-plugin --kind shaper --env mountaincar;
    lanista check plugin speed.py --set speed.weight=0.1
    """
    task = {
        "name": name,
        "file": None,
        "kind": _kind(kind),
        "env": env,
        "changes": set_ or [],
        "timeout": timeout,
        "skip": [],
    }
    from lanista.plugin_sources import file_plugin

    path = Path(name)
    if path.suffix == ".py":
        from lanista.errors import UsageError

        if not path.is_file():
            raise UsageError(
                f"there is no file {name}; give a Python file or the name of an installed plugin"
            )
        task |= {"name": path.name, "file": str(path.absolute())}
        owner = file_plugin(path, [])
    else:
        owner = _look_up(name)
    failed = checked = 0
    for title, sentence in _findings(task, owner):
        checked += 1
        failed += sentence is not None
        typer.secho(
            "ok    " if sentence is None else "FAIL  ", fg="green" if sentence is None else "red", nl=False
        )
        typer.echo(title if sentence is None else sentence)
    if checked <= 1 and not failed:
        from lanista.errors import LanistaError

        asked = f" of the kind {kind!r}" if kind else ""
        raise LanistaError(
            f"plugin {task['name']} offers nothing{asked} that could be checked; register something"
        )
    typer.echo(f"{task['name']}: {checked} checks, {failed or 'none'} failed")
    if failed:
        raise typer.Exit(1)


def _kind(word: str | None) -> str | None:
    """The kind as the registry writes it."""
    from lanista.errors import UsageError
    from lanista.hints import hint
    from lanista.registry import KINDS

    if word is None:
        return None
    known = {*KINDS, "commands", "events"}
    found = word if word in known else f"{word}s"
    if found not in known:
        raise UsageError(
            f"--kind {word!r} is no kind of plugin; {hint(word, [one.removesuffix('s') for one in known])}"
        )
    return found


def _look_up(name: str) -> "Plugin":
    """The installed plugin of that name; nothing of it is imported."""
    from lanista.errors import UsageError
    from lanista.hints import hint
    from lanista.plugin_sources import installed_plugins

    found = {plugin.name: plugin for plugin in installed_plugins([])}
    if name not in found:
        raise UsageError(f"no installed plugin is called {name!r}; {hint(name, found)}")
    return found[name]


def _findings(task: dict[str, Any], owner: "Plugin") -> Any:  # noqa: ANN401 - an iterator of (title, sentence or None)
    """Run children until every check has had its turn; one that hangs costs its own turn only."""
    import tempfile

    with tempfile.TemporaryDirectory(prefix="lanista-check-") as folder:
        while True:
            stacks = Path(folder) / "stacks.txt"
            stacks.write_text("")
            begun, ended = None, False
            for line in _lines({**task, "stacks": str(stacks)}):
                if "begin" in line:
                    begun = line["begin"]
                elif "end" in line:
                    if line["end"] not in task["skip"]:
                        yield line["end"], line["sentence"]
                    task["skip"] = [*task["skip"], line["end"]]
                    begun = None
                else:
                    ended, words = True, line["words"]
            if begun is None:
                return
            yield begun, _cut_off(task, owner, begun, stacks.read_text(), words if ended else "")
            if begun == "import and registration":
                return
            task["skip"] = [*task["skip"], begun]


def _lines(task: dict[str, Any]) -> Any:  # noqa: ANN401 - an iterator of JSON tables
    """Run one child; the last line, ``{"words": ...}``, holds the last thing that it said on stderr."""
    import json
    import subprocess
    import sys
    import threading

    process = subprocess.Popen(
        [sys.executable, "-m", "lanista.testing.child"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    words: list[str] = []
    stderr = process.stderr
    reader = threading.Thread(
        target=lambda: words.extend(stderr.read().strip().splitlines()[-1:]), daemon=True
    )
    reader.start()
    try:
        process.stdin.write(json.dumps(task))
        process.stdin.close()
        while True:
            guard = threading.Timer(task["timeout"] + _GRACE_S, process.kill)
            guard.start()
            line = process.stdout.readline()
            guard.cancel()
            if not line:
                break
            yield json.loads(line)
        process.wait()
        reader.join(timeout=5)
        yield {"words": "".join(words)}
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
        stderr.close()


def _cut_off(task: dict[str, Any], owner: "Plugin", title: str, stacks: str, words: str) -> str:
    """What to say of a check that did not come to its end."""
    from lanista.hints import shown

    who = f"plugin {task['name']}, {title}"
    if not stacks:
        said = f"; its last words: {shown(words)}" if words else ""
        return f"{who}: the process ended in the middle (os._exit or a crash{said}); mend what ends it"
    return (
        f"{who}: did not end within {task['timeout']:g} s{_place(stacks, owner)}; look for an endless loop, or give "
        f"it longer with --timeout"
    )


def _place(stacks: str, owner: "Plugin") -> str:
    """The innermost line of a dumped stack that lies in the plugin's own files."""
    import re

    frames = re.findall(r'File "([^"]+)", line (\d+) in (\S+)', stacks)
    own = [frame for frame in frames if owner.owns(frame[0])]
    return f" in {own[0][2]} ({own[0][0]}, line {own[0][1]})" if own else ""
