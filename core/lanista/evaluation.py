"""The evaluation that a recipe asks for: greedy play every so many env steps of the run, whatever the phase.

It is due after the first update that reaches a multiple of `every` env steps, counted over all phases, so curves
of different recipes lie on the same steps. It plays on an env of its own, with the run's settings and none of a
phase's changes, from start states of its own, and on levels that training never plays where the env has such
(`lanista.held_out`): neither training nor a phase's `until` rule can tell whether it took place. When it is due depends
on the step count alone, so a resumed run evaluates where the uninterrupted one does.
"""

from typing import Any

from lanista.env import VecEnv
from lanista.errors import RecipeError
from lanista.held_out import held_out
from lanista.league.member import game_digest
from lanista.league.roster import check_bot
from lanista.matches import evaluate_returns, play_matches
from lanista.metrics import by_variant
from lanista.phases import Phase
from lanista.policy import Policy
from lanista.policy_player import PolicyPlayer
from lanista.recipe import EvaluateSettings, RecipeTop
from lanista.registry import Registry
from lanista.seeds import derive_seed
from lanista.tables import EnvTable


class Evaluation:
    """Plays the policy as it is now; one for a whole run."""

    def __init__(
        self, settings: EvaluateSettings, env: EnvTable, registry: Registry, seed: int, num_threads: int
    ) -> None:
        """`seed` is the run's; nothing is built before the first evaluation, but what cannot work is refused."""
        self.settings = settings
        self._env_name = env.use
        self._env_settings = registry.settings("envs", env.use, held_out(registry, env.use, env.options))
        self._registry = registry
        self._seed = seed
        self._num_threads = num_threads
        self._env: VecEnv | None = None
        probe = self._make_env(1)
        spec = probe.spec
        probe.close()
        if spec.seats == 1 and settings.opponent is not None:
            raise RecipeError(
                f"evaluate: {spec.name} has one seat and is evaluated by its return; take opponent = "
                f"{settings.opponent!r} out"
            )
        if spec.seats > 1 and settings.opponent is None:
            raise RecipeError(
                f'evaluate: {spec.name} has {spec.seats} seats; name a player to score against, opponent = "random" say'
            )
        if settings.opponent is not None:
            check_bot(registry, settings.opponent, spec)
        self._spec = spec

    def due(self, before: int, now: int) -> bool:
        """Whether the update that led from `before` to `now` env steps of the run calls for an evaluation."""
        return now // self.settings.every > before // self.settings.every

    def take(self, policy: Policy, step: int) -> dict[str, float]:
        """Evaluate after `step` env steps of the run; gives the figures for the update's row."""
        if game_digest(policy.card.spec) != game_digest(self._spec):
            raise RecipeError(
                f"evaluate: phase {policy.card.name!r} trains on another observation or other actions than "
                f"{self._spec.name} has with the run's own settings; change the env at the recipe's top, or leave "
                "`evaluate` out"
            )
        episodes, seed = self.settings.episodes, derive_seed(self._seed, "evaluate", step)
        player = PolicyPlayer(policy, seed, greedy=True)
        opponent = self.settings.opponent
        if opponent is None:
            if self._env is None:
                self._env = self._make_env(min(episodes, 1024))
            returns = evaluate_returns(self._env, player, episodes, seed)
            return {"evaluated_return": float(returns.mean()), "evaluated_return_min": float(returns.min())}
        factory = self._registry.load("players", opponent)
        other = factory(self._spec, self._registry.settings("players", opponent, {}), seed)
        result = play_matches(self._make_env, [player, other], episodes, seed)
        figures = {"evaluated_score": result.tally(0, 1).share}
        for name, games in result.by_variant().items():
            figures[by_variant(name, "evaluated_score")] = games.tally(0, 1).share
        return figures

    def close(self) -> None:
        """Let go of the env."""
        if self._env is not None:
            self._env.close()

    def _make_env(self, num_games: int) -> VecEnv:
        factory: Any = self._registry.load("envs", self._env_name)
        env: VecEnv = factory(num_games, self._env_settings, self._num_threads)
        return env


def evaluation_of(top: RecipeTop, registry: Registry) -> Evaluation | None:
    """The evaluation that a recipe asks for, if it asks for one."""
    if top.evaluate is None:
        return None
    return Evaluation(top.evaluate, top.env, registry, top.seed, top.num_threads)


def shown_policy(phase: Phase, kind: str) -> Policy:
    """The policy that a phase shows to be evaluated; raises RecipeError if its kind shows none."""
    policy: Policy | None = getattr(phase, "policy", None)
    if policy is None:
        raise RecipeError(
            f"evaluate: phases of kind {kind!r} do not show the policy that they train (they have no attribute "
            "`policy`); leave `evaluate` out of this recipe, or ask the author of the phase kind for it"
        )
    return policy
