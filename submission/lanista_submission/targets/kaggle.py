"""Targets for Kaggle's simulation competitions: a further game is a `Profile` in a class of its own."""

import hashlib
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lanista.plugins import Registry
from lanista_submission.targets.profile import Profile

if TYPE_CHECKING:
    from lanista.delivery import Delivered, Verdict
    from lanista.official import OfficialArena
    from lanista_submission.export.policy import ExportReport
    from lanista_submission.verify.profile import TargetProfile


class KaggleTarget:
    """Exports, packs and verifies for one game. Keeps `lanista.delivery.Target`.

    A game of one's own is a subclass with a `profile`, registered as a target, and a TOML file that says how its
    archives are judged (`lanista_submission.verify.profile.TargetProfile`), named by the trait ``profile``::

        class Mine(KaggleTarget):
            profile = Profile(name="kaggle:mine", game="mine", env="my_env", default_action=0)
    """

    #: what the platform asks of this game
    profile: Profile

    def __init__(self, registry: Registry) -> None:
        """`registry` tells of envs, networks and heads."""
        self.registry = registry

    def pack(self, models: Sequence[Path], out: Path, provenance: Mapping[str, Any] | None = None) -> Path:
        """Write the archive of ONNX files; see `lanista_submission.bundle.pack.pack`."""
        from lanista_submission.bundle.pack import pack

        return pack(models, self.profile, out, self.registry, provenance)

    def export(self, policy_folder: Path, out_folder: Path) -> "list[ExportReport]":
        """Write the ONNX files of a policy below `out_folder`, ``policy.onnx`` first."""
        from lanista_submission.export.policy import export_folder

        whole = export_folder(policy_folder, out_folder / "policy.onnx", self.registry)
        return [whole, *self.export_further(policy_folder, out_folder)]

    def export_further(self, policy_folder: Path, out_folder: Path) -> "list[ExportReport]":
        """Write what the archive needs beside the policy's own ONNX file: the same policy on other boards, say."""
        del policy_folder, out_folder
        return []

    def deliver(self, run_folder: Path, policy_folder: Path, out_folder: Path) -> "Delivered":
        """Export the policy and pack it into ``out_folder/{policy.onnx,submission.tar.gz}``."""
        from lanista.delivery import Delivered
        from lanista_submission.targets.provenance import run_provenance

        exported = self.export(policy_folder, out_folder)
        provenance = run_provenance(run_folder, policy_folder)
        models = [report.path for report in exported]
        archive = self.pack(models, out_folder / "submission.tar.gz", provenance)
        content = archive.read_bytes()
        record = {
            "target": self.profile.name,
            "archive": archive.name,
            "bytes": len(content),
            "sha256": hashlib.sha256(content).hexdigest(),
            "export": exported[0].to_json(),
            **({"exports": [report.to_json() for report in exported]} if len(exported) > 1 else {}),
        }
        told = [line for report in exported for line in report.lines()]
        lines = (*told, f"{archive}: {len(content):,} bytes for {self.profile.name}")
        return Delivered(archive, lines, record, self.next_steps(archive))

    def arena(
        self, env: str, settings: Mapping[str, Any], configuration: Mapping[str, Any]
    ) -> "OfficialArena":
        """Where agents of any kind play this game as the platform does; `lanista eval` asks for it."""
        from lanista_submission.judge.arena import KaggleArena

        return KaggleArena(self, env, settings, configuration, self.registry)

    def packed_to_play(self, policy_folder: Path, out_folder: Path, sample: bool) -> Path:
        """Write the archive of a policy that is to play in `arena`, as it would be sent but for `sample`."""
        from lanista_submission.bundle.pack import pack

        exported = self.export(policy_folder, out_folder)
        profile = replace(self.profile, actions="sampled") if sample else self.profile
        return pack([report.path for report in exported], profile, out_folder / "entry.tar.gz", self.registry)

    def next_steps(self, archive: Path) -> tuple[str, ...]:
        """How to submit, and what happens first there."""
        return (
            f'submit it with: kaggle competitions submit -c {self.profile.game} -f {archive} -m "lanista"',
            "its first game there is against itself",
        )

    def verify(
        self,
        file: Path,
        games: int,
        min_win_rate: Mapping[str, float],
        keep: Path,
        progress: Callable[[int, int, str], None],
    ) -> "Verdict":
        """Play the archive as the platform will; the replay of a faulty game goes to the folder `keep`."""
        return self.judged(file, games, min_win_rate, keep, progress)

    def judged(
        self,
        file: Path,
        games: int,
        min_win_rate: Mapping[str, float],
        keep: Path,
        progress: Callable[[int, int, str], None],
        profile: "TargetProfile | None" = None,
    ) -> "Verdict":
        """`verify`, by another profile than the target's own."""
        from lanista.delivery import Verdict
        from lanista_submission.verify import verify_archive

        report = verify_archive(
            file,
            target=self.profile.name,
            games=games,
            min_win_rates=min_win_rate,
            registry=self.registry,
            progress=progress,
            profile=profile,
        )
        if report.replay is not None:
            report.replay = str(shutil.move(report.replay, keep / Path(report.replay).name))
        return Verdict(report.ok, report.exit_code, tuple(report.lines()), report.to_json())
