"""The last stretch of a run: the final policy goes out through the recipe's target and is verified.

The target is a plugin (`register_targets`); core knows it by this contract alone.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from lanista.errors import RecipeError
from lanista.files import write_atomically
from lanista.registry import NoSettings, Registry
from lanista.run import Run
from lanista.tables import TargetTable


@dataclass(frozen=True)
class Delivered:
    """What a target made of a policy."""

    #: the file that is sent: an archive, or a bare ONNX file
    file: Path
    #: sentences for the screen: differences found on export, sizes, parameters
    lines: tuple[str, ...]
    #: plain values for ``exported/delivery.json``
    record: Mapping[str, Any]
    #: sentences on what to do with it: the upload command and what happens first there
    next_steps: tuple[str, ...] = ()


@dataclass(frozen=True)
class Verdict:
    """What a verification found."""

    ok: bool
    #: 0 no fault, 1 a fault or a missed win rate, 2 not judged
    exit_code: int
    lines: tuple[str, ...]
    record: Mapping[str, Any]


class Target(Protocol):
    """A place that entries go to; built as ``factory(registry)``, and ``factory(registry, settings)`` if it has any."""

    def deliver(self, run_folder: Path, policy_folder: Path, out_folder: Path) -> Delivered:
        """Export the policy, check it against torch and the numpy runtime, and write the file to send."""

    def verify(
        self,
        file: Path,
        games: int,
        min_win_rate: Mapping[str, float],
        keep: Path,
        progress: Callable[[int, int, str], None],
    ) -> Verdict:
        """Play the file as the platform will; `keep` gets the replay of a faulty game."""


def build_target(registry: Registry, table: TargetTable) -> Target:
    """Build the target that a recipe's table or a command names."""
    factory = table.build(registry)
    if registry.get("targets", table.use).settings is NoSettings:
        table.settings(registry)  # a key in the table is an error of its own
        bare: Target = factory(registry)
        return bare
    target: Target = factory(registry, table.settings(registry))
    return target


def deliver(run: Run) -> int:
    """Export, pack and verify what the recipe asks for, and give the exit code."""
    top = run.recipe.top
    if top.target is None:
        if top.verify is not None:
            raise RecipeError(
                'the recipe has a table `verify` but no target; add target = "kaggle:connectx", say'
            )
        return 0
    registry, say = run.host.registry, run.progress.say
    target = build_target(registry, top.target)
    out = run.folder / "exported"
    out.mkdir(exist_ok=True)
    delivered = target.deliver(run.folder, run.folder / "final", out)
    write_atomically(out / "delivery.json", json.dumps(delivered.record, indent=1).encode())
    for line in delivered.lines:
        say(line)
    code = 0
    if top.verify is not None:
        say(f"verifying {delivered.file} ...")
        with run.progress.counting("verify") as count:
            verdict = target.verify(delivered.file, top.verify.games, top.verify.min_win_rate, out, count)
        write_atomically(out / "verification.json", json.dumps(verdict.record, indent=1).encode())
        for line in verdict.lines:
            say(line)
        code = verdict.exit_code
    if code == 0:
        for line in (f"ready: {delivered.file}", *delivered.next_steps):
            say(line)
    return code
