"""The phase kind `train`: collect, shape, learn, measure, until the rule says that it is enough.

One `update`:

1. collect a rollout (opponents by the league's assignment);
2. let the learner make its steps on it, a teacher's term included;
3. measure, when the `until` rule asks for it, and remember the best policy so far;
4. let the league take a snapshot and judge the gate when its steps have come, and at the phase's end.
"""

from contextlib import ExitStack
from time import perf_counter
from typing import Any

import torch

from lanista.env import VecEnv
from lanista.episodes import learner_figures
from lanista.errors import RecipeError
from lanista.games.keeper import GameKeeper
from lanista.games.parts import Source, games_folder
from lanista.league.league import League
from lanista.learning import CriticFirst, LossTerm
from lanista.named_arrays import as_arrays, as_tensors, prefixed, under
from lanista.openings import Openings, openings_of
from lanista.opponents import Opponents
from lanista.phases import PhaseContext, PhaseResult, PhaseState
from lanista.rollout import Collector
from lanista.shaping import Shaper
from lanista.symmetry.augmentation import Augmentation
from lanista_plugins.phases.measure import Measure
from lanista_plugins.phases.settings import LAST_BEST, TrainSettings
from lanista_plugins.phases.start import starting_policy
from lanista_plugins.phases.symmetric import symmetric_rows
from lanista_plugins.phases.teacher import teacher_term


