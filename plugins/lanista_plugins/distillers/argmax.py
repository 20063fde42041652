"""Distiller ``argmax``: the negative log-likelihood of what the teacher would do.

    -ln p_S(a),   a = the teacher's greedy action

Behaviour cloning of a greedy teacher: simple, and blind to near ties. Not 0 where student and teacher are equal (it is
the student's own -ln p there) and not at rest either: it drives the student's chance of that action towards 1. Of a
head of real numbers it is the log-density at the teacher's executed action, of a head of units the mean over units of
-ln p of each one's choice, given what the units before it have taken.
"""

from torch import Tensor

from lanista.policy import Head
from lanista.spec import HeadSpec
from lanista_plugins.distillers.each_head import EachHead, Legal
from lanista_plugins.distillers.settings import ArgmaxSettings
from lanista_plugins.distillers.stake import weighted


class Argmax(EachHead):
    """See the module."""

    together = True

    #: see `lanista.learning.Distiller`
    rests_at_teacher = False

    def __init__(self, settings: ArgmaxSettings) -> None:
        """Take the stake."""
        self.settings = settings

    def _part(self, spec: HeadSpec, head: Head, student: Tensor, teacher: Tensor, legal: Legal) -> Tensor:
        rows = -head.logprob(student, legal, head.greedy(teacher, legal))
        return weighted(rows, self.settings, spec, teacher, legal)
