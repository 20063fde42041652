"""A student of several tasks: a network a task, in which all but the task's own weights are one and the same.

Restricted to a task it is that task's ordinary policy, with an ordinary network: it is saved, exported, played and packed
as any other. Its own are the output layers and, where the tasks see different things, whatever reads the observation;
also all weights whose shapes differ. What is left, the trunk, exists once.
"""

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import nn

from lanista.errors import LanistaError
from lanista.plugins import Registry
from lanista.policy import Policy, PolicyCard, build_policy

Shapes = dict[str, torch.Size]


class SharedStudent(nn.Module):
    """The networks of all tasks; each weight that they share is counted, fitted and averaged once."""

    def __init__(self, policies: Sequence[Policy]) -> None:
        """In the order of the tasks."""
        super().__init__()
        self.networks = nn.ModuleList(policy.network for policy in policies)


def shared_student(
    cards: Sequence[PolicyCard], own: Sequence[str], registry: Registry, seed: int
) -> list[Policy]:
    """Build a policy a card and let them share their trunk; raises LanistaError if there is nothing to share.

    The first weights come from torch's generator, which is set to `seed`: they do not depend on the cards' scaling.
    """
    reading = _reading(cards, registry)
    torch.manual_seed(seed)
    policies = [build_policy(card, registry) for card in cards]
    shapes = [_shapes(policy) for policy in policies]
    shared = [
        name
        for name, shape in shapes[0].items()
        if name.rpartition(".")[0] not in reading
        and not name.startswith(tuple(own))
        and all(other.get(name) == shape for other in shapes[1:])
    ]
    if not shared:
        raise LanistaError(
            f"the tasks share no weights: in network {cards[0].network!r} all belong to inputs or outputs; give it two "
            f"hidden layers or more, or leave out what is named in own"
        )
    weights = dict(policies[0].network.named_parameters())
    for policy in policies[1:]:
        for name in shared:
            place, _, leaf = name.rpartition(".")
            policy.network.get_submodule(place).register_parameter(leaf, weights[name])
    return policies


def num_shared(policies: Sequence[Policy]) -> int:
    """Numbers in the weights that all have in common."""
    kept = set.intersection(*({id(weight) for weight in policy.network.parameters()} for policy in policies))
    return sum(weight.numel() for weight in policies[0].network.parameters() if id(weight) in kept)


def _shapes(policy: Policy) -> Shapes:
    return {name: weight.shape for name, weight in policy.network.named_parameters()}


def _reading(cards: Sequence[PolicyCard], registry: Registry) -> set[str]:
    """Names of the modules that read the observation, if the tasks show different things.

    They are found by showing the network more: the weights that change their shape read it, and what stands beside
    them, such as an offset, goes with them.
    """
    first = cards[0].spec.observation
    if all(card.spec.observation == first for card in cards):
        return set()
    found = set()
    for card in cards:
        plain = replace(card, scaling={})
        parts = tuple(
            replace(part, shape=tuple(size + 1 for size in part.shape), center=(0.0,), spread=(1.0,))
            for part in card.spec.observation
        )
        more = replace(plain, spec=replace(card.spec, observation=parts))
        wider = _shapes(build_policy(more, registry))
        shapes = _shapes(build_policy(plain, registry))
        found |= {name.rpartition(".")[0] for name, shape in shapes.items() if wider[name] != shape}
    return found
