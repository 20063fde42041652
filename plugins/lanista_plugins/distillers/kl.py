"""Distillers ``kl`` and ``reverse_kl``: divergences of the policies, summed over heads.

Each head computes its own divergence, so both work with every head: one of choices leaves illegal actions out on
both sides, one of units divides by the number of acting units, one of normal distributions has its closed form.
Softened on both sides they are multiplied by the squared temperature, because softening divides the gradient by
about that much (Hinton et al. 2015, https://arxiv.org/abs/1503.02531, section 2): a coefficient then means the same at
any temperature.

A teacher of Q values comes with logits ``Q / q_temperature`` (a setting of the teacher). ``sides = "teacher"`` divides
those once more and leaves the student's alone, as Rusu et al. 2015 (https://arxiv.org/abs/1511.06295, equation 3) do:
the two temperatures multiply, and ``q_temperature`` alone with temperature 1 is the same loss.
"""

from abc import abstractmethod

from torch import Tensor

from lanista.policy import Head
from lanista.spec import HeadSpec
from lanista_plugins.distillers.each_head import EachHead, Legal, only_choices
from lanista_plugins.distillers.settings import KlSettings
from lanista_plugins.distillers.stake import weighted


class _Divergence(EachHead):
    """What both directions share."""

    def __init__(self, settings: KlSettings) -> None:
        """Take temperature, sides and stake."""
        self.settings = settings
        #: see `lanista.learning.Distiller`: a student is not to be like a teacher that is sharpened alone
        self.rests_at_teacher = settings.sides == "both" or settings.temperature == 1.0

    def _part(self, spec: HeadSpec, head: Head, student: Tensor, teacher: Tensor, legal: Legal) -> Tensor:
        settings = self.settings
        temperature, factor, aim = settings.temperature, settings.temperature**2, teacher
        if settings.sides == "teacher" and temperature != 1.0:
            only_choices(spec, 'sides = "teacher"')
            aim, temperature, factor = teacher / temperature, 1.0, 1.0
        rows = factor * self._between(head, student, aim, legal, temperature)
        return weighted(rows, settings, spec, teacher, legal)

    @abstractmethod
    def _between(
        self, head: Head, student: Tensor, teacher: Tensor, legal: Legal, temperature: float
    ) -> Tensor:
        """The divergence of two rows of logits, ``[B]``."""


class ForwardKl(_Divergence):
    """``T^2 KL(teacher || student)``, ``p`` being the softmax of logits / T, over legal actions.

    sum_a p_T(a) (log p_T(a) - log p_S(a)): the student covers all that the teacher does (Hinton et al. 2015; for
    policies Rusu et al. 2015). 0 where the two are equal.
    """

    def _between(
        self, head: Head, student: Tensor, teacher: Tensor, legal: Legal, temperature: float
    ) -> Tensor:
        return head.kl(teacher, student, legal, temperature)


class ReverseKl(_Divergence):
    """``T^2 KL(student || teacher)``, ``p`` being the softmax of logits / T, over legal actions.

    sum_a p_S(a) (log p_S(a) - log p_T(a)): the student does only what the teacher does, and settles on one of its
    choices where it is too small for all (Gu et al. 2024, MiniLLM, https://arxiv.org/abs/2306.08543). 0 where the two
    are equal.
    """

    def _between(
        self, head: Head, student: Tensor, teacher: Tensor, legal: Legal, temperature: float
    ) -> Tensor:
        return head.kl(student, teacher, legal, temperature)
