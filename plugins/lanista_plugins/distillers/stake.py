"""Weights of rows by what is at stake: w = min(difference of the teacher's logits / cap, 1), 0..1.

With ``range`` this is VIPER's ``max Q - min Q`` (Bastani et al. 2018, https://arxiv.org/abs/1805.08328, section 3.2),
cut off so that a few rows do not rule the fit; with ``gap`` the best choice is held against the second best. A row's
weight depends on nothing but that row, so a loss means the same in any minibatch. Rows with one legal choice have
nothing at stake.
"""

import torch
from torch import Tensor

from lanista.spec import HeadSpec
from lanista_plugins.distillers.each_head import only_choices
from lanista_plugins.distillers.settings import StakeSettings


def weighted(
    rows: Tensor, settings: StakeSettings, spec: HeadSpec, teacher: Tensor, legal: Tensor | None
) -> Tensor:
    """`rows` ``[B]`` of a head, each times its weight; `teacher` are that head's logits."""
    if settings.stake == "none":
        return rows
    only_choices(spec, f"stake = {settings.stake!r}")
    best = _masked(teacher, legal, -torch.inf).amax(dim=-1)
    if settings.stake == "range":
        other = _masked(teacher, legal, torch.inf).amin(dim=-1)
    else:
        two = _masked(teacher, legal, -torch.inf).topk(min(2, teacher.shape[-1]), dim=-1).values
        other = torch.where(two[..., -1].isfinite(), two[..., -1], best)
    return rows * ((best - other) / settings.stake_cap).clamp(max=1.0)


def _masked(logits: Tensor, legal: Tensor | None, filler: float) -> Tensor:
    return logits if legal is None else torch.where(legal, logits, filler)
