"""A run: a recipe played out phase by phase in a folder of its own.

1. the folder gets the resolved recipe, the plugins' versions and copies of single-file plugins;
2. each phase updates until it is finished; figures go to metrics.jsonl and the loggers, checkpoints to disk;
3. a finished phase hands its policy on as ``phases/<name>/policy``;
4. the last one becomes ``final/``, goes out through the target, and is verified (`lanista.delivery`).

`Run.resume` goes on from the newest checkpoint as though the run had never stopped.
"""

import json
import os
import platform
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import numpy as np
import torch
from filelock import FileLock, Timeout

from lanista.arrays import AnyArray
from lanista.checkpoint import read_newest, write_checkpoint
from lanista.errors import CheckpointError, UsageError
from lanista.evaluation import Evaluation, evaluation_of, shown_policy
from lanista.files import write_atomically
from lanista.interrupts import StopRequest
from lanista.metrics import Logger, MetricsFile, read_metrics
from lanista.named_arrays import prefixed, under
from lanista.phases import Phase, PhaseContext, PhaseState
from lanista.plugins import PluginHost
from lanista.policy import save_policy
from lanista.progress import NoProgress, Progress
from lanista.recipe import Recipe, check_recipe, read_recipe, resolved_toml, resolved_values
from lanista.report.trends import alarm
from lanista.seeds import derive_seed
from lanista.testing.complaints import Complaints
from lanista.testing.phases import check_row
from lanista.version import __version__


class RunStopped(Exception):  # noqa: N818 - a stop that the user asked for is no error
    """The user asked the run to stop; a checkpoint was written."""


