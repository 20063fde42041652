"""Matchmaker `rps_history`: fictitious play over all earlier selves, the later ones counting for more.

Fictitious play (Brown 1951, "Iterative solution of games by fictitious play") answers the average of all that was
played before. With `power` 1 the k-th snapshot weighs k, the linear averaging of CFR+ (Tammelin 2014,
https://arxiv.org/abs/1407.5042): what was played before the learner knew anything soon counts for little.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from lanista.league import PayoffView
from lanista_rps.settings import HistorySettings


class History:
    """See the module; results so far are not asked for."""

    def __init__(self, settings: HistorySettings) -> None:
        """Take the power."""
        self.power = settings.power

    def choose(self, candidates: Sequence[str], payoff: PayoffView, rng: np.random.Generator) -> str:
        """Pick by `weights`."""
        return candidates[int(rng.choice(len(candidates), p=weights(len(candidates), self.power)))]


def weights(count: int, power: float) -> npt.NDArray[np.float64]:
    """The weight of each of `count` snapshots, oldest first, ``[count]``; they add up to 1."""
    rising = np.arange(1, count + 1, dtype=np.float64) ** power
    share: npt.NDArray[np.float64] = rising / rising.sum()
    return share
