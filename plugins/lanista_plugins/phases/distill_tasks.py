"""The phase kind `distill_tasks`: one student learns several tasks, each from its own teacher.

One memory a task, an equal share of each minibatch, one trunk that all share, an output layer a task, and an input
layer a task where their observations differ (Rusu et al. 2015, https://arxiv.org/abs/1511.06295, section 4.3; Parisotto
et al. 2015, Actor-Mimic, https://arxiv.org/abs/1511.06342). One `update`:

1. each task plays `num_steps` steps, by its teacher or by the student, and its teacher labels them (`task`);
2. `steps_per_rollout` optimiser steps, each down the mean of the tasks' losses (`fitting`);
3. when `until.share_at_least` is set, student, teacher and random moves play the same starts of every task.

What is handed on is the student as the policy of the run's env. All of its parts, each an ordinary policy of its task, are
below RUN/tasks/PHASE/TASK.
"""

from contextlib import ExitStack
from time import perf_counter
from typing import Any

import torch
from torch import Tensor

from lanista.arrays import AnyArray
from lanista.errors import LanistaError, RecipeError
from lanista.named_arrays import copied_weights, prefixed, under
from lanista.phases import PhaseContext, PhaseResult, PhaseState
from lanista.policy import Policy, save_policy
from lanista.rollout import Timing
from lanista.tables import EnvTable
from lanista_plugins.phases.compare import Comparison, agreement_of, compare_policies
from lanista_plugins.phases.fitting import Fitting, Losses
from lanista_plugins.phases.labelled import LabelledBatch
from lanista_plugins.phases.measure import Measure, Measurement
from lanista_plugins.phases.shared_student import SharedStudent, num_shared, shared_student
from lanista_plugins.phases.task import Task
from lanista_plugins.phases.tasks_settings import DistillTasksSettings


class LossesByTask:
    """The loss terms of each task, found by the policy that they are asked for."""

    def __init__(self, tasks: list[Task]) -> None:
        """Build every task's distillers."""
        self._of = {task.name: Losses(task.losses, task.context.registry) for task in tasks}
        self._names: dict[int, str] = {}

    def know(self, policies: list[Policy], tasks: list[Task]) -> None:
        """Say whose policies these are."""
        self._names = {id(policy.network): task.name for policy, task in zip(policies, tasks, strict=True)}

    def of(
        self, policy: Policy, logits: dict[str, Tensor], value: Tensor, batch: LabelledBatch, progress: float
    ) -> tuple[Tensor, dict[str, float]]:
        """As `Losses.of`; figures are named ``task/<loss>_loss``."""
        name = self._names[id(policy.network)]
        total, figures = self._of[name].of(policy, logits, value, batch, progress)
        return total, {f"{name}/{term}": figure for term, figure in figures.items()}


