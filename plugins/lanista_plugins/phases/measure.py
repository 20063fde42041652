"""Measuring a policy between updates, for `until` rules and for choosing the phase's best."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from lanista.arrays import AnyArray
from lanista.matches import evaluate_returns, play_matches
from lanista.metrics import by_variant
from lanista.named_arrays import as_arrays, as_tensors, copied_weights
from lanista.phases import PhaseContext
from lanista.policy import Policy
from lanista.policy_player import PolicyPlayer
from lanista_plugins.phases.settings import Until


@dataclass(frozen=True)
class Measurement:
    """One measurement: the figure that is compared and what goes into the log."""

    #: mean return, or score against the opponent
    figure: float
    passed: bool
    metrics: dict[str, float]


#: (policy, seed of the starts) -> what was measured
Judge = Callable[[Policy, int], Measurement]


class Measure:
    """Measures when an `until` rule asks for it and remembers the best policy so far.

    The measuring games are played on envs of its own, so the training games are not disturbed.
    """

    def __init__(self, context: PhaseContext, until: Until, judge: Judge | None = None) -> None:
        """Build the env once; nothing is played yet. `judge` is for a rule that this does not know."""
        self._context = context
        self._judge = judge
        self._until = until
        self._env = context.make_measuring_env(until.episodes) if until.return_at_least is not None else None
        self._next = until.every
        #: whether the rule has been met
        self.passed = False
        #: figure and weights of the best policy measured; None before the first measurement
        self.best: tuple[float, dict[str, Tensor]] | None = None

    def after_update(self, policy: Policy, steps: int) -> dict[str, float]:
        """Measure if it is time; the first to pass is the best, before that the highest figure."""
        if not self._until.measures or steps < self._next:
            return {}
        self._next = steps + self._until.every
        found = self._take(policy, steps)
        if self.best is None or found.figure > self.best[0] or found.passed:
            self.best = (found.figure, copied_weights(policy.network))
        self.passed = found.passed
        return found.metrics

    def over(self, steps: int) -> bool:
        """Whether the phase is to end after `steps` env steps."""
        return self.passed or steps >= self._until.steps

    def state(self) -> tuple[dict[str, Any], dict[str, AnyArray]]:
        """When to measure next, and the best so far."""
        best = None if self.best is None else self.best[0]
        arrays = {} if self.best is None else as_arrays(self.best[1])
        return {"next": self._next, "passed": self.passed, "best": best}, arrays

    def load_state(self, values: dict[str, Any], arrays: dict[str, AnyArray]) -> None:
        """Take back what `state` gave."""
        self._next, self.passed = values["next"], values["passed"]
        self.best = None if values["best"] is None else (values["best"], as_tensors(arrays))

    def _take(self, policy: Policy, steps: int) -> Measurement:
        """Measure; a passing figure is measured again on other start states and must pass both times."""
        once = self._once if self._judge is None else self._judge
        # A judge's starts stay the same, since others have played them too; the second ones are for who passed.
        at = () if self._judge is not None else (steps,)
        first = once(policy, self._context.derive("measure", *at, 0))
        if not first.passed:
            return first
        second = once(policy, self._context.derive("measure", *at, 1))
        if second.passed:
            return first
        return Measurement(second.figure, False, second.metrics)

    def _once(self, policy: Policy, seed: int) -> Measurement:
        until = self._until
        if self._env is not None and until.return_at_least is not None:
            returns = evaluate_returns(self._env, PolicyPlayer(policy, 0, greedy=True), until.episodes, seed)
            mean = float(returns.mean())
            metrics = {"greedy_return": mean, "greedy_return_min": float(returns.min())}
            return Measurement(mean, mean >= until.return_at_least, metrics)
        assert until.opponent is not None  # Until's own validator sees to it
        assert until.score_at_least is not None
        context = self._context
        factory = context.registry.load("players", until.opponent)
        settings = context.registry.settings("players", until.opponent, {})
        opponent = factory(context.make_env(1).spec, settings, seed)
        players = [PolicyPlayer(policy, seed, greedy=True), opponent]
        result = play_matches(context.make_measuring_env, players, until.episodes, seed)
        share, low = result.tally(0, 1).share, result.low(0, 1, until.confidence)
        metrics = {f"score/{until.opponent}": share, f"score_low/{until.opponent}": low}
        for name, games in result.by_variant().items():
            metrics[by_variant(name, f"score/{until.opponent}")] = games.tally(0, 1).share
        return Measurement(share, low >= until.score_at_least, metrics)

    def close(self) -> None:
        """Let go of the measuring env."""
        if self._env is not None:
            self._env.close()
