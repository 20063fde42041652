"""How a policy was trained, as far as its run's folder tells."""

import tomllib
from pathlib import Path
from typing import Any

from lanista.errors import CheckpointError
from lanista.metrics import read_metrics
from lanista_submission.targets.provenance import run_provenance

#: of a phase's table in the recipe: what is told of it
_TOLD = ("kind", "network", "learner", "reward", "teacher", "league", "num_games")
#: of a phase's figures
_FIGURES = ("chosen", "steps", "parameters", "agreement", "kl")


def training_of(run_folder: Path, policy_folder: Path) -> dict[str, Any]:
    """The run's seed and versions, and its phases with what they did, their env steps and their seconds.

    Empty lists and nulls where the policy comes from no run. Seconds are of the clock; `cpu_seconds` of all cores.
    """
    provenance = run_provenance(run_folder, policy_folder)
    figures = provenance.pop("phases", {})
    recipe = _recipe(run_folder)
    tables = {table["name"]: table for table in recipe.get("phases", [])}
    metrics = run_folder / "metrics.jsonl"
    rows = read_metrics(metrics) if metrics.is_file() else []
    phases = []
    for name, table in tables.items():
        own = [row for row in rows if row.get("phase") == name]
        found = figures.get(name, {})
        phases.append(
            {
                "name": name,
                **{key: table[key] for key in _TOLD if key in table},
                **{key: found[key] for key in _FIGURES if key in found},
                "updates": len(own),
                "seconds": _sum(own, "seconds"),
                "cpu_seconds": _sum(own, "cpu_seconds"),
            }
        )
    return {
        **provenance,
        "env": recipe.get("env"),
        "phases": phases,
        "seconds": _sum(phases, "seconds"),
        "cpu_seconds": _sum(phases, "cpu_seconds"),
    }


def _recipe(run_folder: Path) -> dict[str, Any]:
    """The recipe as it was resolved; empty where there is no run."""
    path = run_folder / "recipe.toml"
    try:
        return tomllib.loads(path.read_text()) if path.is_file() else {}
    except tomllib.TOMLDecodeError as error:
        raise CheckpointError(f"{path} is damaged: {error}; restore it or name another run") from error


def _sum(rows: list[dict[str, Any]], name: str) -> float:
    return round(sum(row.get(name) or 0.0 for row in rows), 1)
