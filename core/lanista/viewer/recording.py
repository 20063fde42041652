"""A recorded game, and the file that holds it: what its env's renderer needs, frame by frame.

The file is JSON, plain or gzip::

    {"format": "lanista-game/1", "env": "connectx", "title": "...", "settings": {...},
     "seats": ["mine", "yours"], "result": "mine wins", "frames": [...],
     "notes": [{"action": ["", "column 3"], "reward": [0, 0], "total": [0, 0], "facts": {"stones": [1, 0]}}, ...],
     "renderer": "env"}

`settings` and each entry of `frames` are whatever the renderer of the env reads; frame 0 is the start. `notes` is
empty or as long as `frames`: what led to a frame, and how things stand in it, by seat. `renderer` is ``"env"`` for
the env's own renderer, ``"text"`` where each frame is a text; without `notes` and `renderer` they are empty and
``"env"``. Replays of Kaggle's are taken in by the env whose trait ``kaggle`` names their environment, others as text.
"""

import gzip
import json
import zlib
from dataclasses import dataclass, field
from math import isfinite
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
    #: what led to each frame: actions, rewards and facts by seat; empty, or as long as `frames`
    notes: list[dict[str, Any]] = field(default_factory=list)
    #: "env": drawn by the env's own renderer; "text": each frame is a text
    renderer: str = "env"

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
            "notes": self.notes,
            "renderer": self.renderer,
        }

    def write(self, file: Path) -> None:
        """Write the file; a name that ends in .gz is packed."""
        content = json.dumps(self.to_json(), separators=(",", ":")).encode()
        file.write_bytes(gzip.compress(content, mtime=0) if file.suffix == ".gz" else content)


class Viewer(Protocol):
    """What an env offers to have its games shown: the trait ``viewer`` of its entry names the module.

    A module with the first three of these keeps it. `read_replay` and `last_frame_of` may be left out: replays are
    then shown as text, and the last frame is the state before the last step.
    """

    #: JavaScript that calls ``lanista.show({...})``; see ``page.js`` for what it is handed
    SCRIPT: str

    def frame_of(self, env: VecEnv, game: int) -> Any:  # noqa: ANN401 - JSON that only the env's renderer reads
        """The frame of a game as it stands."""

    def settings_of(self, env: VecEnv) -> dict[str, Any]:
        """The settings of a recording."""

    def read_replay(self, replay: dict[str, Any]) -> Recording:
        """A Kaggle replay as a recording; raises `RecordingError` if it is malformed."""

    def last_frame_of(self, env: VecEnv, game: int) -> Any:  # noqa: ANN401 - as `frame_of`
        """The last frame of a game that has just ended, from ``final_observation`` say; None if there is none."""


