"""`lanista watch`: a recorded game as one page for the browser."""

from pathlib import Path
from typing import Annotated, Any

import typer

from lanista.errors import LanistaError, UsageError
from lanista.plugins import Entry, current_host
from lanista.viewer.recording import FORMAT, Recording, RecordingError, read_json, take_apart


def attach(app: typer.Typer) -> None:
    """Add the command."""
    app.command("watch")(watch)


def watch(
    game_file: Annotated[
        Path, typer.Argument(help="A recorded game or a Kaggle replay, plain JSON or gzip.")
    ],
    out: Annotated[
        Path | None, typer.Option(help="The page to write; by default beside the game, ending in .html.")
    ] = None,
    show: Annotated[bool, typer.Option("--open", help="Open the page in the browser.")] = False,
) -> None:
    """Write a recorded game as one self-contained page: board, play, pause, scrub, speed.

    Example: lanista watch replay.json.gz --out game.html
    """
    from lanista.viewer.page import make_page

    entry, recording, viewer = read_game(game_file)
    try:
        page = make_page(recording, viewer.SCRIPT)
    except (ValueError, TypeError) as error:
        raise RecordingError(f"{game_file} cannot be shown by the viewer of {entry.name}: {error}") from error
    target = out or default_page(game_file)
    try:
        # Half of a surrogate pair, which JSON may hold, has no UTF-8.
        target.write_text(page, encoding="utf-8", errors="xmlcharrefreplace")
    except OSError as error:
        raise UsageError(f"{target} cannot be written: {error.strerror}; choose another --out") from error
    typer.echo(
        f"{target}: {len(recording.frames)} frames of {entry.name}, {target.stat().st_size / 1e6:.1f} MB"
    )
    if show:
        import webbrowser

        webbrowser.open(target.resolve().as_uri())


def default_page(game_file: Path) -> Path:
    """``game.json.gz`` -> ``game.html``, in the same folder."""
    name = game_file.name
    for ending in (".gz", ".json"):
        name = name.removesuffix(ending)
    return game_file.with_name(f"{name or 'game'}.html")


def read_game(game_file: Path) -> tuple[Entry, Recording, Any]:
    """The env's entry, the recording and the viewer for a file; raises `RecordingError`."""
    record = read_json(game_file)
    own = record.get("format") == FORMAT
    entry = _entry_of(game_file, record, own)
    try:
        viewer = _load_viewer(entry)
        recording = take_apart(record) if own else viewer.read_replay(record)
    except RecordingError as error:
        raise RecordingError(f"{game_file} is no game of {entry.name} that can be shown: {error}") from error
    return entry, recording, viewer


def _entry_of(game_file: Path, record: dict[str, Any], own: bool) -> Entry:
    """The env that can show a record."""
    trait = "env" if own else "name"
    name = record.get(trait)
    if not isinstance(name, str):
        raise RecordingError(
            f"{game_file} is neither a recorded game (format {FORMAT!r}) nor a Kaggle replay (with a name)"
        )
    shown = [
        entry
        for entry in current_host().registry.entries()
        if entry.kind == "envs" and "viewer" in entry.traits
    ]
    names = [entry.name if own else str(entry.traits.get("kaggle")) for entry in shown]
    if name not in names:
        raise RecordingError(
            f"{game_file} is a game of {name[:40]!r}, which no viewer shows; there are viewers for {', '.join(names)}"
        )
    return shown[names.index(name)]


def _load_viewer(entry: Entry) -> Any:  # noqa: ANN401 - a module that keeps `Viewer`
    import importlib

    try:
        return importlib.import_module(entry.traits["viewer"])
    except ImportError as error:
        raise LanistaError(
            f"env {entry.name!r} of plugin {entry.owner}: its viewer {entry.traits['viewer']!r} cannot be "
            f"imported: {error}"
        ) from error
