"""Distillers of normal distributions, a number each and independent: ``gaussian_kl``, its reverse, ``wasserstein``.

They read ``head.moments``: the mean and deviation before a tanh or a clip. A tanh is one to one, so the KL before it is
the KL after it. All are 0 where the two are equal. A teacher that is deterministic has no deviation worth learning:
take ``mse`` for it.
"""

from abc import abstractmethod

import torch
from torch import Tensor

from lanista.policy import Head
from lanista.spec import HeadSpec
from lanista_plugins.distillers.each_head import EachHead, Legal, moments
from lanista_plugins.distillers.settings import GaussianKlSettings, WassersteinSettings

Moments = tuple[Tensor, Tensor]


class _OfMoments(EachHead):
    """What the three share: both sides' moments, head by head."""

    name: str

    def _part(self, spec: HeadSpec, head: Head, student: Tensor, teacher: Tensor, legal: Legal) -> Tensor:
        return self._between(*(moments(spec, head, logits, self.name) for logits in (student, teacher)))

    @abstractmethod
    def _between(self, student: Moments, teacher: Moments) -> Tensor:
        """The distance of two rows of normal distributions, ``[B]``."""


class GaussianKl(_OfMoments):
    """KL(teacher || student): sum of ``ln(s_S / s_T) + (s_T^2 + (m_T - m_S)^2) / (2 s_S^2) - 1/2``.

    (Kullback and Leibler 1951 for normal distributions.) It learns the teacher's spread too, for a student that is to
    go on learning by play.
    """

    name = "gaussian_kl"

    def __init__(self, settings: GaussianKlSettings) -> None:
        """Take the least deviation and the means' limit."""
        self.settings = settings

    def _between(self, student: Moments, teacher: Moments) -> Tensor:
        return self._kl(self._apart(student, teacher), self._std(teacher), self._std(student))

    @staticmethod
    def _kl(apart: Tensor, std_p: Tensor, std_q: Tensor) -> Tensor:
        ratio = std_p / std_q
        return (0.5 * (ratio.square() + (apart / std_q).square() - 1.0) - ratio.log()).sum(dim=-1)

    def _apart(self, student: Moments, teacher: Moments) -> Tensor:
        limit = self.settings.mean_limit
        if limit is None:
            return student[0] - teacher[0]
        # The student's mean is not cut: a cut has no gradient, and it would not come back from beyond.
        target = teacher[0].clamp(-limit, limit)
        past = (target.abs() >= limit) & (student[0] * target.sign() >= limit)
        return torch.where(past, 0.0, student[0] - target)

    def _std(self, normal: Moments) -> Tensor:
        return normal[1].clamp(min=self.settings.least_std)


class ReverseGaussianKl(GaussianKl):
    """KL(student || teacher): the same formula with T and S swapped.

    The teacher's own precision weighs each number of the action: ``(m_T - m_S)^2 / (2 s_T^2)``.
    """

    name = "reverse_gaussian_kl"

    def _between(self, student: Moments, teacher: Moments) -> Tensor:
        return self._kl(self._apart(student, teacher), self._std(student), self._std(teacher))


class Wasserstein(_OfMoments):
    """The squared Wasserstein-2 distance: sum of ``(m_T - m_S)^2 + (s_T - s_S)^2``.

    Exact for independent normal numbers (Dowson and Landau 1982, https://doi.org/10.1016/0047-259X(82)90077-X); it
    never blows up, however small a deviation is. `std_coef` weighs the second part.
    """

    name = "wasserstein"

    def __init__(self, settings: WassersteinSettings) -> None:
        """Take the deviations' weight."""
        self.std_coef = settings.std_coef

    def _between(self, student: Moments, teacher: Moments) -> Tensor:
        (mean_s, std_s), (mean_t, std_t) = student, teacher
        apart = (mean_s - mean_t).square() + self.std_coef * (std_s - std_t).square()
        return apart.sum(dim=-1)
