"""Where a run's figures go: ``metrics.jsonl`` always, other loggers by plugin."""

import json
import os
from pathlib import Path
from typing import Any, Protocol


class Logger(Protocol):
    """Receives one row of figures an update."""

    def log(self, step: int, phase: str, metrics: dict[str, float]) -> None:
        """Take a row; `step` is the run's env steps so far."""

    def close(self) -> None:
        """Flush and let go of files."""


class MetricsFile:
    """``metrics.jsonl``: one JSON object a line. A resumed run cuts it back to its checkpoint's length."""

    def __init__(self, path: Path, length: int | None = None) -> None:
        """Open for appending; `length` (bytes) cuts off what came after the checkpoint."""
        if length is not None and path.exists():
            os.truncate(path, length)
        self._file = path.open("a", encoding="utf-8")

    def log(self, step: int, phase: str, metrics: dict[str, float]) -> None:
        """Append one line."""
        row: dict[str, Any] = {"step": step, "phase": phase}
        row.update({name: round(value, 8) for name, value in metrics.items()})
        self._file.write(json.dumps(row) + "\n")
        self._file.flush()

    @property
    def length(self) -> int:
        """Bytes written so far."""
        return self._file.tell()

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def by_variant(variant: str, figure: str) -> str:
    """The name of a figure over the games of one variant alone (`VecEnv.variants`): ``by/12x12/outcome``."""
    return f"by/{variant}/{figure}"


def read_metrics(path: Path) -> list[dict[str, Any]]:
    """All rows of a metrics.jsonl (a torn last line, left by a crash, is passed over)."""
    rows = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            rows.append(json.loads(line))
        except ValueError:
            break
    return rows
