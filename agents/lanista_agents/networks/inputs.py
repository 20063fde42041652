"""Observation parts on their way into a network: cast to float32, joined and scaled."""

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn

from lanista.policy import Tensors
from lanista.spec import ObsPart


def _spread_out(numbers: tuple[float, ...], part: ObsPart) -> Tensor:
    """One number for each entry of the part, flattened; `numbers` is one, or one each of the last axis."""
    return torch.tensor(numbers, dtype=torch.float32).expand(part.shape).reshape(-1)


class Scaling(nn.Module):
    """``(x - center) / spread`` as one multiply-add; nothing at all where it would change nothing."""

    factor: Tensor
    offset: Tensor

    def __init__(self, parts: Sequence[ObsPart], shape: tuple[int, ...]) -> None:
        """For the joined parts, viewed as `shape` (``[size]`` or ``[C, H, W]``)."""
        super().__init__()
        center = torch.cat([_spread_out(part.center, part) for part in parts]).view(shape)
        spread = torch.cat([_spread_out(part.spread, part) for part in parts]).view(shape)
        self.needed = bool((center != 0.0).any() or (spread != 1.0).any())
        # Rebuilt from the parts each time, hence not part of the weights file.
        self.register_buffer("factor", 1.0 / spread, persistent=False)
        self.register_buffer("offset", -center / spread, persistent=False)

    def forward(self, joined: Tensor) -> Tensor:
        """``[B, *shape]`` to the same."""
        return torch.addcmul(self.offset, joined, self.factor) if self.needed else joined


class FlatInputs(nn.Module):
    """All parts, flattened and joined in their order to ``[B, size]``, scaled."""

    def __init__(self, parts: Sequence[ObsPart]) -> None:
        """`parts` are joined in the order given."""
        super().__init__()
        self.names = tuple(part.name for part in parts)
        self.size = sum(part.size for part in parts)
        self.scaling = Scaling(parts, (self.size,))

    def forward(self, observation: Tensors) -> Tensor:
        """Give ``[B, size]`` float32."""
        flat = [observation[name].to(torch.float32).flatten(1) for name in self.names]
        scaled: Tensor = self.scaling(flat[0] if len(flat) == 1 else torch.cat(flat, dim=1))
        return scaled


class BoardInputs(nn.Module):
    """All board parts, joined by their planes to ``[B, channels, H, W]``, scaled."""

    def __init__(self, parts: Sequence[ObsPart]) -> None:
        """All `parts` are ``[C, H, W]`` with the same H and W."""
        super().__init__()
        self.names = tuple(part.name for part in parts)
        self.height, self.width = parts[0].shape[1:]
        self.channels = sum(part.shape[0] for part in parts)
        # A part that is scaled alike everywhere is scaled on a board of any size.
        alike = all(len(part.center) == len(part.spread) == 1 for part in parts)
        height, width = (1, 1) if alike else (self.height, self.width)
        scaled = [replace(part, shape=(part.shape[0], height, width)) for part in parts]
        self.scaling = Scaling(scaled, (self.channels, height, width))

    def forward(self, observation: Tensors) -> Tensor:
        """Give ``[B, channels, H, W]`` float32."""
        boards = [observation[name].to(torch.float32) for name in self.names]
        scaled: Tensor = self.scaling(boards[0] if len(boards) == 1 else torch.cat(boards, dim=1))
        return scaled
