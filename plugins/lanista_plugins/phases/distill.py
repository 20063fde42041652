"""The phase kind `distill`: a student learns to choose as its teacher does, and the phase fails if it does not.

One `update`:

1. play `num_steps` steps, each stretch of a game by teacher or student (`driving`; DAgger, Ross et al. 2011), or take
   a share of the states, or all, from games that an earlier phase kept (`stored`);
2. let the teacher label every row that acted, once, and keep it (`labelled`);
3. take `steps_per_rollout` optimiser steps on minibatches of all that is kept, and average the weights (`fitting`);
4. measure, when the `until` rule asks for it (`measure`, `paired`).

A loss that answers for whole trajectories learns from the student's own rollout instead, once (`on_policy`).
"""

from contextlib import ExitStack
from time import perf_counter
from typing import Any

import torch

from lanista.arrays import AnyArray
from lanista.episodes import learner_figures
from lanista.errors import LanistaError, RecipeError
from lanista.learning import Rollout
from lanista.named_arrays import copied_weights, prefixed, under
from lanista.openings import openings_of
from lanista.phases import PhaseContext, PhaseResult, PhaseState
from lanista.policy import Policy
from lanista.rollout import Collector
from lanista_plugins.phases.choosing import Candidates, ShareJudge
from lanista_plugins.phases.compare import agreement_of, compare_policies
from lanista_plugins.phases.driving import Drivers, Driving
from lanista_plugins.phases.ensemble import the_teacher
from lanista_plugins.phases.fitting import Fitting, Losses
from lanista_plugins.phases.labelled import LabelledRows
from lanista_plugins.phases.measure import Measure
from lanista_plugins.phases.on_policy import PlayedRows, charge, check_own_play, wants_own_play
from lanista_plugins.phases.paired import SharedStarts
from lanista_plugins.phases.scaling import Scaling, known_scaling, measured_scaling, statistics_problem
from lanista_plugins.phases.settings import DistillSettings
from lanista_plugins.phases.stored import StoredStates
from lanista_plugins.phases.student import fresh_student, losses_for
from lanista_plugins.phases.symmetric import SymmetricBatches, averaged_teacher
from lanista_plugins.phases.teacher import check_same_task

_TEST_GAMES = 50


