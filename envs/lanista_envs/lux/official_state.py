"""Puts an official observation into an env of one game, so that scripted players can play in the official program."""

from collections.abc import Mapping
from typing import Any

from lanista_envs.blocks import copies
from lanista_envs.lux.env import LuxS1
from lanista_envs.lux.sizes import LuxSizes
from lanista_envs.lux.state import allocate
from lanista_envs.lux.updates import read_updates


def show(env: LuxS1 | LuxSizes, obs: Mapping[str, Any], config: Mapping[str, Any]) -> int:
    """Make game 0 what the observation's `updates` show, and give the seat that sees it."""
    del config
    part, prefix = (env, "") if isinstance(env, LuxS1) else (env.parts[0], f"{env.parts[0].settings.size}.")
    games = allocate(1, part.board.width, part.board.height)
    read_updates(obs["updates"], int(obs["step"]), 0, part.board, games)
    state = env.save()
    state |= {f"{prefix}games.{name}": array for name, array in copies(games).items()}
    env.load(state)
    return int(obs["player"])