class DistillTasks:
    """One phase of that kind; see `DistillTasksSettings`."""

    def __init__(self, context: PhaseContext, settings: DistillTasksSettings) -> None:
        """Take the settings; nothing is built before `start`."""
        self.context = context
        self.settings = settings
        self.steps = 0
        self.finished = False
        self._open = ExitStack()

    @property
    def progress(self) -> float:
        """Share of the step budget that is spent, the steps of all tasks together."""
        return min(self.steps / self.settings.until.steps, 1.0)

    def start(self) -> None:
        """Build every task's env and teacher, and the student."""
        context, settings = self.context, self.settings
        own = [place for place, task in enumerate(settings.tasks) if self._plays_same(task.env)]
        if not own:
            raise RecipeError(
                f"phase {context.name!r}: none of the tasks ({', '.join(task.name for task in settings.tasks)}) plays the "
                f"run's env {context.env.use}, whose policy is handed on; give the run the env of one of them, with the "
                "same settings"
            )
        self._own = own[0]
        self.tasks = [Task(context, table, settings, self._open) for table in settings.tasks]
        self.losses = LossesByTask(self.tasks)
        self._take_student()
        self.generator = torch.Generator().manual_seed(context.derive("minibatches"))
        judge = None if settings.until.share_at_least is None else self._judge
        self.measure = Measure(context, settings.until, judge)
        self._open.callback(self.measure.close)

    def _plays_same(self, env: EnvTable) -> bool:
        """Whether a task's env is the run's, with the same settings."""
        registry, own = self.context.registry, self.context.env
        return env.use == own.use and env.settings(registry) == own.settings(registry)

    def _take_student(self) -> None:
        """Build the student; its first weights are the same whatever the scaling."""
        context, settings = self.context, self.settings
        try:
            self.students = shared_student(
                [task.card() for task in self.tasks],
                settings.own,
                context.registry,
                context.derive("weights"),
            )
        except LanistaError as error:
            raise RecipeError(f"phase {context.name!r}: {error}") from error
        whole = SharedStudent(self.students)
        self._first_weights = copied_weights(whole)
        self.losses.know(self.students, self.tasks)
        self.fitting = Fitting(whole, self.losses, settings.averaging)
        averaged: Any = self.fitting.averaged
        #: the student's parts as they are played and handed on
        self.shown = [
            Policy(network, student.heads, student.card)
            for network, student in zip(averaged.networks, self.students, strict=True)
        ]
        for task, shown in zip(self.tasks, self.shown, strict=True):
            task.take(shown)

    @property
    def policy(self) -> Policy:
        """The student's part for the run's env, its weights averaged."""
        return self.shown[self._own]

    def update(self) -> dict[str, float]:
        """Gather in every task, learn, measure."""
        settings, metrics = self.settings, {"student_share": self.settings.student_share.at(self.progress)}
        for task in self.tasks:
            metrics.update(task.gather(self.progress))
        if any(task.scaling is None for task in self.tasks):
            for task in self.tasks:
                task.measure_scaling()
            self._take_student()
        started = perf_counter()
        metrics.update(self._learn())
        self.fitting.show_average()
        self.tasks[0].collector.timing.learn += perf_counter() - started
        self.steps += settings.num_steps * settings.num_games * len(self.tasks)
        clocks = [task.collector.timing for task in self.tasks]
        metrics.update(
            Timing(
                *(sum(getattr(clock, name) for clock in clocks) for name in ("env", "infer", "learn", "copy"))
            ).shares()
        )
        metrics.update(self.measure.after_update(self._whole(), self.steps))
        self.finished = self.measure.over(self.steps)
        return metrics

    def _whole(self) -> Policy:
        """All parts under one name, for whoever keeps or measures weights."""
        averaged: Any = self.fitting.averaged
        return Policy(averaged, {}, self.policy.card)

    def _learn(self) -> dict[str, float]:
        settings, sums = self.settings, dict[str, float]()
        rate, share = settings.learning_rate.at(self.progress), settings.minibatch_size // len(self.tasks)
        count = settings.steps_at(self.progress)
        for _ in range(count):
            parts = [
                (student, task.rows.draw(max(1, share), self.generator))
                for student, task in zip(self.students, self.tasks, strict=True)
            ]
            for name, figure in self.fitting.step(parts, self.progress, rate).items():
                sums[name] = sums.get(name, 0.0) + figure / count
        for task, (student, batch) in zip(self.tasks, parts, strict=True):
            with torch.no_grad():
                output = student.network(batch.observation)
            sums[f"{task.name}/agreement"] = agreement_of(student, output.logits, batch.logits, batch.legal)
        return {**sums, "learning_rate": rate}

    def _judge(self, whole: Policy, seed: int) -> Measurement:
        """The least share of a teacher's distance from random moves that the student keeps, over the tasks."""
        until, metrics, shares, passed = self.settings.until, dict[str, float](), [], True
        assert until.share_at_least is not None  # else nobody asks
        for task, shown in zip(self.tasks, self.shown, strict=True):
            standing = task.starts.standing(shown, task.teacher, seed)
            problem = standing.distance_problem()
            if problem is not None:
                raise LanistaError(f"phase {self.context.name!r}: task {task.name!r}: {problem}")
            low, _ = standing.share_interval(until.confidence)
            metrics |= {f"{task.name}/share": standing.share, f"{task.name}/share_low": low}
            metrics[f"{task.name}/greedy_return"] = float(standing.student.mean())
            shares.append(standing.share)
            passed &= low >= until.share_at_least
        return Measurement(min(shares), passed, {"share": min(shares), **metrics})

    def result(self) -> PhaseResult:
        """Compare student and teachers task by task; raises LanistaError naming every task that fell short."""
        best, chosen = self.measure.best, "last"
        if best is not None and self.measure.passed:
            self.fitting.averaged.load_state_dict(best[1])
            chosen = f"best by measure ({best[0]:.4g})"
        weights = copied_weights(self.fitting.averaged)
        if all(bool(torch.equal(weight, self._first_weights[name])) for name, weight in weights.items()):
            raise LanistaError(
                f"phase {self.context.name!r}: the student did not move: no weight changed in {self.steps:,} steps; "
                "look at learning_rate and at the losses' coefficients"
            )
        compared = {
            task.name: self._compare(task, shown) for task, shown in zip(self.tasks, self.shown, strict=True)
        }
        problems = [
            f"task {name!r}: {problem}"
            for name, figures in compared.items()
            if (problem := figures.problem(self.settings.allowed_loss, self.settings.min_agreement))
            is not None
        ]
        if problems:
            raise LanistaError(f"phase {self.context.name!r}: {'; '.join(problems)}")
        folder = self.context.run_folder / "tasks" / self.context.name
        for task, shown in zip(self.tasks, self.shown, strict=True):
            save_policy(folder / task.name, shown)
        figures: dict[str, Any] = {
            "steps": self.steps,
            "shared_parameters": num_shared(self.students),
            "all_parameters": sum(weight.numel() for weight in self.fitting.network.parameters()),
            "tasks": {name: found.card() for name, found in compared.items()},
        }
        return PhaseResult(self.policy, chosen, figures, self.context.carried)

    def _compare(self, task: Task, shown: Policy) -> Comparison:
        return compare_policies(
            task.context.make_measuring_env,
            shown,
            task.teacher,
            episodes=self.settings.compare_episodes,
            seed=task.context.derive("compare"),
            slots=self.settings.num_games,
        )

    def state(self) -> PhaseState:
        """Everything that the next update depends on."""
        measured, best = self.measure.state()
        arrays: dict[str, AnyArray] = prefixed("fitting", self.fitting.state()) | prefixed("best", best)
        arrays["generator"] = self.generator.get_state().numpy()
        for task in self.tasks:
            arrays |= prefixed(f"task_{task.name}", task.state())
            task.restart_games(self.steps)
        scalings = {task.name: task.scaling for task in self.tasks}
        return PhaseState({"steps": self.steps, "measure": measured, "scalings": scalings}, arrays)

    def load_state(self, state: PhaseState) -> None:
        """Take back what `state` gave."""
        arrays, values = state.arrays, state.values
        self.steps = values["steps"]
        for task in self.tasks:
            task.scaling = values["scalings"][task.name]
        self._take_student()
        self.fitting.load_state(under("fitting", arrays))
        self.fitting.show_average()
        self.measure.load_state(values["measure"], under("best", arrays))
        self.finished = self.measure.over(self.steps)
        self.generator.set_state(torch.from_numpy(arrays["generator"].copy()))
        for task in self.tasks:
            task.load_state(under(f"task_{task.name}", arrays))
            task.restart_games(self.steps)

    def close(self) -> None:
        """Let go of the envs, as many as were built."""
        self._open.close()
