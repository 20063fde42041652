"""N games of rock-paper-scissors in lock-step: both seats show a sign at once, round after round.

Source: kaggle-environments 1.33.2, ``envs/rps/rps.json`` and ``rps.py``. A round gives its winner a point and takes
one from the loser; after ``episode_steps - 1`` rounds the seat that is ahead wins, unless its lead is below
`tie_reward_threshold`.

Nothing that a seat may see says what the other one is about to show, so the observation is a constant and a policy
is one mixed strategy over three signs. (A player who reads habits out of past rounds is another game; this one
is about the equilibrium.)
"""

import numpy as np

from lanista.arrays import AnyArray, IntArray
from lanista.env import VecEnv
from lanista.spec import EnvSpec, FactSpec, HeadSpec, ObsPart
from lanista_rps.settings import RpsSettings

SIGNS = ("rock", "paper", "scissors")


class Rps(VecEnv):
    """See the module. The rules draw nothing, so `reset` has no use for its seed."""

    def __init__(self, num_games: int, settings: RpsSettings, num_threads: int) -> None:
        """Allocate every array; one thread is plenty."""
        rounds = settings.episode_steps - 1
        self.num_games = num_games
        self.settings = settings
        self.spec = EnvSpec(
            name="rps",
            version="1",
            source="kaggle-environments 1.33.2, envs/rps",
            seats=2,
            turns="simultaneous",
            observation=(ObsPart("always", (1,), "float32", "1: there is nothing to see before a round"),),
            heads=(HeadSpec("sign", "categorical", 3, "rock, paper or scissors"),),
            facts=(
                FactSpec("reward", "flow", "points", "1 for a round won, -1 for one lost"),
                FactSpec("lead", "level", "points", "rounds won less rounds lost in this game"),
            ),
            max_steps=rounds,
            reward_range=(-1.0, 1.0),
            outcome="result",
        )
        cells = (num_games, 2)
        self.observation = {"always": np.ones((*cells, 1), np.float32)}
        self.final_observation = {"always": np.ones((*cells, 1), np.float32)}
        self.legal = {"sign": np.ones((*cells, 3), np.bool_)}
        self.acting = np.ones(cells, np.bool_)
        self.facts = {name: np.zeros(cells, np.float32) for name in ("reward", "lead")}
        self.final_facts = {name: np.zeros(cells, np.float32) for name in ("reward", "lead")}
        self.outcome = np.zeros(cells, np.float32)
        self.terminated = np.zeros(cells, np.bool_)
        self.truncated = np.zeros(cells, np.bool_)
        self.ended = np.zeros(num_games, np.bool_)
        #: ``[N]`` rounds played in the game that is on
        self.round = np.zeros(num_games, np.int64)

    def reset(self, seed: int) -> None:
        """Start all games anew."""
        for array in self._changing().values():
            array[...] = 0

    def step(self, actions: dict[str, AnyArray]) -> None:
        """Play one round in every game."""
        signs: IntArray = actions["sign"]
        # (mine - theirs) mod 3 is 0 for equal signs, 1 for the sign that beats the other, 2 for the one it beats.
        points = np.array([0, 1, -1], np.float32)[(signs - signs[:, ::-1]) % 3]
        self.facts["reward"][...] = points
        self.facts["lead"] += points
        self.round += 1
        self.ended[...] = self.round == self.spec.max_steps
        self.terminated[...] = self.ended[:, None]
        self.outcome[...] = 0.0
        if self.ended.any():
            self._begin_anew(np.flatnonzero(self.ended))

    def _begin_anew(self, games: IntArray) -> None:
        """Note how these games ended and clear them for the next ones."""
        for name, fact in self.facts.items():
            self.final_facts[name][games] = fact[games]
        lead = self.facts["lead"][games]
        won = np.abs(lead) >= self.settings.tie_reward_threshold
        self.outcome[games] = np.where(won, np.sign(lead), np.float32(0.0))
        for fact in self.facts.values():
            fact[games] = 0.0
        self.round[games] = 0

    def _changing(self) -> dict[str, AnyArray]:
        """Every array that a step changes, by name."""
        arrays: dict[str, AnyArray] = {
            name: getattr(self, name) for name in ("outcome", "terminated", "truncated", "ended", "round")
        }
        arrays |= {f"facts.{name}": fact for name, fact in self.facts.items()}
        return arrays | {f"final_facts.{name}": fact for name, fact in self.final_facts.items()}

    def save(self) -> dict[str, AnyArray]:
        """See `VecEnv.save`."""
        return {name: array.copy() for name, array in self._changing().items()}

    def load(self, state: dict[str, AnyArray]) -> None:
        """See `VecEnv.load`."""
        for name, array in self._changing().items():
            array[...] = state[name]

    def render(self, game: int) -> str:
        """The score of one game."""
        lead = int(self.facts["lead"][game, 0])
        return f"round {int(self.round[game])} of {self.spec.max_steps}, seat 0 leads by {lead}"
