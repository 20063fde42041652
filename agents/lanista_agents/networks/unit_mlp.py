"""Network ``unit_mlp``: dense layers over every unit, with what its whole team and its seat see as context.

1. each unit's row becomes features;
2. the features of a seat's units, pooled, and what the seat sees become the seat's context: the value reads it;
3. a unit's features and its seat's context become logits, by a layer of its own for each kind of unit.

All units of all rows go through each layer in one call. A seat without units has a value from what it sees alone.
"""

from collections.abc import Sequence
from typing import Self

import torch
from torch import Tensor, nn

from lanista.policy import Network, PolicyOutput, Tensors
from lanista.spec import HeadSpec, ObsPart
from lanista.units import UnitTable, units_of
from lanista_agents.networks.growth import copy_into, refuse_changes, refuse_shrinking
from lanista_agents.networks.layers import ACTIVATIONS, dense, pull_dense
from lanista_agents.networks.mlp import ResidualBlock
from lanista_agents.networks.outputs import Outputs
from lanista_agents.networks.unit_layers import (
    Pooling,
    RowInputs,
    UnitInputs,
    UnitOutputs,
    split_heads,
    sum_of_rows,
)
from lanista_agents.settings import UnitMlpSettings
from lanista_agents.vjp import NetworkPull, Slots


