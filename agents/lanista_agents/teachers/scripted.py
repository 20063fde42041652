"""Teachers that are scripted players, ``player:NAME`` or ``player:NAME:key=value``: they label where they stand.

A player reads its env's state, so it can say what it would do only while the env is in that state: it is a
`lanista.teachers.LiveTeacher` and no policy. What it does becomes logits by the setting `certainty`.
"""

from typing import cast

import numpy as np
import torch

from lanista.arrays import AnyArray
from lanista.contenders import find_scripted
from lanista.env import VecEnv
from lanista.errors import UsageError
from lanista.league.roster import check_bot
from lanista.players import Player
from lanista.plugins import Registry
from lanista.policy import Head, PolicyCard, PolicyOutput, build_heads
from lanista.spec import UNITS
from lanista_agents.networks.acted import ActionWords
from lanista_agents.teachers.settings import PlayerTeacherSettings


class ScriptedTeacher:
    """See the module and `lanista.teachers.LiveTeacher`."""

    def __init__(self, settings: PlayerTeacherSettings, card: PolicyCard, registry: Registry) -> None:
        """Make the player with a stream of its own."""
        contender = find_scripted(settings.name, registry)
        player = cast(str, contender.use)
        check_bot(registry, player, card.spec)
        words = f"teacher 'player:{settings.name}'"
        self.card = card
        for spec in card.spec.heads:
            use = card.head_table(spec)["use"]
            if use not in ("categorical", "gaussian", "deterministic", UNITS):
                raise UsageError(
                    f"{words}: the head {spec.name!r} ({use}) is none that a player's actions can be said in; asked "
                    f"is categorical, gaussian, deterministic or units"
                )
        self.heads: dict[str, Head] = build_heads(card, registry)
        options = registry.settings("players", player, contender.options or {})
        self._player: Player = registry.load("players", player)(card.spec, options, settings.seed)
        sizes = {name: head.num_outputs for name, head in self.heads.items()}
        tables = {spec.name: card.head_table(spec) for spec in card.spec.heads}
        self._rows = 0
        self._words = ActionWords(card.spec.heads, sizes, tables, settings.certainty)
        native = {
            spec.name: {"use": "deterministic", "squash": "clip"}
            if spec.continuous
            else {"use": UNITS if spec.kind == UNITS else "categorical"}
            for spec in card.spec.heads
        }
        card.history["teacher"] = {"algorithm": player, "heads": native, "notes": []}

    def labels(self, env: VecEnv, games: np.ndarray, seats: np.ndarray) -> dict[str, AnyArray]:
        """What the player does there now."""
        self._rows = len(games)
        return self._player.act(env, games, seats)

    def output(self, actions: dict[str, AnyArray]) -> PolicyOutput:
        """Logits that stand for these actions; the value is NaN."""
        logits = self._words(
            {name: torch.from_numpy(np.ascontiguousarray(array)) for name, array in actions.items()}
        )
        # Units have a row each, values one a seat: as many as were labelled.
        return PolicyOutput(logits, torch.full((self._rows,), torch.nan))

    def state(self) -> dict[str, AnyArray]:
        """The player's."""
        return self._player.state()

    def load_state(self, state: dict[str, AnyArray]) -> None:
        """Take back what `state` gave."""
        self._player.load_state(state)


def player_teacher(settings: PlayerTeacherSettings, card: PolicyCard, registry: Registry) -> ScriptedTeacher:
    """Build the teacher; see the module."""
    return ScriptedTeacher(settings, card, registry)
