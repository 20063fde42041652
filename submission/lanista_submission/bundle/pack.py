"""``pack``: ONNX files become the archive of a target.

The archive has ``main.py`` at its root and one package, ``lanista_bundle_<hash of its content>``: two
archives may meet in one process and must not take each other's modules.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import onnx
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]  # comes with onnx

from lanista.files import write_atomically
from lanista.plugins import Registry
from lanista.policy import PolicyCard
from lanista.spec import UNITS, HeadSpec
from lanista.version import __version__
from lanista_submission import runtime
from lanista_submission.bundle.archive import archive_bytes
from lanista_submission.bundle.codecs import codec_sources, same_codec
from lanista_submission.bundle.symmetries import symmetry_tables
from lanista_submission.errors import PackError
from lanista_submission.runtime.plan import Plan, compile_plan
from lanista_submission.targets.profile import Profile

MAIN = '''\
"""A {target} entry made by lanista {version}; {package}/card.json says of what."""

from {package} import {codec} as codec
from {package}.codec_calls import Codec
from {package}.play import build_agent

agent = build_agent(Codec(codec, "{codec}.py"))
del Codec, build_agent
'''


@dataclass(frozen=True)
class Network:
    """One exported policy, planned for the runtime."""

    card: PolicyCard
    plan: Plan
    #: the ONNX file's metadata
    facts: dict[str, str]

    @property
    def parameters(self) -> int:
        """Trainable numbers."""
        return int(self.facts["lanista.parameters"])

    def to_json(self) -> dict[str, Any]:
        """What the bundle's card tells of it."""
        return {
            "name": self.card.name,
            "sha256": self.facts["lanista.policy_sha256"],
            "parameters": self.parameters,
            "network": self.card.network,
            "network_settings": self.card.network_settings,
            "history": self.card.history,
            "exported_by": self.facts["lanista.version"],
            "comparison": json.loads(self.facts["lanista.comparison"])
            if "lanista.comparison" in self.facts
            else None,
        }


def read_network(path: Path) -> Network:
    """Read and plan an ONNX file that `export_policy` wrote."""
    try:
        model = onnx.load_model_from_string(path.read_bytes())
    except OSError as error:
        raise PackError(
            f"{path} cannot be read: {error.strerror}; `lanista export` writes such a file"
        ) from error
    except DecodeError as error:
        raise PackError(f"{path} is no ONNX file: {error}; `lanista export` writes one") from error
    facts = {entry.key: entry.value for entry in model.metadata_props}
    missing = {"lanista.card", "lanista.policy_sha256", "lanista.parameters", "lanista.version"} - set(facts)
    if missing:
        raise PackError(f"{path} carries no {sorted(missing)[0]}; make it with `lanista export`")
    return Network(PolicyCard.from_json(json.loads(facts["lanista.card"])), compile_plan(model), facts)


def pack(
    models: Sequence[Path],
    profile: Profile,
    out: Path,
    registry: Registry,
    provenance: Mapping[str, Any] | None = None,
) -> Path:
    """Write the archive of `models` (they play largest first, the others when time runs short) to `out`.

    `provenance` goes into the card as it is. Raises `PackError`, in one sentence, for what the target or the
    runtime cannot take.
    """
    if not models:
        raise PackError(
            f"an entry for {profile.name} needs at least one network; name an ONNX file, a policy or a run"
        )
    networks = sorted((read_network(path) for path in models), key=lambda network: -network.parameters)
    for network in networks:
        _check_fits(network, profile, registry)
    files = bundle_files(networks, profile, registry, provenance or {})
    content = archive_bytes(files)
    if len(content) > profile.max_bytes:
        raise PackError(
            f"the archive has {len(content):,} bytes, {profile.name} takes {profile.max_bytes:,}; "
            f"pack a smaller network or fewer fallbacks"
        )
    out.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(out, content)
    return out


