"""Rows of observations, masks and actions, each as an element of a group shows it.

`Rows` works on what a policy takes: dictionaries of tensors with leading axis B, units in their `UnitTable`. Every
row has an element of its own, ``element`` ``[B]``; a row's units are shown as their row is.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from lanista.arrays import AnyArray, IntArray
from lanista.kernels import compile_kernels
from lanista.spec import UNITS, EnvSpec
from lanista.symmetry import moves as kernels
from lanista.symmetry.declared import SymmetryError
from lanista.symmetry.group import Group, Moves
from lanista.units import UnitTable

#: columns of a table that go along with the units and are known: what they chose, and a score a choice
_ACTION, _LOGITS = "action", "logits"


class Rows:
    """A group, ready to be used on rows."""

    def __init__(self, group: Group, spec: EnvSpec) -> None:
        """Compile the loops."""
        self.group, self.spec = group, spec
        self._kernels = compile_kernels(kernels, label="symmetry")

    def transformed(
        self, observation: Mapping[str, Any], legal: Mapping[str, Any], element: IntArray
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """What each row sees and may do, as its element shows it; the given tensors stay as they are."""
        seen: dict[str, Any] = {
            name: self.moved(part, self.group.parts[name], element)
            for name, part in observation.items()
            if name != UNITS
        }
        masks: dict[str, Any] = {}
        for name, mask in legal.items():
            if isinstance(mask, UnitTable):
                masks[name] = self.table(mask, element, name)
            else:
                masks[name] = self._picked(mask, self.group.places(name), element)
        if UNITS in observation:
            own = next((mask for mask in masks.values() if isinstance(mask, UnitTable)), None)
            head = self.spec.units_head
            assert head is not None
            seen[UNITS] = self.table(observation[UNITS], element, head.name) if own is None else own
        return seen, masks

    def actions(
        self, actions: Mapping[str, Tensor], element: IntArray, units: UnitTable | None = None
    ) -> dict[str, Tensor]:
        """Actions ``[B, ...]``, of units ``[U]``, as they are called in the transformed rows; -1 stays -1."""
        found: dict[str, Tensor] = {}
        for name, action in actions.items():
            if name in self.group.numbers:
                found[name] = self.moved(action, self.group.numbers[name], element)
            else:
                table = units if units is not None and name == self._unit_head else None
                found[name] = self._renamed(action, self.group.choices[name], self._which(element, table))
        return found

    def logits(
        self, logits: Mapping[str, Tensor], element: IntArray, units: UnitTable | None = None
    ) -> dict[str, Tensor]:
        """Scores of choices, ``[B, A]``, of units ``[U, A]``, as the transformed rows have them."""
        found: dict[str, Tensor] = {}
        for name, scores in logits.items():
            if name in self.group.numbers:
                raise SymmetryError(
                    f"head {name!r} of {self.spec.name} gives real numbers, and what a symmetry does to its outputs is not "
                    f"known; leave the symmetry out"
                )
            table = units if units is not None and name == self._unit_head else None
            found[name] = self._picked(scores, self.group.places(name), element, table)
        return found

    def table(self, table: UnitTable, element: IntArray, head: str) -> UnitTable:
        """Units as their rows' elements show them."""
        own = element[table.row.numpy()]
        cell = table.cell
        if self.group.cells.shape[1]:
            cell = torch.from_numpy(self.group.cells[own, table.cell.numpy()])
        further = dict(table.further)
        if _ACTION in further:
            further[_ACTION] = self.actions({head: further[_ACTION]}, element, table)[head]
        if _LOGITS in further:
            further[_LOGITS] = self.logits({head: further[_LOGITS]}, element, table)[head]
        return replace(
            table,
            cell=cell,
            legal=self._picked(table.legal, self.group.places(head), element, table),
            observation={
                name: self.moved(part, self.group.unit_parts[name], own)
                for name, part in table.observation.items()
            },
            further=further,
        )

    @property
    def _unit_head(self) -> str | None:
        head = self.spec.units_head
        return None if head is None else head.name

    def moved(self, part: Tensor, moves: Moves, element: IntArray) -> Tensor:
        """``[B, *shape]`` of a part, each row by its element."""
        source = part.detach().contiguous().numpy().reshape(len(part), moves.order.shape[1])
        out = np.empty_like(source)
        if moves.plain:
            self._kernels.move_rows(source, element, moves.order, out)
        else:
            self._kernels.shift_rows(source, element, moves.order, moves.sign, moves.shift, out)
        return torch.from_numpy(out.reshape(part.shape))

    def _which(self, element: IntArray, table: UnitTable | None) -> IntArray:
        """``[B]``, or ``[U]`` with a table: the row in a ``[G * K, A]`` table of choices."""
        if table is None:
            return element
        head = self.spec.units_head
        assert head is not None
        which: IntArray = element[table.row.numpy()] * len(head.units) + table.kind.numpy()
        return which

    def _picked(
        self, mask: Tensor, places: IntArray, element: IntArray, table: UnitTable | None = None
    ) -> Tensor:
        """Masks or scores ``[B, A]`` by new places."""
        source = mask.detach().contiguous().numpy()
        out = np.empty_like(source)
        order: AnyArray = places.reshape(-1, places.shape[2])
        self._kernels.move_rows(source, self._which(element, table), order, out)
        return torch.from_numpy(out)

    def _renamed(self, action: Tensor, choices: IntArray, which: IntArray) -> Tensor:
        given = action.detach().contiguous().numpy()
        out = np.empty_like(given)
        self._kernels.rename_choices(given, which, choices.reshape(-1, choices.shape[2]), out)
        return torch.from_numpy(out)
