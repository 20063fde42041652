"""Real numbers of an imported actor, in the words of the head ``gaussian`` or ``deterministic``.

The actor's own law leads y, in half ranges from the middle of the bounds, there by tanh or clip (the setting `squash`)
and has a deviation (the setting `deviation`)::

    none    no distribution at all: the head is told the narrowest that it can say
    fixed   a number for each number, the same in every state
    state   a layer of its own gives its logarithm, cut to -20..2 (SAC, Haarnoja et al. 2018)
    gsde    sqrt(f^2 exp(2 L) + 1e-6), f the last features and L a matrix: generalised state-dependent exploration
            (Raffin et al. 2020, https://arxiv.org/abs/2005.05719)

A head with the same way to the bounds is told mean and deviation as they are. One with the other is told the mean whose
action is the same, and the deviation that is the same near there: both times the slope of tanh. Means in the words of
tanh are cut off at `FAR`, where the action is within 1e-4 of half the range of the bound: beyond, nothing but the
numbers grows.
"""

from collections.abc import Sequence
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from lanista.errors import LanistaError
from lanista.spec import HeadSpec
from lanista_agents.heads.deterministic import Deterministic
from lanista_agents.heads.gaussian import Gaussian
from lanista_agents.heads.squash import inverse_tanh
from lanista_agents.settings import ActorSettings, DeterministicSettings, GaussianSettings

#: tanh(FAR) is 1 - 6e-5
FAR = 5.2
#: the deviation of an actor that has none
NARROW = 1e-9


class Speech(Protocol):
    """What `Numbers` asks of a head."""

    num_outputs: int
    squash: str

    def logits_of(self, mean: Tensor, std: Tensor) -> Tensor:
        """Logits that say this mean and deviation of y."""


class Spoken(nn.Module):
    """Mean and deviation of y in half ranges, said in the words of one head of real numbers; see the module."""

    middle: Tensor
    reach: Tensor

    def __init__(
        self,
        outputs: int,
        low: tuple[float, ...],
        high: tuple[float, ...],
        squash: str,
        table: dict[str, Any],
    ) -> None:
        """`outputs` that the head asks for; `squash` is the actor's own way to the bounds, `table` the head's."""
        super().__init__()
        self.count, self.squash = len(low), squash
        spec = HeadSpec("action", table.get("use", ""), self.count, "", low=low, high=high)
        self.head: Speech
        words = {key: value for key, value in table.items() if key != "use"}
        if table.get("use") == "deterministic":
            self.head = Deterministic(spec, DeterministicSettings.model_validate(words))
        else:
            self.head = Gaussian(spec, GaussianSettings.model_validate(words))
        if self.head.num_outputs != outputs:
            raise LanistaError(
                f"the head {table.get('use')!r} reads {self.head.num_outputs} outputs and the env's head {outputs}"
            )
        edges = torch.tensor(low), torch.tensor(high)
        self.register_buffer("middle", (edges[1] + edges[0]) / 2.0, persistent=False)
        self.register_buffer("reach", (edges[1] - edges[0]) / 2.0, persistent=False)

    def units(self, mean: Tensor, std: Tensor) -> tuple[Tensor, Tensor]:
        """From units of the action to half ranges from the middle."""
        return (mean - self.middle) / self.reach, std / self.reach

    def forward(self, mean: Tensor, std: Tensor) -> Tensor:
        """``[B, A]`` each to the head's logits."""
        asked = self.head.squash
        if asked == "tanh":
            if self.squash == "clip":
                place = torch.clamp(mean, -1.0, 1.0)
                mean = inverse_tanh(torch.clamp(place, -(1.0 - 6e-8), 1.0 - 6e-8)).clamp(-FAR, FAR)
                std = std / (1.0 - torch.tanh(mean).square())
            mean = torch.clamp(mean, -FAR, FAR)
        elif self.squash == "tanh":
            mean = torch.tanh(mean)
            std = std * (1.0 - mean.square())
        return self.head.logits_of(mean, std.clamp(min=NARROW))


class Numbers(nn.Module):
    """The way from the last layer's outputs to the logits of one head of real numbers."""

    def __init__(self, features: int, heads: Sequence[HeadSpec], settings: ActorSettings) -> None:
        """`features` of the last hidden layer; the bounds stand in the settings."""
        super().__init__()
        if len(heads) != 1 or not settings.low or len(settings.low) != len(settings.high):
            raise LanistaError(
                f"actor: output = 'numbers' needs one head of real numbers and its bounds, low and high; found "
                f"{len(heads)} heads, {len(settings.low)} lower and {len(settings.high)} upper bounds"
            )
        self.count, self.settings = len(settings.low), settings
        self.spoken = Spoken(heads[0].size, settings.low, settings.high, settings.squash, settings.head)
        self.log_std: nn.Parameter | None = None
        self.spread: nn.Linear | None = None
        if settings.deviation == "fixed":
            self.log_std = nn.Parameter(torch.zeros(self.count))
        elif settings.deviation == "gsde":
            self.log_std = nn.Parameter(torch.zeros(features, self.count))
        elif settings.deviation == "state":
            self.spread = nn.Linear(features, self.count)

    def forward(self, said: Tensor, features: Tensor) -> Tensor:
        """The last layer's outputs ``[B, A]`` and its inputs to the head's logits."""
        settings = self.settings
        mean = said
        if settings.mean_limit is not None:
            mean = torch.clamp(mean, -settings.mean_limit, settings.mean_limit)
        if self.spread is not None:
            std = torch.clamp(self.spread(features), -20.0, 2.0).exp()
        elif self.log_std is None:
            std = torch.full_like(mean, NARROW)
        elif settings.deviation == "gsde":
            std = torch.sqrt(features.square() @ self.log_std.exp().square() + 1e-6)
        else:
            std = self.log_std.exp().expand_as(mean)
        if settings.units == "action":
            mean, std = self.spoken.units(mean, std)
        spoken: Tensor = self.spoken(mean, std)
        return spoken
