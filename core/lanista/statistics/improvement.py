"""The probability of improvement: how likely a run of Y scores above a run of X (Agarwal et al. 2021, section 4.3).

On one task it is the Mann-Whitney U statistic over the number of pairs, ties counting a half; over tasks, the mean.
"""

import numpy as np

from lanista.statistics.bootstrap import Interval, bootstrap
from lanista.statistics.scores import Scores


def probability_of_improvement(worse: Scores, better: Scores) -> Scores:
    """Give P(`better` > `worse`) + P(equal) / 2 over all pairs of runs ``[..., r]`` and ``[..., q]`` of one task."""
    above = better[..., :, None] > worse[..., None, :]
    equal = better[..., :, None] == worse[..., None, :]
    return np.asarray((above + 0.5 * equal).mean(axis=(-2, -1)))


def improvement_interval(worse: Scores, better: Scores, confidence: float = 0.95, seed: int = 0) -> Interval:
    """The probability of improvement on one task with its stratified bootstrap interval."""
    return bootstrap((worse, better), probability_of_improvement, confidence, seed)
