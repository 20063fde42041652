"""Network ``mlp``: dense layers, then residual blocks, over all observation parts flattened and joined."""

from collections.abc import Sequence
from typing import Self

from torch import Tensor, nn

from lanista.errors import LanistaError
from lanista.policy import Network, PolicyOutput, Tensors
from lanista.spec import HeadSpec, ObsPart
from lanista_agents.networks.growth import copy_into, refuse_changes, refuse_shrinking
from lanista_agents.networks.inputs import FlatInputs
from lanista_agents.networks.outputs import ACTIVATION, GAIN, Outputs, dense
from lanista_agents.settings import MlpSettings


class ResidualBlock(nn.Module):
    """``x + outer(act(inner(x)))``; `outer` starts at zero, so a fresh block is the identity."""

    def __init__(self, width: int, activation: str) -> None:
        """Both layers have `width` units."""
        super().__init__()
        self.act = ACTIVATION[activation]
        self.inner = dense(width, width, GAIN[activation])
        self.outer = dense(width, width, 0.0)

    def forward(self, x: Tensor) -> Tensor:
        """``[B, width]`` to the same."""
        result: Tensor = x + self.outer(self.act(self.inner(x)))
        return result


class Trunk(nn.Module):
    """Dense layers and residual blocks from inputs to features."""

    def __init__(self, inputs: int, settings: MlpSettings) -> None:
        """`inputs` numbers a row."""
        super().__init__()
        self.act = ACTIVATION[settings.activation]
        sizes = (inputs, *settings.hidden)
        gain = GAIN[settings.activation]
        self.layers = nn.ModuleList(dense(sizes[i], sizes[i + 1], gain) for i in range(len(settings.hidden)))
        self.blocks = nn.ModuleList(
            ResidualBlock(settings.hidden[-1], settings.activation) for _ in range(settings.residual_blocks)
        )

    def forward(self, x: Tensor) -> Tensor:
        """``[B, inputs]`` to ``[B, hidden[-1]]``."""
        for layer in self.layers:
            x = self.act(layer(x))
        for block in self.blocks:
            x = block(x)
        return x


class Mlp(Network):
    """See `MlpSettings`; the trunk is shared by policy and value unless `separate_value`."""

    def __init__(
        self, observation: Sequence[ObsPart], heads: Sequence[HeadSpec], settings: MlpSettings
    ) -> None:
        """A head's `size` is its number of outputs. Torch's global generator draws the weights."""
        super().__init__()
        self.parts = tuple(observation)
        self.head_specs = tuple(heads)
        self.settings = settings
        self.inputs = FlatInputs(self.parts)
        self.trunk = Trunk(self.inputs.size, settings)
        self.value_trunk = Trunk(self.inputs.size, settings) if settings.separate_value else None
        features = settings.hidden[-1]
        self.outputs = Outputs(
            features, self.head_specs, settings.policy_gain, features if settings.separate_value else None
        )

    def forward(self, observation: Tensors) -> PolicyOutput:
        """See `lanista.policy.Network`."""
        x = self.inputs(observation)
        features = self.trunk(x)
        output: PolicyOutput = self.outputs(
            features, features if self.value_trunk is None else self.value_trunk(x)
        )
        return output

    def grow(self, settings: MlpSettings) -> Self:
        """Wider `hidden`, more `residual_blocks`, the same function; see `lanista_agents.networks.growth`."""
        old = self.settings
        refuse_changes("mlp", old, settings, ("activation", "separate_value"))
        if len(settings.hidden) != len(old.hidden):
            raise LanistaError(
                f"mlp cannot grow from {len(old.hidden)} to {len(settings.hidden)} hidden layers without "
                f"changing what it computes; keep the number of layers and add residual_blocks instead"
            )
        for i, (before, after) in enumerate(zip(old.hidden, settings.hidden, strict=True)):
            refuse_shrinking("mlp", f"hidden[{i}]", before, after)
        refuse_shrinking("mlp", "residual_blocks", old.residual_blocks, settings.residual_blocks)
        return copy_into(self, type(self)(self.parts, self.head_specs, settings))
