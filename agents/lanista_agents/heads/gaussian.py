"""Head ``gaussian``: A real numbers within bounds, a normal distribution a number, led to the bounds by tanh or clip.

The network gives two outputs a number, m and x (all m first, then all x)::

    y = m + s n,  n standard normal,  log s = log init_std + R tanh(x / R),  R the setting `std_range`
    action = middle + half * f(y),  middle and half of low..high,  f = tanh, or f = a clip to -1..1

So x = 0 means `init_std`, and s stays within a factor of exp(R) of it, bounded softly: the gradient never dies.
Log-density and entropy are those of the action (`lanista_agents.heads.squash`); the KL of two distributions is that of
their normal ones, which tanh, being one to one, keeps, and of which a clip can only take away. The deviation depends
on the state: a head holds no weights, and a student learns the teacher's deviation along with its mean.

With ``clip`` this is the policy of PPO, A2C and TRPO as most libraries have them, which draw from a normal
distribution in the space of the action and clip what the env gets; with ``tanh`` it is SAC's.
"""

import math

import torch
from torch import Tensor

from lanista.errors import LanistaError
from lanista.spec import HeadSpec
from lanista_agents.heads.squash import SQUASHES, inverse_tanh
from lanista_agents.settings import GaussianSettings

#: a deviation at the end of its range is said by a finite number: this share of the way to it
REACH = 0.999


class Gaussian:
    """See the module; ``logits`` are ``[B, 2 A]``, actions ``[B, A]`` float32 inside the bounds, `legal` is not read."""

    def __init__(self, spec: HeadSpec, settings: GaussianSettings | None = None) -> None:
        """Two outputs a number; raises LanistaError for a head without bounds."""
        if not spec.continuous:
            raise LanistaError(
                f"head {spec.name!r} has no bounds, so it chooses among {spec.size} actions; gaussian gives real "
                f"numbers: declare low and high in its HeadSpec, or name a head that chooses such as categorical"
            )
        settings = settings or GaussianSettings()
        self.num_outputs = 2 * spec.size
        self.init_log_std, self.std_range = math.log(settings.init_std), settings.std_range
        #: "tanh" or "clip"
        self.squash: str = settings.squash
        self._way = SQUASHES[settings.squash](spec)

    def _split(self, logits: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log deviation of the normal distributions, ``[B, A]`` each."""
        mean, free = logits.chunk(2, dim=-1)
        return mean, self.init_log_std + self.std_range * torch.tanh(free / self.std_range)

    def moments(self, logits: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and deviation of the normal distributions, ``[B, A]`` each, in half ranges from the middle.

        They are those of y, before tanh or clip.
        """
        mean, log_std = self._split(logits)
        return mean, log_std.exp()

    def logits_of(self, mean: Tensor, std: Tensor) -> Tensor:
        """The way back from `moments`, ``[B, 2 A]``; a deviation out of range is said as the nearest that is in it."""
        share = (std.log() - self.init_log_std) / self.std_range
        free = self.std_range * inverse_tanh(share.clamp(-REACH, REACH))
        return torch.cat([mean, free.expand_as(mean)], dim=-1)

    def sample(
        self, logits: Tensor, legal: Tensor | None, generator: torch.Generator
    ) -> tuple[Tensor, Tensor]:
        """Draw with A numbers a row from `generator`; neither return carries a gradient."""
        with torch.no_grad():
            mean, log_std = self._split(logits)
            noise = torch.randn(mean.shape, generator=generator, device=generator.device).to(logits.device)
            action = self._way.action(mean + log_std.exp() * noise)
            # Of the action as it was rounded, so that `logprob` finds the same.
            return action, self._way.logprob(mean, log_std, action)

    def greedy(self, logits: Tensor, legal: Tensor | None) -> Tensor:
        """The median of the distribution: the normal one's mean, led to the bounds. It can be derived by."""
        return self._way.action(self._split(logits)[0])

    def logprob(self, logits: Tensor, legal: Tensor | None, action: Tensor) -> Tensor:
        """Log-density of `action`, in the units of the action; on a bound of ``clip`` a log-probability."""
        return self._way.logprob(*self._split(logits), action)

    def entropy(self, logits: Tensor, legal: Tensor | None) -> Tensor:
        """The mean of -logprob in nats, in the units of the action; below 0 where the actions are narrow."""
        return self._way.entropy(*self._split(logits))

    def kl(self, teacher: Tensor, student: Tensor, legal: Tensor | None, temperature: float = 1.0) -> Tensor:
        """KL(p || q) in nats, p and q being the normal distributions with their variances times `temperature`."""
        (mean_p, log_p), (mean_q, log_q) = self._split(teacher), self._split(student)
        ratio = torch.exp(2.0 * (log_p - log_q))
        apart = ((mean_p - mean_q) * torch.exp(-log_q)).square() / temperature
        return (0.5 * (ratio + apart - 1.0) + log_q - log_p).sum(dim=-1)

    def exported(self, logits: Tensor, legal: Tensor | None) -> dict[str, Tensor]:
        """The greedy ``action``; of ``tanh`` also ``mean`` and ``std`` of the normal distributions, ``[B, A]`` each."""
        mean, log_std = self._split(logits)
        action = self._way.exported(mean)
        if self.squash == "clip":  # archives that draw lead their draws to the bounds by tanh
            return {"action": action}
        return {"action": action, "mean": mean, "std": log_std.exp()}
