"""Network ``mlp``: dense layers, then residual blocks, over all observation parts flattened and joined."""

from collections.abc import Callable, Sequence
from typing import Self

import torch
from torch import Tensor, nn

from lanista.errors import LanistaError
from lanista.policy import Network, PolicyOutput, Tensors
from lanista.spec import HeadSpec, ObsPart
from lanista_agents.networks.growth import copy_into, refuse_changes, refuse_shrinking
from lanista_agents.networks.inputs import FlatInputs
from lanista_agents.networks.layers import ACTIVATIONS, Activation, dense, pull_dense
from lanista_agents.networks.outputs import Outputs
from lanista_agents.settings import MlpSettings
from lanista_agents.vjp import NetworkPull, Slots

Pull = Callable[[Tensor, Slots], Tensor]


class ResidualBlock(nn.Module):
    """``x + outer(act(inner(x)))``; `outer` starts at zero, so a fresh block is the identity."""

    def __init__(self, width: int, activation: str) -> None:
        """Both layers have `width` units."""
        super().__init__()
        self.activation = ACTIVATIONS[activation]
        self.inner = dense(width, width, self.activation.gain)
        self.outer = dense(width, width, 0.0)

    def forward(self, x: Tensor) -> Tensor:
        """``[B, width]`` to the same."""
        result: Tensor = x + self.outer(self.activation.function(self.inner(x)))
        return result

    def vjp(self, x: Tensor) -> tuple[Tensor, Pull]:
        """`forward`, and the way back to `x`."""
        before = self.inner(x)
        after = self.activation.plain(before)

        def pull(gradient: Tensor, slots: Slots) -> Tensor:
            pull_dense(self.outer, after, gradient, slots)
            by_before = self.activation.pull(gradient @ self.outer.weight, before, after)
            pull_dense(self.inner, x, by_before, slots)
            return torch.addmm(gradient, by_before, self.inner.weight)

        return x + self.outer(after), pull


def _vjp_of_layer(layer: nn.Module, activation: Activation, x: Tensor, first: bool) -> tuple[Tensor, Pull]:
    """``act(layer(x))``, and the way back to `x`; not as far as that for the `first`, whose `x` is data."""
    assert isinstance(layer, nn.Linear)
    before = layer(x)
    after = activation.plain(before)

    def pull(gradient: Tensor, slots: Slots) -> Tensor:
        by_before = activation.pull(gradient, before, after)
        pull_dense(layer, x, by_before, slots)
        return by_before if first else by_before @ layer.weight

    return after, pull


class Trunk(nn.Module):
    """Dense layers and residual blocks from inputs to features."""

    def __init__(self, inputs: int, settings: MlpSettings) -> None:
        """`inputs` numbers a row."""
        super().__init__()
        self.activation = ACTIVATIONS[settings.activation]
        sizes = (inputs, *settings.hidden)
        self.layers = nn.ModuleList(
            dense(sizes[i], sizes[i + 1], self.activation.gain) for i in range(len(settings.hidden))
        )
        self.blocks = nn.ModuleList(
            ResidualBlock(settings.hidden[-1], settings.activation) for _ in range(settings.residual_blocks)
        )

    def forward(self, x: Tensor) -> Tensor:
        """``[B, inputs]`` to ``[B, hidden[-1]]``."""
        for layer in self.layers:
            x = self.activation.function(layer(x))
        for block in self.blocks:
            x = block(x)
        return x

    def vjp(self, x: Tensor) -> tuple[Tensor, Callable[[Tensor, Slots], None]]:
        """`forward`, and the way back to the weights."""
        pulls: list[Pull] = []
        for layer in self.layers:
            x, pull_layer = _vjp_of_layer(layer, self.activation, x, first=not pulls)
            pulls.append(pull_layer)
        for block in self.blocks:
            assert isinstance(block, ResidualBlock)
            x, pull_block = block.vjp(x)
            pulls.append(pull_block)

        def pull(gradient: Tensor, slots: Slots) -> None:
            for pull_one in reversed(pulls):
                gradient = pull_one(gradient, slots)

        return x, pull


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

    def vjp(self, observation: Tensors) -> tuple[PolicyOutput, NetworkPull]:
        """`forward` without torch's graph, and the way back to the weights; see `lanista_agents.vjp`."""
        with torch.no_grad():
            x = self.inputs(observation)
            features, pull_trunk = self.trunk.vjp(x)
            value_features, pull_value_trunk = (
                (features, None) if self.value_trunk is None else self.value_trunk.vjp(x)
            )
            output, pull_outputs = self.outputs.vjp(features, value_features)

        def pull(gradient: PolicyOutput, slots: Slots) -> None:
            with torch.no_grad():
                by_features, by_value_features = pull_outputs(gradient, slots)
                pull_trunk(by_features, slots)
                if pull_value_trunk is not None and by_value_features is not None:
                    pull_value_trunk(by_value_features, slots)

        return output, pull

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
