"""Head ``gaussian``: A real numbers within bounds, a normal distribution a number, led to the bounds by tanh.

The network gives two outputs a number, m and x (all m first, then all x)::

    y = m + s n,  n standard normal,  log s = log init_std + RANGE tanh(x / RANGE)
    action = middle + half * tanh(y),  middle and half of low..high

So x = 0 means `init_std`, and s stays within a factor of exp(RANGE) of it, bounded softly: the gradient never dies.
tanh is one to one, so the log-density is exact (Haarnoja et al. 2018, https://arxiv.org/abs/1812.05905, appendix C)::

    log p(action) = log normal(y) - log half - log(1 - tanh(y)^2)

and the KL of two distributions is that of their normal ones. The entropy is the normal one's plus the mean of the
last two terms, which has no closed form: it is integrated by Gauss and Hermite's rule. The deviation depends on the
state: a head holds no weights, and a student learns the teacher's deviation along with its mean.
"""

import math

import numpy as np
import torch
from torch import Tensor

from lanista.actions import bounds
from lanista.errors import LanistaError
from lanista.spec import HeadSpec
from lanista_agents.settings import GaussianSettings

#: log s leaves log init_std by this at most
RANGE = 2.0
#: an action this near to a bound, as a share of half the range, counts as this near: tanh has no way back from 1
EDGE = 2.0**-22
LOG_2 = math.log(2.0)
LOG_SQRT_TAU = 0.5 * math.log(2.0 * math.pi)
#: nodes and weights of the rule for means over a standard normal number
_places, _shares = np.polynomial.hermite_e.hermegauss(24)
NODES = torch.tensor(_places, dtype=torch.float32)
WEIGHTS = torch.tensor(_shares / _shares.sum(), dtype=torch.float32)


class Gaussian:
    """See the module; ``logits`` are ``[B, 2 A]``, actions ``[B, A]`` float32 inside the bounds, `legal` is not read."""

    def __init__(self, spec: HeadSpec, settings: GaussianSettings | None = None) -> None:
        """Two outputs a number; raises LanistaError for a head without bounds."""
        if not spec.continuous:
            raise LanistaError(
                f"head {spec.name!r} has no bounds, so it chooses among {spec.size} actions; gaussian gives real "
                f"numbers: declare low and high in its HeadSpec, or name a head that chooses such as categorical"
            )
        self.num_outputs = 2 * spec.size
        self.init_log_std = math.log((settings or GaussianSettings()).init_std)
        self.low, self.high = (torch.from_numpy(bound) for bound in bounds(spec))
        self.middle, self.half = (self.high + self.low) / 2.0, (self.high - self.low) / 2.0
        #: sum over the numbers of log half
        self.log_volume = float(self.half.log().sum())

    def _split(self, logits: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log deviation of the normal distributions, ``[B, A]`` each."""
        mean, free = logits.chunk(2, dim=-1)
        return mean, self.init_log_std + RANGE * torch.tanh(free / RANGE)

    def _to_bounds(self, y: Tensor) -> Tensor:
        # Rounding may lead a hair beyond a bound.
        return torch.clamp(self.middle + self.half * torch.tanh(y), self.low, self.high)

    def sample(
        self, logits: Tensor, legal: Tensor | None, generator: torch.Generator
    ) -> tuple[Tensor, Tensor]:
        """Draw with A numbers a row from `generator`; neither return carries a gradient."""
        with torch.no_grad():
            mean, log_std = self._split(logits)
            noise = torch.randn(mean.shape, generator=generator, device=generator.device).to(logits.device)
            action = self._to_bounds(mean + log_std.exp() * noise)
            # Of the action as it was rounded, so that `logprob` finds the same.
            return action, self._logprob(mean, log_std, action)

    def greedy(self, logits: Tensor, legal: Tensor | None) -> Tensor:
        """The median of the distribution: tanh of the normal one's mean, within the bounds."""
        return self._to_bounds(self._split(logits)[0])

    def logprob(self, logits: Tensor, legal: Tensor | None, action: Tensor) -> Tensor:
        """Log-density of `action`, in the units of the action."""
        return self._logprob(*self._split(logits), action)

    def _logprob(self, mean: Tensor, log_std: Tensor, action: Tensor) -> Tensor:
        y = torch.atanh(((action - self.middle) / self.half).clamp(EDGE - 1.0, 1.0 - EDGE))
        normal = -0.5 * ((y - mean) * torch.exp(-log_std)).square() - log_std - LOG_SQRT_TAU
        return (normal - log_slope(y)).sum(dim=-1) - self.log_volume

    def entropy(self, logits: Tensor, legal: Tensor | None) -> Tensor:
        """Differential entropy in nats, in the units of the action; below 0 where the actions are narrow."""
        mean, log_std = self._split(logits)
        y = mean.unsqueeze(-1) + log_std.exp().unsqueeze(-1) * NODES.to(logits.device)
        squashing = log_slope(y) @ WEIGHTS.to(logits.device)
        return (log_std + 0.5 + LOG_SQRT_TAU + squashing).sum(dim=-1) + self.log_volume

    def kl(self, teacher: Tensor, student: Tensor, legal: Tensor | None, temperature: float = 1.0) -> Tensor:
        """KL(p || q) in nats, p and q being the normal distributions with their variances times `temperature`."""
        (mean_p, log_p), (mean_q, log_q) = self._split(teacher), self._split(student)
        ratio = torch.exp(2.0 * (log_p - log_q))
        apart = ((mean_p - mean_q) * torch.exp(-log_q)).square() / temperature
        return (0.5 * (ratio + apart - 1.0) + log_q - log_p).sum(dim=-1)

    def exported(self, logits: Tensor, legal: Tensor | None) -> dict[str, Tensor]:
        """The greedy ``action``, and ``mean`` and ``std`` of the normal distributions, ``[B, A]`` each."""
        mean, log_std = self._split(logits)
        action = torch.minimum(torch.maximum(self.middle + self.half * torch.tanh(mean), self.low), self.high)
        return {"action": action, "mean": mean, "std": log_std.exp()}


def log_slope(y: Tensor) -> Tensor:
    """log(1 - tanh(y)^2), also where tanh(y) rounds to 1."""
    return 2.0 * (LOG_2 - y - torch.nn.functional.softplus(-2.0 * y))
