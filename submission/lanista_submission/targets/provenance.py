"""Where a packed policy comes from, as far as its run's folder tells."""

import json
from pathlib import Path
from typing import Any

from lanista.errors import CheckpointError
from lanista.policy import policy_hash
from lanista_submission.export.policy import find_policy

#: of run.json: what made the run; nothing that names this machine's folders
KEPT = ("lanista", "python", "torch", "numpy", "processor", "seed", "num_threads", "git")


def run_provenance(run_folder: Path, policy_folder: Path | None = None) -> dict[str, Any]:
    """Versions, seed, git state and plugins of the run, the phases it had, and how the policy was chosen.

    Without a `policy_folder` it is the run's final one, or `run_folder` itself.
    """
    if policy_folder is None:
        policy_folder = find_policy(run_folder)
    record = _read(run_folder / "run.json")
    found = {key: record[key] for key in KEPT if key in record}
    plugins = [
        {key: plugin.get(key) for key in ("name", "distribution", "version", "sha256")}
        for plugin in record.get("plugins", [])
    ]
    if plugins:
        found["plugins"] = plugins
    phases = {path.parent.name: _read(path) for path in sorted(run_folder.glob("phases/*/phase.json"))}
    if phases:
        found["phases"] = phases
    card = _read(policy_folder / "policy.json")
    found["chosen"] = card.get("history", {}).get("chosen") or _chosen(phases, policy_folder)
    return found


def _chosen(phases: dict[str, Any], policy_folder: Path) -> str:
    """How the phase that this policy came from chose it, by the policy's hash."""
    digest = policy_hash(policy_folder)
    for name, figures in phases.items():
        if figures.get("sha256") == digest:
            return f"phase {name}: {figures.get('chosen', 'its last')}"
    return "named by hand"


def _read(path: Path) -> dict[str, Any]:
    """A JSON table; empty if the file is not there."""
    if not path.is_file():
        return {}
    try:
        table: dict[str, Any] = json.loads(path.read_text())
    except json.JSONDecodeError as error:
        raise CheckpointError(f"{path} is damaged: {error}; restore it or name another run") from error
    return table
