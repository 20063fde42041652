"""Measuring a policy between updates, for `until` rules and for choosing the phase's best."""

from dataclasses import dataclass

from lanista.intervals import lower_bound
from lanista.matches import evaluate_returns, play_matches
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


class Measure:
    """Plays the measuring games of an `until` rule on envs of its own, so the training games are not disturbed."""

    def __init__(self, context: PhaseContext, until: Until) -> None:
        """Build the env once; nothing is played yet."""
        self._context = context
        self._until = until
        self._env = context.make_env(until.episodes) if until.return_at_least is not None else None

    def take(self, policy: Policy, steps: int) -> Measurement:
        """Measure; a passing figure is measured again on other start states and must pass both times."""
        first = self._once(policy, self._context.derive("measure", steps, 0))
        if not first.passed:
            return first
        second = self._once(policy, self._context.derive("measure", steps, 1))
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
        result = play_matches(context.make_env, players, until.episodes, seed)
        tally = result.tally(0, 1)
        low = lower_bound(tally.score, tally.games, until.confidence)
        metrics = {f"score/{until.opponent}": tally.share, f"score_low/{until.opponent}": low}
        return Measurement(tally.share, low >= until.score_at_least, metrics)

    def close(self) -> None:
        """Let go of the measuring env."""
        if self._env is not None:
            self._env.close()
