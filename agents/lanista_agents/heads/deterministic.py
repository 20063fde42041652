"""Head ``deterministic``: A real numbers within bounds and nothing else, as TD3 and DDPG have them.

The network gives one output a number, y, and the action is ``middle + half * f(y)``, f being tanh or a clip to -1..1.

It is no distribution. What a distribution is needed for is taken from one around it, so that it can be explored with
and compared: a normal one with the deviation `noise` in half ranges, whose draws are clipped to the bounds (the
exploration noise of TD3, Fujimoto et al. 2018, https://arxiv.org/abs/1802.09477, section 5.3). Its log-density, its
entropy and its KL are those of that distribution; the KL of two is their squared distance in half ranges, divided by
``2 noise^2``. A student of this head is best taught by a distance of actions.
"""

import math

import torch
from torch import Tensor

from lanista.errors import LanistaError
from lanista.spec import HeadSpec
from lanista_agents.heads.squash import SQUASHES, ClipSquash
from lanista_agents.settings import DeterministicSettings


class Deterministic:
    """See the module; ``logits`` are ``[B, A]``, actions ``[B, A]`` float32 inside the bounds, `legal` is not read."""

    def __init__(self, spec: HeadSpec, settings: DeterministicSettings | None = None) -> None:
        """One output a number; raises LanistaError for a head without bounds."""
        if not spec.continuous:
            raise LanistaError(
                f"head {spec.name!r} has no bounds, so it chooses among {spec.size} actions; deterministic gives "
                f"real numbers: declare low and high in its HeadSpec, or name a head that chooses such as categorical"
            )
        settings = settings or DeterministicSettings()
        self.num_outputs = spec.size
        #: "tanh" or "clip"
        self.squash: str = settings.squash
        self.noise = settings.noise
        self._way, self._around = SQUASHES[settings.squash](spec), ClipSquash(spec)

    def _place(self, logits: Tensor) -> tuple[Tensor, Tensor]:
        """The action in half ranges from the middle, and the log deviation around it, ``[B, A]`` each."""
        place = self._around.units(self._way.action(logits))
        return place, torch.full_like(place, math.log(self.noise))

    def logits_of(self, mean: Tensor, std: Tensor) -> Tensor:
        """The outputs whose y are `mean`; `std` is not read."""
        return mean

    def sample(
        self, logits: Tensor, legal: Tensor | None, generator: torch.Generator
    ) -> tuple[Tensor, Tensor]:
        """The action and normal noise, clipped; A numbers a row from `generator`."""
        with torch.no_grad():
            place, log_std = self._place(logits)
            drawn = torch.randn(place.shape, generator=generator, device=generator.device).to(logits.device)
            action = self._around.action(place + self.noise * drawn)
            return action, self._around.logprob(place, log_std, action)

    def greedy(self, logits: Tensor, legal: Tensor | None) -> Tensor:
        """The action. It can be derived by."""
        return self._way.action(logits)

    def logprob(self, logits: Tensor, legal: Tensor | None, action: Tensor) -> Tensor:
        """Log-density of `action` under the noise, in the units of the action; on a bound a log-probability."""
        return self._around.logprob(*self._place(logits), action)

    def entropy(self, logits: Tensor, legal: Tensor | None) -> Tensor:
        """Of the noise as it is clipped, in nats and in the units of the action."""
        return self._around.entropy(*self._place(logits))

    def kl(self, teacher: Tensor, student: Tensor, legal: Tensor | None, temperature: float = 1.0) -> Tensor:
        """``|a_teacher - a_student|^2 / (2 noise^2 temperature)``, the actions in half ranges: nats of the noise."""
        apart = self._place(teacher)[0] - self._place(student)[0]
        return apart.square().sum(dim=-1) / (2.0 * self.noise**2 * temperature)

    def exported(self, logits: Tensor, legal: Tensor | None) -> dict[str, Tensor]:
        """The ``action``."""
        return {"action": self._way.exported(logits)}
