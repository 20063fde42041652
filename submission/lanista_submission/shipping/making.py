"""`make_card`: from a run to a folder that can be given away."""

import hashlib
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import onnx

from lanista.errors import UsageError
from lanista.held_out import held_out_settings
from lanista.policy import Policy, load_policy, policy_hash
from lanista.registry import Registry
from lanista.symmetry.averaging import averaged_as_told
from lanista.tables import TargetTable
from lanista_submission.bundle.pack import pack
from lanista_submission.export.policy import find_policy, observations_of
from lanista_submission.export.timing import decision_times
from lanista_submission.runtime.plan import compile_plan
from lanista_submission.shipping.card import write_card
from lanista_submission.shipping.strength import Wanted, official_games, own_games
from lanista_submission.shipping.training import training_of

if TYPE_CHECKING:
    from lanista.progress import Progress
    from lanista_submission.targets.kaggle import KaggleTarget

#: observations that decisions are timed on
_TIMED = 64


def make_card(
    source: Path,
    out: Path,
    name: str,
    target: str | None,
    own: Wanted,
    official: Wanted,
    results: Path | None,
    registry: Registry,
    progress: "Progress",
) -> list[str]:
    """Write the files and the card into `out`, and give the lines for the screen. Raises `LanistaError`."""
    place = find_policy(source)
    policy = load_policy(place, registry)
    if own.sizes and "size" not in registry.get("envs", policy.card.env).settings.model_fields:
        raise UsageError(f"--sizes: env {policy.card.env!r} has no setting `size`; leave --sizes out")
    made_for = _target(target, policy, registry)
    profile = replace(
        made_for.profile,
        actions="sampled" if own.sample else "greedy",
        average_symmetries=own.average_symmetries,
    )
    averaged_as_told(
        policy, registry, own.average_symmetries
    )  # what cannot be is said before a file is touched
    out.mkdir(parents=True, exist_ok=True)
    for path in out.glob("*.onnx"):  # those of another policy would be told of as this one's
        path.unlink()
    exported = made_for.export(place, out)
    archive = pack([report.path for report in exported], profile, out / "submission.tar.gz", registry)
    content = archive.read_bytes()
    try:
        with progress.counting("own games") as count:
            rows = own_games(policy, own, registry, count)
        found, rules = (
            official_games(archive, policy.card.env, policy.card.env_settings, official, results, registry)
            if official.against
            else ([], {})
        )
    finally:
        archive.unlink()  # `lanista pack` makes it of the ONNX files at any time
    card = write_card(
        out,
        policy,
        {
            "name": name,
            "actions": profile.actions,
            "average_symmetries": own.average_symmetries,
            "policy_sha256": policy_hash(place),
            "archive": {
                "target": profile.name,
                "bytes": len(content),
                "sha256": hashlib.sha256(content).hexdigest(),
            },
            "decision": _decision(policy, exported[0].path, place, registry),
            "training": training_of(source, place),
            "own": {
                "env_settings": held_out_settings(registry, policy.card.env),
                "seed": own.seed,
                "matches": rows,
            },
            "official": {"rules": rules, "seed": official.seed, "matches": found},
        },
    )
    return [*exported[0].lines(), f"{out}: {card['parameters']:,} parameters; read {out / 'CARD.md'}"]


def _target(name: str | None, policy: Policy, registry: Registry) -> "KaggleTarget":
    """The target whose files are made."""
    from lanista.delivery import build_target
    from lanista.official import game_of

    use = name or f"kaggle:{game_of(policy.card.env, registry)}"
    target: Any = build_target(registry, TargetTable(use=use))
    if not hasattr(target, "pack") or not hasattr(target, "arena"):
        raise UsageError(
            f"target {use} makes no archive that plays official games; name one that does with --target"
        )
    found: KaggleTarget = target
    return found


def _decision(policy: Policy, model: Path, place: Path, registry: Registry) -> dict[str, Any]:
    recorded = observations_of(place, policy, registry, _TIMED)
    content = model.read_bytes()
    plan = compile_plan(onnx.load_model_from_string(content))
    return {name: asdict(time) for name, time in decision_times(policy, content, plan, recorded).items()}
