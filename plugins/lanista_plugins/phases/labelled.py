"""Memory: every state that a teacher has labelled, up to a number of rows, ready to be drawn as minibatches."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from lanista.arrays import AnyArray
from lanista.policy import PolicyOutput


@dataclass(frozen=True)
class LabelledBatch:
    """B rows: what was seen, what was legal, what the teacher says of it."""

    observation: dict[str, Tensor]
    legal: dict[str, Tensor]
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

    def __len__(self) -> int:
        """How many rows there are to draw from."""
        return self._filled

    def add(
        self, observation: Mapping[str, Tensor], legal: Mapping[str, Tensor], labels: PolicyOutput
    ) -> None:
        """Keep rows, ``[B, ...]`` each, and what the teacher says of them; the oldest rows go when it is full."""
        fresh = {f"observation.{name}": part for name, part in observation.items()}
        fresh |= {f"legal.{name}": mask for name, mask in legal.items()}
        fresh |= {f"logits.{name}": logits for name, logits in labels.logits.items()}
        fresh["value"] = labels.value
        count = min(len(labels.value), self.capacity)
        first = min(count, self.capacity - self._next)
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

        def under(prefix: str) -> dict[str, Tensor]:
            return {name[len(prefix) :]: tensor for name, tensor in drawn.items() if name.startswith(prefix)}

        return LabelledBatch(under("observation."), under("legal."), under("logits."), drawn["value"])

    def state(self) -> dict[str, AnyArray]:
        """All rows and the ring's place."""
        kept = {name: ring[: self._filled].numpy() for name, ring in self._tensors.items()}
        return {**kept, "place": np.array([self._next, self._filled], np.int64)}

    def load_state(self, state: Mapping[str, AnyArray]) -> None:
        """Take back what `state` gave."""
        self._next, self._filled = (int(number) for number in state["place"])
        self._tensors = {}
        for name, rows in state.items():
            if name != "place":
                ring = torch.from_numpy(np.empty((self.capacity, *rows.shape[1:]), rows.dtype))
                ring[: self._filled] = torch.from_numpy(rows.copy())
                self._tensors[name] = ring
