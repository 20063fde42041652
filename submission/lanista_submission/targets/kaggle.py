"""Targets for Kaggle's simulation competitions: a further game is a `Profile` in a class of its own."""

import hashlib
from pathlib import Path
from typing import Any, ClassVar

from lanista.plugins import Registry, current_host
from lanista_submission.targets.profile import Profile


class KaggleTarget:
    """Exports and packs for one game; subclasses set `profile`."""

    profile: ClassVar[Profile]

    def __init__(self, registry: Registry | None = None) -> None:
        """Use `registry`, by default that of the running program."""
        self.registry = registry if registry is not None else current_host().registry

    def pack(self, models: list[Path], out: Path, provenance: dict[str, Any] | None = None) -> Path:
        """Write the archive of ONNX files; see `lanista_submission.bundle.pack.pack`."""
        from lanista_submission.bundle.pack import pack

        return pack(models, self.profile, out, self.registry, provenance)

    def export_and_pack(self, run_folder: Path, policy_folder: Path, out_folder: Path) -> dict[str, Any]:
        """Export the policy and pack it into ``out_folder/{policy.onnx,submission.tar.gz}``; report both.

        The result has ``archive`` (its path), ``bytes``, ``sha256`` and ``export`` (an `ExportReport`).
        """
        from lanista_submission.export.policy import export_folder
        from lanista_submission.targets.provenance import run_provenance

        exported = export_folder(policy_folder, out_folder / "policy.onnx", self.registry)
        archive = self.pack(
            [exported.path], out_folder / "submission.tar.gz", run_provenance(run_folder, policy_folder)
        )
        content = archive.read_bytes()
        return {
            "target": self.profile.name,
            "archive": str(archive),
            "bytes": len(content),
            "sha256": hashlib.sha256(content).hexdigest(),
            "export": exported.to_json(),
        }
