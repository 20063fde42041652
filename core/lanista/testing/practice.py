"""A game to try plugins on: say the number that you see, against nobody or against another seat.

Every round shows a number of 0 to 3 and forbids one other choice; saying it is a point. It is learnt in moments, has
masks, a level and a flow, ends by its rules, and can be had with one seat (outcome "score") or two (outcome "result").
"""

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from lanista.arrays import AnyArray
from lanista.registry import Entry, Registry
from lanista.spec import EnvSpec, HeadSpec, ObsPart
from lanista.testing.rounds import Rounds, points_of

CHOICES = 4


class PracticeSettings(BaseModel):
    """Seats and length."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    #: 1 or 2
    seats: int = Field(default=1, ge=1, le=2)
    #: rounds of a game, 1 or more
    rounds: int = Field(default=8, ge=1)


class Practice(Rounds):
    """See the module."""

    drawn = ("_numbers", "_forbidden")

    def __init__(self, num_games: int, settings: PracticeSettings, num_threads: int) -> None:
        """Allocate every array."""
        spec = EnvSpec(
            name="practice",
            version="1",
            source="lanista.testing.practice",
            seats=settings.seats,
            turns="simultaneous",
            observation=(ObsPart("number", (CHOICES,), "float32", "1 at the number to say"),),
            heads=(HeadSpec("say", "categorical", CHOICES, "a number"),),
            facts=points_of("1 for the right number", "right numbers in this game"),
            max_steps=settings.rounds,
            reward_range=(0.0, 1.0),
            outcome="score" if settings.seats == 1 else "result",
        )
        super().__init__(num_games, spec)
        self.legal = {"say": np.ones((num_games, settings.seats, CHOICES), np.bool_)}
        #: ``[N, S, rounds]`` the numbers to say and those forbidden in the games that are on
        self._numbers = np.zeros((num_games, settings.seats, settings.rounds), np.int64)
        self._forbidden = np.zeros_like(self._numbers)

    def draw(self, game: int, rng: np.random.Generator) -> None:
        """Draw the numbers of a game."""
        shape = self._numbers.shape[1:]
        self._numbers[game] = rng.integers(CHOICES, size=shape)
        self._forbidden[game] = (self._numbers[game] + rng.integers(1, CHOICES, size=shape)) % CHOICES

    def show(self) -> None:
        """Show each seat its number, and what it must not say."""
        games, seats = np.indices(self.acting.shape)
        at = self._round[:, None]
        self.observation["number"][...] = 0.0
        self.observation["number"][games, seats, self._numbers[games, seats, at]] = 1.0
        self.legal["say"][...] = True
        self.legal["say"][games, seats, self._forbidden[games, seats, at]] = False

    def step(self, actions: dict[str, AnyArray]) -> None:
        """Play one round of every game."""
        games, seats = np.indices(self.acting.shape)
        self.end_round(actions["say"] == self._numbers[games, seats, self._round[:, None]])


def offer_practice(registry: Registry) -> None:
    """Let the registry know the practice game, so that phases, targets and runs can name it."""
    if "practice" not in registry.names("envs"):
        target = "lanista.testing.practice:Practice"
        entry = Entry(
            "envs", "practice", target, PracticeSettings, "a game to try plugins on", "lanista.testing"
        )
        registry.add_all([entry])
