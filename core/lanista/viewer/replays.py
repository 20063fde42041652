"""Kaggle replays of any environment: each step's observation as text, actions and rewards beside it."""

import json
from typing import Any

from lanista.viewer.recording import Recording, RecordingError

#: more text than that is cut off, characters of one frame
_MOST = 20_000
#: what every observation has and no one asks for
_DULL = {"remainingOverageTime", "step", "player", "index"}


def any_replay(replay: dict[str, Any]) -> Recording:
    """A replay as a recording of texts; raises `RecordingError` if it is malformed."""
    steps = replay.get("steps")
    if not isinstance(steps, list) or not steps:
        raise RecordingError("it has no steps")
    seats = len(steps[0]) if isinstance(steps[0], list) else 0
    if seats == 0:
        raise RecordingError("its step 0 holds no seats")
    frames, notes = [], []
    total = [0.0] * seats
    for number, step in enumerate(steps):
        if (
            not isinstance(step, list)
            or len(step) != seats
            or not all(isinstance(seat, dict) for seat in step)
        ):
            raise RecordingError(f"step {number} does not hold {seats} seats")
        frames.append(_text(step))
        rewards = [_reward(seat.get("reward")) for seat in step]
        notes.append(
            {
                # A replay gives the sum so far with each step.
                "reward": [now - before for now, before in zip(rewards, total, strict=True)],
                "total": rewards,
                "action": [_action(seat) if number else "" for seat in step],
                "facts": {},
            }
        )
        total = rewards
    name = str(replay.get("name", "kaggle"))
    return Recording(
        name, str(replay.get("title") or name), seat_names(replay, seats), {}, frames, _result(steps[-1]),
        notes=notes, renderer="text",
    )  # fmt: skip


def seat_names(replay: dict[str, Any], seats: int) -> list[str]:
    """The teams' names, or the seats' numbers."""
    info = replay.get("info")
    names = info.get("TeamNames") if isinstance(info, dict) else None
    if (
        isinstance(names, list)
        and len(names) == seats
        and all(isinstance(name, str) and name for name in names)
    ):
        return list(names)
    return [f"seat {seat}" for seat in range(seats)]


def _text(step: list[dict[str, Any]]) -> str:
    """The first seat's observation, and what others see beside it."""
    lines = []
    first: dict[str, Any] = {}
    for place, seat in enumerate(step):
        seen = seat.get("observation")
        for key, value in (seen if isinstance(seen, dict) else {}).items():
            if key in _DULL or (place and key in first and first[key] == value):
                continue
            if place == 0:
                first[key] = value
            lines.append(f"{key if place == 0 else f'{key}, seat {place}'}: {_value(value)}")
    return "\n".join(lines)[:_MOST] or "nothing is to be seen"


def _value(value: Any) -> str:  # noqa: ANN401 - a JSON value
    if isinstance(value, list) and value and all(isinstance(row, list | str) for row in value):
        return "".join(f"\n  {_short(row)}" for row in value)
    return _short(value)


def _short(value: Any) -> str:  # noqa: ANN401 - a JSON value
    text = value if isinstance(value, str) else json.dumps(value, separators=(", ", ": "))
    return text if len(text) <= 160 else f"{text[:157]}..."


def _action(seat: dict[str, Any]) -> str:
    told = _short(seat.get("action"))
    return told if len(told) <= 40 else f"{told[:37]}..."


def _reward(value: object) -> float:
    return float(value) if isinstance(value, int | float) and value == value else 0.0


def _result(step: list[dict[str, Any]]) -> str:
    told = [f"{seat.get('reward')} ({str(seat.get('status', '')).lower()})" for seat in step]
    return "rewards " + ", ".join(told)
