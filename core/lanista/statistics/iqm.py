"""The interquartile mean: the mean of the middle half of all runs of all tasks (Agarwal et al. 2021, section 4.3).

Of n scores the lowest and the highest ``floor(n / 4)`` are left out. It is more robust than the mean and wastes less
than the median.
"""

import numpy as np

from lanista.statistics.bootstrap import Interval, bootstrap
from lanista.statistics.scores import Scores


def interquartile_mean(*tasks: Scores) -> Scores:
    """Give the mean of the middle half of ``[..., r]`` scores, those of several tasks taken together."""
    from scipy import stats

    scores = np.concatenate(tasks, axis=-1)
    return np.asarray(stats.trim_mean(scores, 0.25, axis=-1))


def iqm_interval(*tasks: Scores, confidence: float = 0.95, seed: int = 0) -> Interval:
    """The interquartile mean of ``[r]`` scores a task, with its stratified bootstrap interval."""
    return bootstrap(tasks, interquartile_mean, confidence, seed)
