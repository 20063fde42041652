"""A policy: a network, the heads that read its logits, and the card that says how to build both again.

Heads and networks are plugins; this module holds the contracts that they keep and the file format
(``policy.json`` + ``weights.safetensors``), which nothing that is read back as code can enter.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from inspect import signature
from pathlib import Path
from typing import Any, NamedTuple, Protocol, Self

import torch
from torch import Tensor, nn

from lanista.errors import CheckpointError, LanistaError
from lanista.files import write_atomically
from lanista.plugins import Registry
from lanista.spec import EnvSpec, HeadSpec, ObsPart
from lanista.tables import HeadTable
from lanista.testing.complaints import Complaints
from lanista.testing.outputs import check_output
from lanista.units import blank_rows, blank_units

#: name -> tensor with leading axis B, or a `lanista.units.UnitTable` where an env asks for every unit
Tensors = Mapping[str, Any]


class PolicyOutput(NamedTuple):
    """What a network says of B rows: raw `logits` a head (``[B, num_outputs]``, not masked) and `value` ``[B]``.

    A head that is asked for every unit has ``[U, num_outputs]``, in the order of the table of units.
    """

    logits: dict[str, Tensor]
    value: Tensor


class Head(Protocol):
    """A family of action distributions, made for one `HeadSpec`; a head holds no weights.

    `logits` are the network's raw outputs for it, ``[B, num_outputs]``, whatever they mean to it. Actions are
    ``[B]`` int64, or ``[B, A]`` float32 inside the spec's bounds. `legal` is ``[B, A]`` bool, or None for a head of
    real numbers, which has no masks. All other returns are ``[B]``.

    A head of the kind ``"units"`` has a row a unit, ``[U, num_outputs]`` and ``[U]``, and gets as `legal` the
    `lanista.units.UnitTable` that says which units are whose; its other returns are ``[B]`` too.
    """

    #: network outputs that this head reads
    num_outputs: int

    def sample(
        self, logits: Tensor, legal: Tensor | None, generator: torch.Generator
    ) -> tuple[Tensor, Tensor]:
        """Draw actions and give their log-probabilities, those that `logprob` would give."""

    def greedy(self, logits: Tensor, legal: Tensor | None) -> Tensor:
        """Give the most probable legal action, or what stands for it: the middle of a distribution."""

    def logprob(self, logits: Tensor, legal: Tensor | None, action: Tensor) -> Tensor:
        """Log-probability of `action`, or of real numbers its log-density in the units of the action."""

    def entropy(self, logits: Tensor, legal: Tensor | None) -> Tensor:
        """Entropy in nats, summed over legal entries only; of real numbers the differential entropy."""

    def kl(self, teacher: Tensor, student: Tensor, legal: Tensor | None, temperature: float = 1.0) -> Tensor:
        """KL(teacher || student) in nats, both distributions to the power 1 / `temperature` and scaled anew."""

    def exported(self, logits: Tensor, legal: Tensor | None) -> dict[str, Tensor]:
        """What leaves the exported graph: ``{"logits": ...}`` becomes the output ``logits_<head>``, and so on.

        A choice gives ``logits`` ``[B, A]``, illegal entries at float32's lowest finite value. A head of real
        numbers gives ``action`` ``[B, A]``, its greedy action; those archives that are to draw their actions also
        need ``mean`` and ``std`` of a normal distribution whose tanh, -1 to 1, is then led to the bounds.
        """


class Network(nn.Module):
    """``forward(observation) -> PolicyOutput``; a plugin's network also knows its parts, heads and settings."""

    settings: Any

    def forward(self, observation: Tensors) -> PolicyOutput:
        """`observation` maps each part to ``[B, *part.shape]`` in the part's own dtype; scaling happens inside.

        Where the env has a head of units it also holds their table (`lanista.units.units_of`).
        """
        raise NotImplementedError

    def grow(self, settings: Any) -> Self:  # noqa: ANN401 - the network's own settings model
        """Give a larger network that computes the same function to 1e-5, or raise LanistaError saying why not."""
        raise LanistaError(f"{type(self).__name__} has no growing; teach a larger network instead")


@dataclass(frozen=True)
class PolicyCard:
    """All that is needed to build a policy's module again, and to know what it was made for."""

    env: str
    env_settings: dict[str, Any]
    spec: EnvSpec
    network: str
    network_settings: dict[str, Any]
    name: str = "policy"
    history: dict[str, Any] = field(default_factory=dict)
    #: head -> its plugin and settings, as a recipe's table; without an entry `HeadSpec.kind` with its defaults
    heads: dict[str, dict[str, Any]] = field(default_factory=dict)
    #: part -> its `center` and `spread` where they are not the env's own but were measured for this policy
    scaling: dict[str, dict[str, list[float]]] = field(default_factory=dict)

    @property
    def parts(self) -> tuple[ObsPart, ...]:
        """The observation as the network is to scale it."""
        measured = self.scaling
        return tuple(
            part
            if part.name not in measured
            else replace(
                part,
                center=tuple(measured[part.name]["center"]),
                spread=tuple(measured[part.name]["spread"]),
            )
            for part in self.spec.observation
        )

    def head_table(self, spec: HeadSpec) -> dict[str, Any]:
        """The plugin (``use``) and settings of one head."""
        return self.heads.get(spec.name, {"use": spec.kind})

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        record = {**self.__dict__, "spec": self.spec.to_json()}
        return record if self.scaling else {key: value for key, value in record.items() if key != "scaling"}

    @staticmethod
    def from_json(record: dict[str, Any]) -> "PolicyCard":
        """Rebuild what `to_json` gave."""
        return PolicyCard(**{**record, "spec": EnvSpec.from_json(record["spec"])})


