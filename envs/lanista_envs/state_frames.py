"""Frames for the viewers of envs of one seat whose whole picture is their observation part ``state``."""

from typing import Any

from lanista.arrays import AnyArray
from lanista.env import VecEnv


def frame_of(env: VecEnv, game: int) -> list[float]:
    """The numbers of `state`, five digits each."""
    return _short(env.observation["state"][game, 0])


def last_frame_of(env: VecEnv, game: int) -> list[float]:
    """The same of a game that has just ended."""
    return _short(env.final_observation["state"][game, 0])


def settings_of(env: VecEnv) -> dict[str, Any]:
    """Nothing that a renderer must know."""
    return {}


def _short(state: AnyArray) -> list[float]:
    return [float(f"{value:.5g}") for value in state.tolist()]
