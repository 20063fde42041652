"""Observation parts on their way into a network: cast to float32, joined and scaled."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from lanista.policy import Tensors
from lanista.spec import ObsPart


def _spread_out(numbers: tuple[float, ...], part: ObsPart) -> Tensor:
    """One number for each entry of the part, flattened; `numbers` is one, or one each of the last axis."""
    return torch.tensor(numbers, dtype=torch.float32).expand(part.shape).reshape(-1)


class FlatInputs(nn.Module):
    """All parts, flattened and joined in their order to ``[B, size]``, as ``(x - center) / spread``.

    The scaling is two buffers and one multiply-add; parts that are scaled by 0 and 1 only skip it.
    """

    factor: Tensor
    offset: Tensor

    def __init__(self, parts: Sequence[ObsPart]) -> None:
        """`parts` are joined in the order given."""
        super().__init__()
        self.names = tuple(part.name for part in parts)
        self.size = sum(part.size for part in parts)
        center = torch.cat([_spread_out(part.center, part) for part in parts])
        spread = torch.cat([_spread_out(part.spread, part) for part in parts])
        self.scaled = bool((center != 0.0).any() or (spread != 1.0).any())
        # Rebuilt from the parts each time, hence not part of the weights file.
        self.register_buffer("factor", 1.0 / spread, persistent=False)
        self.register_buffer("offset", -center / spread, persistent=False)

    def forward(self, observation: Tensors) -> Tensor:
        """Give ``[B, size]`` float32."""
        flat = [observation[name].to(torch.float32).flatten(1) for name in self.names]
        joined = flat[0] if len(flat) == 1 else torch.cat(flat, dim=1)
        return torch.addcmul(self.offset, joined, self.factor) if self.scaled else joined