class Policy:
    """A network with its heads. `observation` and `legal` are dictionaries of tensors with leading axis B.

    `legal` has no entry for a head of real numbers, and the table of units for one of units.
    """

    def __init__(self, network: Network, heads: dict[str, Head], card: PolicyCard) -> None:
        """Bind the parts; `heads` follows the order of ``card.spec.heads``."""
        self.network = network
        self.heads = heads
        self.card = card

    @torch.no_grad()
    def act(
        self, observation: Tensors, legal: Tensors, generator: torch.Generator | None
    ) -> tuple[dict[str, Tensor], Tensor, Tensor]:
        """Give (action a head, joint logprob ``[B]``, value ``[B]``); greedy if `generator` is None.

        The action of a head of units is ``[U]``, in the order of their table.
        """
        output = self.network(observation)
        actions: dict[str, Tensor] = {}
        logprob = torch.zeros_like(output.value)
        for name, head in self.heads.items():
            logits, mask = output.logits[name], legal.get(name)
            if generator is None:
                actions[name] = head.greedy(logits, mask)
            else:
                actions[name], part = head.sample(logits, mask, generator)
                logprob = logprob + part
        return actions, logprob, output.value

    @property
    def num_parameters(self) -> int:
        """Numbers in the network's weights; one whose weights are no parameters of torch says how many it has."""
        own = getattr(self.network, "num_parameters", None)
        return own if isinstance(own, int) else sum(weight.numel() for weight in self.network.parameters())


def build_policy(card: PolicyCard, registry: Registry) -> Policy:
    """Build an untrained policy from its card (torch's global generator draws the first weights).

    The network answers two rows of zeros first, so that one of another form is told by name and not by a later sum.
    """
    policy = assemble_policy(card, registry)
    with torch.no_grad():
        answer = policy.network(blank_rows(card.spec, 2))
    complaints = Complaints.about(registry.get("networks", card.network))
    check_output(answer, outputs_of(card.spec, policy.heads), 2, complaints, blank_units(card.spec))
    return policy


def outputs_of(spec: EnvSpec, heads: Mapping[str, Head]) -> tuple[HeadSpec, ...]:
    """What is asked of a network: the heads, with the number of their outputs as `size`."""
    return tuple(
        HeadSpec(head.name, head.kind, heads[head.name].num_outputs, head.meaning, head.units)
        for head in spec.heads
    )


def build_heads(card: PolicyCard, registry: Registry) -> dict[str, Head]:
    """The heads that a card names, by the names in its spec and in their order."""
    heads: dict[str, Head] = {}
    for spec in card.spec.heads:
        table = HeadTable.model_validate(card.head_table(spec))
        heads[spec.name] = table.build(registry)(spec, table.settings(registry))
    return heads


def assemble_policy(card: PolicyCard, registry: Registry) -> Policy:
    """Put network and heads together as the card says; nothing is asked of the network yet."""
    heads = build_heads(card, registry)
    settings = registry.settings("networks", card.network, card.network_settings)
    factory = registry.load("networks", card.network)
    more: dict[str, Any] = {}
    if card.spec.units_head is not None:
        if "unit_observation" not in signature(factory).parameters:
            raise LanistaError(
                f"network {card.network!r} takes no units, and {card.spec.name} asks for every unit; take a network "
                f"whose factory has the argument unit_observation, such as unit_mlp or grid_resnet"
            )
        more["unit_observation"] = card.spec.unit_observation
    return Policy(factory(card.parts, outputs_of(card.spec, heads), settings, **more), heads, card)


def save_policy(folder: Path, policy: Policy) -> str:
    """Write card and weights into `folder` and give their content hash (sha256, 64 hex digits)."""
    from safetensors.torch import save

    folder.mkdir(parents=True, exist_ok=True)
    weights = save({name: value.contiguous() for name, value in policy.network.state_dict().items()})
    card = json.dumps(policy.card.to_json(), indent=1, sort_keys=True).encode()
    write_atomically(folder / "weights.safetensors", weights)
    write_atomically(folder / "policy.json", card)
    return hashlib.sha256(card + weights).hexdigest()


def load_policy(folder: Path, registry: Registry) -> Policy:
    """Read a policy that `save_policy` wrote."""
    from safetensors.torch import load

    if not (folder / "policy.json").is_file():
        raise CheckpointError(
            f"{folder} holds no policy: policy.json is missing; name a run or a policy folder"
        )
    card = PolicyCard.from_json(json.loads((folder / "policy.json").read_text()))
    policy = assemble_policy(card, registry)
    policy.network.load_state_dict(load((folder / "weights.safetensors").read_bytes()))
    return policy


def policy_hash(folder: Path) -> str:
    """The content hash that `save_policy` gave, computed anew from the files."""
    return hashlib.sha256(
        (folder / "policy.json").read_bytes() + (folder / "weights.safetensors").read_bytes()
    ).hexdigest()