@dataclass
class Run:
    """One run and its folder. Make it with `create` or `open`, then `play` it."""

    folder: Path
    recipe: Recipe
    host: PluginHost
    progress: Progress = field(default_factory=NoProgress)
    #: place of the current phase in the recipe
    phase_index: int = 0
    #: env steps of the phases that are over
    steps_before: int = 0
    updates: int = 0
    _metrics_length: int | None = None
    _pending: PhaseState | None = None
    _carried: PhaseState | None = None

    @staticmethod
    def create(folder: Path, recipe: Recipe, host: PluginHost) -> "Run":
        """Lay out a new run folder; one that holds a run already is refused."""
        if (folder / "recipe.toml").exists():
            raise UsageError(
                f"{folder} holds a run already; go on with `lanista resume {folder}` or name another with --out"
            )
        # Played is what the folder keeps, with every file that settings name read now and once.
        recipe = check_recipe(resolved_values(recipe, host.registry), host.registry)
        folder.mkdir(parents=True, exist_ok=True)
        for name, source in host.sources().items():
            (folder / "plugins").mkdir(exist_ok=True)
            write_atomically(folder / "plugins" / name, source)
        write_atomically(folder / "run.json", json.dumps(_record(recipe, host), indent=1).encode())
        write_atomically(folder / "recipe.toml", resolved_toml(recipe, host.registry).encode())
        return Run(folder, recipe, host)

    @staticmethod
    def open(folder: Path, host: PluginHost) -> "Run":
        """Open a run folder at its newest checkpoint (at its beginning if it has none)."""
        if not (folder / "recipe.toml").is_file():
            raise CheckpointError(
                f"{folder} is no run folder: recipe.toml is missing; `lanista run` makes one"
            )
        recipe = check_recipe(read_recipe(str(folder / "recipe.toml"), host.registry), host.registry)
        run = Run(folder, recipe, host)
        newest = read_newest(folder / "checkpoints")
        if newest is None:
            run._metrics_length = 0
            return run
        _, values, arrays, faults = newest
        for fault in faults:
            run.progress.say(f"passed over: {fault}")
        run.phase_index = values["phase_index"]
        run.steps_before = values["steps_before"]
        run.updates = values["updates"]
        run._metrics_length = values["metrics_length"]
        if values["phase"] is not None:
            run._pending = PhaseState(values["phase"], under("phase", arrays))
        if values["carried"] is not None:
            run._carried = PhaseState(values["carried"], under("carried", arrays))
        return run

    @property
    def seed(self) -> int:
        """The run's seed."""
        return self.recipe.top.seed

    def play(self) -> Path:
        """Play all phases that are left; give the folder of the final policy.

        Raises `RunStopped` after a Ctrl-C, once a checkpoint stands.
        """
        with self._owned(), _threads(self.recipe.top.num_threads), StopRequest() as stop:
            evaluation = evaluation_of(self.recipe.top, self.host.registry)
            loggers = self._loggers()
            metrics = MetricsFile(self.folder / "metrics.jsonl", self._metrics_length)
            try:
                self.host.emit("run_started", run=self)
                while self.phase_index < len(self.recipe.phases):
                    self._play_phase(metrics, loggers, evaluation, stop)
            finally:
                metrics.close()
                if evaluation is not None:
                    evaluation.close()
                for logger in loggers:
                    logger.close()
            return self._finish()

    def _play_phase(
        self, metrics: MetricsFile, loggers: list[Logger], evaluation: Evaluation | None, stop: StopRequest
    ) -> None:
        wanted = self.recipe.phases[self.phase_index]
        phase = self._build_phase()
        self.progress.phase_started(wanted.name, self.phase_index, len(self.recipe.phases))
        try:
            phase.start()
            if self._pending is not None:
                phase.load_state(self._pending)
                self._pending = None
            first = {"first_update": 1.0}
            complaints = Complaints.about(self.host.registry.get("phases", wanted.kind))
            while not phase.finished:
                started, cpu_started, steps = perf_counter(), process_time(), phase.steps
                row = phase.update()
                check_row(row, complaints)
                self.updates += 1
                seconds = perf_counter() - started
                row |= {"seconds": seconds, "cpu_seconds": process_time() - cpu_started, **first}
                row["sps"] = (phase.steps - steps) / max(seconds, 1e-9)
                first = {}
                total = self.steps_before + phase.steps
                if evaluation is not None and evaluation.due(self.steps_before + steps, total):
                    row |= evaluation.take(shown_policy(phase, wanted.kind), total)
                if phase.finished:
                    earlier = read_metrics(self.folder / "metrics.jsonl")
                    row |= alarm(wanted.name, [*(old for old in earlier if old["phase"] == wanted.name), row])
                metrics.log(total, wanted.name, _repeatable(row))
                for logger in loggers:
                    logger.log(total, wanted.name, row)
                self.host.emit(
                    "update_finished", run=self, phase=wanted.name, update=self.updates, metrics=row
                )
                self.progress.updated(phase, row)
                if stop.asked or (
                    not phase.finished and self.updates % wanted.settings.checkpoint_every == 0
                ):
                    self._checkpoint(phase, metrics)
                if stop.asked and not phase.finished:
                    raise RunStopped(str(self.folder))
            result = phase.result()
        finally:
            phase.close()
        folder = self._policy_folder(wanted.name)
        digest = save_policy(folder, result.policy)
        figures = {
            "chosen": result.chosen,
            "sha256": digest,
            "parameters": result.policy.num_parameters,
            **result.figures,
        }
        write_atomically(folder.parent / "phase.json", json.dumps(figures, indent=1).encode())
        self.progress.phase_finished(wanted.name, figures)
        self.host.emit("phase_finished", run=self, phase=wanted.name)
        self.steps_before += phase.steps
        self.phase_index += 1
        self._carried = result.carried
        self._checkpoint(None, metrics)

    def _build_phase(self) -> Phase:
        wanted = self.recipe.phases[self.phase_index]
        names = [phase.name for phase in self.recipe.phases[: self.phase_index]]
        policies = {name: self._policy_folder(name) for name in names}
        context = PhaseContext(
            registry=self.host.registry,
            env=self.recipe.top.env,
            heads=self.recipe.top.heads,
            name=wanted.name,
            run_folder=self.folder,
            seed=derive_seed(self.seed, "phase", self.phase_index, wanted.name),
            num_threads=self.recipe.top.num_threads,
            policies=policies,
            previous=policies[names[-1]] if names else None,
            env_overrides=getattr(wanted.settings, "env", {}),
            steps_before=self.steps_before,
            carried=self._carried,
        )
        phase: Phase = self.host.registry.load("phases", wanted.kind)(context, wanted.settings)
        return phase

    def _checkpoint(self, phase: Phase | None, metrics: MetricsFile) -> None:
        state = None if phase is None else phase.state()
        values = {
            "phase_index": self.phase_index,
            "steps_before": self.steps_before,
            "updates": self.updates,
            "metrics_length": metrics.length,
            "phase": None if state is None else state.values,
            "carried": None if self._carried is None else self._carried.values,
        }
        arrays: dict[str, AnyArray] = {}
        for prefix, part in (("phase", state), ("carried", self._carried)):
            if part is not None:
                arrays |= prefixed(prefix, part.arrays)
        write_checkpoint(self.folder / "checkpoints", self.updates, values, arrays)

    def _policy_folder(self, phase: str) -> Path:
        return self.folder / "phases" / phase / "policy"

    def _loggers(self) -> list[Logger]:
        registry = self.host.registry
        return [
            table.build(registry)(self.folder, table.settings(registry)) for table in self.recipe.top.loggers
        ]

    def _finish(self) -> Path:
        final = self.folder / "final"
        if final.exists():
            shutil.rmtree(final)
        shutil.copytree(self._policy_folder(self.recipe.phases[-1].name), final)
        self.host.emit("run_finished", run=self)
        return final

    @contextmanager
    def _owned(self) -> Iterator[None]:
        lock = FileLock(self.folder / ".lock")
        try:
            lock.acquire(timeout=0)
        except Timeout as error:
            raise UsageError(
                f"{self.folder} is being played by another process; wait for it or stop it"
            ) from error
        try:
            yield
        finally:
            lock.release()


