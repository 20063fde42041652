"""Potential-based shaping (Ng, Harada and Russell 1999, Theorem 1): ``F = gamma * phi(s') - phi(s)``.

With the learner's own discount and ``phi = 0`` at termination the sum of F along an episode is ``-phi(s_0)``,
whatever the policy does, so no policy gains on another. Over a truncation the game would have gone on: phi of
the last state counts there, as the value does.
"""

from collections.abc import Mapping

import numpy as np

from lanista.arrays import FloatArray
from lanista.errors import RecipeError
from lanista.shaping import Passage
from lanista.spec import EnvSpec
from lanista_plugins.shapers.settings import PotentialSettings


class Potential:
    """``phi`` is a weighted sum of levels plus an offset."""

    def __init__(self, spec: EnvSpec, settings: PotentialSettings) -> None:
        """Only levels can carry a potential: a flow is no property of a state."""
        kinds = {fact.name: fact.kind for fact in spec.facts}
        levels = sorted(name for name, kind in kinds.items() if kind == "level")
        for name in settings.facts:
            if kinds.get(name) != "level":
                found = "a flow" if name in kinds else "no fact of this env"
                raise RecipeError(
                    f"potential: {name!r} is {found}; a potential is made of levels: {', '.join(levels) or 'none here'}"
                )
        self._weights = settings.facts
        self._offset = np.float32(settings.offset)
        self.facts = tuple(settings.facts)

    def __call__(self, passage: Passage) -> dict[str, FloatArray]:
        """One part, `potential`."""
        before = _weighted(self._weights, passage.before) + self._offset
        after = _weighted(self._weights, passage.after) + self._offset
        after = np.where(passage.terminated, np.float32(0.0), after)
        return {"potential": np.float32(passage.gamma) * after - before}


def _weighted(weights: dict[str, float], facts: Mapping[str, FloatArray]) -> FloatArray:
    total = sum(np.float32(weight) * facts[name] for name, weight in weights.items())
    return np.asarray(total, dtype=np.float32)
