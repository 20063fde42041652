"""Distiller ``jensen_shannon``: both policies against their mixture.

    beta KL(p_T || m) + (1 - beta) KL(p_S || m),   m = beta p_T + (1 - beta) p_S

At most ln 2 (at beta = 1/2), so no row can rule a minibatch (Lin 1991, https://doi.org/10.1109/18.61115; with a weight
for policies Agarwal et al. 2024, https://arxiv.org/abs/2306.13649). 0 where the two are equal. A mixture of normal
distributions is none, so this is for heads that choose.
"""

import math

import torch
from torch import Tensor

from lanista.policy import Head
from lanista.spec import HeadSpec
from lanista_plugins.distillers.each_head import EachHead, Legal, choices_of, only_choices
from lanista_plugins.distillers.settings import JensenShannonSettings
from lanista_plugins.distillers.stake import weighted


class JensenShannon(EachHead):
    """See the module."""

    def __init__(self, settings: JensenShannonSettings) -> None:
        """Take beta, temperature and stake."""
        self.settings = settings

    def _part(self, spec: HeadSpec, head: Head, student: Tensor, teacher: Tensor, legal: Legal) -> Tensor:
        only_choices(spec, "the loss 'jensen_shannon'")
        beta, temperature = self.settings.beta, self.settings.temperature
        ours, theirs = (_logs(logits / temperature, choices_of(legal)) for logits in (student, teacher))
        mixture = torch.logaddexp(theirs + math.log(beta), ours + math.log1p(-beta))
        rows = beta * head.kl(theirs, mixture, legal) + (1.0 - beta) * head.kl(ours, mixture, legal)
        return weighted(temperature**2 * rows, self.settings, spec, teacher, legal)


def _logs(logits: Tensor, legal: Tensor | None) -> Tensor:
    """Log-probabilities of the legal actions; 0 stands at the illegal ones, which nothing reads."""
    if legal is None:
        return logits.log_softmax(dim=-1)
    return torch.where(legal, torch.where(legal, logits, -torch.inf).log_softmax(dim=-1), 0.0)
