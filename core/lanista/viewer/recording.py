"""A recorded game, and the file that holds it: what its env's renderer needs, frame by frame.

The file is JSON, plain or gzip::

    {"format": "lanista-game/1", "env": "connectx", "title": "...", "settings": {...},
     "seats": ["mine", "yours"], "result": "mine wins", "frames": [...]}

`settings` and each entry of `frames` are whatever the renderer of the env reads; frame 0 is the start.
Replays of Kaggle's are taken in by the env whose trait ``kaggle`` names their environment.
"""

import gzip
import json
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from lanista.env import VecEnv
from lanista.errors import LanistaError

FORMAT = "lanista-game/1"
#: a file larger than this is not taken for a recorded game, in bytes before and after unpacking
MAX_BYTES = 400_000_000


class RecordingError(LanistaError):
    """A file is no recorded game that can be shown."""

    exit_code = 2


@dataclass
class Recording:
    """One game of one env."""

    env: str
    title: str
    #: a name for each seat
    seats: list[str]
    #: what the renderer must know beside the frames: the board's size, ...
    settings: dict[str, Any]
    #: what it shows, after 0, 1, 2, ... steps
    frames: list[Any]
    #: how the game ended, in words; empty if that is not known
    result: str = ""

    def to_json(self) -> dict[str, Any]:
        """The recording as plain JSON values."""
        return {
            "format": FORMAT,
            "env": self.env,
            "title": self.title,
            "settings": self.settings,
            "seats": self.seats,
            "result": self.result,
            "frames": self.frames,
        }

    def write(self, file: Path) -> None:
        """Write the file; a name that ends in .gz is packed."""
        content = json.dumps(self.to_json(), separators=(",", ":")).encode()
        file.write_bytes(gzip.compress(content, mtime=0) if file.suffix == ".gz" else content)


class Viewer(Protocol):
    """What an env offers to have its games shown: the trait ``viewer`` of its entry names the module.

    A module with these three attributes keeps it.
    """

    #: JavaScript that calls ``lanista.show({...})``; see ``page.js`` for what it is handed
    SCRIPT: str

    def frame_of(self, env: VecEnv, game: int) -> Any:  # noqa: ANN401 - JSON that only the env's renderer reads
        """The frame of a game as it stands."""

    def settings_of(self, env: VecEnv) -> dict[str, Any]:
        """The settings of a recording."""

    def read_replay(self, replay: dict[str, Any]) -> Recording:
        """A Kaggle replay as a recording; raises `RecordingError` if it is malformed."""


@dataclass
class GameRecorder:
    """Records one game of a native env while it is played: `note` before the first step and after each.

    An env restarts an ended game in the same step, so that the last frame is the one before the last step.
    """

    viewer: Viewer
    env: VecEnv
    game: int
    seats: list[str]
    frames: list[Any] = field(default_factory=list)
    result: str = ""

    def note(self) -> bool:
        """Take down the game as it stands; False once it has ended, and from then on nothing is taken."""
        if self.result:
            return False
        if self.frames and self.env.ended[self.game]:
            outcome = [float(value) for value in self.env.outcome[self.game]]
            best = max(outcome)
            ahead = [name for name, value in zip(self.seats, outcome, strict=True) if value == best]
            self.result = "draw" if len(ahead) == len(outcome) > 1 else f"{' and '.join(ahead)} wins"
            return False
        self.frames.append(self.viewer.frame_of(self.env, self.game))
        return True

    def recording(self) -> Recording:
        """What was taken down."""
        name = self.env.spec.name
        settings = self.viewer.settings_of(self.env)
        return Recording(name, name, self.seats, settings, self.frames, self.result)


def read_json(file: Path) -> dict[str, Any]:
    """The JSON object in a file, plain or gzip; raises `RecordingError`."""
    try:
        content = file.read_bytes()
        if content[:2] == b"\x1f\x8b":
            with gzip.open(file) as stream:
                content = stream.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            raise RecordingError(f"{file} holds more than {MAX_BYTES // 10**6} MB; that is no recorded game")
        record = json.loads(content)
    except (OSError, EOFError, ValueError, zlib.error, RecursionError) as error:
        cause = (str(error).splitlines() or [type(error).__name__])[0][:120]
        raise RecordingError(f"{file} cannot be read as JSON, plain or gzip: {cause}") from error
    if not isinstance(record, dict):
        raise RecordingError(f"{file} holds a {type(record).__name__}; a recorded game is a JSON object")
    return record


def take_apart(record: dict[str, Any]) -> Recording:
    """A recording from its own JSON; raises `RecordingError` that names the field."""
    kinds = {"env": str, "title": str, "settings": dict, "seats": list, "result": str, "frames": list}
    for name, kind in kinds.items():
        if not isinstance(record.get(name), kind):
            found = type(record[name]).__name__ if name in record else "nothing"
            raise RecordingError(
                f"its {name} must be a JSON {'object' if kind is dict else kind.__name__}, found {found}"
            )
    if not record["frames"]:
        raise RecordingError("it has no frames")
    if not all(isinstance(seat, str) for seat in record["seats"]):
        raise RecordingError("its seats must be names")
    return Recording(**{name: record[name] for name in kinds})
