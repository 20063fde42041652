"""Going over a policy's heads: what a loss may ask of each, and what it says to a head that it is not for.

A head of units has a row a unit, ``[U, A]`` logits, and a table of units for `legal`. A loss sees it as that many rows
of one unit each; what it gives, ``[U]``, is averaged over a seat's units, 0 for a seat without any: so a seat counts
the same however many units it has, and a unit's weight is its own.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from lanista.errors import LanistaError
from lanista.policy import Head, Policy
from lanista.spec import HeadSpec
from lanista.units import UnitTable

Logits = dict[str, Tensor]
#: a mask, a table of units, or None for a head of real numbers
Legal = Any
#: ``part(spec, head, student, teacher, legal)``: one head's loss, a number a row
Part = Callable[[HeadSpec, Head, Tensor, Tensor, Legal], Tensor]


def summed(
    policy: Policy,
    student: Logits,
    teacher: Logits,
    legal: dict[str, Tensor],
    part: Part,
    together: bool = False,
) -> Tensor:
    """Sum over heads of ``part(...)``, ``[B]``; the teacher's logits are detached.

    `together` shows units as they are, by seats, to a part that has to do with the order in which they choose.
    """
    parts = []
    for spec, head in _heads(policy):
        ours, theirs, mask = student[spec.name], teacher[spec.name].detach(), legal.get(spec.name)
        if not isinstance(mask, UnitTable):
            parts.append(part(spec, head, ours, theirs, mask))
            continue
        if together:
            rows = part(spec, head, ours, theirs, mask)
        else:
            rows = mask.sum(part(spec, head, ours, theirs, _one_by_one(mask)))
        parts.append(rows / mask.counts.clamp(min=1))
    return torch.stack(parts).sum(dim=0) if len(parts) > 1 else parts[0]


class EachHead(ABC):
    """A distiller that is told head by head, and does not read the values."""

    #: see `summed`
    together = False

    def loss(
        self,
        policy: Policy,
        student_logits: Logits,
        student_value: Tensor,
        teacher_logits: Logits,
        teacher_value: Tensor,
        legal: dict[str, Tensor],
    ) -> Tensor:
        """See `lanista.learning.Distiller`."""
        return summed(policy, student_logits, teacher_logits, legal, self._part, self.together)

    @abstractmethod
    def _part(self, spec: HeadSpec, head: Head, student: Tensor, teacher: Tensor, legal: Legal) -> Tensor:
        """One head's loss, a number a row."""


def _one_by_one(table: UnitTable) -> UnitTable:
    """Each unit in a row of its own."""
    places = torch.arange(table.num_units + 1, device=table.row.device)
    return replace(table, offsets=places, row=places[:-1])


def choices_of(legal: Tensor | UnitTable | None) -> Tensor | None:
    """What is legal as a mask in the shape of the logits."""
    return legal.legal if isinstance(legal, UnitTable) else legal


def _heads(policy: Policy) -> Iterator[tuple[HeadSpec, Head]]:
    specs = {spec.name: spec for spec in policy.card.spec.heads}
    for name, head in policy.heads.items():
        yield specs[name], head


def moments(spec: HeadSpec, head: Head, logits: Tensor, loss: str) -> tuple[Tensor, Tensor]:
    """Mean and deviation of a head's normal distributions, ``[B, A]`` each; refuses a head that has none."""
    found = getattr(head, "moments", None)
    if found is None:
        raise LanistaError(
            f"the loss {loss!r} compares normal distributions, and head {spec.name!r} ({type(head).__name__}) has none: "
            f"it has no method moments(logits) -> (mean, std); take kl for choices, or mse for real numbers"
        )
    mean, std = found(logits)
    return mean, std


def only_choices(spec: HeadSpec, what: str) -> None:
    """Refuse a head of real numbers."""
    if spec.continuous:
        raise LanistaError(
            f"{what} needs a head that chooses, and head {spec.name!r} gives {spec.size} real numbers; take mse, "
            f"huber, wasserstein or gaussian_kl for those"
        )
