"""The acting units of B rows, as tensors: what travels where a seat is asked once for every unit.

An env with a head of the kind ``"units"`` has a flat table a step (`VecEnv`); here are the rows of it that act, or
those of a minibatch. One `UnitTable` stands twice, the same object: in the observation under the name `UNITS`, for
networks, and in `legal` under the head's name, for the head, as the masks of other heads do. Logits, actions and
masks of such a head have a row a unit, ``[U, ...]``; log-probability, entropy and KL stay ``[B]``.

Whoever picks rows out of a dictionary of tensors, ``{name: part[index] for name, part in rows.items()}``, picks
those of a table too: it takes the rows with their units.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor

from lanista.arrays import AnyArray, IntArray
from lanista.env import VecEnv
from lanista.errors import LanistaError
from lanista.spec import UNITS, EnvSpec

#: how exported graphs call the columns that say which units there are
ROW, CELL, KIND = "unit_row", "unit_cell", "unit_kind"


@dataclass(frozen=True)
class UnitTable:
    """U units of B rows, row after row; a row may have none."""

    #: ``[B + 1]`` int64: the units ``offsets[b]`` to ``offsets[b + 1]`` are those of row b
    offsets: Tensor
    #: ``[U]`` int64: b, which rises
    row: Tensor
    #: ``[U]`` int64: the place ``y * W + x``
    cell: Tensor
    #: ``[U]`` int64: which of `HeadSpec.units`
    kind: Tensor
    #: ``[U, A]`` bool
    legal: Tensor
    #: part of `EnvSpec.unit_observation` -> ``[U, *shape]``
    observation: Mapping[str, Tensor] = field(default_factory=dict)
    #: name -> ``[U, ...]``: whatever else goes along with the units, such as what they chose or a teacher's logits
    further: Mapping[str, Tensor] = field(default_factory=dict)

    def __len__(self) -> int:
        """B."""
        return len(self.offsets) - 1

    @property
    def num_units(self) -> int:
        """U."""
        return len(self.row)

    @property
    def counts(self) -> Tensor:
        """``[B]`` int64: units of each row. A mean a unit of what a head sums: divide by it, at least by 1."""
        return self.offsets[1:] - self.offsets[:-1]

    def sum(self, values: Tensor) -> Tensor:
        """Add numbers of units, ``[U, ...]``, up to their rows, ``[B, ...]``; 0 for a row without units."""
        return values.new_zeros((len(self), *values.shape[1:])).index_add(0, self.row, values)

    def with_further(self, columns: Mapping[str, Tensor]) -> "UnitTable":
        """The same units with more columns, ``[U, ...]`` each."""
        return replace(self, further={**self.further, **columns})

    def __getitem__(self, index: Tensor | slice) -> "UnitTable":
        """The rows of a slice (views), of a mask ``[B]``, or by numbers in their order, each with its units."""
        if isinstance(index, slice):
            start, stop, step = index.indices(len(self))
            if step == 1:
                return self._stretch(start, max(start, stop))
            index = torch.arange(start, stop, step)
        if index.dtype == torch.bool:
            index = index.nonzero().squeeze(1)
        return self.index_select(0, index)

    def index_select(self, dim: int, index: Tensor) -> "UnitTable":
        """The rows by number, as ``Tensor.index_select``; `dim` is 0."""
        assert dim == 0
        counts = self.counts.index_select(0, index)
        offsets = torch.cat([counts.new_zeros(1), counts.cumsum(0)])
        row = torch.repeat_interleave(torch.arange(len(index), device=counts.device), counts)
        # Each unit's old place: that of its row's first unit, and as far behind it as it is behind the new row's first.
        behind = torch.arange(len(row), device=counts.device) - offsets[:-1].index_select(0, row)
        units = self.offsets[:-1].index_select(0, index).index_select(0, row) + behind
        picked = {name: column.index_select(0, units) for name, column in self.columns().items()}
        return self.of_columns(offsets, row, picked)

    def _stretch(self, start: int, stop: int) -> "UnitTable":
        offsets = self.offsets[start : stop + 1]
        first, last = int(offsets[0]), int(offsets[-1])
        cut = {name: column[first:last] for name, column in self.columns().items()}
        return self.of_columns(offsets - first, self.row[first:last] - start, cut)

    @staticmethod
    def joined(tables: "list[UnitTable]") -> "UnitTable":
        """One table of the rows of several, one after another."""
        columns = [table.columns() for table in tables]
        counts = torch.cat([table.counts for table in tables])
        offsets = torch.cat([counts.new_zeros(1), counts.cumsum(0)])
        row = torch.repeat_interleave(torch.arange(len(counts), device=counts.device), counts)
        return UnitTable.of_columns(
            offsets, row, {name: torch.cat([one[name] for one in columns]) for name in columns[0]}
        )

    def arrays(self) -> dict[str, AnyArray]:
        """As numpy arrays by dotted name: ``offsets``, ``cell``, ``kind``, ``legal``, ``observation.<part>`` and so on."""
        columns = {"offsets": self.offsets, **self.columns()}
        return {name: column.numpy() for name, column in columns.items()}

    @staticmethod
    def of_arrays(arrays: Mapping[str, AnyArray]) -> "UnitTable":
        """Take back what `arrays` gave, without a copy."""
        columns = {name: torch.from_numpy(array) for name, array in arrays.items()}
        offsets = columns.pop("offsets")
        row = torch.repeat_interleave(torch.arange(len(offsets) - 1), offsets.diff())
        return UnitTable.of_columns(offsets, row, columns)

    def graph_arrays(self) -> dict[str, AnyArray]:
        """As numpy arrays under the names of an exported graph's inputs, but for the mask."""
        columns = {ROW: self.row, CELL: self.cell, KIND: self.kind, **self.observation}
        return {name: column.numpy() for name, column in columns.items()}

    def columns(self) -> dict[str, Tensor]:
        """Everything that has a row a unit, by dotted name, but for `row`."""
        return {
            "cell": self.cell,
            "kind": self.kind,
            "legal": self.legal,
            **{f"observation.{name}": part for name, part in self.observation.items()},
            **{f"further.{name}": column for name, column in self.further.items()},
        }

    @staticmethod
    def of_columns(offsets: Tensor, row: Tensor, columns: Mapping[str, Tensor]) -> "UnitTable":
        """Put together what `columns` takes apart."""

        def under(group: str) -> dict[str, Tensor]:
            return {
                name.removeprefix(group): column for name, column in columns.items() if name.startswith(group)
            }

        return UnitTable(
            offsets,
            row,
            columns["cell"],
            columns["kind"],
            columns["legal"],
            under("observation."),
            under("further."),
        )