def bundle_files(
    networks: Sequence[Network], profile: Profile, registry: Registry, provenance: Mapping[str, Any]
) -> dict[str, bytes]:
    """Every file of the archive by its path in it."""
    cards = [network.card for network in networks]
    if profile.codec is None:
        same_codec(cards, registry)
    codec, sources = codec_sources(cards[0], profile, registry, taken={"__init__", *runtime.PORTABLE})
    inside = _runtime_sources() | sources
    card: dict[str, Any] = {
        "target": profile.name,
        "lanista": __version__,
        "env": networks[0].card.env,
        "env_version": networks[0].card.spec.version,
        "env_settings": networks[0].card.env_settings,
        "networks": [],
        "play": {
            "heads": {head.name: _head_told(head) for head in networks[0].card.spec.heads},
            "default_action": profile.default_action,
            "act_timeout": profile.act_timeout,
            "actions": profile.actions,
            "settle": profile.settle,
        },
        "provenance": dict(provenance),
    }
    for place, network in enumerate(networks):
        suffix = f"_{place + 1}" if place else ""
        files = {"plan": f"plan{suffix}.json", "weights": f"weights{suffix}.npz"}
        inside[files["plan"]], inside[files["weights"]] = network.plan.json_bytes(), network.plan.npz_bytes()
        if profile.average_symmetries is not None:
            files["symmetries"] = f"symmetries{suffix}.npz"
            inside[files["symmetries"]] = symmetry_tables(network.card, profile.average_symmetries, registry)
        card["networks"].append(network.to_json() | files)
    inside["card.json"] = json.dumps(card, indent=1, sort_keys=True).encode()
    package = f"lanista_bundle_{content_hash(inside)[:8]}"
    main = MAIN.format(target=profile.name, version=__version__, package=package, codec=codec)
    return {f"{package}/{name}": content for name, content in inside.items()} | {"main.py": main.encode()}


def _head_told(head: HeadSpec) -> dict[str, Any] | None:
    """What the player must know of a head: see `lanista_submission.runtime.play.Player`."""
    if head.kind == UNITS:
        return {"units": [name for name, _ in head.units], "exclusive": head.exclusive}
    return {"low": head.low, "high": head.high} if head.continuous else None


def content_hash(files: Mapping[str, bytes]) -> str:
    """sha256 over names, lengths and contents, in the order of the names."""
    digest = hashlib.sha256()
    for name in sorted(files):
        digest.update(f"{name}\0{len(files[name])}\0".encode())
        digest.update(files[name])
    return digest.hexdigest()


def _runtime_sources() -> dict[str, bytes]:
    folder = Path(runtime.__file__).parent
    sources = {f"{stem}.py": (folder / f"{stem}.py").read_bytes() for stem in runtime.PORTABLE}
    return sources | {
        "__init__.py": b'"""A policy, its game\'s codec and the runtime that plays it; see card.json."""\n'
    }


def _check_fits(network: Network, profile: Profile, registry: Registry) -> None:
    card = network.card
    # A game of kaggle-environments may also have been played in there, in the env that is called as the target is.
    if profile.env not in (card.env, card.spec.name) and card.env != profile.name:
        raise PackError(
            f"policy {card.name!r} plays env {card.spec.name!r}, {profile.name} is for {profile.env!r}; "
            f"name a policy of that env or another target"
        )
    if profile.codec is None and len(card.spec.heads) != 1:
        raise PackError(
            f"policy {card.name!r} has {len(card.spec.heads)} action heads; {profile.name} plays "
            f"policies with one"
        )
    given = {entry["name"] for entry in network.plan.record["outputs"]}
    for head in card.spec.heads:
        if profile.actions == "sampled" and head.continuous and f"std_{head.name}" not in given:
            raise PackError(
                f"policy {card.name!r}: {profile.name} draws its actions, and head {head.name!r} of kind "
                f"{card.head_table(head)['use']!r} lets no mean and std out of the graph; let its exported() give "
                f"them, or choose a target that plays greedily"
            )
    wanted_settings = profile.env_settings if card.env != profile.name else {}
    settings = registry.settings("envs", card.env, card.env_settings) if wanted_settings else None
    for key, wanted in wanted_settings.items():
        found = getattr(settings, key, None)
        if found != wanted:
            raise PackError(
                f"policy {card.name!r} was trained with {key} = {found}, {profile.name} plays {key} = "
                f"{wanted}; train it with the competition's setting"
            )