@dataclass
class GameRecorder:
    """Records one game of a native env while it is played: `note` before the first step and after each.

    An env restarts an ended game in the same step. Its last state is drawn where the viewer can draw it, by
    `Viewer.last_frame_of`; else the frame before stands for it.
    """

    viewer: Viewer
    env: VecEnv
    game: int
    seats: list[str]
    frames: list[Any] = field(default_factory=list)
    notes: list[dict[str, Any]] = field(default_factory=list)
    result: str = ""

    def note(self, told: list[str] | None = None) -> bool:
        """Take down the game as it stands; False once it has ended, and from then on nothing is taken.

        `told`: what each seat did in the step before, in words; "" for nothing.
        """
        if self.result:
            return False
        over = bool(self.frames) and bool(self.env.ended[self.game])
        self.frames.append(self._last_frame() if over else self.viewer.frame_of(self.env, self.game))
        self.notes.append(self._note(over, told or [""] * len(self.seats)))
        if over:
            self.result = self._result()
        return not over

    def _last_frame(self) -> Any:  # noqa: ANN401 - as `Viewer.frame_of`
        draw = getattr(self.viewer, "last_frame_of", None)
        frame = None if draw is None else draw(self.env, self.game)
        return self.frames[-1] if frame is None else frame

    def _note(self, over: bool, told: list[str]) -> dict[str, Any]:
        facts = self.env.final_facts if over else self.env.facts
        values = {name: [_short(value) for value in fact[self.game].tolist()] for name, fact in facts.items()}
        reward = values.pop("reward")
        before = self.notes[-1]["total"] if self.notes else [0.0] * len(reward)
        total = [_short(sum(pair)) for pair in zip(before, reward, strict=True)]
        return {"action": told, "reward": reward, "total": total, "facts": values}

    def _result(self) -> str:
        outcome = [_short(float(value)) for value in self.env.outcome[self.game]]
        if len(outcome) == 1:
            return f"score {outcome[0]:g}" if self.env.spec.outcome == "score" else f"result {outcome[0]:+g}"
        best = max(outcome)
        ahead = [name for name, value in zip(self.seats, outcome, strict=True) if value == best]
        if len(ahead) == len(outcome):
            return "draw"
        scores = "" if self.env.spec.outcome == "result" else f" with {best:g}"
        return f"{' and '.join(ahead)} {'win' if len(ahead) > 1 else 'wins'}{scores}"

    def recording(self, title: str = "", renderer: str = "env") -> Recording:
        """What was taken down."""
        name = self.env.spec.name
        settings = self.viewer.settings_of(self.env)
        return Recording(
            name, title or name, self.seats, settings, self.frames, self.result, self.notes, renderer
        )


def _short(value: float) -> float:
    """Six digits; what is not finite has no place in JSON and becomes 0."""
    return float(f"{value:.6g}") if isfinite(value) else 0.0


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
    values = {"notes": [], "renderer": "env", **record}
    for name, kind in (kinds | {"notes": list, "renderer": str}).items():
        if not isinstance(values.get(name), kind):
            found = type(record[name]).__name__ if name in record else "nothing"
            raise RecordingError(
                f"its {name} must be a JSON {'object' if kind is dict else kind.__name__}, found {found}"
            )
    if not values["frames"]:
        raise RecordingError("it has no frames")
    if not values["seats"] or not all(isinstance(seat, str) for seat in values["seats"]):
        raise RecordingError("its seats must be names")
    if values["renderer"] not in ("env", "text"):
        raise RecordingError(f"its renderer is {values['renderer'][:40]!r}, which must be 'env' or 'text'")
    if values["renderer"] == "text" and not all(isinstance(frame, str) for frame in values["frames"]):
        raise RecordingError("its renderer is 'text' and a frame is none")
    _check_notes(values["notes"], len(values["frames"]), len(values["seats"]))
    return Recording(**{name: values[name] for name in (*kinds, "notes", "renderer")})


def _check_notes(notes: list[Any], frames: int, seats: int) -> None:
    if notes and len(notes) != frames:
        raise RecordingError(f"it has {len(notes)} notes to {frames} frames; give one a frame, or none")
    for number, note in enumerate(notes):
        facts = note.get("facts") if isinstance(note, dict) else None
        if not isinstance(facts, dict):
            raise RecordingError(f"note {number} has no facts")
        numbers = {"reward": note.get("reward"), "total": note.get("total"), **facts}
        for name, row in numbers.items():
            if not _by_seat(row, seats, (int, float)):
                raise RecordingError(f"note {number}: its {name[:40]} must be {seats} numbers, one a seat")
        if not _by_seat(note.get("action"), seats, (str,)):
            raise RecordingError(f"note {number}: its action must be {seats} texts, one a seat")
        if notes[0]["facts"].keys() != facts.keys():
            raise RecordingError(f"note {number} has other facts than note 0")


def _by_seat(row: object, seats: int, kinds: tuple[type, ...]) -> bool:
    return isinstance(row, list) and len(row) == seats and all(isinstance(value, kinds) for value in row)
