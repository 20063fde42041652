"""Head ``beta``: A real numbers within bounds, a Beta distribution a number (Chou et al. 2017, ICML, "Improving
Stochastic Policy Gradients in Continuous Control with Deep Reinforcement Learning using the Beta Distribution").

The network gives two outputs a number, x and y (all x first, then all y)::

    a = 1 + softplus(x + c),  b = 1 + softplus(y + c),  c such that x = 0 gives the setting's concentration
    action = low + (high - low) u,  u ~ Beta(a, b)

Both are above 1, so the density has one peak and is 0 at the bounds, which it never reaches: nothing is clipped, and
log-probability, entropy and KL are torch's own closed forms.
"""

import math

import torch
from scipy.special import betaincinv
from torch.distributions import Beta as TorchBeta
from torch.distributions import kl_divergence
from torch.nn.functional import softplus

from lanista.errors import LanistaError

#: nearer to a bound than this, in shares of the range, an action counts as this near: float32 may round onto it
EDGE = 2.0**-22


class Beta:
    """Keeps `lanista.policy.Head`; ``logits`` are ``[B, 2 A]``, actions ``[B, A]`` float32, `legal` is None."""

    def __init__(self, spec, settings):
        if not spec.continuous:
            raise LanistaError(
                f"head {spec.name!r} has no bounds, so it chooses among {spec.size} actions; beta gives real numbers: "
                f"declare low and high in its HeadSpec, or name a head that chooses such as categorical"
            )
        self.num_outputs = 2 * spec.size
        self.shift = math.log(math.expm1(settings.init_concentration - 1.0))
        self.low, self.high = torch.tensor(spec.low), torch.tensor(spec.high)
        self.volume = float((self.high - self.low).double().log().sum())

    def parameters(self, logits, temperature=1.0):
        """Both parameters, ``[B, A]`` each; the density to the power 1 / temperature is a Beta distribution again."""
        a, b = softplus(logits + self.shift).chunk(2, dim=-1)
        return 1.0 + a / temperature, 1.0 + b / temperature

    def distribution(self, logits, temperature=1.0):
        """In float64, since the gamma functions of large parameters cancel each other."""
        return TorchBeta(*self.parameters(logits.double(), temperature), validate_args=False)

    def to_bounds(self, u):
        """Shares of the range as actions; rounding may lead a hair beyond a bound."""
        action = self.low + (self.high - self.low) * u
        return torch.minimum(torch.maximum(action, self.low), self.high)

    def sample(self, logits, legal, generator):
        """Invert the cumulative distribution, since torch's own sampling takes no generator."""
        with torch.no_grad():
            a, b = self.parameters(logits.double())
            uniform = torch.rand(a.shape, generator=generator, dtype=torch.float64)
            action = self.to_bounds(
                torch.from_numpy(betaincinv(a.numpy(), b.numpy(), uniform.numpy())).float()
            )
            return action, self.logprob(logits, legal, action)

    def greedy(self, logits, legal):
        """The mean."""
        a, b = self.parameters(logits)
        return self.to_bounds(a / (a + b))

    def logprob(self, logits, legal, action):
        u = ((action.double() - self.low) / (self.high - self.low)).clamp(EDGE, 1.0 - EDGE)
        return (self.distribution(logits).log_prob(u).sum(dim=-1) - self.volume).float()

    def entropy(self, logits, legal):
        return (self.distribution(logits).entropy().sum(dim=-1) + self.volume).float()

    def kl(self, teacher, student, legal, temperature=1.0):
        ours, theirs = (self.distribution(logits, temperature) for logits in (teacher, student))
        return kl_divergence(ours, theirs).sum(dim=-1).float()

    def exported(self, logits, legal):
        """The greedy action; a Beta distribution has no `mean` and `std` of a normal one, so archives play greedily."""
        a, b = self.parameters(logits)
        return {"action": self.to_bounds(a / (a + b)), "alpha": a, "beta": b}
