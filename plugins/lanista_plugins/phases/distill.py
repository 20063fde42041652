"""The phase kind `distill`: a student learns to choose as its teacher does, and the phase fails if it does not.

One `update`:

1. play `num_steps` steps with teacher and student mixed move by move (DAgger, Ross et al. 2011), or take a share
   of the states, or all, from games that an earlier phase kept;
2. let the teacher label every row that acted, and keep the newest rows;
3. take `steps_per_rollout` optimiser steps on minibatches of them;
4. measure, when the `until` rule asks for it.
"""

from collections.abc import Mapping
from contextlib import ExitStack
from time import perf_counter
from typing import Any

import torch
from torch import Tensor

from lanista.episodes import learner_figures
from lanista.errors import LanistaError
from lanista.learning import Distiller
from lanista.named_arrays import as_arrays, as_tensors, copied_weights, prefixed, under
from lanista.openings import openings_of
from lanista.optimiser_state import optimiser_tensors, restore_optimiser
from lanista.phases import PhaseContext, PhaseResult, PhaseState
from lanista.policy import Policy, build_policy
from lanista.rollout import Collector
from lanista.testing import check_loss
from lanista.testing.complaints import Complaints
from lanista_plugins.phases.compare import agreement_of, compare_policies
from lanista_plugins.phases.labelled import LabelledRows
from lanista_plugins.phases.measure import Measure
from lanista_plugins.phases.settings import DistillSettings
from lanista_plugins.phases.stored import StoredStates
from lanista_plugins.phases.teacher import check_same_task


