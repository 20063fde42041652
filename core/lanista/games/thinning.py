"""Every n-th decision of a game alone: neighbours are much alike, and many games tell more than long ones."""

import hashlib
from collections.abc import Collection
from dataclasses import replace

import numpy as np
import torch

from lanista.games.kept_games import KeptGame
from lanista.units import UnitTable


def digest_of(game: KeptGame) -> bytes:
    """A digest of what was seen at first, who acted and what was done: games that are equal have the same.

    The moves alone would not do: players that do the same on whatever map play other games all the same.
    """
    digest = hashlib.sha256(np.packbits(game.acting).tobytes())
    for name in sorted(game.observation):
        digest.update(np.ascontiguousarray(game.observation[name][:1]).tobytes())
    for name in sorted(game.action):
        digest.update(np.ascontiguousarray(game.action[name]).tobytes())
    return digest.digest()


def thinned(game: KeptGame, every: int, unit_heads: Collection[str]) -> KeptGame:
    """The game with every n-th decision of each seat; rewards and outcome stay whole.

    Which decision is the first of them, of n, follows from the game's moves: equal games stay equal, and over many
    games no hour of a rhythm is missed. Every seat counts its own decisions, so that none is left out where seats
    take turns. `unit_heads` are the heads whose actions lie a row a unit.
    """
    if every == 1:
        return game
    first = int.from_bytes(digest_of(game)[:8], "big") % every
    acting = game.acting & ((np.cumsum(game.acting, axis=0) - 1) % every == first)
    kept = acting[game.acting]
    action = {name: taken[kept] for name, taken in game.action.items() if name not in unit_heads}
    units = dict(game.units)
    if units:
        orders = {f"further.{name}": game.action[name] for name in game.action if name in unit_heads}
        units = UnitTable.of_arrays({**units, **orders})[torch.from_numpy(kept)].arrays()
        action |= {name: units.pop(f"further.{name}") for name in game.action if name in unit_heads}
    return replace(
        game,
        acting=acting,
        random=game.random & acting,
        observation={name: part[kept] for name, part in game.observation.items()},
        legal={name: mask[kept] for name, mask in game.legal.items()},
        action=action,
        units=units,
    )
