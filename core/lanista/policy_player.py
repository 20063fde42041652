"""A policy that plays like any other player: one forward pass over the rows that it is asked for."""

import numpy as np
import torch

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
                noise = torch.rand(legal[name].shape, generator=self.generator).where(legal[name], -1.0)
                actions[name] = torch.where(drawn, noise.argmax(dim=-1), action)
        return {name: action.numpy() for name, action in actions.items()}

    def state(self) -> dict[str, AnyArray]:
        """The generator's state (empty for a greedy player)."""
        return {} if self.generator is None else {"generator": self.generator.get_state().numpy()}

    def load_state(self, state: dict[str, AnyArray]) -> None:
        """Take back what `state` gave."""
        if self.generator is not None:
            self.generator.set_state(torch.from_numpy(state["generator"].copy()))
