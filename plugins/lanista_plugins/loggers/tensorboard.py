"""Figures for TensorBoard, below ``RUN/tensorboard/<phase>``: ``tensorboard --logdir RUN/tensorboard``."""

from pathlib import Path
from typing import Any

from lanista.plugins import NoSettings


class TensorBoard:
    """One event file a phase, so that phases lie over each other as curves."""

    def __init__(self, run_folder: Path, settings: NoSettings) -> None:
        """Nothing is opened before the first row."""
        self._folder = run_folder / "tensorboard"
        self._writers: dict[str, Any] = {}

    def log(self, step: int, phase: str, metrics: dict[str, float]) -> None:
        """Write every figure as a scalar."""
        from torch.utils.tensorboard.writer import SummaryWriter

        if phase not in self._writers:
            self._writers[phase] = SummaryWriter(str(self._folder / phase), purge_step=step)
        for name, value in metrics.items():
            self._writers[phase].add_scalar(name, value, step)

    def close(self) -> None:
        """Flush and close all event files."""
        for writer in self._writers.values():
            writer.close()
