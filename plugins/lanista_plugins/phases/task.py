"""One task of a student that learns several: its env, its teacher, its memory."""

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace

import torch

from lanista.arrays import AnyArray
from lanista.episodes import learner_figures
from lanista.named_arrays import prefixed, under
from lanista.openings import openings_of
from lanista.phases import PhaseContext
from lanista.policy import Policy, PolicyCard
from lanista.rollout import Collector
from lanista_plugins.phases.driving import Drivers, Driving
from lanista_plugins.phases.ensemble import the_teacher
from lanista_plugins.phases.labelled import LabelledRows
from lanista_plugins.phases.paired import SharedStarts
from lanista_plugins.phases.scaling import Scaling, known_scaling, measured_scaling
from lanista_plugins.phases.student import losses_for
from lanista_plugins.phases.tasks_settings import DistillTasksSettings, TaskSettings
from lanista_plugins.phases.teacher import check_same_task


class Task:
    """Gathers labelled states of one env; whoever has it gives it a student first, by `take`."""

    def __init__(
        self, context: PhaseContext, table: TaskSettings, settings: DistillTasksSettings, opened: ExitStack
    ) -> None:
        """Build env and teacher; what is to be closed is put on `opened`."""
        self.name = table.name
        self.settings = settings
        #: the phase's, with this task's env and seeds of its own
        self.context = replace(
            context,
            env=table.env,
            env_overrides={},
            heads=table.heads,
            name=f"{context.name}/{table.name}",
            seed=context.derive("task", table.name),
        )
        self.env = self.context.make_env(settings.num_games)
        opened.callback(self.env.close)
        self.env.reset(self.context.derive("env"))
        self.teacher = the_teacher(self.context, table, self.env, settings.compare_episodes)
        if isinstance(self.teacher, Policy):
            self.teacher.network.requires_grad_(False)
            self.teacher.network.eval()
        self.losses = losses_for(self.env.spec, table)
        self.rows = LabelledRows(settings.buffer)
        #: None until the first states were seen
        self.scaling: Scaling | None = None if settings.scaling == "measured" else {}
        self._play: tuple[Drivers, Collector] | None = None
        self.starts = SharedStarts(
            self.context.make_measuring_env,
            settings.until.episodes,
            settings.num_games,
            self.context.derive("measure", 0),
        )
        opened.callback(self.starts.close)

    def card(self) -> PolicyCard:
        """The card of this task's part of the student."""
        network = self.settings.network
        options = network.settings(self.context.registry).model_dump(mode="json")
        return replace(self.context.card(self.env, network.use, options), scaling=self.scaling or {})

    def take(self, shown: Policy) -> None:
        """Let this policy drive from now on."""
        self.shown = shown
        if self._play is not None:
            self._play[0].student = shown
            return
        settings = self.settings
        check_same_task(self.context.name, shown, self.teacher)
        driving = Driving(greedy=settings.greedy, stretch=settings.stretch, shove=settings.shove)
        drivers = Drivers(shown, self.teacher, driving)
        generator = torch.Generator().manual_seed(self.context.derive("rollout"))
        collector = Collector(
            env=self.env,
            policy=drivers,  # type: ignore[arg-type]  # it plays as a policy does; nothing else of one is used
            num_steps=settings.num_steps,
            shapers=[],
            gamma=1.0,
            generator=generator,
            openings=openings_of(self.env, settings.random_opening, generator),
        )
        drivers.watch(collector)
        self._play = (drivers, collector)

    @property
    def collector(self) -> Collector:
        """What plays."""
        return self._playing[1]

    @property
    def _playing(self) -> tuple[Drivers, Collector]:
        assert self._play is not None  # `take` comes first
        return self._play

    def gather(self, progress: float) -> dict[str, float]:
        """Play a rollout, label it, keep it; figures by ``task/name``."""
        settings, (drivers, collector) = self.settings, self._playing
        drivers.begin(settings.student_share.at(progress), settings.teacher_noise.at(progress))
        rollout, ended = collector.collect(progress)
        seen, legal, _ = rollout.decided()
        self.rows.add(seen, legal, drivers.labels(rollout))
        figures = learner_figures(ended, None, self.env.spec.seats)
        return {f"{self.name}/{name}": figure for name, figure in figures.items()}

    def measure_scaling(self) -> None:
        """Fix how the student scales this task's observation, by what was seen so far."""
        seen = self.rows.newest(len(self.rows)).observation
        parts = self.env.spec.observation
        self.scaling = measured_scaling(parts, seen, known_scaling(self.teacher, parts))

    def state(self) -> dict[str, AnyArray]:
        """All arrays that go on from update to update."""
        arrays = prefixed("collector", self.collector.state())
        arrays |= prefixed("drivers", self._playing[0].state())
        arrays |= prefixed("rows", self.rows.state())
        if self.env.resumable:
            arrays |= prefixed("env", self.env.save())
        return arrays

    def load_state(self, arrays: Mapping[str, AnyArray]) -> None:
        """Take back what `state` gave; an env that cannot is to be restarted by `restart_games`."""
        own = dict(arrays)
        self.rows.load_state(under("rows", own))
        self.collector.load_state(under("collector", own))
        self._playing[0].load_state(under("drivers", own))
        if self.env.resumable:
            self.env.load(under("env", own))

    def restart_games(self, steps: int) -> None:
        """Begin all games anew, where the env cannot save them."""
        if not self.env.resumable:
            self.env.reset(self.context.derive("env", steps))
            self.collector.games_restarted()
