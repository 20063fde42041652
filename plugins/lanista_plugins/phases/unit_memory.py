"""The units of remembered rows, in one flat ring that grows with what the rows need."""

from collections.abc import Mapping

import torch
from torch import Tensor

from lanista.arrays import AnyArray
from lanista.units import UnitTable


class UnitMemory:
    """Units of at most `capacity` rows; a row that is written anew lets its old units go.

    Rows are written in the order of their places, around and around, so the units in use are always one stretch of
    the ring: those of the oldest row first.
    """

    def __init__(self, capacity: int) -> None:
        """Nothing is held; the first table says which columns there are."""
        #: ``[capacity]``: where a row's units begin, counted from the first unit ever, and how many there are; -1: none yet
        self._start = torch.full((capacity,), -1, dtype=torch.int64)
        self._count = torch.zeros(capacity, dtype=torch.int64)
        self._columns: dict[str, Tensor] = {}
        self._size = 0
        self._end = 0

    def write(self, places: Tensor, table: UnitTable) -> None:
        """Put the rows of `table` at `places`, as many."""
        columns = table.columns()
        if not self._columns:
            self._columns = {name: column[:0].clone() for name, column in columns.items()}
        self._start[places] = -1
        kept = self._start[self._start >= 0]
        oldest = int(kept.min()) if len(kept) else self._end
        needed = self._end - oldest + table.num_units
        if needed > self._size:
            self._grow(oldest, needed + needed // 2)
        if self._size:
            where = (self._end + torch.arange(table.num_units)) % self._size
            for name, column in columns.items():
                self._columns[name][where] = column
        self._start[places] = self._end + table.offsets[:-1]
        self._count[places] = table.counts
        self._end += table.num_units

    def _grow(self, oldest: int, size: int) -> None:
        used = torch.arange(oldest, self._end)
        for name, column in self._columns.items():
            larger = torch.empty((size, *column.shape[1:]), dtype=column.dtype)
            if len(used):
                larger[used % size] = column[used % self._size]
            self._columns[name] = larger
        self._size = size

    def read(self, places: Tensor) -> UnitTable:
        """The rows at `places`, in their order, with copies of their units."""
        counts = self._count[places]
        offsets = torch.cat([counts.new_zeros(1), counts.cumsum(0)])
        row = torch.repeat_interleave(torch.arange(len(places)), counts)
        units = self._start[places][row] + torch.arange(len(row)) - offsets[:-1][row]
        where = units % max(self._size, 1)
        columns = {name: column.index_select(0, where) for name, column in self._columns.items()}
        return UnitTable.of_columns(offsets, row, columns)

    def state(self, places: Tensor) -> dict[str, AnyArray]:
        """The rows at `places`, the oldest first, as arrays."""
        return self.read(places).arrays()

    def load_state(self, places: Tensor, state: Mapping[str, AnyArray]) -> None:
        """Take back what `state` gave for the same places."""
        self._start[:] = -1
        self._columns, self._size, self._end = {}, 0, 0
        self.write(places, UnitTable.of_arrays({name: array.copy() for name, array in state.items()}))
