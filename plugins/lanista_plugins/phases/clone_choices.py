"""How a clone's choices agree with those that were made, choice by choice: one number hides what is rare.

Who always makes the commonest choice may agree in three of four, and plays nothing: so that is told beside the
agreement, and so is the mean over the choices, in which a rare one counts as much as a common one.
"""

from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from lanista.arrays import IntArray
from lanista.spec import HeadSpec
from lanista.units import UnitTable


@dataclass
class ChoiceTally:
    """Counts choices of discrete heads; a kind of units counts as a head of its own."""

    #: head, or kind of unit -> ``[2, A]``: how often each choice was made, and how often the clone made it then, too
    _counts: dict[str, IntArray] = field(default_factory=dict)

    def add(self, spec: HeadSpec, legal: Tensor | UnitTable | None, greedy: Tensor, done: Tensor) -> None:
        """Count what was `done`, ``[B]`` or of units ``[U]``, and what the clone does there."""
        if not isinstance(legal, UnitTable):
            self._count(spec.name, spec.size, greedy, done)
            return
        for kind, (name, size) in enumerate(spec.units):
            mine = legal.kind == kind
            self._count(name, size, greedy[mine], done[mine])

    def _count(self, name: str, size: int, greedy: Tensor, done: Tensor) -> None:
        counts = self._counts.setdefault(name, np.zeros((2, size), np.int64))
        counts[0] += torch.bincount(done, minlength=size).numpy()
        counts[1] += torch.bincount(done[greedy == done], minlength=size).numpy()

    @property
    def commonest(self) -> float:
        """What always making the commonest choice of each head or kind would agree."""
        made = [counts[0] for counts in self._counts.values()]
        return float(sum(row.max() for row in made) / max(sum(row.sum() for row in made), 1))

    @property
    def balanced(self) -> float:
        """The mean, over all choices that were made, of the share in which the clone made them, too."""
        shares: list[float] = [
            both / made for counts in self._counts.values() for made, both in counts.T.tolist() if made > 0
        ]
        return sum(shares) / max(len(shares), 1)

    @property
    def by_name(self) -> dict[str, float]:
        """Agreement of each head or kind of unit that was asked."""
        return {
            name: float(counts[1].sum() / counts[0].sum())
            for name, counts in self._counts.items()
            if counts[0].any()
        }
