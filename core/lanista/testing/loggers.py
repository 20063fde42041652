"""What must hold of a logger: it takes rows whose figures come and go, closes, and is opened again on resume."""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lanista.plugins import Registry
from lanista.testing.complaints import Complaints
from lanista.testing.grounds import settings_of

ROWS = (
    {"policy_loss": 0.5, "reward/points": 1.0, "sps": 1234.5},
    {"policy_loss": -0.25, "return": float("nan")},
    {"entropy": 1e-9, "league/score": 1.0, "sps": 99.0},
)


def check_logger(registry: Registry, name: str, *, options: Mapping[str, Any] | None = None) -> None:
    """Raise `LanistaError`, one sentence, for the first thing in which a logger breaks its contract."""
    complaints = Complaints.about(registry.get("loggers", name))
    settings = settings_of(registry, "loggers", name, options)
    factory = registry.load("loggers", name)
    with tempfile.TemporaryDirectory(prefix="lanista-check-") as folder:
        for start in (0, 300):  # the second time as after `lanista resume`
            logger = factory(Path(folder), settings)
            for place, row in enumerate(ROWS):
                given = dict(row)
                logger.log(start + 100 * place, "first" if place < 2 else "second", given)
                complaints.refuse(
                    given.keys() != row.keys(), "log", "changes the row that it is handed",
                    "copy it first: the other loggers and events read it too",
                )  # fmt: skip
            logger.close()
