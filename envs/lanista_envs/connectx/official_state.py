"""Puts an official observation into an env of one game, so that scripted players can play in kaggle-environments."""

from collections.abc import Mapping
from typing import Any

from lanista_envs.connectx.env import ConnectX


def show(env: ConnectX, obs: Mapping[str, Any], config: Mapping[str, Any]) -> int:
    """Make game 0 the observation's position, and give the seat that is to move."""
    del config
    env.start_from(obs["board"])
    env.reset(0)
    return int(obs["mark"]) - 1
