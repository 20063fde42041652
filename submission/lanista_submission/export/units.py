"""The table of acting units on its way into a graph: inputs of one flat axis U beside the batch axis B.

The graph's inputs are ``unit_row`` ``[U]`` (which of the B rows, rising), ``unit_cell`` ``[U]``, ``unit_kind`` ``[U]`` and
the parts that are seen of units, ``[U, *shape]``, by their names; ``legal_<head>`` is ``[U, A]``. What a network derives
from the offsets is derived in the graph.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from lanista.arrays import AnyArray
from lanista.spec import EnvSpec
from lanista.units import CELL, KIND, ROW, UnitTable
from lanista_submission.errors import ExportError

#: the graph's inputs that say which units there are, before what is seen of them
COLUMNS = (ROW, CELL, KIND)


class TracedTable(UnitTable):
    """A table whose number of rows is a size of a tensor, so that tracing leaves it free."""

    def sum(self, values: Tensor) -> Tensor:
        """See `UnitTable.sum`."""
        shape = (self.offsets.shape[0] - 1, *values.shape[1:])
        return torch.zeros(shape, dtype=values.dtype).index_add(0, self.row, values)


def unit_inputs(spec: EnvSpec) -> list[str]:
    """The inputs of the units' axis but for their mask, in order; none without a head of units."""
    if spec.units_head is None:
        return []
    names = [*COLUMNS, *(part.name for part in spec.unit_observation)]
    taken = {part.name for part in spec.observation}
    clash = next((name for name in names if name in taken or names.count(name) > 1), None)
    if clash is not None:
        raise ExportError(
            f"env {spec.name!r} calls two things {clash!r}, and an ONNX file has one input of a name; rename the part"
        )
    if not spec.observation:
        raise ExportError(
            f"env {spec.name!r} shows a seat nothing but its units, so no graph can tell how many seats"
        )
    return names


def traced_table(columns: Sequence[Tensor], legal: Tensor, rows: Tensor, spec: EnvSpec) -> TracedTable:
    """Put the table together from the graph's inputs; `rows` is any part of the observation, ``[B, ...]``."""
    row, cell, kind, *seen = columns
    counts = torch.zeros(rows.shape[0], dtype=torch.int64).index_add(0, row, torch.ones_like(row))
    offsets = torch.cat([counts.new_zeros(1), counts.cumsum(0)])
    parts = {part.name: tensor for part, tensor in zip(spec.unit_observation, seen, strict=True)}
    return TracedTable(offsets, row, cell, kind, legal, parts)


def example_units(spec: EnvSpec) -> list[Tensor]:
    """Seven units of three rows for tracing, without their mask: numbers that no layer has by chance."""
    head = spec.units_head
    assert head is not None
    row = torch.tensor([0, 0, 1, 1, 1, 2, 2])
    kind = torch.arange(len(row)) % len(head.units)
    seen = [
        torch.zeros((len(row), *part.shape), dtype=getattr(torch, part.dtype))
        for part in spec.unit_observation
    ]
    return [row, torch.zeros_like(row), kind, *seen]


def graph_arrays(table: UnitTable, head: str) -> dict[str, AnyArray]:
    """A table and its mask as numpy arrays under the names of the graph's inputs."""
    return {**table.graph_arrays(), f"legal_{head}": table.legal.numpy()}
