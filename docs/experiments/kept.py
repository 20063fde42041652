"""The curves of the experiments in one small JSON file an env, from which tables and plots are made again."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from arms import HERE, Field

from lanista.comparison.curve import Curve
from lanista.comparison.groups import Group, read_groups

RESULTS = HERE / "results"


def keep(field: Field, arms: Sequence[str], out: Path) -> None:
    """Read the run folders of `arms` and put their curves into results/<env>.json, over what stands there of them."""
    file = RESULTS / f"{field.env}.json"
    kept = json.loads(file.read_text()) if file.is_file() else {}
    for arm in arms:
        [group] = read_groups([out / field.env / arm])
        kept[arm] = {
            "recipe": _needed(group.runs[0].recipe),
            "measure": group.runs[0].measure,
            "runs": {str(run.seed): _plain(run) for run in group.runs},
        }
    RESULTS.mkdir(exist_ok=True)
    lines = [f"{json.dumps(arm)}: {json.dumps(kept[arm])}" for arm in field.recipes if arm in kept]
    file.write_text("{\n" + ",\n".join(lines) + "\n}\n")


def kept_groups(field: Field, arms: Sequence[str]) -> list[Group]:
    """The arms as groups that `compare_groups` takes, under the words that tell what they are."""
    kept = json.loads((RESULTS / f"{field.env}.json").read_text())
    return [Group(field.told[arm], tuple(_curves(kept[arm]))) for arm in arms]


def _needed(recipe: dict[str, Any]) -> dict[str, Any]:
    phases = [
        {"name": phase["name"], "until": {"steps": phase["until"]["steps"]}} for phase in recipe["phases"]
    ]
    return {"env": recipe["env"], "evaluate": recipe["evaluate"], "phases": phases}


def _plain(run: Curve) -> dict[str, Any]:
    return {
        "steps": run.steps.tolist(),
        "values": [round(value, 3) for value in run.values.tolist()],
        "phase": run.phase.tolist(),
        "seconds": [round(value, 3) for value in run.seconds.tolist()],
        "cpu_seconds": [round(value, 3) for value in run.cpu_seconds.tolist()],
        "bounds": list(run.bounds),
    }


def _curves(arm: dict[str, Any]) -> list[Curve]:
    return [
        Curve(
            Path(),
            {**arm["recipe"], "seed": int(seed)},
            arm["measure"],
            *(np.array(run[name]) for name in ("steps", "values", "phase", "seconds", "cpu_seconds")),
            bounds=tuple(run["bounds"]),
        )
        for seed, run in sorted(arm["runs"].items(), key=lambda item: int(item[0]))
    ]
