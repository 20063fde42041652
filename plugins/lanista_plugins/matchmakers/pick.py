"""The matchmakers `latest`, `uniform` and `pfsp`.

Source of `pfsp`: Vinyals et al. 2019, "Grandmaster level in StarCraft II using multi-agent reinforcement
learning", Nature 575, methods, "Prioritized fictitious self-play": opponent B is met with probability
``f(P[A beats B]) / sum over C of f(P[A beats C])``, with f_hard(x) = (1 - x)^p and f_var(x) = x (1 - x).
P is the learner's recent share of the points, a draw being half.
"""

from collections.abc import Sequence

import numpy as np

from lanista.league import PayoffView
from lanista.plugins import NoSettings
from lanista_plugins.matchmakers.settings import PfspSettings


class Latest:
    """Meets the newest snapshot."""

    def __init__(self, settings: NoSettings) -> None:
        """There is nothing to set."""

    def choose(self, candidates: Sequence[str], payoff: PayoffView, rng: np.random.Generator) -> str:
        """Pick the newest; draws nothing."""
        return candidates[-1]


class Uniform:
    """Meets every snapshot equally often (fictitious self-play)."""

    def __init__(self, settings: NoSettings) -> None:
        """There is nothing to set."""

    def choose(self, candidates: Sequence[str], payoff: PayoffView, rng: np.random.Generator) -> str:
        """Pick with equal chances."""
        return candidates[int(rng.integers(len(candidates)))]


class Pfsp:
    """Meets those from whom there is most to learn."""

    def __init__(self, settings: PfspSettings) -> None:
        """Keep the settings."""
        self.settings = settings

    def chances(self, candidates: Sequence[str], payoff: PayoffView) -> np.ndarray:
        """The chance of each candidate, ``[len(candidates)]``, adding up to 1."""
        settings = self.settings
        score = np.array([payoff.score(name) for name in candidates])
        weight = (1.0 - score) ** settings.power if settings.weighting == "hard" else score * (1.0 - score)
        even = np.full(len(candidates), 1.0 / len(candidates))
        total = float(weight.sum())
        if total <= 0.0:  # every member is beaten for certain, or all weights are too small for a float
            return even
        return np.asarray(settings.uniform_share * even + (1.0 - settings.uniform_share) * weight / total)

    def choose(self, candidates: Sequence[str], payoff: PayoffView, rng: np.random.Generator) -> str:
        """Pick by `chances`."""
        return candidates[int(rng.choice(len(candidates), p=self.chances(candidates, payoff)))]
