"""Distiller `rps_brier`: the squared distance of the probabilities (Brier 1950).

Summed over several teachers it is smallest at their average strategy, whatever they are: the mean of points minimises
the sum of squared distances to them.
"""

from torch import Tensor

from lanista.plugins import NoSettings
from lanista.policy import Policy


class Brier:
    """``sum_a (p_student(a) - p_teacher(a))^2`` over legal actions, summed over heads."""

    def __init__(self, settings: NoSettings) -> None:
        """There is nothing to set."""

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
        total = student_value.new_zeros(student_value.shape)
        for name, mask in legal.items():
            student = _probabilities(student_logits[name], mask)
            teacher = _probabilities(teacher_logits[name].detach(), mask)
            total = total + (student - teacher).square().sum(dim=-1)
        return total


def _probabilities(logits: Tensor, legal: Tensor) -> Tensor:
    """Softmax over legal entries, exactly 0 elsewhere."""
    return logits.masked_fill(~legal, float("-inf")).softmax(dim=-1)
