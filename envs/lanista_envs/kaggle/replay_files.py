"""Replays that Kaggle's competitions offer for download, as games to learn from: through a codec, or by an env's own reader.

Step i of a replay shows the state *after* action i, so what a seat saw before it stands in step i - 1; of what all seats
share only seat 0 has a copy.
"""

import gzip
import json
import zlib
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from lanista.arrays import AnyArray
from lanista.codec import Codec, CodecError, load_codec, plain
from lanista.errors import LanistaError
from lanista.games.kept_games import KeptGame
from lanista.spec import EnvSpec
from lanista_envs.kaggle.settings import KaggleSettings

#: what becomes of an action that no choice of the codec gives
NO_CHOICE = -1


class ReplayFileError(LanistaError):
    """A file is no replay, or none of this game."""

    exit_code = 2


def read_record(file: Path) -> dict[str, Any]:
    """Read a replay's JSON, plain or gzip; raises `ReplayFileError`."""
    try:
        content = file.read_bytes()
        if content[:2] == b"\x1f\x8b":
            content = gzip.decompress(content)
        record = json.loads(content)
    except (OSError, EOFError, ValueError, zlib.error, RecursionError) as error:
        cause = (str(error).splitlines() or [type(error).__name__])[0]
        raise ReplayFileError(f"{file} cannot be read as JSON, plain or gzip: {cause}") from error
    steps = record.get("steps") if isinstance(record, dict) else None
    if not isinstance(steps, list) or not all(
        isinstance(step, list) and step and all(isinstance(seat, dict) for seat in step) for step in steps
    ):
        raise ReplayFileError(f"{file} is no replay of kaggle-environments: it has no steps of seats")
    found: dict[str, Any] = record
    return found


def player_names(record: dict[str, Any], seats: int) -> tuple[str, ...]:
    """The teams that played, as the replay says, else the seats' numbers."""
    info = record.get("info")
    names = info.get("TeamNames") if isinstance(info, dict) else None
    if isinstance(names, list) and len(names) == seats:
        return tuple(str(name) for name in names)
    return tuple(f"seat {seat}" for seat in range(seats))


def read_game(file: Path, settings: KaggleSettings, spec: EnvSpec) -> KeptGame | None:
    """Read a replay of the env ``kaggle:NAME`` through its codec; None for one of another game or configuration."""
    record = read_record(file)
    configuration = record.get("configuration")
    if record.get("name") != settings.game or not isinstance(configuration, dict):
        return None
    if any(configuration.get(key) != value for key, value in settings.configuration.items()):
        return None
    return game_of(file, record, load_codec(settings.codec_text, settings.codec), spec)


def game_of(file: Path, record: dict[str, Any], codec: Codec, spec: EnvSpec) -> KeptGame | None:
    """The game of a replay as `codec` shows it; None for one with other seats, or that did not come to its end."""
    steps, configuration = record["steps"], record["configuration"]
    last = steps[-1]
    if len(last) != spec.seats or any(seat.get("status") != "DONE" for seat in last):
        return None
    shared = _shared_fields(record)
    acting = np.zeros((len(steps) - 1, spec.seats), np.bool_)
    columns: dict[str, list[AnyArray]] = {}
    try:
        for number, (before, after) in enumerate(pairwise(steps)):
            for seat in range(spec.seats):
                if before[seat].get("status") != "ACTIVE":
                    continue
                acting[number, seat] = True
                seen = _seen(before, seat, shared)
                for name, array in _decision(
                    codec, seen, configuration, after[seat].get("action"), spec
                ).items():
                    columns.setdefault(name, []).append(array)
    except (CodecError, KeyError, ValueError, TypeError) as error:
        raise ReplayFileError(f"{file} cannot be shown as {spec.name}: {error}") from error
    arrays = {name: np.stack(parts) for name, parts in columns.items()}
    standing = np.array([[seat.get("reward") or 0.0 for seat in step] for step in steps], np.float32)
    return KeptGame(
        players=player_names(record, spec.seats),
        outcome=_outcome(standing[-1], spec),
        truncated=np.zeros(spec.seats, np.bool_),
        acting=acting,
        random=np.zeros_like(acting),
        reward=np.diff(standing, axis=0),
        observation={part.name: arrays[f"observation.{part.name}"] for part in spec.observation},
        legal={head.name: arrays[f"legal.{head.name}"] for head in spec.heads},
        action={head.name: arrays[f"action.{head.name}"] for head in spec.heads},
    )


def _shared_fields(record: dict[str, Any]) -> set[str] | None:
    """The fields of an observation that all seats see; None where the replay does not say."""
    specification = record.get("specification")
    fields = specification.get("observation") if isinstance(specification, dict) else None
    if not isinstance(fields, dict):
        return None
    fields = fields.get("properties", fields)
    return {name for name, field in fields.items() if isinstance(field, dict) and field.get("shared")} | {
        "step"
    }


def _seen(step: list[dict[str, Any]], seat: int, shared: set[str] | None) -> dict[str, Any]:
    """What a seat saw: its own fields, and of seat 0's those that are shared."""
    first = step[0].get("observation") or {}
    common = {name: value for name, value in first.items() if shared is None or name in shared}
    return {**common, **(step[seat].get("observation") or {})}


def _decision(
    codec: Codec, seen: dict[str, Any], configuration: dict[str, Any], action: object, spec: EnvSpec
) -> dict[str, AnyArray]:
    """What was seen, what was legal, and the choice that gives the action."""
    arrays, legal = codec.observe(seen, configuration)
    (head,) = spec.heads
    mask = legal[head.name]
    done = plain(action)
    chosen = (
        index for index in np.flatnonzero(mask).tolist() if codec.act(index, seen, configuration) == done
    )
    return {
        **{f"observation.{name}": array for name, array in arrays.items()},
        f"legal.{head.name}": mask,
        f"action.{head.name}": np.array(next(chosen, NO_CHOICE), np.int64),
    }


def _outcome(final: AnyArray, spec: EnvSpec) -> AnyArray:
    """+1, 0, -1 of a game of two; the official reward of others."""
    if spec.outcome == "result" and spec.seats == 2:
        lead = float(np.sign(final[0] - final[1]))
        return np.array([lead, -lead], np.float32)
    return final