class Distill:
    """One distillation phase; see `DistillSettings`."""

    def __init__(self, context: PhaseContext, settings: DistillSettings) -> None:
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
        """Build env, teacher, student and the losses."""
        context, settings = self.context, self.settings
        self.env = context.make_env(settings.num_games)
        self._open.callback(self.env.close)
        self.env.reset(context.derive("env"))
        teacher = the_teacher(context, settings, self.env, settings.compare_episodes)
        self.teacher = averaged_teacher(context, teacher, settings.average_symmetries, self.env)
        if isinstance(self.teacher, Policy):
            self.teacher.network.requires_grad_(False)
            self.teacher.network.eval()
        self.losses = Losses(losses_for(self.env.spec, settings), context.registry)
        self._take_student(None)
        check_same_task(context.name, self.student, self.teacher)
        driving = Driving(greedy=settings.greedy, stretch=settings.stretch, shove=settings.shove)
        self.drivers = Drivers(self.shown, self.teacher, driving)
        self.stored = None
        if settings.states is not None:
            if not isinstance(self.teacher, Policy):
                raise RecipeError(
                    f"phase {context.name!r}: the teacher must see the env itself, and kept games have none to show; "
                    "leave `states` out"
                )
            self.stored = StoredStates(context, settings.states, self.student)
        generator = torch.Generator().manual_seed(context.derive("rollout"))
        self.collector = Collector(
            env=self.env,
            policy=self.drivers,  # type: ignore[arg-type]  # it plays as a policy does; nothing else of one is used
            num_steps=self._fresh_steps,
            shapers=[],
            gamma=1.0,
            generator=generator,
            openings=openings_of(self.env, settings.random_opening, generator),
        )
        self.drivers.watch(self.collector)
        self.rows = LabelledRows(settings.buffer)
        self.played = self._own_play()
        self._symmetric = self._symmetric_batches()
        self.generator = torch.Generator().manual_seed(context.derive("minibatches"))
        judge = None
        if settings.until.share_at_least is not None:
            if self.env.spec.seats != 1:
                raise RecipeError(
                    f"phase {context.name!r}: until.share_at_least compares returns, and {self.env.spec.name} has "
                    f"{self.env.spec.seats} seats; ask for score_at_least against an opponent"
                )
            judge = ShareJudge(context, settings.until, self.teacher, self._tested)
            self._open.callback(judge.close)
        self.measure = Measure(context, settings.until, judge)
        self._open.callback(self.measure.close)
        self.candidates = Candidates(settings.candidates)

    def _symmetric_batches(self) -> SymmetricBatches | None:
        if not self.settings.augment_symmetries:
            return None
        if self.played is not None:
            raise RecipeError(
                f"phase {self.context.name!r}: a loss is charged along the student's own games, whose rows are not to be "
                "turned afterwards; leave augment_symmetries out, or take a loss such as kl"
            )
        return SymmetricBatches(self.context, self.env, labelled=True)

    def _own_play(self) -> PlayedRows | None:
        """What learns from the student's own rollouts, if a loss is charged along them."""
        settings, terms = self.settings, self.losses.terms
        share = settings.student_share
        alone = share.start == share.end == 1.0 and settings.states is None and not settings.shove
        check_own_play(self.context.name, terms, sampled=not settings.greedy, alone=alone)
        if not wants_own_play(terms):
            return None
        if not isinstance(self.teacher, Policy):
            raise RecipeError(
                f"phase {self.context.name!r}: the teacher must see the env itself and gives no logits to learn "
                "along trajectories from; take a loss such as kl, with student_share below 1"
            )
        return PlayedRows(terms)

    def _take_student(self, scaling: Scaling | None) -> None:
        """Build the student; its first weights are the same whatever the scaling."""
        self.scaling = scaling
        self.student = fresh_student(self.context, self.settings, self.env, scaling or {})
        self._first_weights = copied_weights(self.student.network)
        self.fitting = Fitting(self.student.network, self.losses, self.settings.averaging)
        averaged: Any = self.fitting.averaged
        #: the student as it is played and handed on
        self.shown = Policy(averaged, self.student.heads, self.student.card)

    @property
    def policy(self) -> Policy:
        """The student, its weights averaged."""
        return self.shown

    @property
    def _tested(self) -> int:
        """Games in play at once in a test: more than in training, since a step of few is mostly waiting."""
        return max(self.settings.num_games, _TEST_GAMES)

    @property
    def _fresh_steps(self) -> int:
        """Steps of a rollout: what stored states leave over, at least one (which is not played at share 1)."""
        states = self.settings.states
        share = 0.0 if states is None else states.share
        return max(1, round(self.settings.num_steps * (1.0 - share)))

    def update(self) -> dict[str, float]:
        """Gather, label, learn, measure."""
        metrics = self._gather()
        if self.scaling is None:
            self._measure_scaling()
            if self.played is not None:  # what was played was played by another student
                metrics = self._gather()
        started = perf_counter()
        metrics.update(self._learn_own_play() if self.played is not None else self._learn())
        self.fitting.show_average()
        self.collector.timing.learn += perf_counter() - started
        self.steps += self.settings.num_steps * self.settings.num_games
        metrics.update(self.collector.timing.shares())
        metrics.update(self.measure.after_update(self.shown, self.steps))
        self.finished = self.measure.over(self.steps)
        self.candidates.after_update(self.shown, self.progress)
        return metrics

    def _gather(self) -> dict[str, float]:
        """Play, label and keep; figures of the play."""
        metrics: dict[str, float] = {}
        fresh = 0
        if self.stored is None or self.stored.share < 1.0:
            share = self.settings.student_share.at(self.progress)
            self.drivers.student = self.student if self.played is not None else self.shown
            self.drivers.begin(share, self.settings.teacher_noise.at(self.progress))
            rollout, ended = self.collector.collect(self.progress)
            self.rollout, fresh = rollout, int(rollout.learn.sum())
            metrics |= {"student_share": share, "feedback": self.collector.feedback}
            metrics.update(learner_figures(ended, None, self.env.spec.seats))
        started = perf_counter()
        if fresh:
            self._keep(self.rollout)
        if self.stored is not None:
            share, budget = self.stored.share, self.settings.num_steps * self.settings.num_games
            count = budget if share == 1.0 else round(fresh * share / (1.0 - share))
            seen, legal = self.stored.draw(count)
            assert isinstance(self.teacher, Policy)  # `start` saw to it
            with torch.no_grad():
                self.rows.add(seen, legal, self.teacher.network(seen))
        self.collector.timing.learn += perf_counter() - started
        return metrics

    def _keep(self, rollout: Rollout) -> None:
        observation, legal, _ = rollout.decided()
        self.rows.add(observation, legal, self.drivers.labels(rollout))

    def _measure_scaling(self) -> None:
        """Look at the first states: the student is scaled by them, and they must be what the teacher knows."""
        scaling: Scaling = {}
        seen = self.rows.newest(len(self.rows)).observation
        problem = statistics_problem(self.teacher, seen) if isinstance(self.teacher, Policy) else None
        if problem is not None:
            raise LanistaError(f"phase {self.context.name!r}: {problem}")
        if self.settings.scaling == "measured" and self.settings.warm_start is None:
            parts = self.env.spec.observation
            scaling = measured_scaling(parts, seen, known_scaling(self.teacher, parts))
        self._take_student(scaling)

    def _learn(self) -> dict[str, float]:
        settings, sums = self.settings, dict[str, float]()
        rate = settings.learning_rate.at(self.progress)
        count = settings.steps_at(self.progress)
        for _ in range(count):
            batch = self.rows.draw(settings.minibatch_size, self.generator)
            if self._symmetric is not None:
                batch = self._symmetric.shown(batch, self.generator)
            for name, figure in self.fitting.step([(self.student, batch)], self.progress, rate).items():
                sums[name] = sums.get(name, 0.0) + figure / count
        with torch.no_grad():
            output = self.student.network(batch.observation)
        agreed = agreement_of(self.student, output.logits, batch.logits, batch.legal)
        return {**sums, "agreement": agreed, "learning_rate": rate, "labelled": float(len(self.rows))}

    def _learn_own_play(self) -> dict[str, float]:
        """One pass over the student's own rollout, the later costs of its choices included."""
        assert self.played is not None
        assert isinstance(self.teacher, Policy)
        rate, sums, count = self.settings.learning_rate.at(self.progress), dict[str, float](), 0
        figures = self.played.take(self.rollout, self.student, self.teacher, self.progress)
        for batch in self.played.batches(self.settings.minibatch_size, self.generator):
            found = self.fitting.step([(self.student, batch)], self.progress, rate, charge)
            count += 1
            for name, figure in found.items():
                sums[name] = sums.get(name, 0.0) + figure
        return {**figures, **{name: figure / count for name, figure in sums.items()}, "learning_rate": rate}

    def result(self) -> PhaseResult:
        """Compare student and teacher; raises LanistaError if it did not move or lost more than allowed."""
        chosen = self._choose()
        moved = max(
            float((weight - self._first_weights[name]).abs().max()) if weight.numel() else 0.0
            for name, weight in self.shown.network.state_dict().items()
        )
        if moved == 0.0:
            raise LanistaError(
                f"phase {self.context.name!r}: the student did not move: no weight changed in {self.steps:,} steps; "
                "look at learning_rate and at the losses' coefficients"
            )
        figures = compare_policies(
            self.context.make_measuring_env,
            self.shown,
            self.teacher,
            episodes=self.settings.compare_episodes,
            seed=self.context.derive("compare"),
            slots=self._tested,
        )
        problem = figures.problem(self.settings.allowed_loss, self.settings.min_agreement)
        if problem is not None:
            raise LanistaError(f"phase {self.context.name!r}: {problem}")
        told: dict[str, Any] = {"steps": self.steps, **figures.card()}
        measured = self.teacher.card.history.get("teacher", {}).get("measured")
        if measured is not None:  # what each of several teachers returned
            told["teachers"] = measured
        told["scaling"] = "measured" if self.shown.card.scaling else "env"
        return PhaseResult(self.shown, chosen, told, self.context.carried)

    def _choose(self) -> str:
        """Take the weights that are handed on, and say which."""
        best, alone = self.measure.best, self.env.spec.seats == 1
        if best is not None and (self.measure.passed or not alone):
            self.shown.network.load_state_dict(best[1])
            return f"best by measure ({best[0]:.4g})"
        if not alone:
            return "last"
        starts = SharedStarts(
            self.context.make_measuring_env,
            self.settings.until.episodes,
            self._tested,
            self.context.derive("choose"),
        )
        try:
            return self.candidates.choose(self.shown, None if best is None else best[1], starts)
        finally:
            starts.close()

    def state(self) -> PhaseState:
        """Everything that the next update depends on."""
        measured, best = self.measure.state()
        arrays: dict[str, AnyArray] = prefixed("fitting", self.fitting.state())
        arrays |= prefixed("collector", self.collector.state())
        arrays |= prefixed("drivers", self.drivers.state())
        arrays |= prefixed("rows", self.rows.state())
        arrays |= prefixed("best", best)
        arrays["generator"] = self.generator.get_state().numpy()
        arrays |= prefixed("candidates", self.candidates.state())
        if self.stored is not None:
            arrays["stored"] = self.stored.generator.get_state().numpy()
        if self.env.resumable:
            arrays |= prefixed("env", self.env.save())
        else:
            self._restart_games()
        return PhaseState({"steps": self.steps, "measure": measured, "scaling": self.scaling}, arrays)

    def _restart_games(self) -> None:
        self.env.reset(self.context.derive("env", self.steps))
        self.collector.games_restarted()

    def load_state(self, state: PhaseState) -> None:
        """Take back what `state` gave."""
        arrays, values = state.arrays, state.values
        self.steps = values["steps"]
        self._take_student(values["scaling"])
        self.fitting.load_state(under("fitting", arrays))
        self.fitting.show_average()
        self.measure.load_state(values["measure"], under("best", arrays))
        self.finished = self.measure.over(self.steps)
        self.candidates.load_state(under("candidates", arrays))
        self.rows.load_state(under("rows", arrays))
        self.generator.set_state(torch.from_numpy(arrays["generator"].copy()))
        if self.stored is not None:
            self.stored.generator.set_state(torch.from_numpy(arrays["stored"].copy()))
        self.collector.load_state(under("collector", arrays))
        self.drivers.load_state(under("drivers", arrays))
        if self.env.resumable:
            self.env.load(under("env", arrays))
        else:
            self._restart_games()

    def close(self) -> None:
        """Let go of the envs, as many as were built."""
        self._open.close()
