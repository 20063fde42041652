"""Reward as a weighted sum of facts, and of the outcome."""

from lanista.arrays import FloatArray
from lanista.errors import RecipeError
from lanista.shaping import Passage
from lanista.spec import EnvSpec
from lanista_plugins.shapers.settings import OutcomeSettings, WeightsSettings


class Weights:
    """``sum_f weight_f * amount_f``; the amount of a level is its change in the step, of a flow its value."""

    def __init__(self, spec: EnvSpec, settings: WeightsSettings) -> None:
        """Look the facts up; an unknown one is an error that lists those of the env."""
        kinds = {fact.name: fact.kind for fact in spec.facts}
        unknown = sorted(set(settings.facts) - set(kinds) - {"outcome"})
        if unknown:
            raise RecipeError(
                f"reward: {spec.name} has no fact {unknown[0]!r}; there are: outcome, {', '.join(sorted(kinds))}"
            )
        self._kinds = kinds
        self._weights = settings.facts
        #: the facts that must be recorded for this shaper
        self.facts = tuple(name for name in settings.facts if name != "outcome")

    def __call__(self, passage: Passage) -> dict[str, FloatArray]:
        """One part a weighted fact."""
        parts: dict[str, FloatArray] = {}
        for name, schedule in self._weights.items():
            weight = schedule.at(passage.progress)
            if name == "outcome":
                parts[name] = weight * passage.outcome
            elif self._kinds[name] == "flow":
                parts[name] = weight * passage.after[name]
            else:
                parts[name] = weight * (passage.after[name] - passage.before[name])
        return parts


class Outcome:
    """The outcome alone, at the game's end."""

    facts = ()

    def __init__(self, spec: EnvSpec, settings: OutcomeSettings) -> None:
        """`spec` is not needed: every env has an outcome."""
        self._weight = settings.weight

    def __call__(self, passage: Passage) -> dict[str, FloatArray]:
        """One part, `outcome`."""
        return {"outcome": self._weight.at(passage.progress) * passage.outcome}
