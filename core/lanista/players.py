"""A scripted player: it reads its env's state arrays and plays the rows that act, without a network."""

from typing import Protocol

import numpy as np

from lanista.arrays import AnyArray
from lanista.env import VecEnv


class Player(Protocol):
    """A scripted opponent. It owns its randomness; `state`/`load_state` make a run resumable bit for bit."""

    def act(self, env: VecEnv, games: np.ndarray, seats: np.ndarray) -> dict[str, AnyArray]:
        """Choose for the rows ``(games[b], seats[b])``: each head to ``[B]`` int64, of real numbers ``[B, A]`` float32."""

    def state(self) -> dict[str, AnyArray]:
        """The generator's state and whatever else goes on from step to step, as arrays."""

    def load_state(self, state: dict[str, AnyArray]) -> None:
        """Take back what `state` gave."""
