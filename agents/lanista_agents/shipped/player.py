"""A policy that comes with lanista, as a player: an opponent, a teacher, somebody to watch.

It sees its game as it was trained to, whatever the env shows to others: where that differs, an env of its own with the same
state shows it. Files for boards of several sizes lie side by side, and the one that fits plays.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from lanista.arrays import AnyArray
from lanista.cards import read_card
from lanista.env import VecEnv
from lanista.errors import UsageError
from lanista.league.member import game_digest
from lanista.plugins import current_host
from lanista.policy import PolicyCard
from lanista.policy_player import PolicyPlayer
from lanista.registry import Registry
from lanista.spec import EnvSpec
from lanista.symmetry.averaging import averaged_as_told
from lanista_agents.shipped.settings import ShippedSettings
from lanista_agents.teachers.onnx_file import onnx_teacher
from lanista_agents.teachers.settings import OnnxSettings

FOLDER = Path(__file__).parent


@dataclass
class _Seat:
    """Who plays in one env, and what shows it the game: the env itself, or one of its own."""

    env: VecEnv
    own: VecEnv | None
    player: PolicyPlayer


class ShippedPlayer:
    """Plays a shipped policy. Keeps `lanista.players.Player`."""

    def __init__(self, folder: Path, env_spec: EnvSpec, settings: ShippedSettings, seed: int) -> None:
        """Read the card and hold the files against it; the files themselves are read when an env is there."""
        card = read_card(folder)
        self._files = [folder / name for name in card["files"]]
        self._sample = card["actions"] == "sampled" if settings.sample is None else settings.sample
        told = settings.average_symmetries
        self._averages = (card.get("average_symmetries") if told is None else told) or None
        self._seed = seed
        self._seat: _Seat | None = None
        self._waiting: dict[str, AnyArray] = {}
        if env_spec.name != card["env"]:
            raise UsageError(f"{card['name']} plays env {card['env']!r}, and this is {env_spec.name!r}")

    def act(self, env: VecEnv, games: np.ndarray, seats: np.ndarray) -> dict[str, AnyArray]:
        """Choose for the rows ``(games[b], seats[b])``."""
        if self._seat is None or self._seat.env is not env:
            self._seat = self._seated(env)
        own = self._seat.own
        if own is not None:
            state = own.save()
            state |= {name: array for name, array in env.save().items() if "games." in name}
            own.load(state)
        return self._seat.player.act(env if own is None else own, games, seats)

    def _seated(self, env: VecEnv) -> _Seat:
        """Find the file that plays here, and an env that shows the game as it saw it in training."""
        registry = current_host().registry
        boards = []
        for path in self._files:
            policy = _card_in(path)
            own = None
            if game_digest(policy.spec) != game_digest(env.spec):
                own = _env_as(policy, env, registry)
                if game_digest(policy.spec) != game_digest(own.spec):
                    own.close()
                    boards.append(str(policy.env_settings.get("size")))
                    continue
            before = self._seat.player.state() if self._seat is not None else self._waiting
            shipped = onnx_teacher(OnnxSettings(file=str(path)), policy, registry)
            player = PolicyPlayer(
                averaged_as_told(shipped, registry, self._averages), self._seed, greedy=not self._sample
            )
            player.load_state(before) if before else None
            return _Seat(env, own, player)
        raise UsageError(
            f"{self._files[0].parent.name} plays boards with a side of {', '.join(boards)}, and this one is another; play "
            f"there, or somebody else"
        )

    def state(self) -> dict[str, AnyArray]:
        """Where the stream of drawn actions is."""
        return self._waiting if self._seat is None else self._seat.player.state()

    def load_state(self, state: dict[str, AnyArray]) -> None:
        """Take back what `state` gave."""
        if self._seat is None:
            self._waiting = dict(state)
        else:
            self._seat.player.load_state(state)


def _card_in(path: Path) -> PolicyCard:
    """The card that the export wrote into the file."""
    model = onnx.load_model_from_string(path.read_bytes())
    told = {entry.key: entry.value for entry in model.metadata_props}
    return PolicyCard.from_json(json.loads(told["lanista.card"]))


def _env_as(policy: PolicyCard, env: VecEnv, registry: Registry) -> VecEnv:
    """An env with the boards of `env` that shows what the policy's own showed."""
    here: Any = env
    options = {**here.settings.model_dump(mode="json"), "observation": policy.env_settings["observation"]}
    made: VecEnv = registry.load("envs", policy.env)(
        env.num_games, registry.settings("envs", policy.env, options), 1
    )
    made.reset(0)
    return made


def lux_demo_v1(env_spec: EnvSpec, settings: ShippedSettings, seed: int) -> ShippedPlayer:
    """The demonstration agent for Lux AI Season 1."""
    return ShippedPlayer(FOLDER / "lux_demo_v1", env_spec, settings, seed)
