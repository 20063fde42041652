"""What goes wrong only where both archives play in one process, as in kaggle-environments' own local runner.

There the second archive's ``import policy`` finds the module that the first one imported. The platform gives
each archive a process of its own, so a mix-up that breaks nothing is a warning.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lanista_submission.verify.faults import Context, raised
from lanista_submission.verify.problem import Problem
from lanista_submission.verify.report import OTHER


def pair_problem(context: Context, record: dict[str, Any], opponent: str) -> Problem | None:
    """Judge the game in one process; its copy or the other archive has the first seat, the archive all others."""
    shared = record.get("borrowed", [])
    mixed = [item["module"] for item in shared if _differs(item)]
    seats = range(1 if opponent == OTHER else 0, len(record.get("statuses", ())))
    why = _failure(context, record, seats)
    if why is not None:
        taken = ", ".join((mixed or [item["module"] for item in shared])[:3])
        cause = f", where it shares the module {taken} with the first archive" if taken else ""
        return Problem(
            "one_process",
            f"the archive plays in a process of its own, but not beside {opponent} in one process{cause}: "
            f"{why}; put its modules into a package with a name that no other archive has, and keep no "
            f"state in them",
        )
    if mixed:
        return Problem(
            "shared_module",
            f"in one process with the other archive this one used that one's module {', '.join(mixed[:3])}, "
            f"as kaggle-environments does locally and the platform does not; for fair local games put "
            f"modules into a package with a name that no other archive has",
            "warning",
        )
    return None


def _failure(context: Context, record: dict[str, Any], seats: Sequence[int]) -> str | None:
    """What failed in the game, in words; None if nothing did."""
    fault = record["fault"]
    if fault is not None:
        kind = next(key for key in fault if key != "turn")
        words = {"silent": "did not answer in time", "died": "ended at once", "garbled": "gave no reply"}
        return f"the process {words.get(kind, kind)} in step {fault['turn']}"
    for seat in seats:
        if str(seat) in record["raised"]:
            error = record["raised"][str(seat)]
            problem = raised(context, error, record["steps"])
            return problem.message.partition("; ")[0]
        if record["statuses"][seat] in ("ERROR", "INVALID", "TIMEOUT"):
            return f"seat {seat + 1} ended with status {record['statuses'][seat]}"
    if record["broke"] is not None:
        return f"the game ended with {record['broke']['type']}: {record['broke']['text']}"
    return None


def _differs(item: dict[str, Any]) -> bool:
    """Do the archives' files of one module differ?"""
    mine = (Path(item["home"]) / item["file"]).read_bytes()
    return any((Path(other) / item["file"]).read_bytes() != mine for other in item["others"])