class MixedPolicy:
    """Plays each row by the student with probability `share`, else by the teacher."""

    def __init__(self, student: Policy, teacher: Policy, greedy: bool) -> None:
        """Both sample, or play greedily; `share` is set before each rollout."""
        self.student = student
        self.teacher = teacher
        self.greedy = greedy
        self.network = student.network
        self.share = 0.0

    def act(
        self, observation: Mapping[str, Tensor], legal: Mapping[str, Tensor], generator: torch.Generator
    ) -> tuple[dict[str, Tensor], Tensor, Tensor]:
        """Both choose, then a coin a row decides whose move is played."""
        moves = None if self.greedy else generator
        if self.share >= 1.0:
            return self.student.act(observation, legal, moves)
        if self.share <= 0.0:
            return self.teacher.act(observation, legal, moves)
        mine, logprob, value = self.student.act(observation, legal, moves)
        theirs, _, _ = self.teacher.act(observation, legal, moves)
        coin = torch.rand(value.shape, generator=generator) < self.share
        mixed = {
            name: torch.where(coin.view(-1, *[1] * (own.ndim - 1)), own, theirs[name])
            for name, own in mine.items()
        }
        return mixed, logprob, value


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
        context, settings, registry = self.context, self.settings, self.context.registry
        self.teacher = context.policy_of(settings.teacher)
        self.teacher.network.requires_grad_(False)
        self.teacher.network.eval()
        self.env = context.make_env(settings.num_games)
        self._open.callback(self.env.close)
        self.env.reset(context.derive("env"))
        options = settings.network.settings(registry).model_dump(mode="json")
        torch.manual_seed(context.derive("weights"))
        self.student = build_policy(context.card(self.env, settings.network.use, options), registry)
        check_same_task(context.name, self.student, self.teacher)
        self._first_weights = copied_weights(self.student.network)
        self.losses: list[tuple[str, Distiller, Any]] = [
            (term.loss.use, term.loss.build(registry)(term.loss.settings(registry)), term.coef)
            for term in settings.losses
        ]
        self.mixed = MixedPolicy(self.student, self.teacher, settings.greedy)
        self.stored = None
        if settings.states is not None:
            self.stored = StoredStates(context, settings.states, self.student)
        generator = torch.Generator().manual_seed(context.derive("rollout"))
        self.collector = Collector(
            env=self.env,
            policy=self.mixed,  # type: ignore[arg-type]  # it plays as a policy does; nothing else of one is used
            num_steps=self._fresh_steps,
            shapers=[],
            gamma=1.0,
            generator=generator,
            openings=openings_of(self.env, settings.random_opening, generator),
        )
        self.rows = LabelledRows(settings.buffer)
        self.optimiser = torch.optim.Adam(
            self.student.network.parameters(), lr=settings.learning_rate.at(0.0), fused=True
        )
        self.generator = torch.Generator().manual_seed(context.derive("minibatches"))
        self.measure = Measure(context, settings.until)
        self._open.callback(self.measure.close)

    @property
    def policy(self) -> Policy:
        """The student."""
        return self.student

    @property
    def _fresh_steps(self) -> int:
        """Steps of a rollout: what stored states leave over, at least one (which is not played at share 1)."""
        states = self.settings.states
        share = 0.0 if states is None else states.share
        return max(1, round(self.settings.num_steps * (1.0 - share)))

    def update(self) -> dict[str, float]:
        """Gather, label, learn, measure."""
        self.mixed.share = self.settings.student_share.at(self.progress)
        metrics: dict[str, float] = {}
        fresh = 0
        if self.stored is None or self.stored.share < 1.0:
            rollout, ended = self.collector.collect(self.progress)
            fresh = int(rollout.learn.sum())
            metrics["student_share"] = self.mixed.share
            metrics["feedback"] = self.collector.feedback
            metrics.update(learner_figures(ended, None, self.env.spec.seats))
        started = perf_counter()
        if fresh:
            self.rows.add(self.collector.rollout, self.teacher)
        if self.stored is not None:
            share, budget = self.stored.share, self.settings.num_steps * self.settings.num_games
            rows = budget if share == 1.0 else round(fresh * share / (1.0 - share))
            self.rows.add_rows(*self.stored.draw(rows), self.teacher)
        metrics.update(self._learn())
        self.collector.timing.learn += perf_counter() - started
        self.steps += self.settings.num_steps * self.settings.num_games
        metrics.update(self.collector.timing.shares())
        metrics.update(self.measure.after_update(self.student, self.steps))
        self.finished = self.measure.over(self.steps)
        return metrics

    def _learn(self) -> dict[str, float]:
        context, settings = self.context, self.settings
        rate = settings.learning_rate.at(self.progress)
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        sums: dict[str, float] = {}
        for _ in range(settings.steps_per_rollout):
            batch = self.rows.draw(settings.minibatch_size, self.generator)
            output = self.student.network(batch.observation)
            total = output.value.new_zeros(())
            for name, distiller, coef in self.losses:
                rows = distiller.loss(
                    self.student, output.logits, output.value, batch.logits, batch.value, batch.legal
                )
                check_loss(rows, len(batch.value), Complaints.about(context.registry.get("distillers", name)))
                loss = rows.mean()
                total = total + coef.at(self.progress) * loss
                sums[f"{name}_loss"] = sums.get(f"{name}_loss", 0.0) + float(loss.detach())
            self.optimiser.zero_grad(set_to_none=True)
            total.backward()
            self.optimiser.step()
            with torch.no_grad():
                shared = agreement_of(self.student, output.logits, batch.logits, batch.legal)
            sums["agreement"] = sums.get("agreement", 0.0) + shared
        metrics = {name: value / settings.steps_per_rollout for name, value in sums.items()}
        metrics["learning_rate"] = rate
        return metrics

    def result(self) -> PhaseResult:
        """Compare student and teacher; raises LanistaError if it did not move or lost more than allowed."""
        best = self.measure.best
        if best is not None:
            self.student.network.load_state_dict(best[1])
        moved = max(
            float((weight - self._first_weights[name]).abs().max()) if weight.numel() else 0.0
            for name, weight in self.student.network.state_dict().items()
        )
        if moved == 0.0:
            raise LanistaError(
                f"phase {self.context.name!r}: the student did not move: no weight changed in {self.steps:,} steps; "
                "look at learning_rate and at the losses' coefficients"
            )
        figures = compare_policies(
            self.context.make_env,
            self.student,
            self.teacher,
            episodes=self.settings.compare_episodes,
            seed=self.context.derive("compare"),
        )
        problem = figures.problem(self.settings.allowed_loss, self.settings.min_agreement)
        if problem is not None:
            raise LanistaError(f"phase {self.context.name!r}: {problem}")
        chosen = "last" if best is None else f"best by measure ({best[0]:.4g})"
        return PhaseResult(
            self.student, chosen, {"steps": self.steps, **figures.card()}, self.context.carried
        )

    def state(self) -> PhaseState:
        """Everything that the next update depends on."""
        measured, best = self.measure.state()
        arrays = prefixed("network", as_arrays(self.student.network.state_dict()))
        arrays |= prefixed("optimiser", as_arrays(optimiser_tensors(self.optimiser)))
        arrays |= prefixed("collector", self.collector.state())
        arrays |= prefixed("rows", self.rows.state())
        arrays |= prefixed("best", best)
        arrays["generator"] = self.generator.get_state().numpy()
        if self.stored is not None:
            arrays["stored"] = self.stored.generator.get_state().numpy()
        if self.env.resumable:
            arrays |= prefixed("env", self.env.save())
        else:
            self._restart_games()
        return PhaseState({"steps": self.steps, "measure": measured}, arrays)

    def _restart_games(self) -> None:
        self.env.reset(self.context.derive("env", self.steps))
        self.collector.games_restarted()

    def load_state(self, state: PhaseState) -> None:
        """Take back what `state` gave."""
        arrays = state.arrays
        self.steps = state.values["steps"]
        self.measure.load_state(state.values["measure"], under("best", arrays))
        self.finished = self.measure.over(self.steps)
        self.student.network.load_state_dict(as_tensors(under("network", arrays)))
        restore_optimiser(self.optimiser, as_tensors(under("optimiser", arrays)))
        self.collector.load_state(under("collector", arrays))
        self.rows.load_state(under("rows", arrays))
        self.generator.set_state(torch.from_numpy(arrays["generator"].copy()))
        if self.stored is not None:
            self.stored.generator.set_state(torch.from_numpy(arrays["stored"].copy()))
        if self.env.resumable:
            self.env.load(under("env", arrays))
        else:
            self._restart_games()

    def close(self) -> None:
        """Let go of the envs, as many as were built."""
        self._open.close()
