"""Distiller ``argmax``: the negative log-likelihood of what the teacher would do.

    -ln p_S(a),   a = the teacher's greedy action

Behaviour cloning of a greedy teacher: simple, and blind to near ties. Not 0 where student and teacher are equal (it is
the student's own -ln p there) and not at rest either: it drives the student's chance of that action towards 1. Of a
head of real numbers it is the log-density at the teacher's executed action, of a head of units the mean over units of
-ln p of each one's choice, given what the units before it have taken.
"""

from torch import Tensor

from lanista.policy import Head, Policy
from lanista.spec import HeadSpec
from lanista_plugins.distillers.each_head import Legal, summed
from lanista_plugins.distillers.settings import ArgmaxSettings
from lanista_plugins.distillers.stake import weighted


class Argmax:
    """See the module."""

    #: see `lanista.learning.Distiller`
    rests_at_teacher = False

    def __init__(self, settings: ArgmaxSettings) -> None:
        """Take the stake."""
        self.settings = settings

    def loss(
        self,
        policy: Policy,
        student_logits: dict[str, Tensor],
        student_value: Tensor,
        teacher_logits: dict[str, Tensor],
        teacher_value: Tensor,
        legal: dict[str, Tensor],
    ) -> Tensor:
        """See `lanista.learning.Distiller`; the values are not read."""
        return summed(policy, student_logits, teacher_logits, legal, self._part, together=True)

    def _part(self, spec: HeadSpec, head: Head, student: Tensor, teacher: Tensor, legal: Legal) -> Tensor:
        rows = -head.logprob(student, legal, head.greedy(teacher, legal))
        return weighted(rows, self.settings, spec, teacher, legal)
