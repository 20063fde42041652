"""Distillers ``expected_entropy`` and ``n_distill``: losses of the states that the student itself brings about.

Czarnecki et al. 2019 (https://arxiv.org/abs/1902.02186): where the student plays, the gradient of what it pays in a whole
episode is that of each loss plus that of its choices' chances, each choice weighted by the losses that come later::

    sum_t [ grad loss_t + grad ln p_S(a_t) sum_{i > t} discount^(i - t) loss_i ]

`loss` gives the first part and `cost_to_go` the weights of the second. They differ in loss_t:

* ``expected_entropy``: KL(p_S || p_T), the paper's cross-entropy -sum p_S ln p_T less the student's entropy
  (``cross_entropy = true`` keeps that in: then it is not 0 where the two are equal, but rests at the teacher's mode);
* ``n_distill``: KL(p_T || p_S), plain student-driven distillation with the part of its gradient that is usually left out.

With discount 1 and episodes that end within the rollout the gradient is exact; an open end counts as nothing later,
the same for all games of a step, which the baseline takes out.
"""

from torch import Tensor

from lanista.arrays import FloatArray
from lanista.learning import Rollout
from lanista.policy import Head
from lanista.spec import HeadSpec
from lanista_plugins.distillers.cost_to_go import baselined, later_losses
from lanista_plugins.distillers.each_head import EachHead, Legal
from lanista_plugins.distillers.settings import ExpectedEntropySettings, TrajectorySettings


class NDistill(EachHead):
    """``KL(teacher || student)`` along the student's trajectories; see the module."""

    def __init__(self, settings: TrajectorySettings) -> None:
        """Take discount and baseline."""
        self.settings = settings

    def _part(self, spec: HeadSpec, head: Head, student: Tensor, teacher: Tensor, legal: Legal) -> Tensor:
        return head.kl(teacher, student, legal)

    def cost_to_go(self, losses: FloatArray, rollout: Rollout) -> FloatArray:
        """See `lanista.learning.TrajectoryDistiller`."""
        later = later_losses(losses, rollout.terminated | rollout.truncated, self.settings.discount)
        return baselined(later, rollout.learn) if self.settings.baseline == "others" else later


class ExpectedEntropy(NDistill):
    """``KL(student || teacher)`` along the student's trajectories; see the module."""

    def __init__(self, settings: ExpectedEntropySettings) -> None:
        """Take discount, baseline and whether the student's entropy stays in."""
        super().__init__(settings)
        self.cross_entropy = settings.cross_entropy
        #: see `lanista.learning.Distiller`
        self.rests_at_teacher = not settings.cross_entropy

    def _part(self, spec: HeadSpec, head: Head, student: Tensor, teacher: Tensor, legal: Legal) -> Tensor:
        rows = head.kl(student, teacher, legal)
        return rows + head.entropy(student, legal) if self.cross_entropy else rows