class UnitMlp(Network):
    """See `UnitMlpSettings` and the module."""

    def __init__(
        self,
        observation: Sequence[ObsPart],
        heads: Sequence[HeadSpec],
        settings: UnitMlpSettings,
        unit_observation: Sequence[ObsPart] = (),
    ) -> None:
        """A head's `size` is its number of outputs. Torch's global generator draws the weights."""
        super().__init__()
        self.parts, self.head_specs = tuple(observation), tuple(heads)
        self.unit_parts, self.settings = tuple(unit_observation), settings
        self.unit_head, others = split_heads("unit_mlp", self.head_specs)
        self.activation = ACTIVATIONS[settings.activation]
        self.act, gain = self.activation.function, self.activation.gain
        width, context = settings.width, settings.context
        self.units = UnitInputs(self.unit_parts, len(self.unit_head.units))
        self.rows = RowInputs(self.parts)
        self.first = dense(self.units.size, width, gain)
        self.pooling = Pooling(width, settings.attention_heads)
        # What is seen and the number of units; the pooled features come behind, as they may grow.
        self.seen = dense(self.rows.size + 1, context, gain)
        self.pooled = dense(width * (settings.attention_heads or 1), context, gain)
        self.context_blocks = _blocks(settings.context_blocks, context, settings.activation)
        self.second = dense(width, width, gain)
        self.told = dense(context, width, gain)
        self.blocks = _blocks(settings.blocks, width, settings.activation)
        self.unit_outputs = UnitOutputs(width, self.unit_head, settings.policy_gain)
        self.outputs = Outputs(context, others, settings.policy_gain)

    def forward(self, observation: Tensors) -> PolicyOutput:
        """See `lanista.policy.Network`."""
        if not (torch.is_grad_enabled() or torch.compiler.is_compiling()):
            return self.vjp(observation)[0]
        table = units_of(observation)
        units = self.act(self.first(self.units(table)))
        seen = self._seen_of(observation, table)
        context: Tensor = self.act(self.seen(seen) + self.pooled(self.pooling(units, table)))
        for block in self.context_blocks:
            context = block(context)
        units = self.act(self.second(units) + self.told(context).index_select(0, table.row))
        for block in self.blocks:
            units = block(units)
        output: PolicyOutput = self.outputs(context, context)
        logits = self.unit_outputs(units, table)
        return PolicyOutput({**output.logits, self.unit_head.name: logits}, output.value)

    def _seen_of(self, observation: Tensors, table: UnitTable) -> Tensor:
        """What a seat sees, and how many units it has."""
        count = torch.log1p(table.counts.to(torch.float32)).unsqueeze(1)
        return torch.cat([self.rows(observation), count], dim=1)

    def vjp(self, observation: Tensors) -> tuple[PolicyOutput, NetworkPull]:
        """`forward` without torch's graph, and the way back to the weights; see `lanista_agents.vjp`."""
        with torch.no_grad():
            return self._vjp(observation, units_of(observation))

    def _vjp(self, observation: Tensors, table: UnitTable) -> tuple[PolicyOutput, NetworkPull]:
        # The two layers that take most of the time, in the recipe's precision; all others are small.
        act, dtype = self.activation, getattr(torch, self.settings.precision)
        first, pull_first = self.units.vjp(self.first, table, dtype)
        own = act.over(first)
        narrow, weight = own.to(dtype), self.second.weight.to(dtype)
        mean, pull_pooling = self.pooling.vjp(own, table)
        seen = self._seen_of(observation, table)
        told = self.seen(seen).addmm_(mean, self.pooled.weight.t()).add_(self.pooled.bias)
        context = begun = act.over(told)
        context_pulls = []
        for block in self.context_blocks:
            assert isinstance(block, ResidualBlock)
            context, pull_block = block.vjp(context)
            context_pulls.append(pull_block)
        # What all units of a row are told is added up before it goes to each of them.
        second = self.told(context).add_(self.second.bias).index_select(0, table.row)
        if dtype == torch.float32:
            second.addmm_(narrow, weight.t())
        else:
            second.add_(narrow @ weight.t())
        units = joined = act.over(second)
        unit_pulls = []
        for block in self.blocks:
            assert isinstance(block, ResidualBlock)
            units, pull_block = block.vjp(units)
            unit_pulls.append(pull_block)
        logits, pull_logits = self.unit_outputs.vjp(units, table)
        output, pull_outputs = self.outputs.vjp(context, context)

        def pull(gradient: PolicyOutput, slots: Slots) -> None:
            others = {name: by for name, by in gradient.logits.items() if name != self.unit_head.name}
            with torch.no_grad():
                by_units = pull_logits(gradient.logits[self.unit_head.name], slots)
                for pull_block in reversed(unit_pulls):
                    by_units = pull_block(by_units, slots)
                by_units = act.pull(by_units, second, joined)
                by_heard = sum_of_rows(by_units, table)
                narrow_by = by_units.to(dtype)
                slots[self.second.weight].copy_(narrow_by.t() @ narrow)
                pull_dense(self.told, context, by_heard, slots)
                slots[self.second.bias].copy_(slots[self.told.bias])
                by_context, _ = pull_outputs(PolicyOutput(others, gradient.value), slots)
                by_context.addmm_(by_heard, self.told.weight)
                for pull_block in reversed(context_pulls):
                    by_context = pull_block(by_context, slots)
                by_context = act.pull(by_context, told, begun)
                pull_dense(self.seen, seen, by_context, slots)
                pull_dense(self.pooled, mean, by_context, slots)
                by_own = (narrow_by @ weight).to(torch.float32)
                pull_pooling(by_context @ self.pooled.weight, by_own, slots)
                pull_first(act.pull(by_own, first, own), slots)

        return PolicyOutput({**output.logits, self.unit_head.name: logits}, output.value), pull

    def grow(self, settings: UnitMlpSettings) -> Self:
        """More of everything, the same function; see `lanista_agents.networks.growth`."""
        refuse_changes("unit_mlp", self.settings, settings, ("activation", "attention_heads"))
        for name in ("width", "context", "blocks", "context_blocks"):
            refuse_shrinking("unit_mlp", name, getattr(self.settings, name), getattr(settings, name))
        return copy_into(self, type(self)(self.parts, self.head_specs, settings, self.unit_parts))


def _blocks(number: int, width: int, activation: str) -> nn.ModuleList:
    return nn.ModuleList(ResidualBlock(width, activation) for _ in range(number))
