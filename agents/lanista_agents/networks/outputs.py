"""The last layer: one dense layer for all heads and the value, cut apart afterwards."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from lanista.policy import PolicyOutput
from lanista.spec import HeadSpec
from lanista_agents.networks.layers import dense, pull_dense
from lanista_agents.vjp import Slots


class Outputs(nn.Module):
    """Logits of every head and the value from the trunk's features.

    One layer reads shared features; with features of its own the value has a layer of its own.
    """

    def __init__(
        self, features: int, heads: Sequence[HeadSpec], policy_gain: float, value_features: int | None = None
    ) -> None:
        """A head's `size` is its number of outputs; `value_features` is None if the trunk is shared."""
        super().__init__()
        self.names = tuple(head.name for head in heads)
        self.sizes = [head.size for head in heads]
        logits = sum(self.sizes)
        shared = value_features is None
        self.layer = dense(features, logits + shared, policy_gain)
        self.value: nn.Linear | None = None
        if value_features is None:
            self.sizes.append(1)
            with torch.no_grad():
                nn.init.orthogonal_(self.layer.weight[logits:], 1.0)
        else:
            self.value = dense(value_features, 1, 1.0)

    def forward(self, features: Tensor, value_features: Tensor) -> PolicyOutput:
        """Both ``[B, features]``; give the output that the policy contract asks for."""
        parts = torch.split_with_sizes(self.layer(features), self.sizes, 1)
        value = parts[-1] if self.value is None else self.value(value_features)
        return PolicyOutput(dict(zip(self.names, parts, strict=False)), value.squeeze(1))

    def vjp(
        self, features: Tensor, value_features: Tensor
    ) -> tuple[PolicyOutput, Callable[[PolicyOutput, Slots], tuple[Tensor, Tensor | None]]]:
        """`forward`, and the way back to both features (None for the value's, if they are shared)."""

        def pull(gradient: PolicyOutput, slots: Slots) -> tuple[Tensor, Tensor | None]:
            by_logits, by_value = [*gradient.logits.values()], gradient.value.unsqueeze(1)
            joined = torch.cat(by_logits if self.value is not None else [*by_logits, by_value], dim=1)
            pull_dense(self.layer, features, joined, slots)
            by_features = joined @ self.layer.weight
            if self.value is None:
                return by_features, None
            pull_dense(self.value, value_features, by_value, slots)
            return by_features, by_value @ self.value.weight

        return self(features, value_features), pull
