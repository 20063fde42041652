"""Distillers ``kl`` and ``reverse_kl``: divergences of the policies, summed over heads.

Each head computes its own divergence, so both work with every head. They are multiplied by the squared
temperature, because softening divides the gradient by about that much (Hinton et al. 2015, section 2): a
coefficient then means the same at any temperature.
"""

import torch
from torch import Tensor

from lanista.policy import Policy
from lanista_plugins.distillers.settings import KlSettings


def _divergence(
    policy: Policy,
    first: dict[str, Tensor],
    second: dict[str, Tensor],
    legal: dict[str, Tensor],
    temperature: float,
) -> Tensor:
    """``temperature^2 * sum over heads of KL(first || second)``, ``[B]``."""
    parts = [
        head.kl(first[name], second[name], legal.get(name), temperature)
        for name, head in policy.heads.items()
    ]
    return torch.stack(parts).sum(dim=0) * temperature**2 if len(parts) > 1 else parts[0] * temperature**2


class ForwardKl:
    """``T^2 KL(teacher || student)``, ``p_T`` being the softmax of logits / T, over legal actions.

    sum_a p_T(a | teacher) (log p_T(a | teacher) - log p_T(a | student)): the student covers all that the
    teacher does (Hinton et al. 2015, https://arxiv.org/abs/1503.02531; for policies Rusu et al. 2016,
    https://arxiv.org/abs/1511.06295).
    """

    def __init__(self, settings: KlSettings) -> None:
        """Take the temperature."""
        self.temperature = settings.temperature

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
        teacher = {name: logits.detach() for name, logits in teacher_logits.items()}
        return _divergence(policy, teacher, student_logits, legal, self.temperature)


class ReverseKl:
    """``T^2 KL(student || teacher)``, ``p_T`` being the softmax of logits / T, over legal actions.

    sum_a p_T(a | student) (log p_T(a | student) - log p_T(a | teacher)): the student does only what the
    teacher does, and settles on one of its choices where it is too small for all (Gu et al. 2024, MiniLLM,
    https://arxiv.org/abs/2306.08543).
    """

    def __init__(self, settings: KlSettings) -> None:
        """Take the temperature."""
        self.temperature = settings.temperature

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
        teacher = {name: logits.detach() for name, logits in teacher_logits.items()}
        return _divergence(policy, student_logits, teacher, legal, self.temperature)