class Train:
    """One training phase; see `TrainSettings`."""

    def __init__(self, context: PhaseContext, settings: TrainSettings) -> None:
        """Take the settings; nothing is built before `start`."""
        self.context = context
        self.settings = settings
        self.steps = 0
        self.finished = False
        self._open = ExitStack()

    @property
    def progress(self) -> float:
        """Share of the step budget that is spent."""
        return min(self.steps / self.settings.until.steps, 1.0)

    def start(self) -> None:
        """Build env, policy, learner, opponents and shapers."""
        context, settings = self.context, self.settings
        env = context.make_env(settings.num_games)
        self._open.callback(env.close)
        env.reset(context.derive("env"))
        self.env = env
        self.policy = starting_policy(context, settings, env)
        learner = settings.learner
        self.learner = learner.build(context.registry)(
            self.policy, learner.settings(context.registry), context.derive("learner")
        )
        if settings.critic_warmup and not isinstance(self.learner, CriticFirst):
            raise RecipeError(
                f"phase {context.name!r}: learner {learner.use!r} cannot train its critic alone; leave critic_warmup "
                f"out, or let the learner offer value_only (lanista.learning.CriticFirst)"
            )
        self.opponents = None
        if settings.league is not None and env.spec.seats > 1:
            folder = context.run_folder / "league"
            league = League(folder, settings.league, context.registry, env.spec, context.derive("league"))
            self.opponents = Opponents.start(context, league, env)
        self.teacher = (
            None if settings.teacher is None else teacher_term(context, self.policy, settings.teacher)
        )
        self.terms: list[LossTerm] = [] if self.teacher is None else [self.teacher]
        generator = torch.Generator().manual_seed(context.derive("rollout"))
        openings = openings_of(env, settings.random_opening, generator)
        self.collector = Collector(
            env=env,
            policy=self.policy,
            num_steps=settings.num_steps,
            shapers=self._shapers(),
            gamma=self.learner.gamma,
            generator=generator,
            opponents=self.opponents,
            openings=openings,
            keeper=self._keeper(openings),
            augmentation=self._augmentation(generator),
            watch=self._watched(env),
        )
        self.measure = Measure(context, settings.until)
        self._open.callback(self.measure.close)

    def _augmentation(self, generator: torch.Generator) -> Augmentation | None:
        settings = self.settings
        if not settings.augment_symmetries:
            return None
        rows = symmetric_rows(self.context, self.env)
        return Augmentation(rows, settings.num_games, settings.num_steps, generator)

    def _keeper(self, openings: Openings | None) -> GameKeeper | None:
        settings, context = self.settings, self.context
        if settings.keep_games is None:
            return None
        card = self.policy.card
        source = Source(card.env, card.env_settings, self.env.spec, context.name)
        folder = games_folder(context.run_folder, context.name)
        return GameKeeper(
            settings.keep_games, self.env, settings.num_steps, folder, source, self.opponents, openings
        )

    def _watched(self, env: VecEnv) -> tuple[str, ...]:
        unknown = sorted(set(self.settings.watch) - set(env.facts))
        if unknown:
            raise RecipeError(
                f"phase {self.context.name!r}: watch names {unknown[0]!r}, which is no fact of {env.spec.name}; "
                f"there are: {', '.join(sorted(env.facts))}"
            )
        return self.settings.watch

    def _shapers(self) -> list[Shaper]:
        registry, spec = self.context.registry, self.env.spec
        tables: list[tuple[str, dict[str, Any]]] = [
            (table.use, table.options) for table in self.settings.shapers
        ]
        weights: dict[str, Any] = {name: weight.model_dump() for name, weight in self.settings.reward.items()}
        if weights or not tables:
            tables.insert(0, ("weights", {"facts": weights or {"reward": 1.0}}))
        return [
            registry.load("shapers", use)(spec, registry.settings("shapers", use, options))
            for use, options in tables
        ]

    def update(self) -> dict[str, float]:
        """One rollout, one learner update, and what falls due after it."""
        fresh = self.settings.num_steps * self.settings.num_games
        if self.collector.keeper is not None:
            self.collector.keeper.progress = min((self.steps + fresh) / self.settings.until.steps, 1.0)
        rollout, ended = self.collector.collect(self.progress)
        started = perf_counter()
        warming = self.steps // fresh < self.settings.critic_warmup
        if isinstance(self.learner, CriticFirst):
            self.learner.value_only = warming
        metrics: dict[str, float] = self.learner.update(rollout, self.progress, self.terms)
        self.collector.timing.learn += perf_counter() - started
        self.steps += fresh
        metrics["feedback"] = self.collector.feedback
        if self.settings.critic_warmup:
            metrics["critic_warmup"] = float(warming)
        metrics.update({f"reward/{name}": part for name, part in self.collector.reward_parts.items()})
        metrics.update({f"fact/{name}": mean for name, mean in self.collector.watched.items()})
        metrics.update(self.collector.timing.shares())
        learns = None if self.opponents is None else self.opponents.learns
        metrics.update(learner_figures(ended, learns, self.env.spec.seats))
        metrics.update(self.measure.after_update(self.policy, self.steps))
        self.finished = self.measure.over(self.steps)
        if self.opponents is not None:
            metrics.update(self.opponents.after_update(self.policy, self.steps, last=self.finished))
            if metrics.get("promoted"):
                self._follow_best()
        return metrics

    def _follow_best(self) -> None:
        """Let the snapshot that was promoted last teach, if the recipe says so."""
        best = None if self.opponents is None else self.opponents.best
        if self.teacher is not None and self.teacher.source == LAST_BEST and best is not None:
            self.teacher.follow(best[1])

    def result(self) -> PhaseResult:
        """The best policy by the gate or by the measure, else the last."""
        if self.collector.keeper is not None:
            self.collector.keeper.write()
        chosen = "last"
        figures: dict[str, Any] = {
            "steps": self.steps,
            "until": "rule met" if self.measure.passed else "steps spent",
        }
        if self.opponents is not None and self.opponents.best is not None:
            name, weights = self.opponents.best
            self.policy.network.load_state_dict(weights)
            chosen = f"best by the gate ({name})"
        elif self.measure.best is not None:
            figure, weights = self.measure.best
            self.policy.network.load_state_dict(weights)
            chosen = f"best by measure ({figure:.4g})"
            figures["measured"] = figure
        carried = self.context.carried if self.opponents is None else self.opponents.carried()
        return PhaseResult(self.policy, chosen, figures, carried)

    def state(self) -> PhaseState:
        """Everything that the next update depends on."""
        measured, best = self.measure.state()
        values: dict[str, Any] = {"steps": self.steps, "measure": measured}
        arrays = prefixed("network", as_arrays(self.policy.network.state_dict()))
        arrays |= prefixed("learner", as_arrays(self.learner.state()))
        arrays |= prefixed("collector", self.collector.state())
        arrays |= prefixed("best", best)
        if self.opponents is not None:
            values["opponents"], seated = self.opponents.state()
            arrays |= prefixed("opponents", seated)
        if self.env.resumable:
            arrays |= prefixed("env", self.env.save())
        else:
            self._restart_games()
        return PhaseState(values, arrays)

    def _restart_games(self) -> None:
        """Begin the games of an env that cannot be saved anew, as a resumed run has to."""
        self.env.reset(self.context.derive("env", self.steps))
        self.collector.games_restarted()

    def load_state(self, state: PhaseState) -> None:
        """Take back what `state` gave."""
        arrays = state.arrays
        self.steps = state.values["steps"]
        self.measure.load_state(state.values["measure"], under("best", arrays))
        self.finished = self.measure.over(self.steps)
        self.policy.network.load_state_dict(as_tensors(under("network", arrays)))
        self.learner.load_state(as_tensors(under("learner", arrays)))
        self.collector.load_state(under("collector", arrays))
        if self.opponents is not None:
            self.opponents.load_state(state.values["opponents"], under("opponents", arrays))
            self._follow_best()
        if self.env.resumable:
            self.env.load(under("env", arrays))
        else:
            self._restart_games()

    def close(self) -> None:
        """Let go of the envs, as many as were built."""
        self._open.close()
