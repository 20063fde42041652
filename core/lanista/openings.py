"""Random openings: a game's first steps are played at random, so that training meets more than its own lines.

Each game draws how many of its first steps are random, uniformly from 0 to `most`. Nobody learns from them. A
policy that has become sure of itself would else see the same few games over and over, and lose to the first
opponent that leaves them.
"""

import numpy as np
import torch

from lanista.actions import random_actions
from lanista.arrays import AnyArray, BoolArray, IntArray
from lanista.env import VecEnv
from lanista.spec import HeadSpec


class Openings:
    """Which games of a batch are in their opening, and what is played there."""

    def __init__(self, num_games: int, seats: int, most: int, generator: torch.Generator) -> None:
        """Draw every game's opening from `generator`, which goes on being used."""
        self._seats = seats
        self._most = most
        self._generator = generator
        #: ``[N]`` random steps that are left
        self.left: IntArray = np.zeros(num_games, np.int64)
        self.games_ended(np.arange(num_games))

    def rows(self, acting: BoolArray) -> BoolArray:
        """The rows ``[R]`` that act and are to be played at random."""
        return acting & np.repeat(self.left > 0, self._seats)

    def choose(self, head: HeadSpec, legal: BoolArray | None, rows: int) -> AnyArray:
        """Give a uniform legal action for each of `rows` rows; `legal` is ``[rows, A]``, if the head has masks."""
        drawn = torch.rand((rows, head.size), generator=self._generator).numpy()
        return random_actions(head, legal, drawn)

    def stepped(self) -> None:
        """One step is over in every game; call it before `games_ended`."""
        np.maximum(self.left - 1, 0, out=self.left)

    def games_ended(self, games: IntArray) -> None:
        """Draw the openings of the games that begin now."""
        drawn = torch.randint(self._most + 1, (len(games),), generator=self._generator)
        self.left[games] = drawn.numpy()


def openings_of(env: VecEnv, most: int, generator: torch.Generator) -> Openings | None:
    """Openings for an env's games; None for `most` = 0."""
    return Openings(env.num_games, env.spec.seats, most, generator) if most else None
