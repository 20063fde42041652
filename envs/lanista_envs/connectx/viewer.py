"""What `lanista watch` needs of Connect X: frames from boards and from Kaggle's replays, and the renderer's script."""

from importlib import resources
from typing import Any

from lanista.env import VecEnv
from lanista.errors import UsageError
from lanista.viewer.recording import Recording, RecordingError
from lanista_envs.connectx.env import ConnectX

SCRIPT = resources.files("lanista_envs.connectx").joinpath("viewer.js").read_text(encoding="utf-8")
#: longest side of a board that is shown
_MOST = 64


def frame_of(env: VecEnv, game: int) -> list[int]:
    """The board, flat, row-major from the top: 0 empty, 1 and 2 the stones of seats 0 and 1."""
    board: list[int] = _connectx(env).board[game].tolist()
    return board


def last_frame_of(env: VecEnv, game: int) -> list[int]:
    """The board of a game that has just ended, from what seat 0 saw of it."""
    own, other = _connectx(env).final_observation["board"][game, 0, :2].astype(int)
    board: list[int] = (own + 2 * other).reshape(-1).tolist()
    return board


def settings_of(env: VecEnv) -> dict[str, Any]:
    """Rows, columns and the run that wins."""
    return _connectx(env).settings.model_dump()


def read_replay(replay: dict[str, Any]) -> Recording:
    """A Kaggle replay of `connectx` as a recording."""
    configuration, steps = replay.get("configuration"), replay.get("steps")
    if not isinstance(configuration, dict) or not isinstance(steps, list) or not steps:
        raise RecordingError("it has no configuration, or no steps")
    settings = {}
    for name, usual in (("rows", 6), ("columns", 7), ("inarow", 4)):
        value = configuration.get(name, usual)
        if type(value) is not int or not 1 <= value <= _MOST:
            raise RecordingError(
                f"its {name} is {str(value)[:40]!r}, which must be a number from 1 to {_MOST}"
            )
        settings[name] = value
    frames = [
        _board(number, step, settings["rows"] * settings["columns"]) for number, step in enumerate(steps)
    ]
    info = replay.get("info")
    names = info.get("TeamNames") if isinstance(info, dict) else None
    fits = (
        isinstance(names, list) and len(names) == 2 and all(isinstance(name, str) and name for name in names)
    )
    seats: list[str] = names if isinstance(names, list) and fits else ["seat 0", "seat 1"]
    title = f"Connect {settings['inarow']} on {settings['rows']} x {settings['columns']}"
    return Recording("connectx", title, seats, settings, frames, _result(replay.get("rewards"), seats))


def _board(number: int, step: object, cells: int) -> list[int]:
    """The board of one step; both seats see the same one, which is stored with the first."""
    seat = step[0] if isinstance(step, list) and step else None
    observation = seat.get("observation") if isinstance(seat, dict) else None
    board = observation.get("board") if isinstance(observation, dict) else None
    if not isinstance(board, list) or len(board) != cells or not all(stone in (0, 1, 2) for stone in board):
        raise RecordingError(
            f"step {number} has no board of {cells} cells with 0, 1 and 2 in seat 0's observation"
        )
    return board


def _result(rewards: object, seats: list[str]) -> str:
    """How it ended, from the rewards."""
    if not isinstance(rewards, list) or len(rewards) != 2:
        return ""
    if None in rewards:
        return f"{' and '.join(name for name, reward in zip(seats, rewards, strict=True) if reward is None)} failed"
    if not all(isinstance(reward, int | float) for reward in rewards):
        return ""
    return "a draw" if rewards[0] == rewards[1] else f"{seats[int(rewards[1] > rewards[0])]} wins"


def _connectx(env: VecEnv) -> ConnectX:
    if not isinstance(env, ConnectX):
        raise UsageError(f"the viewer of connectx was given {type(env).__name__}; it shows ConnectX only")
    return env
