"""What networks that play units share: their inputs, their outputs by kind, and pooling over a row's units.

Each has a ``vjp`` (see `lanista_agents.vjp`) that leaves out what torch's own way back cannot: the inputs are written
once into one table of whole vector registers, unscaled, with the scaling moved into the first layer's weights; a unit
meets the last layer of its own kind alone; and rows are added up by a loop over units that lie one after another.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from lanista.arrays import AnyArray
from lanista.errors import LanistaError
from lanista.kernels import compile_kernels
from lanista.policy import Tensors
from lanista.spec import UNITS, HeadSpec, ObsPart
from lanista.units import UnitTable
from lanista_agents.networks import row_sums
from lanista_agents.networks.inputs import BoardInputs, FlatInputs
from lanista_agents.networks.layers import dense
from lanista_agents.vjp import Slots

_kernels = compile_kernels(row_sums, label="units")

#: matrix products are fastest where rows are a multiple of this many numbers
_REGISTER = 16

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

    places: Tensor

    def __init__(self, parts: Sequence[ObsPart], kinds: int) -> None:
        """`parts` may be none: then a unit is its kind."""
        super().__init__()
        self.flat = FlatInputs(parts) if parts else None
        self.kinds = kinds
        self.size = kinds + (self.flat.size if self.flat is not None else 0)
        self.padded = -(-self.size // _REGISTER) * _REGISTER
        # Which kind a unit is, as numbers; made from the settings, hence not part of the weights file.
        self.register_buffer("places", torch.eye(kinds), persistent=False)

    def forward(self, table: UnitTable) -> Tensor:
        """Give ``[U, size]`` float32."""
        kind = nn.functional.one_hot(table.kind, self.kinds).to(torch.float32)
        return kind if self.flat is None else torch.cat([kind, self.flat(table.observation)], dim=1)

    def _written(self, table: UnitTable, dtype: torch.dtype) -> Tensor:
        """The numbers of `forward` before scaling, ``[U, padded]``; what is beyond `size` is 0."""
        numbers = torch.empty(table.num_units, self.padded, dtype=dtype)
        numbers[:, : self.kinds] = self.places.index_select(0, table.kind)
        start = self.kinds
        for name in () if self.flat is None else self.flat.names:
            part = table.observation[name].flatten(1)
            numbers[:, start : start + part.shape[1]] = part
            start += part.shape[1]
        numbers[:, start:] = 0.0
        return numbers

    def vjp(
        self, layer: nn.Linear, table: UnitTable, dtype: torch.dtype
    ) -> tuple[Tensor, Callable[[Tensor, Slots], None]]:
        """``layer(self(table))``, ``[U, outputs]``, and the way back to the weights of `layer`; products in `dtype`."""
        numbers = self._written(table, dtype)
        scaling = self.flat.scaling if self.flat is not None and self.flat.scaling.needed else None
        weight: Tensor = layer.weight
        bias: Tensor = layer.bias
        seen = slice(self.kinds, self.size)
        if scaling is not None:
            weight = weight.clone()
            weight[:, seen] *= scaling.factor
            bias = torch.addmv(bias, layer.weight[:, seen], scaling.offset)
        wide = nn.functional.pad(weight, (0, self.padded - self.size))

        def pull(gradient: Tensor, slots: Slots) -> None:
            by_bias = torch.sum(gradient, 0, out=slots[layer.bias])
            by_weight = slots[layer.weight].copy_((gradient.to(dtype).t() @ numbers)[:, : self.size])
            if scaling is not None:
                by_weight[:, seen] *= scaling.factor
                by_weight[:, seen].addr_(by_bias, scaling.offset)

        if dtype == torch.float32:
            return torch.addmm(bias, numbers, wide.t()), pull
        return (numbers @ wide.to(dtype).t()).to(torch.float32).add_(bias), pull


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

    def vjp(self, features: Tensor, table: UnitTable) -> tuple[Tensor, Callable[[Tensor, Slots], Tensor]]:
        """`forward`, and the way back to the features."""
        weights = self.layer.weight.view(self.kinds, self.size, -1)
        biases = self.layer.bias.view(self.kinds, self.size)
        own = [(table.kind == kind).nonzero().squeeze(1) for kind in range(self.kinds)]
        theirs = [features.index_select(0, units) for units in own]
        logits = features.new_empty(table.num_units, self.size)
        for kind, units in enumerate(own):
            logits.index_copy_(0, units, torch.addmm(biases[kind], theirs[kind], weights[kind].t()))

        def pull(gradient: Tensor, slots: Slots) -> Tensor:
            by_weight = slots[self.layer.weight].view(weights.shape)
            by_bias = slots[self.layer.bias].view(biases.shape)
            by_features = torch.empty_like(features)
            for kind, units in enumerate(own):
                here = gradient.index_select(0, units)
                torch.mm(here.t(), theirs[kind], out=by_weight[kind])
                torch.sum(here, 0, out=by_bias[kind])
                by_features.index_copy_(0, units, here @ weights[kind])
            return by_features

        return logits, pull


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

    def vjp(
        self, features: Tensor, table: UnitTable
    ) -> tuple[Tensor, Callable[[Tensor, Tensor, Slots], None]]:
        """`forward`; the way back adds to the gradient by the features, its second argument."""
        if self.scores is not None:
            return self._vjp_by_torch(self.scores, features, table)
        offsets: AnyArray = table.offsets.numpy()
        mean = features.new_empty(len(table), features.shape[1])
        _kernels.mean_rows(features.numpy(), offsets, mean.numpy())

        def pull(gradient: Tensor, by_features: Tensor, slots: Slots) -> None:
            _kernels.add_shares(gradient.numpy(), offsets, by_features.numpy())

        return mean, pull

    def _vjp_by_torch(
        self, scores: nn.Linear, features: Tensor, table: UnitTable
    ) -> tuple[Tensor, Callable[[Tensor, Tensor, Slots], None]]:
        with torch.enable_grad():
            leaf = features.detach().requires_grad_()
            pooled = self(leaf, table)

        def pull(gradient: Tensor, by_features: Tensor, slots: Slots) -> None:
            with torch.enable_grad():
                product = (pooled * gradient).sum()
            by_leaf, *by_scores = torch.autograd.grad(product, [leaf, scores.weight, scores.bias])
            by_features += by_leaf
            for weight, by in zip((scores.weight, scores.bias), by_scores, strict=True):
                slots[weight].copy_(by)

        return pooled.detach(), pull


def sum_of_rows(values: Tensor, table: UnitTable) -> Tensor:
    """`UnitTable.sum` of ``[U, F]`` outside torch's graph."""
    total = values.new_empty(len(table), values.shape[1])
    _kernels.sum_rows(values.numpy(), table.offsets.numpy(), total.numpy())
    return total
