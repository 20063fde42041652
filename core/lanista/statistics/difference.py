"""Whether two groups of runs differ, and how many more runs would tell.

1. The difference is that of the interquartile means, with its stratified bootstrap interval.
2. A difference is *shown* if that interval leaves out 0 **and** a permutation test of the probability of improvement (the
   Mann-Whitney test, exact with ties) agrees. The bootstrap alone errs oftener than it says where there are few runs;
   the permutation test holds its level for any number of runs if the groups do not differ at all.
3. Where several groups are held against one, the tests are corrected together (Holm 1979).
4. If nothing is shown, the runs a group that would show a difference as large as the one found, in four of five
   repetitions, follow from the error of the difference, which falls with the square root of the runs.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from math import ceil, isfinite
from statistics import NormalDist

import numpy as np

from lanista.statistics.bootstrap import Interval, bootstrap
from lanista.statistics.improvement import probability_of_improvement
from lanista.statistics.iqm import interquartile_mean
from lanista.statistics.scores import Scores

#: random assignments where all are too many to try
ASSIGNMENTS = 9999
POWER = 0.8
#: beyond this no number of runs is worth naming
MOST_RUNS = 1000


@dataclass(frozen=True)
class Difference:
    """Group B less group A."""

    interval: Interval
    #: two-sided, of the permutation test
    p: float
    #: runs of the smaller group
    runs: int

    def shown(self, level: float = 0.05) -> bool:
        """Whether the difference is real at `level`, by interval and test."""
        return self.p <= level and (self.interval.low > 0.0 or self.interval.high < 0.0)

    def more_runs(self, level: float = 0.05) -> int | None:
        """How many more runs a group would show a difference of this size; None: more than is worth naming."""
        least = fewest_runs(level)
        size, error = abs(self.interval.value), self.interval.error
        if size == 0.0:
            return None
        if not isfinite(error):
            return max(least - self.runs, 1)
        normal = NormalDist()
        asked = normal.inv_cdf(1.0 - level / 2.0) + normal.inv_cdf(POWER)
        needed = max(ceil(self.runs * (asked * error / size) ** 2), least)
        return max(needed - self.runs, 1) if needed <= MOST_RUNS else None


@cache
def fewest_runs(level: float = 0.05) -> int:
    """The runs a group from which on two groups that do not overlap at all differ significantly at `level`."""
    runs = 2
    while (
        _permutation_p(np.arange(runs, dtype=float), np.arange(runs, 2 * runs, dtype=float), seed=0) > level
    ):
        runs += 1
    return runs


def iqm_difference(a: Scores, b: Scores, confidence: float = 0.95, seed: int = 0) -> Difference:
    """The difference of the interquartile means of ``[r]`` and ``[q]`` scores, B less A."""
    interval = bootstrap((a, b), _difference, confidence, seed)
    return Difference(interval, _permutation_p(a, b, seed), min(len(a), len(b)))


def _difference(a: Scores, b: Scores) -> Scores:
    return np.asarray(interquartile_mean(b) - interquartile_mean(a))


def _permutation_p(a: Scores, b: Scores, seed: int) -> float:
    """The two-sided p of the permutation test: exact where all assignments can be tried; 1 for single runs."""
    from scipy import stats

    if min(len(a), len(b)) < 2:
        return 1.0
    found = stats.permutation_test(
        (a, b),
        lambda first, second, axis: probability_of_improvement(
            np.moveaxis(first, axis, -1), np.moveaxis(second, axis, -1)
        ),
        permutation_type="independent",
        vectorized=True,
        n_resamples=ASSIGNMENTS,
        batch=1000,
        random_state=np.random.default_rng(seed),
    )
    return float(found.pvalue)


def holm_levels(p_values: Sequence[float], level: float = 0.05) -> list[float]:
    """Give for each of several tests the level that it is held to, so that all together err with `level` at most.

    The smallest p is held to ``level / m``, the next to ``level / (m - 1)``, ... (Holm 1979); from the first that misses
    its level on, all are held to that one.
    """
    levels = [0.0] * len(p_values)
    failed: float | None = None
    for rank, place in enumerate(sorted(range(len(p_values)), key=lambda place: p_values[place])):
        own = level / (len(p_values) - rank) if failed is None else failed
        levels[place] = own
        if failed is None and p_values[place] > own:
            failed = own
    return levels
