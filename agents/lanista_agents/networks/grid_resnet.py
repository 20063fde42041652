"""Network ``grid_resnet``: residual convolutions with squeeze-excitation over a board, units read where they stand.

1. board parts become planes; parts that are no boards shift all cells alike;
2. residual blocks, each scaled by channel from the mean over the board (Hu et al. 2018,
   https://arxiv.org/abs/1709.01507); a fresh block is the identity;
3. a unit's logits come from the features of its cell and from what is seen of the unit itself, by a layer of its own
   for each kind; the value and the heads of a seat from the mean over the board.

Nothing depends on the board's height and width, so weights move from one size to another. Boards of several sizes in
one batch are padded by the env, which marks the cells that count in a part or plane (`inside`): all others stay 0 in every
layer and are in no mean, so padding changes nothing.
"""

from collections.abc import Sequence
from typing import Self

import torch
from torch import Tensor, nn

from lanista.errors import LanistaError
from lanista.policy import Network, PolicyOutput, Tensors
from lanista.spec import INSIDE, UNITS, HeadSpec, ObsPart
from lanista.units import UnitTable, units_of
from lanista_agents.networks.conv import convolution, refuse_boards
from lanista_agents.networks.growth import copy_into, refuse_changes, refuse_shrinking
from lanista_agents.networks.inputs import BoardInputs, FlatInputs
from lanista_agents.networks.layers import ACTIVATIONS, dense
from lanista_agents.networks.outputs import Outputs
from lanista_agents.networks.unit_layers import UnitInputs, UnitOutputs
from lanista_agents.settings import GridResnetSettings


def board_mean(x: Tensor, inside: Tensor | None) -> Tensor:
    """Mean over the cells that count: ``[B, channels, H, W]`` to ``[B, channels]``."""
    if inside is None:
        return x.mean(dim=(2, 3))
    return x.sum(dim=(2, 3)) / inside.sum(dim=(2, 3)).clamp(min=1.0)


def within(x: Tensor, inside: Tensor | None) -> Tensor:
    """`x` with 0 in the cells that do not count."""
    return x if inside is None else x * inside


class SqueezedBlock(nn.Module):
    """``x + scale * outer(act(inner(x)))``, `scale` a number a channel, 0 to 2, from the mean over the board."""

    def __init__(self, settings: GridResnetSettings) -> None:
        """`outer` starts at zero, and every scale at 1."""
        super().__init__()
        channels, kernel = settings.channels, settings.kernel
        self.act, gain, _ = ACTIVATIONS[settings.activation]
        self.inner = convolution(channels, channels, kernel, gain)
        self.outer = convolution(channels, channels, kernel, 0.0)
        self.squeeze = dense(channels, settings.squeeze, gain) if settings.squeeze else None
        self.excite = dense(settings.squeeze, channels, 0.0) if settings.squeeze else None

    def forward(self, x: Tensor, inside: Tensor | None) -> Tensor:
        """``[B, channels, H, W]`` to the same."""
        change = within(self.outer(within(self.act(self.inner(x)), inside)), inside)
        if self.squeeze is not None and self.excite is not None:
            scale = 2.0 * torch.sigmoid(self.excite(self.act(self.squeeze(board_mean(change, inside)))))
            change = change * scale.unsqueeze(-1).unsqueeze(-1)
        return x + change


