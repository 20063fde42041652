"""Shares of an env's games that are played by threads of their own, so that none waits for another's step."""

import threading
from collections.abc import Callable
from concurrent.futures import CancelledError, ThreadPoolExecutor, as_completed

import numpy as np

from lanista.arrays import AnyArray, FloatArray, IntArray
from lanista.env import VecEnv
from lanista.players import Player


class InTurn:
    """A stateless player behind a lock: one that remembers or draws would hang on the order of the threads."""

    def __init__(self, player: Player) -> None:
        """Nothing is asked yet."""
        self._player = player
        self._turn = threading.Lock()
        #: set it, and whoever asks next gets a `CancelledError`
        self.stopped = False

    def act(self, env: VecEnv, games: IntArray, seats: IntArray) -> dict[str, AnyArray]:
        """Choose for the rows ``(games[b], seats[b])``."""
        with self._turn:
            if self.stopped:
                raise CancelledError
            return self._player.act(env, games, seats)

    def state(self) -> dict[str, AnyArray]:
        """There is none."""
        return {}

    def load_state(self, state: dict[str, AnyArray]) -> None:
        """Take back what `state` gave: nothing."""


def returns_of_shares(
    env: VecEnv, player: Player, num_episodes: int, returns: Callable[[VecEnv, Player, int], FloatArray]
) -> FloatArray:
    """Give the returns ``[num_episodes]`` that `returns` (share, player, episodes) finds for each of ``env.shares``.

    Game i of N plays the episodes i, i + N, ..., as it does where all games step together. The player is stateless.
    """
    asked = InTurn(player)
    found = np.zeros(num_episodes, np.float32)

    def play(share: VecEnv, first: int) -> None:
        rounds = np.arange(-(-num_episodes // env.num_games))[:, None] * env.num_games
        numbers = (rounds + np.arange(first, first + share.num_games)).reshape(-1)
        numbers = numbers[numbers < num_episodes]
        if numbers.size:
            found[numbers] = returns(share, asked, numbers.size)

    firsts = np.cumsum([0, *(share.num_games for share in env.shares[:-1])])
    with ThreadPoolExecutor(len(env.shares)) as pool:
        begun = [
            pool.submit(play, share, int(first)) for share, first in zip(env.shares, firsts, strict=True)
        ]
        try:
            for future in as_completed(begun):
                future.result()
        except BaseException:
            asked.stopped = True
            raise
    return found
