"""Two ways from a normal distribution to an action within bounds, for one number y a number of the action.

Both lead y, in units of half the range with 0 in the middle, to ``middle + half * f(y)``; they differ in f:

``tanh``  one to one, so densities are exact (Haarnoja et al. 2018, https://arxiv.org/abs/1812.05905, appendix C).
``clip``  f(y) = min(max(y, -1), 1): what lies beyond a bound is played as the bound. The action then has a density
          inside and a probability on each bound, and its log-density is that of this mixed measure: the logarithm
          of the normal density inside, of the tail's probability on a bound.
"""

import math
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor
from torch.autograd import Function

from lanista.actions import bounds
from lanista.spec import HeadSpec

#: an action this near to a bound, as a share of half the range, counts as this near: tanh has no way back from 1
EDGE = 2.0**-22
LOG_2 = math.log(2.0)
LOG_SQRT_TAU = 0.5 * math.log(2.0 * math.pi)
#: nodes and weights of the rule for means over a standard normal number
_places, _shares = np.polynomial.hermite_e.hermegauss(24)
NODES = torch.tensor(_places, dtype=torch.float32)
WEIGHTS = torch.tensor(_shares / _shares.sum(), dtype=torch.float32)


class Squash(Protocol):
    """The way to the bounds of one head; all arguments and returns ``[B, A]`` but where it is said."""

    def action(self, y: Tensor) -> Tensor:
        """The action of y, within the bounds; its gradient is of use beyond them, too."""

    def exported(self, y: Tensor) -> Tensor:
        """The same as torch operations that a traced graph can hold."""

    def logprob(self, mean: Tensor, log_std: Tensor, action: Tensor) -> Tensor:
        """Log-density of an action in its own units, ``[B]``."""

    def entropy(self, mean: Tensor, log_std: Tensor) -> Tensor:
        """The mean of -logprob, ``[B]``."""


class Bounds:
    """Low, high, middle and half width of a head's numbers, ``[A]`` each."""

    def __init__(self, spec: HeadSpec) -> None:
        """Read the spec."""
        self.low, self.high = (torch.from_numpy(bound) for bound in bounds(spec))
        self.middle, self.half = (self.high + self.low) / 2.0, (self.high - self.low) / 2.0
        #: sum over the numbers of log half
        self.log_volume = float(self.half.log().sum())

    def units(self, action: Tensor) -> Tensor:
        """An action in half ranges from the middle."""
        return (action - self.middle) / self.half


class TanhSquash(Bounds):
    """See the module."""

    def action(self, y: Tensor) -> Tensor:
        """Rounding may lead a hair beyond a bound, hence the clamp."""
        return torch.clamp(self.middle + self.half * torch.tanh(y), self.low, self.high)

    def exported(self, y: Tensor) -> Tensor:
        """See `Squash`."""
        return torch.minimum(torch.maximum(self.middle + self.half * torch.tanh(y), self.low), self.high)

    def logprob(self, mean: Tensor, log_std: Tensor, action: Tensor) -> Tensor:
        """``log normal(y) - log half - log(1 - tanh(y)^2)``."""
        y = torch.atanh(self.units(action).clamp(EDGE - 1.0, 1.0 - EDGE))
        normal = -0.5 * ((y - mean) * torch.exp(-log_std)).square() - log_std - LOG_SQRT_TAU
        return (normal - log_slope(y)).sum(dim=-1) - self.log_volume

    def entropy(self, mean: Tensor, log_std: Tensor) -> Tensor:
        """The last term of `logprob` has no closed form: it is integrated by Gauss and Hermite's rule."""
        y = mean.unsqueeze(-1) + log_std.exp().unsqueeze(-1) * NODES.to(mean.device)
        squashing = log_slope(y) @ WEIGHTS.to(mean.device)
        return (log_std + 0.5 + LOG_SQRT_TAU + squashing).sum(dim=-1) + self.log_volume


class _Through(Function):
    """Clamp whose gradient goes through unchanged.

    A loss whose target lies within the bounds then draws a mean that has left them back inside, where the true
    gradient, 0, would leave it for ever. Where the clamped action is the target nothing pulls.
    """

    @staticmethod
    def forward(ctx: Any, value: Tensor, low: Tensor, high: Tensor) -> Tensor:  # noqa: ANN401 - torch's own
        return torch.clamp(value, low, high)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:  # noqa: ANN401 - torch's own
        return gradient, None, None


class ClipSquash(Bounds):
    """See the module."""

    def action(self, y: Tensor) -> Tensor:
        """Clipped, with a gradient that is not cut beyond the bounds (see `_Through`)."""
        through: Tensor = _Through.apply(self.middle + self.half * y, self.low, self.high)  # type: ignore[no-untyped-call]
        return through

    def exported(self, y: Tensor) -> Tensor:
        """See `Squash`."""
        return torch.minimum(torch.maximum(self.middle + self.half * y, self.low), self.high)

    def logprob(self, mean: Tensor, log_std: Tensor, action: Tensor) -> Tensor:
        """An action at a bound counts for all beyond it."""
        inverse = torch.exp(-log_std)
        z = (self.units(action) - mean) * inverse
        inside = -0.5 * z.square() - log_std - LOG_SQRT_TAU - self.half.log()
        below = torch.special.log_ndtr((-1.0 - mean) * inverse)
        above = torch.special.log_ndtr((mean - 1.0) * inverse)
        part = torch.where(action <= self.low, below, torch.where(action >= self.high, above, inside))
        return part.sum(dim=-1)

    def entropy(self, mean: Tensor, log_std: Tensor) -> Tensor:
        """``-P ln P`` of each tail, and inside the integral of the normal one from bound to bound.

        With ``a, b = (-1 - m)/s, (1 - m)/s``, n the standard normal density and Z the chance of being inside, that is
        ``Z (ln(half s) + ln(2 pi)/2 + 1/2) + (a n(a) - b n(b)) / 2``.
        """
        inverse = torch.exp(-log_std)
        a, b = (-1.0 - mean) * inverse, (1.0 - mean) * inverse
        below, above = torch.special.log_ndtr(a), torch.special.log_ndtr(-b)
        tails = -(below.exp() * below) - above.exp() * above
        # 1 - both tails would lose all digits where the mean lies far outside.
        within = torch.where(
            mean.abs() > 1.0,
            (torch.special.ndtr(-a.abs()) - torch.special.ndtr(-b.abs())).abs(),
            1.0 - below.exp() - above.exp(),
        )
        edges = 0.5 * (a * torch.exp(-0.5 * a.square()) - b * torch.exp(-0.5 * b.square()))
        inner = within * (log_std + self.half.log() + LOG_SQRT_TAU + 0.5) + edges * math.exp(-LOG_SQRT_TAU)
        whole: Tensor = (tails + inner).sum(dim=-1)
        return whole


def inverse_tanh(x: Tensor) -> Tensor:
    """atanh of numbers between -1 and 1, by logarithms, which every runtime of an exported graph has."""
    return 0.5 * (torch.log(1.0 + x) - torch.log(1.0 - x))


def log_slope(y: Tensor) -> Tensor:
    """log(1 - tanh(y)^2), also where tanh(y) rounds to 1."""
    return 2.0 * (LOG_2 - y - torch.nn.functional.softplus(-2.0 * y))


SQUASHES: dict[str, type[TanhSquash] | type[ClipSquash]] = {"tanh": TanhSquash, "clip": ClipSquash}
