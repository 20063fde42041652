"""A policy that asks its network about a position as several elements of a group show it, and takes the mean.

Logits are translated back and averaged: the distribution is the geometric mean of the elements', and values are
averaged. If the elements are a group, the policy then is exactly symmetric: in a transformed position it plays the
transformed choice with the same probability. A pass costs as many rows as there are elements.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from lanista.policy import Network, Policy, PolicyOutput, Tensors
from lanista.registry import Registry
from lanista.spec import UNITS, EnvSpec
from lanista.symmetry.declared import SymmetryError
from lanista.symmetry.find import find_group
from lanista.symmetry.group import Group, Moves
from lanista.units import UnitTable

#: in place of names of symmetries: all elements
ALL = "all"


def averaged_policy(policy: Policy, registry: Registry, wanted: Sequence[str] = (ALL,)) -> Policy:
    """A policy that averages over the symmetries of its env, or over those that the named ones make.

    Raises `SymmetryError` where the env declares none, or a head gives real numbers.
    """
    card = policy.card
    group = find_group(registry, card.env, card.env_settings, card.spec)
    elements = list(range(len(group))) if list(wanted) == [ALL] else group.subgroup(wanted)
    return Policy(AveragedNetwork(policy.network, group, card.spec, elements), policy.heads, card)


def refuse_numbers(group: Group, spec: EnvSpec) -> None:
    """Raise `SymmetryError` if a head gives real numbers."""
    for name in group.numbers:
        raise SymmetryError(
            f"head {name!r} of {spec.name} gives real numbers, and averaging over symmetries takes choices; leave it out"
        )


class AveragedNetwork(Network):
    """See the module; E elements, all rows of the first one, then all of the next."""

    def __init__(
        self, network: torch.nn.Module, group: Group, spec: EnvSpec, elements: Sequence[int]
    ) -> None:
        """`elements` are numbers in `group`; they should be a group themselves."""
        super().__init__()
        refuse_numbers(group, spec)
        self.network = network
        self._spec, self._elements = spec, torch.tensor(elements)
        self._parts = {name: _Moved(moves, elements) for name, moves in group.parts.items()}
        self._unit_parts = {name: _Moved(moves, elements) for name, moves in group.unit_parts.items()}
        #: head -> ``[E, K, A]``
        self._choices = {
            name: torch.from_numpy(table)[self._elements] for name, table in group.choices.items()
        }
        self._places = {name: torch.from_numpy(group.places(name))[self._elements] for name in group.choices}
        self._cells = torch.from_numpy(group.cells)[self._elements]

    def forward(self, observation: Tensors) -> PolicyOutput:
        """See `lanista.policy.Network`."""
        elements = len(self._elements)
        seen: dict[str, Any] = {
            name: self._parts[name](part) for name, part in observation.items() if name != UNITS
        }
        table: UnitTable | None = observation.get(UNITS)
        if table is not None:
            seen[UNITS] = self._units(table)
        output: PolicyOutput = self.network(seen)
        logits: dict[str, Tensor] = {}
        head = self._spec.units_head
        for name, scores in output.logits.items():
            by_element = scores.reshape(elements, -1, scores.shape[1])
            choices = self._choices[name]
            if table is not None and head is not None and name == head.name:
                back = choices[:, table.kind]
            else:
                back = choices.expand(-1, by_element.shape[1], -1)
            logits[name] = by_element.gather(2, back).mean(dim=0)
        return PolicyOutput(logits, output.value.reshape(elements, -1).mean(dim=0))

    def _units(self, table: UnitTable) -> UnitTable:
        """The units of all elements' rows."""
        head = self._spec.units_head
        assert head is not None
        elements, rows, units = len(self._elements), len(table), table.num_units
        each = torch.arange(elements).unsqueeze(1)
        starts = (table.offsets[:-1] + units * each).reshape(-1)
        cell = table.cell.repeat(elements)
        if self._cells.shape[1]:
            cell = self._cells[:, table.cell].reshape(-1)
        places = self._places[head.name][:, table.kind]
        legal = table.legal.expand(elements, -1, -1).gather(2, places)
        return replace(
            table,
            offsets=torch.cat([starts, torch.tensor([elements * units])]),
            row=(table.row + rows * each).reshape(-1),
            cell=cell,
            kind=table.kind.repeat(elements),
            legal=legal.reshape(-1, legal.shape[2]),
            observation={name: self._unit_parts[name](part) for name, part in table.observation.items()},
            further={},
        )


class _Moved:
    """``[B, *shape]`` to ``[E * B, *shape]``: the rows as each element shows them."""

    def __init__(self, moves: Moves, elements: Sequence[int]) -> None:
        self.order = torch.from_numpy(moves.order[list(elements)])
        self.factors: tuple[Tensor, Tensor] | None = None
        if not moves.plain:
            chosen = (moves.sign[list(elements)], moves.shift[list(elements)])
            sign, shift = (torch.from_numpy(array).unsqueeze(1) for array in chosen)
            self.factors = sign, shift

    def __call__(self, part: Tensor) -> Tensor:
        flat = part.flatten(1)
        found = flat[:, self.order].transpose(0, 1)
        if self.factors is not None:
            sign, shift = self.factors
            found = (sign * found + shift).to(part.dtype)
        return found.reshape(-1, *part.shape[1:])


def averaged_as_told(policy: Policy, registry: Registry, told: str | None) -> Policy:
    """As commands and cards tell it: "all", or names with commas between; None leaves the policy as it is."""
    if told is None:
        return policy
    return averaged_policy(policy, registry, [name.strip() for name in told.split(",")])
