"""What networks that play units share: their inputs, their outputs by kind, and pooling over a row's units."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from lanista.errors import LanistaError
from lanista.policy import Tensors
from lanista.spec import UNITS, HeadSpec, ObsPart
from lanista.units import UnitTable
from lanista_agents.networks.inputs import BoardInputs, FlatInputs
from lanista_agents.networks.layers import dense

#: the largest score that a unit can have, and the lowest below 0
_BOUND = 8.0


def split_heads(network: str, heads: Sequence[HeadSpec]) -> tuple[HeadSpec, tuple[HeadSpec, ...]]:
    """The head of units and the others; raises LanistaError without one."""
    units = [head for head in heads if head.kind == UNITS]
    if not units:
        named = ", ".join(f"{head.name} ({head.kind})" for head in heads)
        raise LanistaError(
            f"{network} is for games that ask for every unit, found the heads {named}; use network mlp or conv"
        )
    return units[0], tuple(head for head in heads if head.kind != UNITS)


class UnitInputs(nn.Module):
    """What is seen of each unit, flattened, joined and scaled, and its kind as one of K places."""

    def __init__(self, parts: Sequence[ObsPart], kinds: int) -> None:
        """`parts` may be none: then a unit is its kind."""
        super().__init__()
        self.flat = FlatInputs(parts) if parts else None
        self.kinds = kinds
        self.size = kinds + (self.flat.size if self.flat is not None else 0)

    def forward(self, table: UnitTable) -> Tensor:
        """Give ``[U, size]`` float32."""
        kind = nn.functional.one_hot(table.kind, self.kinds).to(torch.float32)
        return kind if self.flat is None else torch.cat([kind, self.flat(table.observation)], dim=1)


class RowInputs(nn.Module):
    """What a seat sees, as numbers: flat parts as they are, of board parts each plane's mean."""

    def __init__(self, parts: Sequence[ObsPart]) -> None:
        """`parts` as the env declares them."""
        super().__init__()
        boards = [part for part in parts if len(part.shape) == 3]
        others = [part for part in parts if len(part.shape) != 3]
        self.boards = nn.ModuleList(BoardInputs([part]) for part in boards)
        self.others = FlatInputs(others) if others else None
        planes = sum(part.shape[0] for part in boards)
        self.size = planes + (self.others.size if self.others is not None else 0)

    def forward(self, observation: Tensors) -> Tensor:
        """Give ``[B, size]`` float32."""
        found = [] if self.others is None else [self.others(observation)]
        found += [board(observation).mean(dim=(2, 3)) for board in self.boards]
        return torch.cat(found, dim=1)


class UnitOutputs(nn.Module):
    """Logits of the head of units: a dense layer a kind, each unit reads its own."""

    def __init__(self, features: int, head: HeadSpec, policy_gain: float) -> None:
        """`head.size` is its number of outputs."""
        super().__init__()
        self.kinds, self.size = len(head.units), head.size
        self.layer = dense(features, self.kinds * self.size, policy_gain)

    def forward(self, features: Tensor, table: UnitTable) -> Tensor:
        """``[U, features]`` to ``[U, size]``."""
        by_kind: Tensor = self.layer(features).view(-1, self.kinds, self.size)
        own = table.kind.view(-1, 1, 1).expand(-1, 1, self.size)
        return by_kind.gather(1, own).squeeze(1)


class Pooling(nn.Module):
    """Features of a row's units as one vector: their mean, or means weighed by attention; zeros without units.

    A unit's weight is exp of a score, a dense layer's, that is led softly to +-8.
    """

    def __init__(self, features: int, attention_heads: int) -> None:
        """`attention_heads` of 0 asks for the mean; with more, as many weighted means of all features."""
        super().__init__()
        self.heads = attention_heads
        self.scores = dense(features, attention_heads, 0.0) if attention_heads else None

    def forward(self, features: Tensor, table: UnitTable) -> Tensor:
        """``[U, features]`` to ``[B, features * (attention_heads or 1)]``."""
        if self.scores is None:
            return table.sum(features) / table.counts.clamp(min=1).unsqueeze(1)
        # Bounded scores need no largest one taken off, so no unit's share depends on other rows.
        weights = torch.exp(_BOUND * torch.tanh(self.scores(features) / _BOUND))
        share = weights / table.sum(weights).index_select(0, table.row)
        # By feature, then head: more features come behind the old ones, as growing wants it.
        return table.sum((features.unsqueeze(2) * share.unsqueeze(1)).flatten(1))
