"""Fitting a student to labels: Adam on one flat vector of weights, and the mean of the weights that it passed.

A small network's step is made of calls more than of arithmetic, so what can be one call is one: the weights and
their gradient are one vector each, and the way back through the network is the one that it offers itself
(``network.vjp(observation) -> (output, pull)``, `lanista_agents.vjp`). The losses, which strangers write, go through
torch's own differentiation; their graph begins at the network's outputs. A network that offers no ``vjp`` goes
through torch wholly.

What is played and handed on is the mean of the last weights (Polyak and Juditsky 1992,
https://doi.org/10.1137/0330046), kept as an exponential average: single steps leave a student that plays well at one
step and stumbles at the next.
"""

import copy
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from lanista.arrays import AnyArray
from lanista.errors import LanistaError
from lanista.flat_parameters import FlatParameters
from lanista.learning import Distiller
from lanista.named_arrays import as_arrays, as_tensors, prefixed, under
from lanista.optimiser_state import optimiser_tensors, restore_optimiser
from lanista.plugins import Registry
from lanista.policy import Policy, PolicyOutput
from lanista.testing import check_loss
from lanista.testing.complaints import Complaints
from lanista_plugins.phases.labelled import LabelledBatch
from lanista_plugins.phases.settings import LossSettings

#: a further loss a row, ``[B]``, of a policy's logits in a batch
ExtraLoss = Callable[[Policy, dict[str, Tensor], Any], Tensor]


class SomeLosses(Protocol):
    """What a batch costs a policy."""

    def of(
        self, policy: Policy, logits: dict[str, Tensor], value: Tensor, batch: LabelledBatch, progress: float
    ) -> tuple[Tensor, dict[str, float]]:
        """Give the mean over the batch, and figures for the log."""


class Losses:
    """The weighted sum of a phase's loss terms."""

    def __init__(self, terms: Sequence[LossSettings], registry: Registry) -> None:
        """Build the distillers that the recipe names."""
        #: name, distiller, schedule of its weight
        self.terms: list[tuple[str, Distiller, Any]] = [
            (term.loss.use, term.loss.build(registry)(term.loss.settings(registry)), term.coef)
            for term in terms
        ]
        self._complaints = [Complaints.about(registry.get("distillers", name)) for name, _, _ in self.terms]

    def of(
        self, policy: Policy, logits: dict[str, Tensor], value: Tensor, batch: LabelledBatch, progress: float
    ) -> tuple[Tensor, dict[str, float]]:
        """Give the weighted mean over the batch, and each term's own mean as ``<name>_loss``."""
        total, figures = value.new_zeros(()), {}
        for (name, distiller, coef), complaints in zip(self.terms, self._complaints, strict=True):
            rows = distiller.loss(policy, logits, value, batch.logits, batch.value, batch.legal)
            check_loss(rows, len(batch.value), complaints)
            loss = rows.mean()
            total = total + coef.at(progress) * loss
            figures[f"{name}_loss"] = float(loss.detach())
        return total, figures


