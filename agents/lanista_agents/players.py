"""Scripted players that can play any env."""

import numpy as np

from lanista.actions import random_actions, units_of_rows
from lanista.arrays import AnyArray
from lanista.env import VecEnv
from lanista.plugins import NoSettings
from lanista.spec import UNITS, EnvSpec


class RandomPlayer:
    """Chooses among the legal actions of every head, each as probable as the others, or evenly within the bounds."""

    def __init__(self, env_spec: EnvSpec, settings: NoSettings, seed: int) -> None:
        """`seed` starts the player's own stream, which gives one number a row and choice, or real number."""
        self.heads = env_spec.heads
        # SFC64's whole state is a few 64-bit words, which a checkpoint can hold as an array.
        self._stream = np.random.SFC64(seed)
        self._generator = np.random.Generator(self._stream)

    def act(self, env: VecEnv, games: np.ndarray, seats: np.ndarray) -> dict[str, AnyArray]:
        """Choose for the rows ``(games[b], seats[b])``."""
        actions: dict[str, AnyArray] = {}
        for head in self.heads:
            if head.continuous:
                drawn = self._generator.random((len(games), head.size))
                actions[head.name] = random_actions(head, None, drawn)
                continue
            if head.kind == UNITS:
                legal = env.unit_legal[units_of_rows(env, games * env.spec.seats + seats)]
            else:
                legal = env.legal[head.name][games, seats]
            rank = np.cumsum(legal, axis=1)
            # The k-th legal action, k uniform below the number of legal ones.
            chosen = (self._generator.random(len(rank)) * rank[:, -1]).astype(np.int64)
            actions[head.name] = (rank > chosen[:, None]).argmax(axis=1)
        return actions

    def state(self) -> dict[str, AnyArray]:
        """The stream's state."""
        words: AnyArray = self._stream.state["state"]["state"]
        return {"stream": words.copy()}

    def load_state(self, state: dict[str, AnyArray]) -> None:
        """Take back what `state` gave."""
        self._stream.state = {
            **self._stream.state,
            "state": {"state": np.asarray(state["stream"], np.uint64)},
        }
