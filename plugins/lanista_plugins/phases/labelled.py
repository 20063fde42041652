"""Memory: every state that a teacher has labelled, up to a number of rows, ready to be drawn as minibatches."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from lanista.arrays import AnyArray
from lanista.named_arrays import prefixed, under
from lanista.policy import PolicyOutput
from lanista.spec import UNITS
from lanista.units import UnitTable
from lanista_plugins.phases.unit_memory import UnitMemory


@dataclass(frozen=True)
class LabelledBatch:
    """B rows: what was seen, what was legal, what the teacher says of it; units in their table."""

    observation: dict[str, Any]
    legal: dict[str, Any]
    logits: dict[str, Tensor]
    value: Tensor


class LabelledRows:
    """A ring of at most `capacity` rows; tensors are named ``observation.<part>``, ``legal.<head>``, ..."""

    def __init__(self, capacity: int) -> None:
        """Start empty; the first rows say what is allocated. The system hands memory out as it is filled."""
        self.capacity = capacity
        self._tensors: dict[str, Tensor] = {}
        self._next = 0
        self._filled = 0
        # Of an env with a head of units: that head, and its units with what the teacher says of them.
        self._unit_head: str | None = None
        self._units = UnitMemory(capacity)

    def __len__(self) -> int:
        """How many rows there are to draw from."""
        return self._filled

    def add(self, observation: Mapping[str, Any], legal: Mapping[str, Any], labels: PolicyOutput) -> None:
        """Keep rows, ``[B, ...]`` each, and what the teacher says of them; the oldest rows go when it is full."""
        count = min(len(labels.value), self.capacity)
        first = min(count, self.capacity - self._next)
        fresh = {f"observation.{name}": part for name, part in observation.items() if name != UNITS}
        fresh["value"] = labels.value
        for name, logits in labels.logits.items():
            mask = legal.get(name)
            if isinstance(mask, UnitTable):
                self._unit_head = name
                newest_rows = mask.with_further({"logits": logits})[len(mask) - count :]
                self._units.write((self._next + torch.arange(count)) % self.capacity, newest_rows)
                continue
            fresh[f"logits.{name}"] = logits
            if mask is not None:
                fresh[f"legal.{name}"] = mask
        for name, rows in fresh.items():
            if name not in self._tensors:
                self._tensors[name] = torch.empty((self.capacity, *rows.shape[1:]), dtype=rows.dtype)
            newest, ring = rows[len(rows) - count :], self._tensors[name]
            ring[self._next : self._next + first] = newest[:first]
            ring[: count - first] = newest[first:]
        self._next = (self._next + count) % self.capacity
        self._filled = min(self._filled + count, self.capacity)

    def draw(self, size: int, generator: torch.Generator) -> LabelledBatch:
        """Draw rows with replacement."""
        return self._rows(torch.randint(self._filled, (size,), generator=generator))

    def newest(self, size: int) -> LabelledBatch:
        """Give the rows that were added last, `size` of them or as many as there are."""
        count = min(size, self._filled)
        return self._rows((torch.arange(self._next - count, self._next)) % self.capacity)

    def _rows(self, index: Tensor) -> LabelledBatch:
        drawn = {name: ring.index_select(0, index) for name, ring in self._tensors.items()}

        def part(prefix: str) -> dict[str, Any]:
            return {name[len(prefix) :]: tensor for name, tensor in drawn.items() if name.startswith(prefix)}

        observation, legal, logits = part("observation."), part("legal."), part("logits.")
        if self._unit_head is not None:
            table = self._units.read(index)
            observation[UNITS] = legal[self._unit_head] = table
            logits[self._unit_head] = table.further["logits"]
        return LabelledBatch(observation, legal, logits, drawn["value"])

    def _by_age(self) -> Tensor:
        """All rows' places, the oldest first."""
        oldest = self._next if self._filled == self.capacity else 0
        return (oldest + torch.arange(self._filled)) % self.capacity

    def state(self) -> dict[str, AnyArray]:
        """All rows and the ring's place."""
        kept = {name: ring[: self._filled].numpy() for name, ring in self._tensors.items()}
        if self._unit_head is not None:
            kept |= prefixed(f"units.{self._unit_head}", self._units.state(self._by_age()))
        return {**kept, "place": np.array([self._next, self._filled], np.int64)}

    def load_state(self, state: Mapping[str, AnyArray]) -> None:
        """Take back what `state` gave."""
        self._next, self._filled = (int(number) for number in state["place"])
        self._tensors = {}
        units = under("units", state)
        if units:
            # A head's name may hold dots itself.
            self._unit_head = next(name for name in units if name.endswith(".offsets")).removesuffix(
                ".offsets"
            )
            self._units.load_state(self._by_age(), under(self._unit_head, units))
        for name, rows in state.items():
            if name != "place" and not name.startswith("units."):
                ring = torch.from_numpy(np.empty((self.capacity, *rows.shape[1:]), rows.dtype))
                ring[: self._filled] = torch.from_numpy(rows.copy())
                self._tensors[name] = ring
