"""The viewer of envs that bring none: what `VecEnv.render` draws as text, or else what a seat sees, as numbers.

It keeps `lanista.viewer.recording.Viewer`; a frame is a text.
"""

from collections.abc import Mapping
from importlib import resources
from typing import Any

import numpy as np

from lanista.arrays import AnyArray
from lanista.env import VecEnv
from lanista.viewer.recording import Recording

SCRIPT = resources.files("lanista.viewer").joinpath("text.js").read_text(encoding="utf-8")
#: longest side of a board, and most numbers of a row, that are written out
_MOST = 64


def frame_of(env: VecEnv, game: int) -> str:
    """The env's own drawing, or the numbers of what is seen."""
    if _draws(env):
        return env.render(game)
    return seen_text(env.observation, game)


def last_frame_of(env: VecEnv, game: int) -> str | None:
    """The last state of a game that has just ended; None if the env draws but has kept no drawing of it."""
    if env.final_drawings is not None and game in env.final_drawings:
        return env.final_drawings[game]
    return None if _draws(env) else seen_text(env.final_observation, game)


def settings_of(env: VecEnv) -> dict[str, Any]:
    """Nothing: the frames say it all."""
    return {}


def read_replay(replay: dict[str, Any]) -> Recording:
    """A Kaggle replay of any environment, its observations as text."""
    from lanista.viewer.replays import any_replay

    return any_replay(replay)


def _draws(env: VecEnv) -> bool:
    """Whether the env draws by itself: what `VecEnv` says is only which game it is."""
    return env.render(0) != VecEnv.render(env, 0)


def seen_text(observation: Mapping[str, AnyArray], game: int) -> str:
    """What the first seat sees, part by part; the others' where they see something else."""
    blocks = []
    for name, part in observation.items():
        seats = part[game]
        same = all(np.array_equal(seats[0], other) for other in seats[1:])
        for seat, seen in enumerate(seats[:1] if same else seats):
            title = name if same else f"{name}, seat {seat}"
            blocks.append(f"{title}\n{array_text(seen)}")
    return "\n\n".join(blocks)


def array_text(array: AnyArray) -> str:
    """An array as lines of text: a vector in one, a board as a grid, planes as one grid of the first that is set."""
    if array.ndim == 3 and max(array.shape[1:]) <= _MOST and array.shape[0] <= 36:
        marks = np.array([*"123456789abcdefghijklmnopqrstuvwxyz*"])
        filled = array != 0
        letters = np.where(filled.any(axis=0), marks[filled.argmax(axis=0)], ".")
        return "\n".join(" ".join(row) for row in letters.tolist())
    if array.ndim == 2 and max(array.shape) <= _MOST:
        numbers = [[_number(value) for value in row] for row in array.tolist()]
        wide = max(len(number) for row in numbers for number in row)
        return "\n".join(" ".join(number.rjust(wide) for number in row) for row in numbers)
    if array.ndim <= 1 and array.size <= _MOST:
        return "  ".join(_number(value) for value in np.atleast_1d(array).tolist())
    return f"{array.dtype} {array.shape}, {_number(array.min())} to {_number(array.max())}"


def _number(value: Any) -> str:  # noqa: ANN401 - a number of an array
    return f"{value:+.4g}" if isinstance(value, float) else str(int(value))
