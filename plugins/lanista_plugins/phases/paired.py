"""Tests on shared starts: student, teacher and random moves play the same episodes, and what is compared is pairs.

The share of the teacher's distance from random moves that a student keeps::

    share = (mean student - mean random) / (mean teacher - mean random)

1 is the teacher's strength, 0 that of random moves, whatever the reward's zero and unit. Its interval is Student's t
interval of the pairs ``student - random - share (teacher - random)``, divided by the teacher's mean distance (the
delta method; the teacher's own distance is large beside its error, or `distance_problem` says so).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from lanista.arrays import AnyArray, FloatArray
from lanista.env import VecEnv
from lanista.intervals import mean_interval
from lanista.matches import evaluate_returns
from lanista.players import Player
from lanista.policy import Policy
from lanista.policy_player import PolicyPlayer
from lanista.teachers import LiveTeacher

#: starts from which on an interval says more than the mean
_ENOUGH = 10


class LivePlayer:
    """A teacher that must see the env, as a player."""

    def __init__(self, teacher: LiveTeacher) -> None:
        """It plays what it says."""
        self.teacher = teacher

    def act(self, env: VecEnv, games: np.ndarray, seats: np.ndarray) -> dict[str, AnyArray]:
        """Choose for the rows ``(games[b], seats[b])``."""
        return self.teacher.labels(env, games, seats)

    def state(self) -> dict[str, AnyArray]:
        """The teacher's."""
        return self.teacher.state()

    def load_state(self, state: dict[str, AnyArray]) -> None:
        """Take back what `state` gave."""
        self.teacher.load_state(state)


def greedy_player(policy: Policy | LiveTeacher, seed: int, random_share: float = 0.0) -> Player:
    """A policy or a teacher as a player; `random_share` of a policy's moves are made at random."""
    if isinstance(policy, Policy):
        return PolicyPlayer(policy, seed, greedy=True, random_share=random_share)
    return LivePlayer(policy)


@dataclass(frozen=True)
class Standing:
    """Returns of the same E episodes, ``[E]`` each, by who played."""

    student: FloatArray
    teacher: FloatArray
    random: FloatArray

    @property
    def share(self) -> float:
        """The student's share of the teacher's distance from random moves; NaN where there is none."""
        distance = float(self.teacher.mean() - self.random.mean())
        return float(self.student.mean() - self.random.mean()) / distance if distance > 0.0 else float("nan")

    def share_interval(self, confidence: float = 0.95) -> tuple[float, float]:
        """The two-sided interval of `share`; without limits where there is no share."""
        share = self.share
        if not np.isfinite(share):
            return float("-inf"), float("inf")
        pairs = self.student - self.random - share * (self.teacher - self.random)
        low, high = mean_interval([float(pair) for pair in pairs], confidence)
        distance = float(self.teacher.mean() - self.random.mean())
        return share + low / distance, share + high / distance

    def distance_problem(self) -> str | None:
        """Say so if the teacher does not play better than random moves; few starts must not leave it in doubt."""
        ahead = [float(pair) for pair in self.teacher - self.random]
        least = mean_interval(ahead)[0] if len(ahead) >= _ENOUGH else float(np.mean(ahead))
        if least > 0.0:
            return None
        return (
            f"the teacher returns {self.teacher.mean():.4g} and random moves {self.random.mean():.4g} on the same "
            f"{len(self.teacher)} starts, so there is nothing to learn from it here; its observations may be scaled "
            "otherwise than this env's (name its statistics with normalise), the env may lack a wrapper or be another "
            "version, or its actions may be in another order"
        )


class SharedStarts:
    """Plays any number of players from the same starts, on an env of its own that is made when first needed."""

    def __init__(self, make_env: Callable[[int], VecEnv], episodes: int, slots: int, seed: int) -> None:
        """At most `slots` games are in play at once."""
        self._make_env = make_env
        self._env: VecEnv | None = None
        self._slots = min(episodes, slots)
        self.episodes = episodes
        self.seed = seed
        self._known: dict[int, tuple[FloatArray, FloatArray]] = {}

    def returns(self, player: Player, seed: int | None = None) -> FloatArray:
        """The returns ``[episodes]`` of a player alone."""
        if self._env is None:
            self._env = self._make_env(self._slots)
        return evaluate_returns(self._env, player, self.episodes, self.seed if seed is None else seed)

    def standing(self, student: Policy, teacher: Policy | LiveTeacher, seed: int | None = None) -> Standing:
        """All three; what teacher and random moves return is played once a seed."""
        starts = self.seed if seed is None else seed
        if starts not in self._known:
            theirs = self.returns(greedy_player(teacher, starts), starts)
            random = self.returns(greedy_player(student, starts, random_share=1.0), starts)
            self._known[starts] = (theirs, random)
        mine = self.returns(greedy_player(student, starts), starts)
        return Standing(mine, *self._known[starts])

    def close(self) -> None:
        """Let go of the env."""
        if self._env is not None:
            self._env.close()
            self._env = None


def better_place(returns: Sequence[FloatArray], confidence: float = 0.9) -> int:
    """Which of several students, on the same starts, to take: the last, unless one is better beyond doubt.

    Choosing the highest of several noisy means mostly chooses luck. One is taken instead of the last only if the
    lower end of the paired difference's interval is above 0; of several such the one with the highest lower end.
    """
    best, lead = len(returns) - 1, 0.0
    for place, other in enumerate(returns[:-1]):
        low, _ = mean_interval([float(pair) for pair in other - returns[-1]], confidence)
        if low > lead:
            best, lead = place, low
    return best
