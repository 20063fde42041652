"""Random tables of units, and the head of units as a plain loop."""

import math

import numpy as np
import torch
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from lanista.spec import HeadSpec
from lanista.units import UnitTable
from lanista_agents.heads.units import Units

KINDS = (("worker", 5), ("cart", 4), ("tile", 2))
CHOICES = torch.tensor([number for _, number in KINDS])
SPEC = HeadSpec("orders", "units", 5, "an order", units=KINDS, exclusive=((1, 2), (1, 2, 3), ()))
HEAD = Units(SPEC)
FREE = Units(HeadSpec("orders", "units", 5, "an order", units=KINDS))
finite = st.floats(-20.0, 20.0, width=32)


def table_of(counts, cell, kind, legal):
    counts = torch.as_tensor(counts, dtype=torch.int64)
    offsets = torch.cat([torch.zeros(1, dtype=torch.int64), counts.cumsum(0)])
    row = torch.repeat_interleave(torch.arange(len(counts)), counts)
    cell = torch.as_tensor(cell, dtype=torch.int64)
    return UnitTable(offsets, row, cell, kind, legal, {"seen": torch.arange(len(row)).float()})


@st.composite
def tables(draw, kinds=3, cells=3, most=6):
    """A ragged table: rows without units, few cells, some kinds absent."""
    counts = draw(st.lists(st.integers(0, most), min_size=1, max_size=5))
    units = sum(counts)
    cell = draw(arrays(np.int64, units, elements=st.integers(0, cells - 1)))
    kind = torch.from_numpy(draw(arrays(np.int64, units, elements=st.integers(0, kinds - 1))))
    legal = torch.from_numpy(draw(arrays(np.bool_, (units, 5))))
    legal &= torch.arange(5) < CHOICES[kind].unsqueeze(1)
    legal[torch.arange(units), draw(st.integers(0, 1))] = True
    return table_of(counts, cell, kind, legal)


@st.composite
def cases(draw, copies=1, **shape):
    table = draw(tables(**shape))
    size = (table.num_units, 5)
    logits = [torch.from_numpy(draw(arrays(np.float32, size, elements=finite))) for _ in range(copies)]
    return (*logits, table)


def open_to(table, unit, action, exclusive=SPEC.exclusive):
    """The choices that the earlier units of the row leave to `unit`."""
    kind = int(table.kind[unit])
    legal = [a for a in range(5) if table.legal[unit, a]]
    taken = {
        int(action[other])
        for other in range(int(table.offsets[table.row[unit]]), unit)
        if table.cell[other] == table.cell[unit] and int(action[other]) in exclusive[int(table.kind[other])]
    }
    left = [a for a in legal if not (a in taken and a in exclusive[kind])]
    return left or legal


def log_softmax(logits, entries):
    numbers = [float(logits[a]) for a in entries]
    top = max(numbers)
    total = top + math.log(sum(math.exp(number - top) for number in numbers))
    return {a: number - total for a, number in zip(entries, numbers, strict=True)}


def plain_logprob(logits, table, action):
    """The joint log-probability of each row, one unit after another."""
    totals = [0.0] * len(table)
    for unit in range(table.num_units):
        chosen = int(action[unit])
        if not table.legal[unit, chosen]:
            totals[int(table.row[unit])] = -math.inf
            continue
        entries = sorted({*open_to(table, unit, action), chosen})
        totals[int(table.row[unit])] += log_softmax(logits[unit], entries)[chosen]
    return torch.tensor(totals)


def plain_sums(table, of_unit):
    """`of_unit` (unit, its legal choices) summed over each row."""
    totals = [0.0] * len(table)
    for unit in range(table.num_units):
        entries = [a for a in range(5) if table.legal[unit, a]]
        totals[int(table.row[unit])] += of_unit(unit, entries)
    return torch.tensor(totals)
