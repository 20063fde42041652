"""The practice game with units: let every unit say the number that it sees, and that stands on the board in its cell.

A round gives a seat none to four units, each in a cell of its own, of two kinds: a *crier* knows the numbers 0 to 3, a
*page* 0 and 1 only. A seat's points of a round are the share of its units that say theirs. One other choice of a crier is
forbidden. One seat has the outcome "score", two have "result".
"""

import numpy as np

from lanista.actions import units_of_rows
from lanista.arrays import AnyArray, IntArray
from lanista.env import VecEnv
from lanista.plugins import NoSettings
from lanista.registry import Entry, Registry
from lanista.spec import EnvSpec, HeadSpec, ObsPart
from lanista.testing.practice import CHOICES, PracticeSettings
from lanista.testing.rounds import Rounds, points_of

SIDE = 3
MOST = 4
KINDS = (("crier", CHOICES), ("page", 2))


class PracticeUnits(Rounds):
    """See the module."""

    drawn = ("_counts", "_draws")

    def __init__(self, num_games: int, settings: PracticeSettings, num_threads: int) -> None:
        """Allocate every array."""
        spec = EnvSpec(
            name="practice_units",
            version="1",
            source="lanista.testing.practice_units",
            seats=settings.seats,
            turns="simultaneous",
            observation=(
                ObsPart(
                    "board", (CHOICES, SIDE, SIDE), "uint8", "1 on the plane of a unit's number, in its cell"
                ),
                ObsPart("clock", (1,), "float32", "share of the rounds that are over"),
            ),
            heads=(HeadSpec("say", "units", CHOICES, "a number", units=KINDS),),
            facts=points_of("share of the units that said the right number", "points in this game"),
            max_steps=settings.rounds,
            reward_range=(0.0, 1.0),
            outcome="score" if settings.seats == 1 else "result",
            unit_observation=(ObsPart("number", (CHOICES,), "float32", "1 at the number to say"),),
        )
        super().__init__(num_games, spec)
        self.legal = {}
        self.unit_offsets = np.zeros(num_games * settings.seats + 1, np.int64)
        # Of the games that are on, a round: units, and of each its cell, kind, number and forbidden number.
        self._counts = np.zeros((num_games, settings.seats, settings.rounds), np.int64)
        self._draws = np.zeros((*self._counts.shape, MOST, 4), np.int64)
        self.show()

    def draw(self, game: int, rng: np.random.Generator) -> None:
        """Draw the units of a game and their numbers."""
        shape = self._counts.shape[1:]
        self._counts[game] = rng.integers(MOST + 1, size=shape)
        cell = rng.random((*shape, SIDE * SIDE)).argsort(axis=-1)[..., :MOST]
        kind = rng.integers(len(KINDS), size=(*shape, MOST))
        number = rng.integers(CHOICES, size=kind.shape) % np.where(kind == 0, CHOICES, 2)
        forbidden = (number + rng.integers(1, CHOICES, size=kind.shape)) % CHOICES
        self._draws[game] = np.stack([cell, kind, number, np.where(kind == 0, forbidden, -1)], axis=-1)

    def show(self) -> None:
        """Show the boards and the table of units."""
        games, seats = np.indices(self.acting.shape)
        at = self._round[:, None]
        counts = self._counts[games, seats, at].reshape(-1)
        self.unit_offsets[1:] = np.cumsum(counts)
        self.unit_row = np.repeat(np.arange(len(counts)), counts)
        place = np.arange(len(self.unit_row)) - self.unit_offsets[self.unit_row]
        draws = self._draws[games, seats, at].reshape(-1, MOST, 4)[self.unit_row, place]
        self.unit_cell, self.unit_kind, self._number, forbidden = np.ascontiguousarray(draws.T)
        choices = np.array([number for _, number in KINDS])
        every = np.arange(CHOICES)
        self.unit_legal = (every < choices[self.unit_kind][:, None]) & (every != forbidden[:, None])
        self.unit_observation = {"number": (every == self._number[:, None]).astype(np.float32)}
        board = self.observation["board"].reshape(len(counts), CHOICES, -1)
        board[...] = 0
        board[self.unit_row, self._number, self.unit_cell] = 1
        self.observation["clock"][..., 0] = (self._round / self.spec.max_steps)[:, None]

    def step(self, actions: dict[str, AnyArray]) -> None:
        """Play one round of every game."""
        counts = np.diff(self.unit_offsets)
        right = np.bincount(self.unit_row, actions["say"] == self._number, minlength=len(counts))
        share = (right / np.maximum(counts, 1)).reshape(self.acting.shape)
        self.end_round(share)
        self.final_observation["clock"][self.ended] = 1.0


class Teller:
    """The scripted player that says all numbers rightly."""

    def __init__(self, env_spec: EnvSpec, settings: NoSettings, seed: int) -> None:
        """Nothing is drawn."""

    def act(self, env: VecEnv, games: IntArray, seats: IntArray) -> dict[str, AnyArray]:
        """Choose for the units of the rows ``(games[b], seats[b])``."""
        mine = units_of_rows(env, games * env.spec.seats + seats)
        return {"say": env.unit_observation["number"][mine].argmax(axis=1)}

    def state(self) -> dict[str, AnyArray]:
        """Nothing goes on."""
        return {}

    def load_state(self, state: dict[str, AnyArray]) -> None:
        """See `state`."""


def offer_practice_units(registry: Registry) -> None:
    """Let the registry know the game and its player, so that phases and policies can name them."""
    if "practice_units" not in registry.names("envs"):
        home = "lanista.testing.practice_units"
        summary = "a game with units to try plugins on"
        registry.add_all(
            [
                Entry(
                    "envs",
                    "practice_units",
                    f"{home}:PracticeUnits",
                    PracticeSettings,
                    summary,
                    "lanista.testing",
                ),
                Entry(
                    "players", "teller", f"{home}:Teller", NoSettings, "says all numbers", "lanista.testing"
                ),
            ]
        )
