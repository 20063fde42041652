"""Episodes over rollouts: the official return and the length of every game that ends."""

from dataclasses import dataclass

import numpy as np

from lanista.arrays import AnyArray, BoolArray, FloatArray, IntArray
from lanista.env import VecEnv
from lanista.metrics import by_variant


@dataclass
class Ended:
    """The games that ended in a rollout, in order of time; E of them."""

    #: ``[E]`` index of the game
    game: IntArray
    #: ``[E, S]`` outcome by seat
    outcome: FloatArray
    #: ``[E, S]`` sum of the official reward by seat
    return_: FloatArray
    #: ``[E]`` steps
    length: IntArray
    #: the env's (`VecEnv.variants`), and ``[E]`` which of them each game was
    variants: tuple[str, ...] = ()
    variant: IntArray | None = None


class Episodes:
    """Sums that go on from one rollout to the next."""

    def __init__(self, num_games: int, seats: int) -> None:
        """All games begin."""
        self._return = np.zeros((num_games, seats), np.float64)
        self._length = np.zeros(num_games, np.int64)
        self._variants: tuple[str, ...] = ()
        #: of the games that are played, by step of this rollout
        self._variant: list[IntArray] = []

    def clear(self) -> None:
        """All games begin anew."""
        self._return.fill(0.0)
        self._length.fill(0)

    def watch(self, env: VecEnv) -> None:
        """Note which variants are played, before each step."""
        if env.variants:
            self._variants = env.variants
            self._variant.append(env.variant.copy())

    def gather(self, ended: BoolArray, official: FloatArray, outcome: FloatArray) -> Ended:
        """List the games of a rollout that ended, in order of time.

        `ended` is ``[T, N]``; `official` (rewards) and `outcome` are ``[T, R]``.
        """
        steps, games = ended.shape
        seats = self._return.shape[1]
        steps_of_end, ended_games = np.nonzero(ended)
        totals = np.cumsum(official.reshape(steps, games, seats), axis=0, dtype=np.float64) + self._return
        return_ = totals[steps_of_end, ended_games]
        length = steps_of_end + 1 + self._length[ended_games]
        # A game that ended twice in this rollout counts only from its last end before.
        previous = _previous_end(steps_of_end, ended_games)
        again = previous >= 0
        return_[again] -= totals[steps_of_end[previous[again]], ended_games[again]]
        length[again] = steps_of_end[again] - steps_of_end[previous[again]]
        last_end = np.full(games, -1)
        np.maximum.at(last_end, ended_games, steps_of_end)
        closed = last_end >= 0
        self._return = totals[-1].copy()
        self._return[closed] -= totals[last_end[closed], np.flatnonzero(closed)]
        self._length = np.where(closed, steps - 1 - last_end, self._length + steps)
        results = outcome.reshape(steps, games, seats)[steps_of_end, ended_games]
        variant = np.stack(self._variant)[ended] if self._variants else None
        self._variant.clear()
        return Ended(ended_games, results, return_.astype(np.float32), length, self._variants, variant)

    def state(self) -> dict[str, AnyArray]:
        """The open sums."""
        return {"return": self._return.copy(), "length": self._length.copy()}

    def load_state(self, state: dict[str, AnyArray]) -> None:
        """Take back what `state` gave."""
        self._return, self._length = state["return"].copy(), state["length"].copy()


def _previous_end(steps: IntArray, games: IntArray) -> IntArray:
    """For each end (sorted by step) the place of the same game's end before it in this rollout, or -1."""
    order = np.argsort(games, kind="stable")
    previous = np.full(len(games), -1)
    same = games[order][1:] == games[order][:-1]
    previous[order[1:][same]] = order[:-1][same]
    return previous


def learner_figures(ended: Ended, learns: BoolArray | None, seats: int) -> dict[str, float]:
    """Mean outcome, return and length of the ended games over the learning policy's seats, by variant as well."""
    if len(ended.game) == 0:
        return {}
    mask = (
        np.ones((len(ended.game), seats), np.bool_)
        if learns is None
        else learns.reshape(-1, seats)[ended.game]
    )
    if not mask.any():
        return {}
    figures = {
        "episodes": float(len(ended.game)),
        "outcome": float(ended.outcome[mask].mean()),
        "return": float(ended.return_[mask].mean()),
        "length": float(ended.length.mean()),
    }
    for place, name in enumerate(ended.variants):
        these = mask & (ended.variant == place)[:, None] if ended.variant is not None else mask
        if these.any():
            figures[by_variant(name, "outcome")] = float(ended.outcome[these].mean())
            figures[by_variant(name, "return")] = float(ended.return_[these].mean())
    return figures
