"""What the practice games have in common: rounds of all games at once, points, streams of their own, saved arrays.

A game of them says what it draws when games begin (`draw`), what it shows (`show`) and which arrays hold its draws.
"""

from abc import abstractmethod

import numpy as np

from lanista.arrays import AnyArray, IntArray
from lanista.env import VecEnv
from lanista.spec import EnvSpec, FactSpec


def points_of(a_round: str, in_all: str) -> tuple[FactSpec, FactSpec]:
    """The facts of a practice game: the reward of a round and the points in all."""
    return FactSpec("reward", "flow", "points", a_round), FactSpec("points", "level", "points", in_all)


class Rounds(VecEnv):
    """Games of `spec.max_steps` rounds; with one seat the points are the outcome, with two who has more of them."""

    #: names of the arrays that `draw` fills; with the rounds played they are the state
    drawn: tuple[str, ...]

    def __init__(self, num_games: int, spec: EnvSpec) -> None:
        """Allocate what every practice game has."""
        self.num_games, self.spec = num_games, spec
        cells = (num_games, spec.seats)
        names = [fact.name for fact in spec.facts]
        self.observation = self._blank()
        self.final_observation = self._blank()
        self.facts = {name: np.zeros(cells, np.float32) for name in names}
        self.final_facts = {name: np.zeros(cells, np.float32) for name in names}
        self.acting = np.ones(cells, np.bool_)
        self.outcome = np.zeros(cells, np.float32)
        self.terminated, self.truncated = np.zeros(cells, np.bool_), np.zeros(cells, np.bool_)
        self.ended = np.zeros(num_games, np.bool_)
        self._seed = np.zeros(1, np.int64)
        self._episode = np.zeros(num_games, np.int64)
        self._round = np.zeros(num_games, np.int64)

    def _blank(self) -> dict[str, AnyArray]:
        cells = (self.num_games, self.spec.seats)
        return {part.name: np.zeros((*cells, *part.shape), part.dtype) for part in self.spec.observation}

    @abstractmethod
    def draw(self, game: int, rng: np.random.Generator) -> None:
        """Draw all rounds of a game that begins."""

    @abstractmethod
    def show(self) -> None:
        """Show the round that is on in every game."""

    def reset(self, seed: int) -> None:
        """Start all games anew."""
        self._seed[:] = seed
        self._episode[:] = 0
        told: tuple[AnyArray, ...] = (*self.facts.values(), self.outcome, self.terminated, self.ended)
        for array in told:
            array[...] = 0
        self._begin(np.arange(self.num_games))

    def _begin(self, games: IntArray) -> None:
        """Begin games, each from its own stream, and show all."""
        for game in games.tolist():
            self.draw(game, np.random.default_rng([int(self._seed[0]), game, int(self._episode[game])]))
        self._episode[games] += 1
        self._round[games] = 0
        for fact in self.facts.values():
            fact[games] = 0.0
        self.show()

    def end_round(self, points: AnyArray) -> None:
        """Count the points ``[N, S]`` of a round, end the games that have had their rounds, and show the next one."""
        self.facts["reward"][...] = points
        self.facts["points"] += points
        self._round += 1
        self.ended[...] = self._round == self.spec.max_steps
        self.terminated[...] = self.ended[:, None]
        self.outcome[...] = 0.0
        over = np.flatnonzero(self.ended)
        for name, part in self.observation.items():
            self.final_observation[name][over] = part[over]
        for name, fact in self.facts.items():
            self.final_facts[name][over] = fact[over]
        final = self.facts["points"][over]
        self.outcome[over] = final if self.spec.seats == 1 else np.sign(final - final[:, ::-1])
        if len(over):
            self._begin(over)
        else:
            self.show()

    def _changing(self) -> dict[str, AnyArray]:
        names = ("outcome", "terminated", "truncated", "ended", "_seed", "_episode", "_round")
        arrays: dict[str, AnyArray] = {name: getattr(self, name) for name in (*names, *self.drawn)}
        for group in ("final_observation", "facts", "final_facts"):
            arrays |= {f"{group}.{name}": array for name, array in getattr(self, group).items()}
        return arrays

    def save(self) -> dict[str, AnyArray]:
        """See `VecEnv.save`."""
        return {name: array.copy() for name, array in self._changing().items()}

    def load(self, state: dict[str, AnyArray]) -> None:
        """See `VecEnv.load`."""
        for name, array in self._changing().items():
            array[...] = state[name]
        self.show()
