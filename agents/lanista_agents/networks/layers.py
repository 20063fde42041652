"""Dense layers and activations, each with its way back (see `lanista_agents.vjp`)."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from lanista_agents.vjp import Slots

_backward = torch.ops.aten


class Activation(NamedTuple):
    """A function of one number, the gain that keeps variance through it, and its way back."""

    function: Callable[[Tensor], Tensor]
    gain: float
    #: (gradient by the result, the argument, the result) -> gradient by the argument
    pull: Callable[[Tensor, Tensor, Tensor], Tensor]

    def plain(self, x: Tensor) -> Tensor:
        """The function outside torch's graph. Numpy's tanh takes a fraction of the time of torch's on x86-64."""
        if self.function is not torch.tanh or x.device.type != "cpu":
            return self.function(x)
        y = torch.empty_like(x)
        np.tanh(x.detach().numpy(), out=y.numpy())
        return y

    def over(self, x: Tensor) -> Tensor:
        """`plain`, in the memory of `x` where `pull` asks for the result alone."""
        return torch.relu_(x) if self.function is torch.relu else self.plain(x)


ACTIVATIONS = {
    "tanh": Activation(torch.tanh, 5.0 / 3.0, lambda g, x, y: _backward.tanh_backward(g, y)),
    "relu": Activation(torch.relu, 2.0**0.5, lambda g, x, y: _backward.threshold_backward(g, y, 0.0)),
    "gelu": Activation(nn.functional.gelu, 2.0**0.5, lambda g, x, y: _backward.gelu_backward(g, x)),
}


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


def pull_dense(layer: nn.Linear, x: Tensor, gradient: Tensor, slots: Slots) -> None:
    """Write the gradient by the layer's weights, given its input and the gradient by its output."""
    torch.mm(gradient.t(), x, out=slots[layer.weight])
    torch.sum(gradient, 0, out=slots[layer.bias])
