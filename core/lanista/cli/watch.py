"""`lanista watch`: a game as one page for the browser, out of a file or played for it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lanista.errors import LanistaError, RecipeError, UsageError
from lanista.plugins import Entry, Registry, current_host
from lanista.viewer import text
from lanista.viewer.recording import FORMAT, Recording, RecordingError, read_json, take_apart

if TYPE_CHECKING:
    from lanista.viewer.recording import Viewer


def attach(app: typer.Typer) -> None:
    """Add the command."""
    app.command("watch")(watch)


def watch(
    game: Annotated[
        str,
        typer.Argument(
            metavar="GAME",
            help="A recorded game or Kaggle replay (JSON or gzip), or who plays: a run, a policy, a player.",
        ),
    ],
    against: Annotated[
        list[str] | None,
        typer.Option(
            metavar="B", help="Who plays the next seat, named in the same ways; repeatable. Else itself."
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="The page to write; by default beside the file, or game.html in the run."),
    ] = None,
    record: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the played game too, as .json or .json.gz.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the start state and of the players.")] = 0,
    sample: Annotated[
        bool, typer.Option("--sample", help="Policies draw their actions instead of taking the likeliest.")
    ] = False,
    env: Annotated[
        str | None, typer.Option(help="The env to play in; that of the policy by default.")
    ] = None,
    env_set: Annotated[
        list[str] | None, typer.Option(metavar="KEY=VALUE", help="Change a setting of the env; repeatable.")
    ] = None,
    show: Annotated[bool, typer.Option("--open", help="Open the page in the browser.")] = False,
) -> None:
    """Write a game as one self-contained page: board, actions, rewards and facts; play, pause, scrub, speed.

    A run plays a game first. The board is drawn by the env's own renderer, or as text where it has none.

    Examples: lanista watch replay.json.gz --out game.html; lanista watch runs/demo --against connectx_negamax --open;
    lanista watch random --env cartpole --record game.json.
    """
    from lanista.viewer.page import make_page

    file = Path(game)
    if file.is_file():
        if against or record or sample or env or env_set:
            raise UsageError(
                f"{game} is a recorded game; --against, --record, --sample, --env and --env-set go with a run or "
                "player that plays one"
            )
        recording, viewer = read_game(file)
        target = out or default_page(file)
    else:
        recording, viewer = _played([game, *(against or [])], env, env_set or [], seed, sample)
        target = out or (file / "game.html" if file.is_dir() else Path("game.html"))
    try:
        page = make_page(recording, viewer.SCRIPT)
    except (ValueError, TypeError) as error:
        raise RecordingError(f"{game} cannot be shown by the viewer of {recording.env}: {error}") from error
    if record is not None:
        _write(record, "--record", lambda: recording.write(record))
    # Half of a surrogate pair, which JSON may hold, has no UTF-8.
    _write(target, "--out", lambda: target.write_text(page, encoding="utf-8", errors="xmlcharrefreplace"))
    typer.echo(
        f"{target}: {len(recording.frames)} frames of {recording.env}, {target.stat().st_size / 1e6:.1f} MB"
        + (f"; {recording.result}" if recording.result else "")
    )
    if show:
        import webbrowser

        webbrowser.open(target.resolve().as_uri())


def _write(path: Path, option: str, write: Any) -> None:  # noqa: ANN401 - any callable without arguments
    try:
        write()
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}; choose another {option}") from error


def default_page(game_file: Path) -> Path:
    """``game.json.gz`` -> ``game.html``, in the same folder."""
    name = game_file.name
    for ending in (".gz", ".json"):
        name = name.removesuffix(ending)
    return game_file.with_name(f"{name or 'game'}.html")


def _played(
    texts: list[str], env: str | None, env_set: list[str], seed: int, sample: bool
) -> "tuple[Recording, Viewer]":
    """Play one game between those named, in the order of the seats."""
    from lanista.contenders import find_contender, find_ground, read_pairs
    from lanista.seeds import derive_seed
    from lanista.viewer.play import record_game

    registry = current_host().registry
    if "/" not in texts[0] and "." in texts[0] and texts[0].rpartition(".")[2] in ("json", "gz"):
        raise UsageError(f"there is no file {texts[0]}; name a recorded game, a run or a player")
    contenders = [find_contender(text, registry) for text in texts]
    ground = find_ground(contenders, env, read_pairs(env_set, "--env-set"), registry)
    players = [
        contender.player(registry, ground.spec, derive_seed(seed, "watch", place), sample)
        for place, contender in enumerate(contenders)
    ]
    entry = registry.get("envs", ground.name)
    drawn = "viewer" in entry.traits
    viewer: Viewer = _load_viewer(entry) if drawn else text
    names = [contender.name for contender in contenders]
    recording = record_game(
        ground.make_env, viewer, players, names, derive_seed(seed, "game"), "env" if drawn else "text"
    )
    recording.env = recording.title = ground.name
    return recording, viewer


def read_game(game_file: Path) -> "tuple[Recording, Viewer]":
    """The recording in a file and the viewer that shows it; raises `RecordingError`."""
    record = read_json(game_file)
    registry = current_host().registry
    own = record.get("format") == FORMAT
    name = record.get("env" if own else "name")
    if not isinstance(name, str):
        raise RecordingError(
            f"{game_file} is neither a recorded game (format {FORMAT!r}) nor a Kaggle replay (with a name)"
        )
    try:
        if not own:
            return _replay(record, name, registry)
        if record.get("renderer") == "text":
            return take_apart(record), text
        return take_apart(record), _load_viewer(_entry_of(name, registry))
    except RecordingError as error:
        raise RecordingError(f"{game_file} is no game of {name[:40]!r} that can be shown: {error}") from error
    except LanistaError as error:
        raise RecordingError(f"{game_file} is a game of {name[:40]!r}, and {error}") from error


def _entry_of(name: str, registry: Registry) -> Entry:
    """The env of a recording that its own renderer must show."""
    try:
        entry = registry.get("envs", name)
    except RecipeError as error:
        raise LanistaError(f"no env of that name is offered: {error}") from error
    if "viewer" not in entry.traits:
        raise LanistaError(f"env {name!r} of plugin {entry.owner} offers no viewer")
    return entry


def _replay(record: dict[str, Any], name: str, registry: Registry) -> "tuple[Recording, Viewer]":
    """A Kaggle replay by the viewer of the env whose trait ``kaggle`` names it, else as text."""
    for entry in registry.entries():
        if entry.kind == "envs" and "viewer" in entry.traits and entry.traits.get("kaggle") == name:
            viewer = _load_viewer(entry)
            if hasattr(viewer, "read_replay"):
                return viewer.read_replay(record), viewer
    return text.read_replay(record), text


def _load_viewer(entry: Entry) -> "Viewer":
    import importlib

    named = str(entry.traits["viewer"])
    module, _, path = named.partition(":")
    try:
        viewer: Any = importlib.import_module(module or entry.target.partition(":")[0])
        for attribute in filter(None, path.split(".")):
            viewer = getattr(viewer, attribute)
    except (ImportError, AttributeError) as error:
        raise LanistaError(
            f"env {entry.name!r} of plugin {entry.owner}: its viewer {named!r} cannot be imported: {error}"
        ) from error
    missing = [name for name in ("SCRIPT", "frame_of", "settings_of") if not hasattr(viewer, name)]
    if missing:
        raise LanistaError(
            f"env {entry.name!r} of plugin {entry.owner}: its viewer {named!r} has no {missing[0]}; "
            "see lanista.viewer.recording.Viewer"
        )
    found: Viewer = viewer
    return found