class GridResnet(Network):
    """See `GridResnetSettings` and the module."""

    def __init__(
        self,
        observation: Sequence[ObsPart],
        heads: Sequence[HeadSpec],
        settings: GridResnetSettings,
        unit_observation: Sequence[ObsPart] = (),
    ) -> None:
        """A head's `size` is its number of outputs. Torch's global generator draws the weights."""
        super().__init__()
        self.parts, self.head_specs = tuple(observation), tuple(heads)
        self.unit_parts, self.settings = tuple(unit_observation), settings
        boards = [part for part in self.parts if len(part.shape) == 3]
        others = [part for part in self.parts if len(part.shape) != 3]
        refuse_boards("grid_resnet", self.parts, boards)
        _refuse_plane(settings, boards)
        #: the plane that marks the cells that count, where the env shows one
        self.marked = (INSIDE, 0) if any(part.name == INSIDE for part in boards) else None
        channels, hidden = settings.channels, settings.hidden
        self.act, gain, _ = ACTIVATIONS[settings.activation]
        self.boards = BoardInputs(boards)
        self.first = convolution(self.boards.channels, channels, settings.kernel, gain)
        self.others = FlatInputs(others) if others else None
        self.shift = dense(self.others.size, channels, gain) if self.others is not None else None
        self.blocks = nn.ModuleList(SqueezedBlock(settings) for _ in range(settings.blocks))
        self.pooled = dense(channels, hidden, gain)
        self.seen = dense(self.others.size, hidden, gain) if self.others is not None else None
        self.outputs = Outputs(
            hidden, [head for head in self.head_specs if head.kind != UNITS], settings.policy_gain
        )
        self.unit_head = next((head for head in self.head_specs if head.kind == UNITS), None)
        if self.unit_head is not None:
            self.units = UnitInputs(self.unit_parts, len(self.unit_head.units))
            self.of_unit = dense(self.units.size, channels, gain)
            self.of_cell = dense(channels, channels, gain)
            self.unit_outputs = UnitOutputs(channels, self.unit_head, settings.policy_gain)

    def forward(self, observation: Tensors) -> PolicyOutput:
        """See `lanista.policy.Network`."""
        if self.settings.precision == "float32":
            return self._answer(observation)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            output = self._answer(observation)
        return PolicyOutput(
            {name: logits.to(torch.float32) for name, logits in output.logits.items()},
            output.value.to(torch.float32),
        )

    def _answer(self, observation: Tensors) -> PolicyOutput:
        inside = self._inside(observation)
        board = within(self.boards(observation), inside)
        x = self.first(board.contiguous(memory_format=torch.channels_last))
        others = None if self.others is None else self.others(observation)
        if others is not None and self.shift is not None:
            x = x + self.shift(others).unsqueeze(-1).unsqueeze(-1)
        x = within(self.act(x), inside)
        for block in self.blocks:
            x = block(x, inside)
        context = self.pooled(board_mean(x, inside))
        if others is not None and self.seen is not None:
            context = context + self.seen(others)
        context = self.act(context)
        output: PolicyOutput = self.outputs(context, context)
        if self.unit_head is None:
            return output
        logits = self._unit_logits(x, units_of(observation))
        return PolicyOutput({**output.logits, self.unit_head.name: logits}, output.value)

    def _inside(self, observation: Tensors) -> Tensor | None:
        """The cells that count, ``[B, 1, H, W]`` of 0 and 1; None where all do."""
        marked = self.settings.inside or self.marked
        if marked is None:
            return None
        part, plane = marked
        marks: Tensor = observation[part][:, plane : plane + 1]
        return (marks > 0).to(torch.float32)

    def _unit_logits(self, x: Tensor, table: UnitTable) -> Tensor:
        cells = x.shape[2] * x.shape[3]
        by_cell = x.permute(0, 2, 3, 1).reshape(-1, x.shape[1])
        here = by_cell.index_select(0, table.row * cells + table.cell)
        features = self.act(self.of_cell(here) + self.of_unit(self.units(table)))
        logits: Tensor = self.unit_outputs(features, table)
        return logits

    def grow(self, settings: GridResnetSettings) -> Self:
        """More of everything, the same function; see `lanista_agents.networks.growth`."""
        refuse_changes("grid_resnet", self.settings, settings, ("activation", "kernel", "inside"))
        if bool(self.settings.squeeze) != bool(settings.squeeze):
            raise LanistaError(
                f"grid_resnet cannot change squeeze from {self.settings.squeeze} to {settings.squeeze} by growing: "
                f"its blocks have squeeze-excitation or not; keep it, or teach a larger network instead"
            )
        for name in ("channels", "blocks", "squeeze", "hidden"):
            refuse_shrinking("grid_resnet", name, getattr(self.settings, name), getattr(settings, name))
        return copy_into(self, type(self)(self.parts, self.head_specs, settings, self.unit_parts))


def _refuse_plane(settings: GridResnetSettings, boards: Sequence[ObsPart]) -> None:
    """Raise unless `inside` names a plane of a board part."""
    if settings.inside is None:
        return
    part, plane = settings.inside
    sizes = {board.name: board.shape[0] for board in boards}
    if plane >= sizes.get(part, 0):
        there = ", ".join(f"{name} with {count} planes" for name, count in sizes.items())
        raise LanistaError(
            f"grid_resnet: inside names plane {plane} of {part!r}, and the env's boards are {there}; name the plane "
            f"that is above 0 on the cells that count"
        )
