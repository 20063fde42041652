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

from lanista.episodes import learner_figures
from lanista.league.league import League
from lanista.learning import LossTerm
from lanista.openings import openings_of
from lanista.opponents import Opponents
from lanista.phases import PhaseContext, PhaseResult, PhaseState
from lanista.rollout import Collector
from lanista.shaping import Shaper
from lanista_plugins.phases.measure import Measure
from lanista_plugins.phases.settings import TrainSettings
from lanista_plugins.phases.start import starting_policy
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
        self._best: tuple[float, dict[str, torch.Tensor]] | None = None
        self._passed = False
        self._next_measure = settings.until.every

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
        self.opponents = None
        if settings.league is not None and env.spec.seats > 1:
            folder = context.run_folder / "league"
            league = League(folder, settings.league, context.registry, env.spec, context.derive("league"))
            self.opponents = Opponents.start(context, league, env)
        self.terms: list[LossTerm] = []
        if settings.teacher is not None:
            self.terms.append(teacher_term(context, self.policy, settings.teacher))
        generator = torch.Generator().manual_seed(context.derive("rollout"))
        self.collector = Collector(
            env=env,
            policy=self.policy,
            num_steps=settings.num_steps,
            shapers=self._shapers(),
            gamma=self.learner.gamma,
            generator=generator,
            opponents=self.opponents,
            openings=openings_of(env, settings.random_opening, generator),
        )
        self.measure = Measure(context, settings.until) if settings.until.measures else None
        if self.measure is not None:
            self._open.callback(self.measure.close)

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
        rollout, ended = self.collector.collect(self.progress)
        started = perf_counter()
        metrics: dict[str, float] = self.learner.update(rollout, self.progress, self.terms)
        self.collector.timing.learn += perf_counter() - started
        self.steps += self.settings.num_steps * self.settings.num_games
        metrics.update({f"reward/{name}": part for name, part in self.collector.reward_parts.items()})
        metrics.update(self.collector.timing.shares())
        learns = None if self.opponents is None else self.opponents.learns
        metrics.update(learner_figures(ended, learns, self.env.spec.seats))
        if self.measure is not None and self.steps >= self._next_measure:
            metrics.update(self._measure())
        self.finished = self._passed or self.steps >= self.settings.until.steps
        if self.opponents is not None:
            metrics.update(self.opponents.after_update(self.policy, self.steps, last=self.finished))
        return metrics

    def _measure(self) -> dict[str, float]:
        assert self.measure is not None
        self._next_measure = self.steps + self.settings.until.every
        found = self.measure.take(self.policy, self.steps)
        if self._best is None or found.figure > self._best[0] or found.passed:
            self._best = (found.figure, _copied(self.policy.network.state_dict()))
        self._passed = found.passed
        return found.metrics

    def result(self) -> PhaseResult:
        """The best policy by the gate or by the measure, else the last."""
        chosen = "last"
        figures: dict[str, Any] = {
            "steps": self.steps,
            "until": "rule met" if self._passed else "steps spent",
        }
        if self.opponents is not None and self.opponents.best is not None:
            name, weights = self.opponents.best
            self.policy.network.load_state_dict(weights)
            chosen = f"best by the gate ({name})"
        elif self._best is not None:
            figure, weights = self._best
            self.policy.network.load_state_dict(weights)
            chosen = f"best by measure ({figure:.4g})"
            figures["measured"] = figure
        carried = self.context.carried if self.opponents is None else self.opponents.carried()
        return PhaseResult(self.policy, chosen, figures, carried)

    def state(self) -> PhaseState:
        """Everything that the next update depends on."""
        values: dict[str, Any] = {
            "steps": self.steps,
            "next_measure": self._next_measure,
            "best": None if self._best is None else self._best[0],
            "passed": self._passed,
        }
        arrays = {
            f"network.{name}": weight.numpy() for name, weight in self.policy.network.state_dict().items()
        }
        arrays |= {f"learner.{name}": tensor.numpy() for name, tensor in self.learner.state().items()}
        arrays |= {f"collector.{name}": array for name, array in self.collector.state().items()}
        if self._best is not None:
            arrays |= {f"best.{name}": weight.numpy() for name, weight in self._best[1].items()}
        if self.env.resumable:
            arrays |= {f"env.{name}": array for name, array in self.env.save().items()}
        else:
            self.restart_games()
        if self.opponents is not None:
            league_values, league_arrays = self.opponents.state()
            values["league"] = league_values
            arrays |= {f"league.{name}": array for name, array in league_arrays.items()}
        return PhaseState(values, arrays)

    def restart_games(self) -> None:
        """Begin the games of an env that cannot be saved anew, as a resumed run has to."""
        self.env.reset(self.context.derive("env", self.steps))
        self.collector.games_restarted()
        if self.opponents is not None:
            self.opponents.games_restarted()

    def load_state(self, state: PhaseState) -> None:
        """Take back what `state` gave."""
        arrays = state.arrays

        def under(prefix: str) -> dict[str, Any]:
            return {name[len(prefix) :]: array for name, array in arrays.items() if name.startswith(prefix)}

        def tensors(prefix: str) -> dict[str, torch.Tensor]:
            return {name: torch.from_numpy(array.copy()) for name, array in under(prefix).items()}

        self.steps = state.values["steps"]
        self._next_measure = state.values["next_measure"]
        self._passed = state.values["passed"]
        self.finished = self._passed or self.steps >= self.settings.until.steps
        self.policy.network.load_state_dict(tensors("network."))
        self.learner.load_state(tensors("learner."))
        self.collector.load_state(under("collector."))
        if state.values["best"] is not None:
            self._best = (state.values["best"], tensors("best."))
        if self.opponents is not None:
            self.opponents.load_state(state.values["league"], under("league."))
        if self.env.resumable:
            self.env.load(under("env."))
        else:
            self.restart_games()

    def close(self) -> None:
        """Let go of the envs, as many as were built."""
        self._open.close()


def _copied(weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name: weight.detach().clone() for name, weight in weights.items()}
