"""A policy that plays like any other player: one forward pass over the rows that it is asked for."""

import numpy as np
import torch

from lanista.actions import random_actions
from lanista.arrays import AnyArray
from lanista.env import VecEnv
from lanista.policy import Policy


class PolicyPlayer:
    """Plays with a frozen policy, greedily or by sampling from its own generator."""

    def __init__(self, policy: Policy, seed: int, greedy: bool = False, random_share: float = 0.0) -> None:
        """`seed` starts the stream of sampled actions; a greedy player draws nothing.

        With `random_share` above 0 that share of moves is any legal one, which makes greedy players' games differ.
        """
        self.policy = policy
        self._specs = {spec.name: spec for spec in policy.card.spec.heads}
        self.random_share = random_share
        self.greedy = greedy
        self.generator = None if greedy and not random_share else torch.Generator().manual_seed(seed)

    def act(self, env: VecEnv, games: np.ndarray, seats: np.ndarray) -> dict[str, AnyArray]:
        """Choose for the rows ``(games[b], seats[b])``."""
        observation = {name: torch.from_numpy(part[games, seats]) for name, part in env.observation.items()}
        legal = {name: torch.from_numpy(mask[games, seats]) for name, mask in env.legal.items()}
        actions, _, _ = self.policy.act(observation, legal, None if self.greedy else self.generator)
        if self.random_share:
            drawn = torch.rand(len(games), generator=self.generator) < self.random_share
            for name, action in actions.items():
                spec, mask = self._specs[name], env.legal.get(name)
                noise = torch.rand((len(games), spec.size), generator=self.generator).numpy()
                random = random_actions(spec, None if mask is None else mask[games, seats], noise)
                rows = drawn.view(-1, *[1] * (action.ndim - 1))
                actions[name] = torch.where(rows, torch.from_numpy(random), action)
        return {name: action.numpy() for name, action in actions.items()}

    def state(self) -> dict[str, AnyArray]:
        """The generator's state (empty for a greedy player)."""
        return {} if self.generator is None else {"generator": self.generator.get_state().numpy()}

    def load_state(self, state: dict[str, AnyArray]) -> None:
        """Take back what `state` gave."""
        if self.generator is not None:
            self.generator.set_state(torch.from_numpy(state["generator"].copy()))
