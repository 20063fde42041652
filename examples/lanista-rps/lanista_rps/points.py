"""Shaper `rps_points`: what a won round is worth and what a lost one costs.

With `win` equal to `loss` the game stays zero-sum. Other weights keep the equal mixture as an equilibrium, because
the signs are alike, but no longer make a point of one seat the loss of the other.
"""

import numpy as np

from lanista.arrays import FloatArray
from lanista.shaping import Passage
from lanista.spec import EnvSpec
from lanista_rps.settings import PointsSettings


class Points:
    """One part, `points`."""

    facts = ("reward",)

    def __init__(self, spec: EnvSpec, settings: PointsSettings) -> None:
        """Take the weights."""
        self.settings = settings

    def __call__(self, passage: Passage) -> dict[str, FloatArray]:
        """Weigh the round's point, ``[T, N, S]``."""
        point = passage.after["reward"]
        weight = np.where(point > 0, np.float32(self.settings.win), np.float32(self.settings.loss))
        return {"points": weight * point}
