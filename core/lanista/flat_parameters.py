"""A network's weights in one piece of memory, so that an optimiser step is a few calls in all."""

import torch
from torch import Tensor, nn


class FlatParameters:
    """All trainable weights of a network as views of one vector, matrices first.

    The network keeps its own parameter objects; only their memory moves. `gradient` is a vector in the same
    order, and `slots` its pieces in the weights' shapes.
    """

    def __init__(self, network: nn.Module) -> None:
        """Move the weights' memory."""
        weights = [weight for weight in network.parameters() if weight.requires_grad]
        self.matrices: list[nn.Parameter] = [weight for weight in weights if weight.ndim >= 2]
        self.weights = self.matrices + [weight for weight in weights if weight.ndim < 2]
        self.sizes = [weight.numel() for weight in self.weights]
        self.num_in_matrices = sum(weight.numel() for weight in self.matrices)
        self.vector = torch.empty(0)
        self.gradient = torch.zeros(sum(self.sizes))
        pieces = torch.split(self.gradient, self.sizes)
        self.slots: dict[Tensor, Tensor] = {
            weight: piece.view(weight.shape) for weight, piece in zip(self.weights, pieces, strict=True)
        }
        self.bind()

    def bind(self) -> None:
        """Make the weights views of `vector` (again, if something has replaced their memory since)."""
        start = self.vector.data_ptr()
        places = [start + 4 * sum(self.sizes[:i]) for i in range(len(self.sizes))]
        if len(self.vector) and places == [weight.data_ptr() for weight in self.weights]:
            return
        self.vector = torch.cat([weight.detach().reshape(-1) for weight in self.weights])
        for weight, piece in zip(self.weights, torch.split(self.vector, self.sizes), strict=True):
            weight.data = piece.view(weight.shape)
