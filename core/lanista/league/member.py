"""Members of a league on disk: ``members/<name>/member.json``, and a policy's files for a snapshot."""

import hashlib
import json
import re
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from lanista.errors import CheckpointError, LanistaError
from lanista.files import write_atomically
from lanista.spec import EnvSpec

if TYPE_CHECKING:
    from lanista.plugins import Registry
    from lanista.policy import Policy

#: The name of the policy that is being trained.
LEARNER = "learner"


@dataclass(frozen=True)
class Member:
    """One member; what it needs to play lies in its folder."""

    name: str
    kind: Literal["learning", "snapshot", "scripted"]
    #: env steps that a snapshot had learnt
    step: int = 0
    #: the snapshot before this one
    parent: str | None = None
    #: sha256 of a snapshot's card and weights, or of a scripted player's name and settings
    content_hash: str = ""
    #: digest of the observation and heads that a snapshot was made for; another env's pool leaves it out
    made_for: str = ""
    #: a scripted player's plugin and its settings
    use: str | None = None
    options: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self)

    @staticmethod
    def from_json(record: dict[str, Any]) -> "Member":
        """Rebuild what `to_json` gave."""
        return Member(**record)


def game_digest(spec: EnvSpec) -> str:
    """What two envs must share for a policy of one to play in the other, as 16 hex digits."""
    record = spec.to_json()
    # What an env without units has none of is left out, so that its digest is that of earlier versions.
    heads = [
        {key: value for key, value in head.items() if key != "exclusive" or value} for head in record["heads"]
    ]
    shown = [record["observation"], heads, *([record["unit_observation"]] if spec.unit_observation else [])]
    text = json.dumps(shown, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def scripted_member(name: str, use: str, options: dict[str, Any]) -> Member:
    """A scripted player; `options` are its complete settings, so that its hash says how it plays."""
    text = json.dumps({"use": use, "options": options}, sort_keys=True)
    return Member(
        name, "scripted", content_hash=hashlib.sha256(text.encode()).hexdigest(), use=use, options=options
    )


def write_member(members: Path, member: Member) -> None:
    """Write a member's record; a snapshot's policy lies there already, so no record is without one."""
    folder = members / member.name
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(folder / "member.json", json.dumps(member.to_json(), indent=1).encode())


def write_snapshot(members: Path, name: str, policy: "Policy", step: int, parent: str | None) -> Member:
    """Freeze a policy as a member."""
    from lanista.policy import save_policy

    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]*", name):
        raise LanistaError(
            f"member name {name!r} cannot be a folder's; use letters, digits, '_', '.' and '-'"
        )
    content_hash = save_policy(members / name, policy)
    member = Member(name, "snapshot", step, parent, content_hash, game_digest(policy.card.spec))
    write_member(members, member)
    return member


def read_member(folder: Path) -> Member:
    """Read the record in a member's folder."""
    path = folder / "member.json"
    try:
        return Member.from_json(json.loads(path.read_bytes()))
    except (OSError, ValueError, TypeError) as error:
        raise CheckpointError(
            f"league member {folder.name!r}: {path} cannot be read ({error}); "
            "take the folder out of the league or bring its files back"
        ) from error


def load_snapshot(folder: Path, member: Member, registry: "Registry") -> "Policy":
    """Load a snapshot's policy after holding its files against the hash in its record."""
    from lanista.policy import load_policy, policy_hash

    try:
        found = policy_hash(folder)
    except OSError as error:
        raise CheckpointError(
            f"league member {member.name!r}: {folder} is incomplete ({error}); bring its files back"
        ) from error
    if found != member.content_hash:
        raise CheckpointError(
            f"league member {member.name!r} is damaged: its files in {folder} have sha256 {found[:12]}…, "
            f"its record says {member.content_hash[:12]}…; bring the files back"
        )
    return load_policy(folder, registry)
