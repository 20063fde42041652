"""The scripted players as leagues and recipes know them; they draw nothing and remember nothing."""

import numpy as np

from lanista.arrays import AnyArray, IntArray
from lanista.env import VecEnv
from lanista.errors import UsageError
from lanista.registry import NoSettings
from lanista.spec import EnvSpec
from lanista_envs.lux.env import LuxS1
from lanista_envs.lux.scripted.habits import PROSPECTOR_V1, WOODLAND_V1
from lanista_envs.lux.scripted.orders import Character, kernels, plan_seats
from lanista_envs.lux.sizes import LuxSizes
from lanista_envs.lux.spec import HEAD
from lanista_envs.lux.state import ORDER_COLUMNS, Orders


class ScriptedLux:
    """Plays one character; see `lanista.players.Player`."""

    name = ""
    character: Character = None

    def __init__(self, env_spec: EnvSpec, settings: NoSettings | None = None, seed: int = 0) -> None:
        """Refuse any env but Lux; nothing here is random, so `seed` changes nothing."""
        del settings, seed
        if env_spec.name != "lux_s1":
            raise UsageError(f"player {self.name} cannot play {env_spec.name}; it knows lux_s1 only")

    def act(self, env: VecEnv, games: np.ndarray, seats: np.ndarray) -> dict[str, AnyArray]:
        """Choose for the acting units of the seats ``(games[b], seats[b])``, one seat after another.

        Within a seat they come as the env's table lists them; with all seats in order that is the table, ``[U]``.
        """
        which, teams = np.asarray(games, np.int64), np.asarray(seats, np.int64)
        if isinstance(env, LuxS1):
            choices = self._choices(env, which, teams)
        elif isinstance(env, LuxSizes):
            choices = np.zeros(len(env.unit_row), np.int64)
            for part, where, rows in zip(env.parts, env.where, env.rows, strict=True):
                place = np.full(env.num_games, -1)
                place[where] = np.arange(len(where))
                here = place[which] >= 0
                choices[rows] = self._choices(part, place[which][here], teams[here])
        else:
            raise UsageError(f"player {self.name} was given {type(env).__name__}; it plays lux_s1 only")
        picked = np.empty(len(choices), np.int64)
        count = kernels().pick_rows(which, teams, env.unit_offsets, choices, picked)
        return {HEAD: picked[:count]}

    def _choices(self, env: LuxS1, which: IntArray, teams: IntArray) -> IntArray:
        """Choices for all rows of a table of units (``[U]``); those of other seats than these choose nothing."""
        rows, counts = plan_seats(self.character, which, teams, env.board, env.games)
        lengths = np.zeros(2 * env.num_games, np.int64)
        lengths[2 * which + teams] = counts
        offsets = np.zeros(2 * env.num_games + 1, np.int64)
        np.cumsum(lengths, out=offsets[1:])
        packed = np.empty((int(offsets[-1]), ORDER_COLUMNS), np.int16)
        kernels().pack_seats(which, teams, rows, offsets, packed)
        choices, _ = env.choices_of(Orders(packed, offsets))
        return choices

    def state(self) -> dict[str, AnyArray]:
        """Nothing goes on from turn to turn."""
        return {}

    def load_state(self, state: dict[str, AnyArray]) -> None:
        """Nothing to take back."""


class WoodlandV1(ScriptedLux):
    """Expands along wood, keeps its cities through the nights, and goes on to coal and uranium."""

    name = "lux_woodland_v1"
    character = WOODLAND_V1


class ProspectorV1(ScriptedLux):
    """A small crew that studies, and settles where coal and uranium lie."""

    name = "lux_prospector_v1"
    character = PROSPECTOR_V1


class Simple(ScriptedLux):
    """The official `simple_agent`."""

    name = "lux_simple"
    character = None


#: by registered name
CHARACTERS: dict[str, Character] = {
    player.name: player.character for player in (WoodlandV1, ProspectorV1, Simple)
}
