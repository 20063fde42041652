"""Members brought to life: loaded when first asked for, a few kept in memory, their streams never lost."""

from collections import OrderedDict
from pathlib import Path
from typing import Any, cast

import numpy as np

from lanista.arrays import AnyArray
from lanista.errors import CheckpointError, RecipeError
from lanista.league.member import LEARNER, Member, game_digest, load_snapshot
from lanista.players import Player
from lanista.plugins import Registry
from lanista.seeds import derive_seed
from lanista.spec import EnvSpec


def check_bot(registry: Registry, use: str, env_spec: EnvSpec) -> None:
    """Refuse a scripted player that does not know the game."""
    envs = registry.get("players", use).traits.get("envs")
    if envs is not None and env_spec.name not in envs:
        raise RecipeError(
            f"player {use!r} plays {', '.join(envs)}, not {env_spec.name}; take it off the list of bots"
        )


def build_player(folder: Path, member: Member, registry: Registry, env_spec: EnvSpec, seed: int) -> Player:
    """Load a member: a snapshot plays by sampling from its own stream, a scripted player by its plugin."""
    if member.kind == "scripted" and member.use is not None:
        check_bot(registry, member.use, env_spec)
        settings = registry.settings("players", member.use, member.options)
        return cast(Player, registry.load("players", member.use)(env_spec, settings, seed))
    if member.kind != "snapshot":
        raise CheckpointError(
            f"league member {member.name!r} is of kind {member.kind!r} and cannot be loaded; "
            "the run itself holds it"
        )
    from lanista.policy_player import PolicyPlayer

    if member.made_for != game_digest(env_spec):
        raise CheckpointError(
            f"league member {member.name!r} was made for another observation or other heads than "
            f"{env_spec.name} has here; play it in the env that it was trained in"
        )
    return PolicyPlayer(load_snapshot(folder, member, registry), seed)


class Roster:
    """The players of a league by name."""

    #: policies held in memory at once; scripted players come on top
    ROOM = 8

    def __init__(self, members: Path, registry: Registry, env_spec: EnvSpec, seed: int) -> None:
        """Nothing is loaded yet."""
        self._folder = members
        self._registry = registry
        self._env_spec = env_spec
        self._seed = seed
        self._players: OrderedDict[str, Player] = OrderedDict()
        self._policies: list[str] = []
        #: streams of members that played and are not in memory
        self._resting: dict[str, dict[str, AnyArray]] = {}

    def player(self, member: Member) -> Player:
        """The member's player; the same stream goes on however often it is let go and loaded again."""
        name = member.name
        found = self._players.get(name)
        if found is not None:
            self._players.move_to_end(name)
            return found
        player = build_player(
            self._folder / name,
            member,
            self._registry,
            self._env_spec,
            derive_seed(self._seed, "player", name),
        )
        if name in self._resting:
            player.load_state(self._resting.pop(name))
        self._players[name] = player
        if member.kind == "snapshot":
            self._policies.append(name)
            self._make_room()
        return player

    def _make_room(self) -> None:
        held = [name for name in self._players if name in self._policies]
        for name in held[: -self.ROOM]:
            self._resting[name] = _copied(self._players.pop(name).state())
            self._policies.remove(name)

    def state(self) -> dict[str, AnyArray]:
        """Every stream that has begun, as arrays ``<member>/<key>``."""
        streams = {**self._resting, **{name: player.state() for name, player in self._players.items()}}
        return {
            f"{name}/{key}": np.array(array)
            for name in sorted(streams)
            for key, array in streams[name].items()
        }

    def load_state(self, state: dict[str, AnyArray]) -> None:
        """Take back what `state` gave; players are loaded again when they are asked for."""
        self._players.clear()
        self._policies.clear()
        self._resting = {}
        for path, array in state.items():
            name, _, key = path.partition("/")
            self._resting.setdefault(name, {})[key] = np.array(array)


def _copied(state: dict[str, Any]) -> dict[str, AnyArray]:
    return {key: np.array(array) for key, array in state.items()}


def refuse_learner(name: str) -> None:
    """The learner is no member that can be loaded."""
    if name == LEARNER:
        raise RecipeError(
            f"{LEARNER!r} is the policy in training and is held by the run; play its rows with that"
        )
