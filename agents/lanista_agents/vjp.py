"""Vector-Jacobian products: an output, and the function that leads gradients back through it.

Torch's graph and its engine cost as much as the arithmetic of a small network. A network or a head may
therefore offer ``vjp``, which computes its outputs without a graph and gives a function for the way back:

* network: ``vjp(observation) -> (PolicyOutput, pull)``, where ``pull(gradient, slots)`` takes the loss's
  gradient by the outputs and writes its gradient by every weight into ``slots[weight]``;
* head: ``vjp(logits, legal, action) -> (logprob, entropy, pull)``, where ``pull(by_logprob, by_entropy)``
  gives the gradient by the logits.

`network_vjp` and `head_vjp` do the same for those that offer none, by torch's own differentiation.
"""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from lanista.policy import Head, Network, PolicyOutput, Tensors

#: where the gradient by each weight goes: tensors of the weights' shapes
Slots = Mapping[Tensor, Tensor]
NetworkPull = Callable[[PolicyOutput, Slots], None]
HeadPull = Callable[[Tensor, Tensor], Tensor]


def network_vjp(network: Network, observation: Tensors) -> tuple[PolicyOutput, NetworkPull]:
    """The network's outputs, detached, and the way back to its weights."""
    offered = getattr(network, "vjp", None)
    if offered is not None:
        output, pull = offered(observation)
        return output, pull
    traced = network(observation)

    def pull_by_torch(gradient: PolicyOutput, slots: Slots) -> None:
        found = torch.autograd.grad(
            _product((*traced.logits.values(), traced.value), (*gradient.logits.values(), gradient.value)),
            list(slots),
            allow_unused=True,
            materialize_grads=True,
        )
        for slot, by_weight in zip(slots.values(), found, strict=True):
            slot.copy_(by_weight)

    logits = {name: tensor.detach() for name, tensor in traced.logits.items()}
    return PolicyOutput(logits, traced.value.detach()), pull_by_torch


def head_vjp(
    head: Head, logits: Tensor, legal: Tensor | None, action: Tensor
) -> tuple[Tensor, Tensor, HeadPull]:
    """A head's log-probability and entropy, detached, and the way back to the logits."""
    offered = getattr(head, "vjp", None)
    if offered is not None:
        logprob, entropy, pull = offered(logits, legal, action)
        return logprob, entropy, pull
    leaf = logits.detach().requires_grad_()
    logprob, entropy = head.logprob(leaf, legal, action), head.entropy(leaf, legal)

    def pull_by_torch(by_logprob: Tensor, by_entropy: Tensor) -> Tensor:
        return torch.autograd.grad(_product((logprob, entropy), (by_logprob, by_entropy)), leaf)[0]

    return logprob.detach(), entropy.detach(), pull_by_torch


def _product(outputs: tuple[Tensor, ...], gradients: tuple[Tensor, ...]) -> Tensor:
    """A scalar whose gradient by `outputs` is `gradients`.

    Handing torch the gradients themselves makes it import sympy, a quarter of a second once a process.
    """
    scalars = [
        (output * gradient).sum()
        for output, gradient in zip(outputs, gradients, strict=True)
        if output.requires_grad
    ]
    return torch.stack(scalars).sum()
