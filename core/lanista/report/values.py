"""Values out of a run's files, which may hold anything: each reader gives what it can use, or nothing."""

from math import isfinite
from typing import Any


def figure(value: Any) -> float | None:  # noqa: ANN401 - whatever a file holds
    """A finite number; None for all else, NaN, infinity and truth values included."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        found = float(value)
    except OverflowError:
        return None
    return found if isfinite(found) else None


def table(value: Any) -> dict[str, Any]:  # noqa: ANN401 - whatever a file holds
    """A table; an empty one for all else."""
    return value if isinstance(value, dict) else {}


def entries(value: Any) -> list[Any]:  # noqa: ANN401 - whatever a file holds
    """A list; an empty one for all else."""
    return value if isinstance(value, list) else []


def tables(value: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - whatever a file holds
    """The tables of a list."""
    return [entry for entry in entries(value) if isinstance(entry, dict)]


def total_of(values: list[Any]) -> float:
    """The sum of those that are numbers."""
    return sum(found for value in values if (found := figure(value)) is not None)
