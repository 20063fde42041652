"""What a matchmaker is, and what it sees of the results so far."""

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from lanista.arrays import FloatArray


class PayoffView(Protocol):
    """The learner's recent results against the members, as a matchmaker may read them."""

    def score(self, opponent: str) -> float:
        """The learner's share of the points against `opponent`, above 0 and below 1; a half without games."""

    def games(self, opponent: str) -> float:
        """How many recent games stand behind it; older ones weigh less, so this is no whole number."""


class Matchmaker(Protocol):
    """Picks the frozen opponent of a slot."""

    def choose(self, candidates: Sequence[str], payoff: PayoffView, rng: np.random.Generator) -> str:
        """Pick one of `candidates` (members' names, oldest first, never empty); draw from `rng` only."""


class RecentScores:
    """The learner's results by opponent, each game weighing ``1 - 1/recent_games`` of the one after it.

    The learner changes while it plays, so what it lost long ago says little (AlphaStar fades its payoff in
    the same way, Vinyals et al. 2019, supplementary pseudocode). One won and one lost game are added to every
    score: no member is ever held for beaten once and for all.
    """

    def __init__(self, recent_games: int) -> None:
        """Start without games."""
        self._keep = 1.0 - 1.0 / recent_games
        #: opponent -> (weight of the games, weighted points)
        self._sums: dict[str, tuple[float, float]] = {}

    def add(self, opponent: str, points: FloatArray) -> None:
        """Count games in order of time; `points` are 1, 0.5 or 0 each, ``[K]``."""
        games, won = self._sums.get(opponent, (0.0, 0.0))
        weights = self._keep ** np.arange(len(points) - 1, -1, -1, dtype=np.float64)
        faded = self._keep ** len(points)
        self._sums[opponent] = (games * faded + float(weights.sum()), won * faded + float(weights @ points))

    def score(self, opponent: str) -> float:
        """See `PayoffView`."""
        games, won = self._sums.get(opponent, (0.0, 0.0))
        return (won + 1.0) / (games + 2.0)

    def games(self, opponent: str) -> float:
        """See `PayoffView`."""
        return self._sums.get(opponent, (0.0, 0.0))[0]

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values; floats come back exactly."""
        return {name: list(sums) for name, sums in self._sums.items()}

    def load_json(self, record: dict[str, Any]) -> None:
        """Take back what `to_json` gave."""
        self._sums = {name: (float(games), float(won)) for name, (games, won) in record.items()}
