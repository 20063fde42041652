"""Target ``onnx``: the policy as a bare ONNX file, for games that no platform plays."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from lanista.plugins import Registry

if TYPE_CHECKING:
    from lanista.delivery import Delivered, Verdict


class Onnx:
    """Exports only. Keeps `lanista.delivery.Target`."""

    def __init__(self, registry: Registry) -> None:
        """`registry` tells of envs, networks and heads."""
        self.registry = registry

    def deliver(self, run_folder: Path, policy_folder: Path, out_folder: Path) -> "Delivered":
        """Export the policy to ``out_folder/policy.onnx``."""
        from lanista.delivery import Delivered
        from lanista_submission.export.policy import export_folder

        exported = export_folder(policy_folder, out_folder / "policy.onnx", self.registry)
        return Delivered(exported.path, exported.lines(), {"target": "onnx", "export": exported.to_json()})

    def verify(
        self,
        file: Path,
        games: int,
        min_win_rate: Mapping[str, float],
        keep: Path,
        progress: Callable[[int, int, str], None],
    ) -> "Verdict":
        """Say that there is nobody to play it against (exit code 2, not judged)."""
        from lanista.delivery import Verdict

        sentence = f"not judged: {file.name} is a bare network; take the table `verify` out of the recipe"
        return Verdict(
            False, 2, (sentence,), {"ok": False, "problems": [{"code": "no_judge", "message": sentence}]}
        )
