"""Growing a network without changing what it computes.

Widths grow by new units whose outgoing weights are zero while their incoming ones are drawn afresh: nobody
hears them yet, but the gradient of their outgoing weights is not zero, so the first steps wake them. Depth
grows by residual blocks, whose outer layer starts at zero. Every layer keeps its old inputs and outputs in
front of the new ones, so one rule serves them all (Chen et al. 2016, Net2Net, for the idea)::

    new weight = [ old    0     ]     new bias = [ old   ]
                 [ fresh  fresh ]                [ fresh ]
"""

from collections.abc import Iterable
from typing import TypeVar

import torch
from pydantic import BaseModel
from torch import nn

from lanista.errors import LanistaError

Grown = TypeVar("Grown", bound=nn.Module)


def copy_into(old: nn.Module, new: Grown) -> Grown:
    """Put the weights of `old` into the front corner of those of `new`, by the rule above, and give `new`."""
    fresh = new.state_dict()
    with torch.no_grad():
        for name, before in old.state_dict().items():
            after = fresh[name]
            rows = before.shape[0]
            if before.ndim == 1:
                after[:rows] = before
            else:
                after[:rows] = 0.0
                after[:rows, : before.shape[1]] = before
    return new


def refuse_changes(network: str, old: BaseModel, new: BaseModel, names: Iterable[str]) -> None:
    """Raise if a setting that growth cannot change differs."""
    for name in names:
        before, after = getattr(old, name), getattr(new, name)
        if before != after:
            raise LanistaError(
                f"{network} cannot change {name} from {before!r} to {after!r} by growing; "
                f"keep it, or start fresh with the old policy as teacher"
            )


def refuse_shrinking(network: str, name: str, before: int, after: int) -> None:
    """Raise if a size gets smaller."""
    if after < before:
        raise LanistaError(
            f"{network} cannot shrink {name} from {before} to {after} by growing; "
            f"use {before} or more, or distil into a smaller network"
        )
