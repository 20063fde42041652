"""Performance profiles: the share of runs that score above a threshold, for every threshold.

The run-score distribution of Agarwal et al. 2021, section 4.2 (after Dolan and Moré 2002): over several tasks, the
mean of their shares. A curve that lies above another everywhere is better in every quantile.
"""

import numpy as np

from lanista.statistics.scores import Scores


def performance_profile(thresholds: Scores, *tasks: Scores) -> Scores:
    """Give for each of ``[L]`` thresholds the share ``[..., L]`` of runs ``[..., r]`` above it, the mean over tasks."""
    shares = [(task[..., None, :] > thresholds[:, None]).mean(axis=-1) for task in tasks]
    return np.asarray(np.mean(shares, axis=0))


def profile_band(
    thresholds: Scores, *tasks: Scores, confidence: float = 0.95, seed: int = 0, draws: int = 2000
) -> tuple[Scores, Scores]:
    """Lower and upper ends ``[L]`` of the pointwise stratified bootstrap intervals of the profile."""
    rng = np.random.default_rng(seed)
    drawn = [task[rng.integers(len(task), size=(draws, len(task)))] for task in tasks]
    tail = (1.0 - confidence) / 2.0
    low, high = np.quantile(performance_profile(thresholds, *drawn), [tail, 1.0 - tail], axis=0)
    return low, high
