"""Going over a policy's heads: what a loss may ask of each, and what it says to a head that it is not for."""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from lanista.errors import LanistaError
from lanista.policy import Head, Policy
from lanista.spec import HeadSpec

Logits = dict[str, Tensor]


def detached(logits: Logits) -> Logits:
    """The same numbers without a way back to whoever gave them."""
    return {name: part.detach() for name, part in logits.items()}


def summed(
    policy: Policy,
    student: Logits,
    teacher: Logits,
    legal: dict[str, Tensor],
    part: Callable[[HeadSpec, Head, Tensor, Tensor, Tensor | None], Tensor],
) -> Tensor:
    """Sum over heads of ``part(spec, head, student, teacher, legal)``, ``[B]``; the teacher's logits are detached."""
    parts = [
        part(spec, head, student[spec.name], teacher[spec.name].detach(), legal.get(spec.name))
        for spec, head in _heads(policy)
    ]
    return torch.stack(parts).sum(dim=0) if len(parts) > 1 else parts[0]


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
