"""Distillers ``mse`` and ``huber``: how far the student's numbers are from the teacher's, summed over them.

* ``what = "action"``: what the env gets, after tanh or clip, in halves of the range of each number, so that all count
  alike whatever their units. The right thing for real numbers that are played greedily. It is the head's greedy
  action that is compared, so the gradient is the head's: lanista's heads let it through a clip unchanged, where the
  true one is 0 outside and a student that has strayed there would never come back. The loss is still that of
  the clipped action, and nothing pulls where both are clipped to the same bound. A tanh has a gradient everywhere,
  though a small one near the bounds.
* ``what = "mean"``: of the normal distribution, before tanh or clip, in the units of ``head.moments``. Two means far
  outside are the same action, and yet this tells them apart: for students that go on learning, with teachers that do
  not drift.
* ``what = "logits"``: raw outputs of a head that chooses, over legal actions. The softmax does not see a level that
  all of them share, so each side's mean (or largest one: ``centred = "max"`` compares advantages ``Q - max Q``) is
  taken off first. ``centred = "none"`` with a teacher whose ``q_temperature`` is 1 is the regression of Q values,
  which spends the student's capacity on their level (Rusu et al. 2015, https://arxiv.org/abs/1511.06295, found
  it the worst loss by far); use it only for a student that must go on as a critic of actions.

``auto`` takes the first for heads of real numbers and the last for heads that choose. All are 0 where the two are
equal.
"""

import torch
from torch import Tensor

from lanista.actions import bounds
from lanista.errors import LanistaError
from lanista.policy import Head
from lanista.spec import HeadSpec
from lanista_plugins.distillers.each_head import EachHead, Legal, choices_of, moments, only_choices
from lanista_plugins.distillers.settings import HuberSettings, MseSettings


class Mse(EachHead):
    """Sum of ``e^2``, e the differences of what `what` names; see the module."""

    name = "mse"

    def __init__(self, settings: MseSettings) -> None:
        """Take what is compared."""
        self.settings = settings

    def _part(self, spec: HeadSpec, head: Head, student: Tensor, teacher: Tensor, legal: Legal) -> Tensor:
        what = self.settings.what
        if what == "auto":
            what = "action" if spec.continuous else "logits"
        if what == "logits":
            only_choices(spec, f'the loss {self.name!r} with what = "logits"')
            mask, centred = choices_of(legal), self.settings.centred
            apart = _levelled(student, mask, centred) - _levelled(teacher, mask, centred)
            rows = self._penalty(apart if mask is None else torch.where(mask, apart, 0.0))
            return rows.sum(dim=-1)
        if not spec.continuous:
            raise LanistaError(
                f'the loss {self.name!r} with what = "{what}" compares real numbers, and head {spec.name!r} chooses '
                f'among {spec.size} actions; set what = "logits", or take kl'
            )
        if what == "mean":
            ours, theirs = (moments(spec, head, logits, self.name)[0] for logits in (student, teacher))
            return self._penalty(ours - theirs).sum(dim=-1)
        return self._penalty(executed_difference(spec, head, student, teacher)).sum(dim=-1)

    def _penalty(self, apart: Tensor) -> Tensor:
        return apart.square()


class Huber(Mse):
    """Sum of ``e^2 / 2`` where ``|e| <= delta``, else ``delta (|e| - delta / 2)``; see the module.

    Huber 1964 (https://doi.org/10.1214/aoms/1177703732): a few far numbers do not rule the gradient.
    """

    name = "huber"

    def __init__(self, settings: HuberSettings) -> None:
        """Take what is compared and where the loss turns linear."""
        super().__init__(settings)
        self.delta = settings.delta

    def _penalty(self, apart: Tensor) -> Tensor:
        return torch.nn.functional.huber_loss(
            apart, torch.zeros_like(apart), reduction="none", delta=self.delta
        )


def executed_difference(spec: HeadSpec, head: Head, student: Tensor, teacher: Tensor) -> Tensor:
    """What the env would get from the student less what it would get from the teacher, ``[B, A]``, in half ranges."""
    low, high = (torch.from_numpy(bound).to(student.device) for bound in bounds(spec))
    ours, theirs = head.greedy(student, None), head.greedy(teacher, None)
    if student.requires_grad and not ours.requires_grad:
        raise LanistaError(
            f"head {spec.name!r} ({type(head).__name__}) gives greedy actions without a gradient; compute them with "
            f'torch and without no_grad, or compare with what = "mean", or take kl'
        )
    return (ours - theirs) / ((high - low) / 2.0)


def _levelled(logits: Tensor, legal: Tensor | None, centred: str) -> Tensor:
    """Logits less the mean or the largest of the legal ones."""
    if centred == "none":
        return logits
    if centred == "max":
        kept = logits if legal is None else torch.where(legal, logits, -torch.inf)
        return logits - kept.amax(dim=-1, keepdim=True)
    if legal is None:
        return logits - logits.mean(dim=-1, keepdim=True)
    share = legal / legal.sum(dim=-1, keepdim=True)
    return logits - (torch.where(legal, logits, 0.0) * share).sum(dim=-1, keepdim=True)
