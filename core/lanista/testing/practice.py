"""A game to try plugins on: say the number that you see, against nobody or against another seat.

Every round shows a number of 0 to 3 and forbids one other choice; saying it is a point. It is learnt in moments, has
masks, a level and a flow, ends by its rules, and can be had with one seat (outcome "score") or two (outcome "result").
"""

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from lanista.arrays import AnyArray, IntArray
from lanista.env import VecEnv
from lanista.registry import Entry, Registry
from lanista.spec import EnvSpec, FactSpec, HeadSpec, ObsPart

CHOICES = 4


class PracticeSettings(BaseModel):
    """Seats and length."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    #: 1 or 2
    seats: int = Field(default=1, ge=1, le=2)
    #: rounds of a game, 1 or more
    rounds: int = Field(default=8, ge=1)


class Practice(VecEnv):
    """See the module."""

    def __init__(self, num_games: int, settings: PracticeSettings, num_threads: int) -> None:
        """Allocate every array."""
        seats, rounds = settings.seats, settings.rounds
        cells = (num_games, seats)
        self.num_games = num_games
        self.spec = EnvSpec(
            name="practice",
            version="1",
            source="lanista.testing.practice",
            seats=seats,
            turns="simultaneous",
            observation=(ObsPart("number", (CHOICES,), "float32", "1 at the number to say"),),
            heads=(HeadSpec("say", "categorical", CHOICES, "a number"),),
            facts=(
                FactSpec("reward", "flow", "points", "1 for the right number"),
                FactSpec("points", "level", "points", "right numbers in this game"),
            ),
            max_steps=rounds,
            reward_range=(0.0, 1.0),
            outcome="score" if seats == 1 else "result",
        )
        self.observation = {"number": np.zeros((*cells, CHOICES), np.float32)}
        self.final_observation = {"number": np.zeros((*cells, CHOICES), np.float32)}
        self.legal = {"say": np.ones((*cells, CHOICES), np.bool_)}
        self.facts = {name: np.zeros(cells, np.float32) for name in ("reward", "points")}
        self.final_facts = {name: np.zeros(cells, np.float32) for name in ("reward", "points")}
        self.acting = np.ones(cells, np.bool_)
        self.outcome = np.zeros(cells, np.float32)
        self.terminated, self.truncated = np.zeros(cells, np.bool_), np.zeros(cells, np.bool_)
        self.ended = np.zeros(num_games, np.bool_)
        self._seed = np.zeros(1, np.int64)
        self._episode = np.zeros(num_games, np.int64)
        self._round = np.zeros(num_games, np.int64)
        #: ``[N, S, rounds]`` the numbers to say and those forbidden in the games that are on
        self._numbers = np.zeros((*cells, rounds), np.int64)
        self._forbidden = np.zeros((*cells, rounds), np.int64)

    def reset(self, seed: int) -> None:
        """Start all games anew."""
        self._seed[:] = seed
        self._episode[:] = 0
        shown: tuple[AnyArray, ...] = (*self.facts.values(), self.outcome, self.terminated, self.ended)
        for array in shown:
            array[...] = 0
        self._begin(np.arange(self.num_games))

    def _begin(self, games: IntArray) -> None:
        """Draw the numbers of games that begin, each from its own stream."""
        shape = self._numbers.shape[1:]
        for game in games:
            rng = np.random.default_rng([int(self._seed[0]), int(game), int(self._episode[game])])
            self._numbers[game] = rng.integers(CHOICES, size=shape)
            self._forbidden[game] = (self._numbers[game] + rng.integers(1, CHOICES, size=shape)) % CHOICES
        self._episode[games] += 1
        self._round[games] = 0
        for fact in self.facts.values():
            fact[games] = 0.0
        self._show()

    def _show(self) -> None:
        games, seats = np.indices(self.acting.shape)
        at = self._round[:, None]
        self.observation["number"][...] = 0.0
        self.observation["number"][games, seats, self._numbers[games, seats, at]] = 1.0
        self.legal["say"][...] = True
        self.legal["say"][games, seats, self._forbidden[games, seats, at]] = False

    def step(self, actions: dict[str, AnyArray]) -> None:
        """Play one round of every game."""
        games, seats = np.indices(self.acting.shape)
        right = actions["say"] == self._numbers[games, seats, self._round[:, None]]
        self.facts["reward"][...] = right
        self.facts["points"] += right
        self._round += 1
        self.ended[...] = self._round == self.spec.max_steps
        self.terminated[...] = self.ended[:, None]
        self.outcome[...] = 0.0
        over = np.flatnonzero(self.ended)
        self.final_observation["number"][over] = self.observation["number"][over]
        for name, fact in self.facts.items():
            self.final_facts[name][over] = fact[over]
        points = self.facts["points"][over]
        alone = self.spec.seats == 1
        self.outcome[over] = points if alone else np.sign(points - points[:, ::-1])
        if len(over):
            self._begin(over)
        else:
            self._show()

    def _changing(self) -> dict[str, AnyArray]:
        names = (
            "outcome",
            "terminated",
            "truncated",
            "ended",
            "_seed",
            "_episode",
            "_round",
            "_numbers",
            "_forbidden",
        )
        arrays: dict[str, AnyArray] = {name: getattr(self, name) for name in names}
        for group in ("observation", "final_observation", "legal", "facts", "final_facts"):
            arrays |= {f"{group}.{name}": array for name, array in getattr(self, group).items()}
        return arrays

    def save(self) -> dict[str, AnyArray]:
        """See `VecEnv.save`."""
        return {name: array.copy() for name, array in self._changing().items()}

    def load(self, state: dict[str, AnyArray]) -> None:
        """See `VecEnv.load`."""
        for name, array in self._changing().items():
            array[...] = state[name]


def offer_practice(registry: Registry) -> None:
    """Let the registry know the practice game, so that phases, targets and runs can name it."""
    if "practice" not in registry.names("envs"):
        target = "lanista.testing.practice:Practice"
        entry = Entry(
            "envs", "practice", target, PracticeSettings, "a game to try plugins on", "lanista.testing"
        )
        registry.add_all([entry])
