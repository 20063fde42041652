"""Arrays by dotted name: how the parts of a state lie side by side in one checkpoint."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from lanista.arrays import AnyArray


def prefixed(prefix: str, arrays: Mapping[str, AnyArray]) -> dict[str, AnyArray]:
    """Put ``<prefix>.`` before every name."""
    return {f"{prefix}.{name}": array for name, array in arrays.items()}


def under(prefix: str, arrays: Mapping[str, AnyArray]) -> dict[str, AnyArray]:
    """The arrays that `prefixed` named so, under their own names."""
    start = f"{prefix}."
    return {name[len(start) :]: array for name, array in arrays.items() if name.startswith(start)}


def as_arrays(tensors: Mapping[str, Tensor]) -> dict[str, AnyArray]:
    """Tensors as arrays that share their memory."""
    return {name: tensor.detach().numpy() for name, tensor in tensors.items()}


def as_tensors(arrays: Mapping[str, AnyArray]) -> dict[str, Tensor]:
    """Arrays as tensors of their own."""
    return {name: torch.from_numpy(array.copy()) for name, array in arrays.items()}


def copied_weights(network: nn.Module) -> dict[str, Tensor]:
    """The network's weights and buffers, detached from what it goes on to learn."""
    return {name: weight.detach().clone() for name, weight in network.state_dict().items()}
