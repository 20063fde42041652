"""Network ``conv``: 3x3 convolutions over a board, read out cell by cell into a dense layer."""

from collections.abc import Sequence
from typing import Self

import torch
from torch import Tensor, nn

from lanista.errors import LanistaError
from lanista.policy import Network, PolicyOutput, Tensors
from lanista.spec import HeadSpec, ObsPart
from lanista_agents.networks.growth import copy_into, refuse_changes, refuse_shrinking
from lanista_agents.networks.inputs import BoardInputs, FlatInputs
from lanista_agents.networks.layers import ACTIVATIONS, dense
from lanista_agents.networks.outputs import Outputs
from lanista_agents.settings import ConvSettings


def convolution(inputs: int, outputs: int, size: int, gain: float) -> nn.Conv2d:
    """A convolution that keeps the board's size; orthogonal weights of this gain (0: all zero), no offset."""
    layer = nn.Conv2d(inputs, outputs, size, padding=size // 2)
    with torch.no_grad():
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)
        if gain == 0.0:
            nn.init.zeros_(layer.weight)
        else:
            nn.init.orthogonal_(layer.weight, gain)
    return layer


class BoardBlock(nn.Module):
    """``x + outer(act(inner(x)))``; `outer` starts at zero, so a fresh block is the identity."""

    def __init__(self, channels: int, activation: str) -> None:
        """Both convolutions have `channels` channels."""
        super().__init__()
        self.act = ACTIVATIONS[activation].function
        self.inner = convolution(channels, channels, 3, ACTIVATIONS[activation].gain)
        self.outer = convolution(channels, channels, 3, 0.0)

    def forward(self, x: Tensor) -> Tensor:
        """``[B, channels, H, W]`` to the same."""
        result: Tensor = x + self.outer(self.act(self.inner(x)))
        return result


class Conv(Network):
    """See `ConvSettings`. Parts that are no boards shift the channels of the first layer, all cells alike."""

    def __init__(
        self, observation: Sequence[ObsPart], heads: Sequence[HeadSpec], settings: ConvSettings
    ) -> None:
        """A head's `size` is its number of outputs. Torch's global generator draws the weights."""
        super().__init__()
        self.parts = tuple(observation)
        self.head_specs = tuple(heads)
        self.settings = settings
        boards = [part for part in self.parts if len(part.shape) == 3]
        others = [part for part in self.parts if len(part.shape) != 3]
        refuse_boards("conv", self.parts, boards)
        self.act, gain, _ = ACTIVATIONS[settings.activation]
        self.boards = BoardInputs(boards)
        self.first = convolution(self.boards.channels, settings.channels, 3, gain)
        self.others = FlatInputs(others) if others else None
        self.shift = dense(self.others.size, settings.channels, gain) if self.others is not None else None
        self.blocks = nn.ModuleList(
            BoardBlock(settings.channels, settings.activation) for _ in range(settings.blocks)
        )
        self.readout = convolution(settings.channels, settings.readout, 1, gain)
        cells = self.boards.height * self.boards.width
        self.dense = dense(settings.readout * cells, settings.hidden, gain)
        self.outputs = Outputs(settings.hidden, self.head_specs, settings.policy_gain)

    def forward(self, observation: Tensors) -> PolicyOutput:
        """See `lanista.policy.Network`."""
        x = self.first(self.boards(observation))
        if self.others is not None and self.shift is not None:
            x = x + self.shift(self.others(observation)).unsqueeze(-1).unsqueeze(-1)
        x = self.act(x)
        for block in self.blocks:
            x = block(x)
        features = self.act(self.dense(self.act(self.readout(x)).flatten(1)))
        output: PolicyOutput = self.outputs(features, features)
        return output

    def grow(self, settings: ConvSettings) -> Self:
        """More of everything, the same function; see `lanista_agents.networks.growth`."""
        refuse_changes("conv", self.settings, settings, ("activation",))
        for name in ("channels", "blocks", "readout", "hidden"):
            refuse_shrinking("conv", name, getattr(self.settings, name), getattr(settings, name))
        return copy_into(self, type(self)(self.parts, self.head_specs, settings))


def refuse_boards(network: str, parts: Sequence[ObsPart], boards: Sequence[ObsPart]) -> None:
    """Raise unless there is a board and all boards have the same height and width."""
    shapes = ", ".join(f"{part.name} {list(part.shape)}" for part in parts)
    if not boards:
        raise LanistaError(f'{network} needs a part of shape [C, H, W], found {shapes}; use network "mlp"')
    if len({part.shape[1:] for part in boards}) > 1:
        raise LanistaError(
            f"{network} needs boards of one height and width, found {shapes}; "
            f'pad them to one size in the env, or use network "mlp"'
        )
