"""A two-seat env, a policy and a shaper whose every number can be told in advance."""

import numpy as np
import torch

from lanista.env import VecEnv
from lanista.policy import PolicyOutput
from lanista.spec import EnvSpec, FactSpec, HeadSpec, ObsPart


class CountingEnv(VecEnv):
    """Game i lasts 3 + i % 4 steps; even games end terminated, odd ones truncated.

    The observation is (game, seat, step in game, episode); seat t % 2 acts in `alternating` games, else both.
    The official reward is 1 for the acting seat if it plays action 1. The outcome is +1 for seat 0 and -1 for seat 1
    in even episodes, the other way round in odd ones.
    """

    def __init__(self, num_games: int, alternating: bool = True, resumable: bool = True) -> None:
        self.spec = EnvSpec(
            name="counting",
            version="1",
            source="here",
            seats=2,
            turns="alternating" if alternating else "simultaneous",
            observation=(ObsPart("place", (4,), "float32", "game, seat, step, episode"),),
            heads=(HeadSpec("move", "categorical", 3, "any"),),
            facts=(
                FactSpec("reward", "flow", "points", "1 for action 1"),
                FactSpec("age", "level", "steps", "of the game"),
            ),
            max_steps=6,
            reward_range=(0.0, 1.0),
            outcome="result",
        )
        n = self.num_games = num_games
        self.resumable = resumable
        self.alternating = alternating
        self.age = np.zeros(n, np.int64)
        self.episode = np.zeros(n, np.int64)
        self.observation = {"place": np.zeros((n, 2, 4), np.float32)}
        self.final_observation = {"place": np.zeros((n, 2, 4), np.float32)}
        self.legal = {"move": np.ones((n, 2, 3), np.bool_)}
        self.legal["move"][:, 1, 2] = False
        self.acting = np.zeros((n, 2), np.bool_)
        self.facts = {name: np.zeros((n, 2), np.float32) for name in ("reward", "age")}
        self.final_facts = {name: np.zeros((n, 2), np.float32) for name in ("reward", "age")}
        self.outcome = np.zeros((n, 2), np.float32)
        self.terminated = np.zeros((n, 2), np.bool_)
        self.truncated = np.zeros((n, 2), np.bool_)
        self.ended = np.zeros(n, np.bool_)

    def reset(self, seed: int) -> None:
        self.age[:] = 0
        self.episode[:] = 0
        for flags in (self.terminated, self.truncated, self.ended, self.outcome, self.facts["reward"]):
            flags[:] = 0
        self._show()

    def step(self, actions) -> None:
        games = np.arange(self.num_games)
        scored = (actions["move"] == 1) & self.acting
        self.age += 1
        self.ended[:] = self.age >= 3 + games % 4
        self.terminated[:] = (self.ended & (games % 2 == 0))[:, None]
        self.truncated[:] = (self.ended & (games % 2 == 1))[:, None]
        sign = np.where(self.episode % 2 == 0, 1.0, -1.0)
        self.outcome[:] = np.where(self.ended[:, None], sign[:, None] * np.array([1.0, -1.0]), 0.0)
        self._show()
        self.final_observation["place"][:] = self.observation["place"]
        self.final_facts["reward"][:] = scored
        self.final_facts["age"][:] = self.age[:, None]
        self.facts["reward"][:] = np.where(self.ended[:, None], 0.0, scored)
        self.age[self.ended] = 0
        self.episode[self.ended] += 1
        self._show()

    def _show(self) -> None:
        place = self.observation["place"]
        place[:, :, 0] = np.arange(self.num_games)[:, None]
        place[:, :, 1] = np.arange(2)
        place[:, :, 2] = self.age[:, None]
        place[:, :, 3] = self.episode[:, None]
        self.facts["age"][:] = self.age[:, None]
        self.acting[:] = (self.age[:, None] % 2 == np.arange(2)) if self.alternating else True

    def save(self):
        if not self.resumable:
            return super().save()
        return {"age": self.age.copy(), "episode": self.episode.copy(), "reward": self.facts["reward"].copy()}

    def load(self, state) -> None:
        self.age[:], self.episode[:] = state["age"], state["episode"]
        self._show()
        self.facts["reward"][:] = state["reward"]


class Fixed:
    """Plays action (game + step) % 2; its value of an observation is 1000 game + 100 seat + 10 step + episode."""

    def __init__(self) -> None:
        self.calls: list[int] = []

    def network(self, observation):
        return PolicyOutput({}, observation["place"] @ torch.tensor([1000.0, 100.0, 10.0, 1.0]))

    def act(self, observation, legal, generator):
        place = observation["place"]
        self.calls.append(len(place))
        value = self.network(observation).value
        return {"move": ((place[:, 0] + place[:, 2]) % 2).long()}, -value / 7, value


class Recorder:
    """A shaper that keeps what it is shown and pays the official reward plus the change of age."""

    def __call__(self, passage):
        self.passage = passage
        return {"official": passage.after["reward"], "aging": passage.after["age"] - passage.before["age"]}
