"""Stratified percentile bootstrap (Efron 1979; Agarwal et al. 2021, section 4.1).

Runs are drawn with replacement within each stratum (a task, or one of two groups that are compared), never across.
The interval is that between the percentiles of the statistic over the draws.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf

import numpy as np

from lanista.statistics.scores import Scores

#: takes the strata, each ``[..., r]``, and gives the statistic ``[...]``
Statistic = Callable[..., Scores]

DRAWS = 5000


@dataclass(frozen=True)
class Interval:
    """A statistic with its interval and standard error."""

    value: float
    low: float
    high: float
    #: standard deviation of the statistic over the draws; infinite where there is one run only
    error: float


def bootstrap(
    strata: Sequence[Scores], statistic: Statistic, confidence: float = 0.95, seed: int = 0
) -> Interval:
    """Give the statistic of `strata` (each ``[r]``) with its interval.

    A stratum of one run has no spread that could be drawn from: the interval is then unbounded.
    """
    from scipy import stats

    if not 0.0 < confidence < 1.0:
        raise ValueError(f"confidence lies between 0 and 1, found {confidence}; write 0.95 for 95 %")
    if not strata or any(len(stratum) == 0 for stratum in strata):
        raise ValueError("a stratum holds no run; give at least one run of each")
    value = float(statistic(*strata))
    if any(len(stratum) == 1 for stratum in strata):
        return Interval(value, -inf, inf, inf)
    found = stats.bootstrap(
        tuple(strata),
        lambda *drawn, axis: statistic(*(np.moveaxis(part, axis, -1) for part in drawn)),
        n_resamples=DRAWS,
        confidence_level=confidence,
        method="percentile",
        vectorized=True,
        paired=False,
        batch=1000,
        random_state=np.random.default_rng(seed),
    )
    low, high = found.confidence_interval
    return Interval(value, float(low), float(high), float(found.standard_error))
