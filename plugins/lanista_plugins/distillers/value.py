"""Distiller ``value``: the student's value against the teacher's."""

import torch
from torch import Tensor

from lanista.errors import LanistaError
from lanista.policy import Policy
from lanista_plugins.distillers.settings import ValueSettings


class Value:
    """A row's distance of values, with ``e = student - scale * teacher``; 0 where the two are equal and scale is 1.

    "mse": ``e^2``. "huber" (Huber 1964, https://doi.org/10.1214/aoms/1177703732): ``e^2 / 2`` where
    ``|e| <= delta``, else ``delta (|e| - delta / 2)``, so that a few far values do not rule the gradient. A warm start
    of a critic that is to learn on; the values are those of the teacher's own play, so let its weight fall.
    """

    def __init__(self, settings: ValueSettings) -> None:
        """Take the kind of distance and the units."""
        self.settings = settings
        #: see `lanista.learning.Distiller`
        self.rests_at_teacher = settings.scale == 1.0

    def loss(
        self,
        policy: Policy,
        student_logits: dict[str, Tensor],
        student_value: Tensor,
        teacher_logits: dict[str, Tensor],
        teacher_value: Tensor,
        legal: dict[str, Tensor],
    ) -> Tensor:
        """See `lanista.learning.Distiller`; the logits are not read. Raises LanistaError if there is no critic."""
        teacher = self.settings.scale * teacher_value.detach()
        if bool(teacher.isnan().any()):
            raise LanistaError(
                "the loss 'value' needs a teacher with a critic, and this one's value is NaN (an actor alone was "
                "saved); leave that loss out, or name a teacher that has its critic"
            )
        if self.settings.kind == "mse":
            return (student_value - teacher).square()
        return torch.nn.functional.huber_loss(
            student_value, teacher, reduction="none", delta=self.settings.delta
        )
