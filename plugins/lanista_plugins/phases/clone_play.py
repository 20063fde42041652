"""Games played for a clone to learn from: players take the seats, and every game is kept."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from lanista.actions import units_of_rows
from lanista.arrays import AnyArray, IntArray
from lanista.contenders import find_contender
from lanista.env import VecEnv
from lanista.games.keeper import GameKeeper
from lanista.games.parts import Source, drop_parts, games_folder, part_files, read_part
from lanista.games.settings import KeepGames
from lanista.openings import openings_of
from lanista.phases import PhaseContext
from lanista.players import Player
from lanista.policy import PolicyOutput
from lanista.policy_player import PolicyPlayer
from lanista.rollout import Collector
from lanista.spec import UNITS
from lanista_plugins.phases.clone_settings import CloneGames

#: steps of a rollout: how often finished games are looked for
_STEPS = 32


class NoValue(nn.Module):
    """Stands where a collector asks for values: players have none."""

    def forward(self, observation: Mapping[str, Any]) -> PolicyOutput:
        """Zeros for the rows."""
        rows = next(len(part) for name, part in observation.items() if name != UNITS)
        return PolicyOutput({}, torch.zeros(rows))


class Cast:
    """Players by seat. Stands where a collector wants its policy, and where a keeper asks who sat where.

    The seats move on by one with every game of a slot, and from slot to slot: each player sits everywhere alike.
    """

    def __init__(self, players: list[Player], names: list[str], env: VecEnv) -> None:
        """`watch` tells whose rows."""
        self.network = NoValue()
        self._players, self._names, self._env = players, names, env
        self._seats = env.spec.seats

    def watch(self, collector: Collector) -> None:
        """Play for this collector."""
        self._collector = collector

    @property
    def members(self) -> IntArray:
        """``[N]``: by how many places the players of each slot's game have moved on."""
        moved: IntArray = (np.arange(self._env.num_games) + self._collector.games_begun) % len(self._players)
        return moved

    def seated(self, game: int, member: int) -> list[str]:
        """The names in a game's seats."""
        del game
        return [self._names[(seat + member) % len(self._names)] for seat in range(self._seats)]

    def act(
        self, observation: Mapping[str, Tensor], legal: Mapping[str, Tensor], generator: torch.Generator
    ) -> tuple[dict[str, Tensor], Tensor, Tensor]:
        """Ask each player for its rows; there is no logprob and no value."""
        del observation, legal, generator
        env, rows = self._env, self._collector.acting_rows
        games, seats = rows // self._seats, rows % self._seats
        who = (seats + self.members[games]) % len(self._players)
        moves: dict[str, AnyArray] = {}
        head = env.spec.units_head
        for number, player in enumerate(self._players):
            mine = who == number
            if not mine.any():
                continue
            for name, chosen in player.act(env, games[mine], seats[mine]).items():
                if head is not None and name == head.name:
                    everybody = moves.setdefault(name, np.zeros(len(env.unit_row), np.int64))
                    everybody[units_of_rows(env, rows[mine])] = chosen
                else:
                    taken = np.asarray(chosen)
                    moves.setdefault(name, np.zeros((len(rows), *taken.shape[1:]), taken.dtype))[mine] = taken
        if head is not None:
            moves[head.name] = moves[head.name][units_of_rows(env, rows)]
        nothing = torch.zeros(len(rows))
        return {name: torch.from_numpy(chosen) for name, chosen in moves.items()}, nothing, nothing


def player_of(context: PhaseContext, text: str, env: VecEnv, seed: int) -> Player:
    """Whom a recipe names: a phase's policy, or what the command line knows by that name; it plays greedily."""
    if text == "previous" or text in context.policies:
        return PolicyPlayer(context.policy_of(text, env), seed, greedy=True)
    return find_contender(text, context.registry).player(context.registry, env.spec, seed, sample=False)


def played_games(context: PhaseContext, games: CloneGames, slots: int, every: int) -> Path:
    """Let the players play, and give the folder of their games, of which every n-th decision is kept.

    Those of a run that goes on are there already.
    """
    folder = games_folder(context.run_folder, context.name)
    files = part_files(folder)
    if files and files[-1][0] + read_part(files[-1][1]).num_games >= games.num_games:
        return folder
    drop_parts(folder, 0)
    env = context.make_env(min(slots, games.num_games))
    try:
        env.reset(context.derive("env"))
        players = [
            player_of(context, text, env, context.derive("player", place))
            for place, text in enumerate(games.players)
        ]
        _play(context, games, env, players, folder, every)
    finally:
        env.close()
    return folder


def _play(
    context: PhaseContext, games: CloneGames, env: VecEnv, players: list[Player], folder: Path, every: int
) -> None:
    generator = torch.Generator().manual_seed(context.derive("rollout"))
    openings = openings_of(env, games.random_opening, generator)
    cast = Cast(players, list(games.players), env)
    card = context.card(env, "", {})
    keeper = GameKeeper(
        KeepGames(games=games.num_games, every=1, thin=every, megabytes=1e9),
        env,
        _STEPS,
        folder,
        Source(card.env, card.env_settings, env.spec, context.name),
        cast,  # type: ignore[arg-type]  # it says who sits where; nothing else is asked
        openings,
    )
    collector = Collector(
        env=env,
        policy=cast,  # type: ignore[arg-type]  # it plays as a policy does
        num_steps=_STEPS,
        shapers=[],
        gamma=1.0,
        generator=generator,
        openings=openings,
        keeper=keeper,
    )
    cast.watch(collector)
    while keeper.num_kept < games.num_games:
        collector.collect(0.0)
    keeper.write()
