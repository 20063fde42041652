"""What a decision leads to: the losses of a seat's later steps, up to its episode's end."""

import numpy as np

from lanista.arrays import BoolArray, FloatArray


def later_losses(losses: FloatArray, ended: BoolArray, discount: float) -> FloatArray:
    """``sum over i > t of discount^(i - t) losses_i`` along each column, ``[T, R]`` as `losses`.

    `ended` ``[T, R]`` is True where the row's episode ended in step t: nothing after it belongs to that step. Steps
    are env steps; a step in which the seat does not act has the loss 0. What lies beyond the last step is not known
    and counts as nothing (`baselined` takes out what this does to all rows of a step alike).
    """
    later = np.zeros(losses.shape, np.float64)
    for t in range(len(losses) - 2, -1, -1):
        later[t] = np.where(ended[t], 0.0, discount * (losses[t + 1] + later[t + 1]))
    return later.astype(np.float32)


def baselined(later: FloatArray, counts: BoolArray) -> FloatArray:
    """Subtract from each decision the mean of the *other* rows' at the same step; 0 where not `counts`.

    Leaving the row itself out keeps the gradient unbiased: the baseline then does not depend on the decision that
    it is subtracted from (Kool et al. 2019, https://openreview.net/forum?id=r1lgTGL5DE). A row that is alone in its
    step keeps its cost.
    """
    kept = np.where(counts, later, 0.0).astype(np.float64)
    number = counts.sum(axis=1, keepdims=True)
    others = (kept.sum(axis=1, keepdims=True) - kept) / np.maximum(number - 1, 1)
    return np.where(counts, kept - np.where(number > 1, others, 0.0), 0.0).astype(np.float32)