class Fitting:
    """Steps of a network's weights down the losses, and their average; all of its state is in `state`."""

    def __init__(self, network: nn.Module, losses: SomeLosses, averaging: float) -> None:
        """`averaging` is the share of the average that a step keeps, 0 (the last weights) up to but not 1."""
        self.network = network
        self.losses = losses
        self.averaging = averaging
        self._flat = FlatParameters(network)
        self._vector = nn.Parameter(self._flat.vector)
        self._vector.grad = self._flat.gradient
        self._adam = torch.optim.Adam([self._vector], fused=True)
        for weight in self._flat.weights:
            weight.grad = self._flat.slots[weight]
        self._part = torch.zeros_like(self._flat.gradient)
        pieces = torch.split(self._part, self._flat.sizes)
        self._part_slots = {
            weight: piece.view(weight.shape) for weight, piece in zip(self._flat.weights, pieces, strict=True)
        }
        #: a network of its own that holds the average
        self.averaged = copy.deepcopy(network).requires_grad_(False)
        self._averaged = [dict(self.averaged.named_parameters())[name] for name in self._names()]
        self._average = self._flat.vector.clone()
        self.steps = 0

    def _names(self) -> list[str]:
        names = {weight: name for name, weight in self.network.named_parameters()}
        return [names[weight] for weight in self._flat.weights]

    def step(
        self,
        parts: Sequence[tuple[Policy, LabelledBatch]],
        progress: float,
        learning_rate: float,
        extra: ExtraLoss | None = None,
    ) -> dict[str, float]:
        """One step down the mean of the parts' losses; gives each term's mean over the parts that have it.

        A part is a policy over (a part of) the network and a batch of its own task; usually there is one.
        """
        found: dict[str, list[float]] = {}
        gradient = self._flat.gradient
        for place, (policy, batch) in enumerate(parts):
            if len(parts) > 1:  # a part's way back writes to its own weights alone
                self._part.zero_()
            for name, figure in self._gradient(policy, batch, progress, extra).items():
                found.setdefault(name, []).append(figure)
            if place == 0:
                gradient.copy_(self._part)
            else:
                gradient.add_(self._part)
        if len(parts) > 1:
            gradient.div_(len(parts))
        self._adam.param_groups[0]["lr"] = learning_rate
        self._adam.step()
        self.steps += 1
        # The first weights are forgotten soon: a young average keeps little.
        keep = min(self.averaging, (self.steps - 1.0) / (self.steps + 9.0))
        self._average.lerp_(self._flat.vector, 1.0 - keep)
        return {name: sum(figures) / len(figures) for name, figures in found.items()}

    def _gradient(
        self, policy: Policy, batch: LabelledBatch, progress: float, extra: ExtraLoss | None
    ) -> dict[str, float]:
        """Write the gradient of one part into `_part`; give the loss terms."""
        offered = getattr(policy.network, "vjp", None)
        output, pull = (
            (policy.network(batch.observation), None) if offered is None else offered(batch.observation)
        )
        leaves = (*output.logits.values(), output.value)
        if pull is not None:
            leaves = tuple(leaf.requires_grad_() for leaf in leaves)
            output = PolicyOutput(dict(zip(output.logits, leaves, strict=False)), leaves[-1])
        total, figures = self.losses.of(policy, output.logits, output.value, batch, progress)
        if extra is not None:
            total = total + extra(policy, output.logits, batch).mean()
        if not total.requires_grad:
            raise LanistaError(
                "no loss term has a gradient for the student: every one ignores its logits and its value; name a loss "
                "such as kl"
            )
        targets = list(self._flat.weights) if pull is None else list(leaves)
        found = torch.autograd.grad(total, targets, allow_unused=True, materialize_grads=True)
        if pull is None:
            for weight, by_weight in zip(self._flat.weights, found, strict=True):
                self._part_slots[weight].copy_(by_weight)
        else:
            pull(PolicyOutput(dict(zip(output.logits, found, strict=False)), found[-1]), self._part_slots)
        return figures

    @torch.no_grad()
    def show_average(self) -> nn.Module:
        """Bring `averaged` up to date; buffers are those of the last step."""
        pieces = torch.split(self._average, self._flat.sizes)
        for weight, piece in zip(self._averaged, pieces, strict=True):
            weight.copy_(piece.view(weight.shape))
        for mine, theirs in zip(self.averaged.buffers(), self.network.buffers(), strict=True):
            mine.copy_(theirs)
        return self.averaged

    def state(self) -> dict[str, AnyArray]:
        """Weights, moments and average."""
        arrays = prefixed("network", as_arrays(self.network.state_dict()))
        arrays |= prefixed("optimiser", as_arrays(optimiser_tensors(self._adam)))
        return {**arrays, "average": self._average.numpy(), "steps": torch.tensor(self.steps).numpy()}

    def load_state(self, state: Mapping[str, AnyArray]) -> None:
        """Take back what `state` gave."""
        self.network.load_state_dict(as_tensors(under("network", state)))
        restore_optimiser(self._adam, as_tensors(under("optimiser", state)))
        self._average.copy_(torch.from_numpy(state["average"].copy()))
        self.steps = int(state["steps"])
