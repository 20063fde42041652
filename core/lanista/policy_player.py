"""A policy that plays like any other player: one forward pass over the rows that it is asked for."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from lanista.actions import random_actions
from lanista.arrays import AnyArray
from lanista.env import VecEnv
from lanista.policy import Policy
from lanista.spec import HeadSpec
from lanista.units import UnitTable, seen


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

    @property
    def stateless(self) -> bool:
        """Whether it answers a position alike whenever it is asked, so that shares of games may ask in any order."""
        return self.generator is None

    def act(self, env: VecEnv, games: np.ndarray, seats: np.ndarray) -> dict[str, AnyArray]:
        """Choose for the rows ``(games[b], seats[b])``."""
        observation, legal = seen(env, games * env.spec.seats + seats)
        actions, _, _ = self.policy.act(observation, legal, None if self.greedy else self.generator)
        if self.random_share:
            drawn = torch.rand(len(games), generator=self.generator) < self.random_share
            for name, action in actions.items():
                actions[name] = self._mixed(self._specs[name], action, legal.get(name), drawn)
        return {name: action.numpy() for name, action in actions.items()}

    def _mixed(self, spec: HeadSpec, action: Tensor, legal: Any, drawn: Tensor) -> Tensor:  # noqa: ANN401 - mask or table
        """`action`, and in the rows `drawn` (``[B]``) a random legal one, of all of their units."""
        noise = torch.rand((len(action), spec.size), generator=self.generator).numpy()
        if isinstance(legal, UnitTable):
            legal, drawn = legal.legal, drawn[legal.row]
        random = torch.from_numpy(random_actions(spec, None if legal is None else legal.numpy(), noise))
        return torch.where(drawn.view(-1, *[1] * (action.ndim - 1)), random, action)

    def state(self) -> dict[str, AnyArray]:
        """The generator's state (empty for a greedy player)."""
        return {} if self.generator is None else {"generator": self.generator.get_state().numpy()}

    def load_state(self, state: dict[str, AnyArray]) -> None:
        """Take back what `state` gave."""
        if self.generator is not None:
            self.generator.set_state(torch.from_numpy(state["generator"].copy()))
