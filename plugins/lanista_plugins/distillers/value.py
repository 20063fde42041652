"""Distiller ``value``: the student's value against the teacher's."""

import torch
from torch import Tensor

from lanista.policy import Policy
from lanista_plugins.distillers.settings import ValueSettings


class Value:
    """A row's distance of values, with ``e = student - teacher``.

    "mse": ``e^2``. "huber" (Huber 1964, https://doi.org/10.1214/aoms/1177703732): ``e^2 / 2`` where
    ``|e| <= delta``, else ``delta (|e| - delta / 2)``, so that a few far values do not rule the gradient.
    """

    def __init__(self, settings: ValueSettings) -> None:
        """Take the kind of distance."""
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
        """See `lanista.learning.Distiller`; the logits are not read."""
        teacher = teacher_value.detach()
        if self.settings.kind == "mse":
            return (student_value - teacher).square()
        return torch.nn.functional.huber_loss(
            student_value, teacher, reduction="none", delta=self.settings.delta
        )
