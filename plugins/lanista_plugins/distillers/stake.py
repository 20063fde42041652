"""Weights of rows by what is at stake: w = min(difference of the teacher's logits / cap, 1), 0..1.

With ``range`` this is VIPER's ``max Q - min Q`` (Bastani et al. 2018, https://arxiv.org/abs/1805.08328, section 3.2),
cut off so that a few rows do not rule the fit; with ``gap`` the best choice is held against the second best. A row's
weight depends on nothing but that row, so a loss means the same in any minibatch. Rows with one legal choice have
nothing at stake.
"""

import torch
from torch import Tensor

from lanista.spec import HeadSpec
from lanista.units import UnitTable
from lanista_plugins.distillers.each_head import Legal, choices_of, only_choices
from lanista_plugins.distillers.settings import StakeSettings


def weighted(rows: Tensor, settings: StakeSettings, spec: HeadSpec, teacher: Tensor, legal: Legal) -> Tensor:
    """`rows` of a head, each times its weight; `teacher` are that head's logits."""
    if settings.stake == "none":
        return rows
    only_choices(spec, f"stake = {settings.stake!r}")
    mask = choices_of(legal)
    best = _masked(teacher, mask, -torch.inf).amax(dim=-1)
    if settings.stake == "range":
        other = _masked(teacher, mask, torch.inf).amin(dim=-1)
    else:
        two = _masked(teacher, mask, -torch.inf).topk(min(2, teacher.shape[-1]), dim=-1).values
        other = torch.where(two[..., -1].isfinite(), two[..., -1], best)
    weight = ((best - other) / settings.stake_cap).clamp(max=1.0)
    if isinstance(legal, UnitTable):  # a seat has its units' mean; one unit by itself its own
        weight = legal.sum(weight) / legal.counts.clamp(min=1)
    return rows * weight


def _masked(logits: Tensor, mask: Tensor | None, filler: float) -> Tensor:
    return logits if mask is None else torch.where(mask, logits, filler)
