"""The last layer: one dense layer for all heads and the value, cut apart afterwards."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from lanista.policy import PolicyOutput
from lanista.spec import HeadSpec

GAIN = {"tanh": 5.0 / 3.0, "relu": 2.0**0.5, "gelu": 2.0**0.5}
ACTIVATION = {"tanh": torch.tanh, "relu": torch.relu, "gelu": nn.functional.gelu}


def dense(inputs: int, outputs: int, gain: float) -> nn.Linear:
    """A dense layer with orthogonal weights of this gain and no offset at first (gain 0: all zero)."""
    layer = nn.Linear(inputs, outputs)
    with torch.no_grad():
        nn.init.zeros_(layer.bias)
        if gain == 0.0:
            nn.init.zeros_(layer.weight)
        else:
            nn.init.orthogonal_(layer.weight, gain)
    return layer


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
        parts = self.layer(features).split(self.sizes, dim=1)
        value = parts[-1] if self.value is None else self.value(value_features)
        return PolicyOutput(dict(zip(self.names, parts, strict=False)), value.squeeze(1))
