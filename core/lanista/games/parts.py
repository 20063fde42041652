"""Kept games as files: ``<folder>/<number of the first game>.npz``, each whole or absent (docs/kept-games.md).

A part is a numpy archive without pickles; its array ``header`` is JSON in UTF-8. Parts follow on from each other
by number, so that a missing one shows.
"""

import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lanista.arrays import AnyArray
from lanista.errors import LanistaError
from lanista.files import write_atomically
from lanista.games.kept_games import KeptGame, arrays_of, games_of
from lanista.games.layout import fault
from lanista.spec import EnvSpec

FORMAT = "lanista-games/1"


class GamesError(LanistaError):
    """Kept games are missing, damaged, or of another env."""

    exit_code = 2


@dataclass(frozen=True)
class Source:
    """Where the games of a folder come from; every part says it."""

    #: the env's registered name
    env: str
    #: its settings
    env_settings: Mapping[str, Any]
    #: its declaration
    spec: EnvSpec
    #: the phase that played them, or where else they come from
    played_by: str = ""


@dataclass(frozen=True)
class Part:
    """One file, read."""

    source: Source
    #: number of the first game among all of the folder
    first: int
    #: names that ``player`` counts in
    players: tuple[str, ...]
    arrays: dict[str, AnyArray]

    @property
    def num_games(self) -> int:
        """G."""
        return len(self.arrays["outcome"])

    @property
    def num_decisions(self) -> int:
        """D."""
        return int(self.arrays["acting"].sum())

    def games(self) -> Iterator[KeptGame]:
        """The games in their order."""
        heads = [head.name for head in self.source.spec.heads if head.kind == "units"]
        return games_of(self.arrays, self.players, heads)


def write_part(folder: Path, source: Source, first: int, games: Sequence[KeptGame]) -> Path:
    """Write games `first`, `first` + 1, ... as one file; the same games give the same bytes."""
    players = sorted({name for game in games for name in game.players})
    header = {
        "format": FORMAT,
        "env": source.env,
        "env_settings": dict(source.env_settings),
        "spec": source.spec.to_json(),
        "played_by": source.played_by,
        "first": first,
        "players": players,
    }
    arrays = arrays_of(games, players)
    problem = fault(source.spec, arrays, len(players))
    if problem is not None:
        raise GamesError(f"games of {source.spec.name} cannot be kept: {problem}")
    content = io.BytesIO()
    text = np.frombuffer(json.dumps(header, sort_keys=True).encode(), np.uint8)
    np.savez_compressed(content, allow_pickle=False, header=text, **dict(sorted(arrays.items())))
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{first:08d}.npz"
    write_atomically(path, content.getvalue())
    return path


def read_part(path: Path) -> Part:
    """Read one file and hold it against its own header; raises `GamesError` in one sentence."""
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        header = json.loads(arrays.pop("header").tobytes())
        if header["format"] != FORMAT:
            raise GamesError(f"{path} has format {header['format']!r}; this version reads {FORMAT!r}")
        source = Source(
            header["env"], header["env_settings"], EnvSpec.from_json(header["spec"]), header["played_by"]
        )
        first, players = int(header["first"]), tuple(str(name) for name in header["players"])
    except FileNotFoundError:
        raise GamesError(f"{path} is missing") from None
    except GamesError:
        raise
    except Exception as error:  # damaged bytes make zipfile and numpy raise a dozen different kinds
        cause = (str(error).splitlines() or [type(error).__name__])[0][:120]
        raise GamesError(f"{path} is no part of kept games, or is damaged: {cause}") from error
    problem = fault(source.spec, arrays, len(players))
    if problem is not None:
        raise GamesError(f"{path} is damaged: {problem}")
    return Part(source, first, players, arrays)


def games_folder(run_folder: Path, phase: str) -> Path:
    """Where a phase of a run keeps its games."""
    return run_folder / "games" / phase


def part_files(folder: Path) -> list[tuple[int, Path]]:
    """The parts of a folder with the number of their first game, in order; none if there is no such folder."""
    if not folder.is_dir():
        return []
    return sorted((int(path.stem), path) for path in folder.glob("*.npz") if path.stem.isdigit())


def drop_parts(folder: Path, first: int) -> None:
    """Delete the parts that begin at game `first` or later: what came after a checkpoint."""
    for number, path in part_files(folder):
        if number >= first:
            path.unlink()


def read_games(folder: Path) -> Iterator[Part]:
    """Read all parts of a folder, one at a time; raises `GamesError` if there is none or one is missing."""
    files = part_files(folder)
    if not files:
        raise GamesError(
            f"{folder} holds no kept games (files such as 00000000.npz); play a phase with keep_games"
        )
    due, spec = 0, None
    for number, path in files:
        part = read_part(path)
        if number != due or part.first != number:
            raise GamesError(
                f"{path} begins with game {part.first}, and game {due} is due; a part is missing or was renamed"
            )
        if spec is not None and part.source.spec != spec:
            raise GamesError(
                f"{path} holds games of another env, or of another version, than the part before it"
            )
        due, spec = number + part.num_games, part.source.spec
        yield part
