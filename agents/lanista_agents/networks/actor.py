"""Network ``actor``: the dense policies that other libraries train, as they are, in the words of our heads.

    x = clip((observation - mean) / std)       statistics are weights: they are saved with them
    shared layers, then `hidden` ones for the actor and `critic` ones for the value
    last layer -> logits of the heads, by the setting `output`

``logits``     a choice a head, the last layer as it is
``bits``       heads of two choices: one number each, the log-odds of the second
``q``          logits = Q / q_temperature (Rusu et al. 2015, https://arxiv.org/abs/1511.06295); value = max Q
``scores``     as ``q``, of numbers that only rank the actions and are worth nothing as values
``quantiles``  as ``q``, Q being the mean of `quantiles` numbers an action
``numbers``    real numbers: see `lanista_agents.networks.numbers`

Without `critic` the value is NaN, but for that of Q.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from lanista.errors import LanistaError
from lanista.policy import Network, PolicyOutput, Tensors
from lanista.spec import HeadSpec, ObsPart
from lanista_agents.networks.numbers import Numbers
from lanista_agents.settings import ActorSettings

FUNCTIONS: dict[str, nn.Module] = {
    "tanh": nn.Tanh(), "relu": nn.ReLU(), "gelu": nn.GELU(), "elu": nn.ELU(), "selu": nn.SELU(),
    "leaky_relu": nn.LeakyReLU(), "silu": nn.SiLU(), "mish": nn.Mish(), "sigmoid": nn.Sigmoid(),
    "softplus": nn.Softplus(), "softsign": nn.Softsign(), "relu6": nn.ReLU6(), "hardtanh": nn.Hardtanh(),
    "identity": nn.Identity(),
}  # fmt: skip


class Layers(nn.Module):
    """Dense layers with an activation behind each."""

    def __init__(self, inputs: int, hidden: Sequence[int], activation: nn.Module) -> None:
        """`inputs` numbers a row; no `hidden`: the input as it is."""
        super().__init__()
        sizes = (inputs, *hidden)
        self.size = sizes[-1]
        self.activation = activation
        self.layers = nn.ModuleList(nn.Linear(sizes[i], sizes[i + 1]) for i in range(len(hidden)))

    def forward(self, x: Tensor) -> Tensor:
        """``[B, inputs]`` to ``[B, size]``."""
        for layer in self.layers:
            x = self.activation(layer(x))
        return x


class Actor(Network):
    """See the module and `ActorSettings`."""

    center: Tensor
    factor: Tensor

    def __init__(
        self, observation: Sequence[ObsPart], heads: Sequence[HeadSpec], settings: ActorSettings
    ) -> None:
        """A head's `size` is its number of outputs; raises LanistaError for settings that do not fit them."""
        super().__init__()
        self.settings = settings
        self.parts, self.head_names = [part.name for part in observation], [head.name for head in heads]
        self.sizes = [head.size for head in heads]
        inputs = sum(part.size for part in observation)
        self.register_buffer("center", torch.zeros(inputs))
        self.register_buffer("factor", torch.ones(inputs))
        function = FUNCTIONS[settings.activation]
        self.shared = Layers(inputs, settings.shared, function)
        self.trunk = Layers(self.shared.size, settings.hidden, function)
        self.numbers: Numbers | None = None
        width = sum(self.sizes)
        if settings.output == "numbers":
            self.numbers = Numbers(self.trunk.size, heads, settings)
            width = self.numbers.count
        elif settings.output == "bits":
            width = self._bits(heads)
        elif settings.output != "logits" and len(heads) != 1:
            raise LanistaError(
                f"actor: output = {settings.output!r} belongs to one choice, and the env has {len(heads)} heads"
            )
        self.last = nn.Linear(self.trunk.size, width * settings.quantiles)
        self.critic: Layers | None = None
        self.value: nn.Linear | None = None
        if settings.critic is not None:
            self.critic = Layers(self.shared.size, settings.critic, function)
            self.value = nn.Linear(self.critic.size, 1)

    @staticmethod
    def _bits(heads: Sequence[HeadSpec]) -> int:
        for head in heads:
            if head.size != 2:
                raise LanistaError(
                    f"actor: output = 'bits' needs heads of two choices; {head.name!r} has {head.size}"
                )
        return len(heads)

    def scaled(self, observation: Tensors) -> Tensor:
        """The observation in deviations from the mean that the teacher knew, ``[B, inputs]``, before any clip."""
        flat = [observation[name].to(torch.float32).flatten(1) for name in self.parts]
        return ((flat[0] if len(flat) == 1 else torch.cat(flat, dim=1)) - self.center) * self.factor

    def forward(self, observation: Tensors) -> PolicyOutput:
        """See `lanista.policy.Network`."""
        settings = self.settings
        x = self.scaled(observation)
        if settings.clip_observation is not None:
            x = torch.clamp(x, -settings.clip_observation, settings.clip_observation)
        base = self.shared(x)
        features = self.trunk(base)
        said = self.last(features)
        value = torch.full_like(said[:, 0], torch.nan)
        if settings.output == "numbers":
            assert self.numbers is not None
            logits = [self.numbers(said, features)]
        elif settings.output in ("scores", "q", "quantiles"):
            if settings.output == "quantiles":
                said = said.view(-1, settings.quantiles, self.sizes[0]).mean(dim=1)
            logits = [said / settings.q_temperature]
            if settings.output != "scores":
                value = said.max(dim=1).values * settings.value_scale
        elif settings.output == "bits":
            logits = [torch.stack([torch.zeros_like(bit), bit], dim=1) for bit in said.unbind(1)]
        else:
            logits = list(torch.split_with_sizes(said, self.sizes, 1))
        if self.critic is not None and self.value is not None:
            value = self.value(self.critic(base)).squeeze(1) * settings.value_scale
        return PolicyOutput(dict(zip(self.head_names, logits, strict=True)), value)