@contextmanager
def _threads(count: int) -> Iterator[None]:
    """Hold torch to the recipe's thread count and to its deterministic kernels, then give both back."""
    before, deterministic = torch.get_num_threads(), torch.get_deterministic_debug_mode()
    torch.set_num_threads(count)
    # The same switch as `use_deterministic_algorithms`, which imports torch's compiler: a second of CPU time.
    torch.set_deterministic_debug_mode("error")
    try:
        yield
    finally:
        torch.set_num_threads(before)
        torch.set_deterministic_debug_mode(deterministic)


def _repeatable(row: dict[str, float]) -> dict[str, float]:
    return {name: value for name, value in row.items() if np.isfinite(value)}


def _record(recipe: Recipe, host: PluginHost) -> dict[str, Any]:
    """What made this run: versions, plugins, git state, machine. Nothing from the environment is taken."""
    return {
        "lanista": __version__,
        "python": platform.python_version(),
        "torch": str(torch.__version__),
        "numpy": np.__version__,
        "processor": platform.machine(),
        "cpu_count": os.cpu_count(),
        "seed": recipe.top.seed,
        "num_threads": recipe.top.num_threads,
        "plugins": host.record(),
        "git": _git_state(),
    }


def _git_state() -> dict[str, Any] | None:
    """Commit and whether the tree was dirty, of the folder that the run was started in; None outside git."""
    git = shutil.which("git")
    if git is None:
        return None

    def ask(*words: str) -> str | None:
        answer = subprocess.run([git, *words], capture_output=True, text=True, check=False)
        return answer.stdout.strip() if answer.returncode == 0 else None

    commit = ask("rev-parse", "HEAD")
    return None if commit is None else {"commit": commit, "dirty": bool(ask("status", "--porcelain"))}