def units_of(observation: Mapping[str, Any]) -> UnitTable:
    """The table among the parts of an observation, for a network; raises LanistaError if there is none."""
    table = observation.get(UNITS)
    if not isinstance(table, UnitTable):
        found = ", ".join(sorted(observation)) or "nothing"
        raise LanistaError(
            f"a network that plays units was shown {found} and no table of units; put a lanista.units.UnitTable "
            f"under {UNITS!r} beside the parts"
        )
    return table


def live_units(env: VecEnv) -> UnitTable:
    """The env's table as it stands, of all R rows; the tensors are views, true until the env steps."""
    return UnitTable(
        torch.from_numpy(env.unit_offsets),
        torch.from_numpy(env.unit_row),
        torch.from_numpy(env.unit_cell),
        torch.from_numpy(env.unit_kind),
        torch.from_numpy(env.unit_legal),
        {name: torch.from_numpy(part) for name, part in env.unit_observation.items()},
    )


def no_units(spec: EnvSpec, rows: int) -> UnitTable:
    """A table of rows in which nobody acts: that of a game's last state."""
    return _blank_units(spec, [0] * rows)


def blank_rows(spec: EnvSpec, rows: int) -> dict[str, Any]:
    """An observation of zeros; of a head of units the first row has a unit of each kind, the others have none."""
    observation: dict[str, Any] = {
        part.name: torch.zeros((rows, *part.shape), dtype=getattr(torch, part.dtype))
        for part in spec.observation
    }
    if spec.units_head is not None:
        observation[UNITS] = _blank_units(spec, [blank_units(spec), *[0] * (rows - 1)])
    return observation


def blank_units(spec: EnvSpec) -> int:
    """How many units `blank_rows` shows."""
    return 0 if spec.units_head is None else len(spec.units_head.units)


def _blank_units(spec: EnvSpec, counts: list[int]) -> UnitTable:
    """Units with nothing but zeros shown of them, as many a row as `counts` says, the kinds in turn, all choices legal."""
    head = spec.units_head
    assert head is not None
    offsets = torch.tensor([0, *counts]).cumsum(0)
    row = torch.repeat_interleave(torch.arange(len(counts)), torch.tensor(counts, dtype=torch.int64))
    kind = torch.arange(len(row)) % len(head.units)
    choices = torch.tensor([number for _, number in head.units])
    return UnitTable(
        offsets,
        row,
        torch.zeros_like(row),
        kind,
        torch.arange(head.size) < choices[kind].unsqueeze(1),
        {
            part.name: torch.zeros((len(row), *part.shape), dtype=getattr(torch, part.dtype))
            for part in spec.unit_observation
        },
    )


def seen(env: VecEnv, rows: IntArray) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the rows ``game * S + seat`` see and may do now: observation and legal, as a policy takes them."""
    index = torch.from_numpy(rows)

    def picked(arrays: dict[str, AnyArray]) -> dict[str, Any]:
        flat = {name: array.reshape(-1, *array.shape[2:]) for name, array in arrays.items()}
        return {name: torch.from_numpy(array[rows]) for name, array in flat.items()}

    observation, legal = picked(env.observation), picked(dict(env.legal))
    head = env.spec.units_head
    if head is not None:
        observation[UNITS] = legal[head.name] = live_units(env)[index]
    return observation, legal
