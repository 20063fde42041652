"""One step of a policy's weights: heads and network led back from a loss by log-probability, entropy and value.

What the learners share, whatever their loss: forward pass, the extra terms, the limit on the gradient's norm and the
optimiser on one flat vector. At this size a torch call costs more than what it computes, so heads and network lead
gradients back by their own `vjp` where they offer one.
"""

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from lanista.errors import LanistaError
from lanista.flat_parameters import FlatParameters
from lanista.learning import Batch, LossTerm, generator_state
from lanista.policy import Policy, PolicyOutput
from lanista_agents.decisions import Decisions
from lanista_agents.optimizers import Adam, Muon, Optimizer
from lanista_agents.settings import OptimizerSettings
from lanista_agents.vjp import HeadPull, NetworkPull, head_vjp, network_vjp


@dataclass(frozen=True)
class Evaluated:
    """What the weights say of B decisions now, and the ways back."""

    output: PolicyOutput
    #: ``[B]``, joint over the heads
    logprob: Tensor
    #: ``[B]``, summed over the heads, nats
    entropy: Tensor
    pull_heads: Mapping[str, HeadPull]
    pull_network: NetworkPull


class Descent:
    """The weights of a policy and their optimiser. The weights move into one flat vector."""

    def __init__(self, policy: Policy, settings: OptimizerSettings) -> None:
        """Start the optimiser afresh."""
        self.policy = policy
        self.limit = settings.max_grad_norm
        self.flat = FlatParameters(policy.network)
        #: train the critic alone: no weight moves that a logit depends on (see `lanista.learning.CriticFirst`)
        self.value_only = False
        #: ``[P]`` bool: the numbers of the flat vector that a logit was seen to depend on
        self._behind_logits: Tensor | None = None
        betas = (settings.adam_beta1, settings.adam_beta2)
        self.optimizer: Optimizer = (
            Adam(self.flat, betas, settings.adam_eps)
            if settings.optimizer == "adam"
            else Muon(self.flat, settings.muon_momentum, betas, settings.adam_eps)
        )

    @contextmanager
    def kept_finite(self, learner: str, update: int) -> Iterator[None]:
        """Bind the weights for an update; put them back, and say it in a sentence, if a gradient is not finite."""
        self.flat.bind()
        before = self.flat.vector.clone()
        try:
            yield
        except FloatingPointError as error:
            self.flat.vector.copy_(before)
            raise LanistaError(
                f"{learner}: {error} in update {update}, so its weights were put back to those before "
                f"it; look for a reward or observation that is not finite, or lower learning_rate"
            ) from error

    def evaluate(self, rows: Decisions) -> Evaluated:
        """Ask the network and the heads."""
        output, pull_network = network_vjp(self.policy.network, rows.observation)
        logprob = entropy = torch.zeros(())
        pulls: dict[str, HeadPull] = {}
        for name, head in self.policy.heads.items():
            one = head_vjp(head, output.logits[name], rows.legal.get(name), rows.action[name])
            # The first head's arrays are taken as they are: most policies have no other.
            logprob, entropy = (logprob + one[0], entropy + one[1]) if pulls else one[:2]
            pulls[name] = one[2]
        return Evaluated(output, logprob, entropy, pulls, pull_network)

    def step(
        self, evaluated: Evaluated, by: Tensor, terms: list[LossTerm], batch: Batch, learning_rate: float
    ) -> dict[str, float]:
        """Take one optimiser step; give the terms' figures and the gradient's norm.

        `by` is ``[3, B]``: the loss's gradient by logprob, entropy and value. Raises FloatingPointError if the
        gradient's norm is not finite.
        """
        named: dict[str, float] = {}
        by_logprob, by_entropy, by_value = by
        gradient = PolicyOutput(
            {name: pull(by_logprob, by_entropy) for name, pull in evaluated.pull_heads.items()}, by_value
        )
        if terms and not self.value_only:
            gradient = _with_terms(evaluated.output, gradient, terms, batch, named)
        evaluated.pull_network(gradient, self.flat.slots)
        if self.value_only:
            self._free_policy(batch.observation)
        named["grad_norm"] = self._descend(learning_rate)
        return named

    def _free_policy(self, observation: Mapping[str, Any]) -> None:
        """Take the gradient out of every number that a logit depends on; `step` has just gathered it.

        One matrix may give the logits and the value, so single numbers are looked at: those through which nothing
        goes back from a random mixture of all logits. A number that one minibatch shows behind a logit stays known.
        """
        own = self.flat.gradient.clone()
        output, pull = network_vjp(self.policy.network, observation)
        chance = torch.Generator().manual_seed(0)
        mixture = {name: torch.randn(part.shape, generator=chance) for name, part in output.logits.items()}
        pull(PolicyOutput(mixture, torch.zeros_like(output.value)), self.flat.slots)
        seen = self.flat.gradient != 0.0
        self._behind_logits = seen if self._behind_logits is None else self._behind_logits | seen
        if self._behind_logits.all():
            raise LanistaError(
                f"network {self.policy.card.network!r} has no weight that its value alone depends on, so its "
                "critic cannot be warmed before its policy is touched; leave critic_warmup out"
            )
        self.flat.gradient.copy_(own).masked_fill_(self._behind_logits, 0.0)

    def state(self) -> dict[str, Tensor]:
        """The optimiser's moments and counters, and what was learnt of the weights while the critic learnt alone."""
        found = self.optimizer.state()
        return (
            found if self._behind_logits is None else {**found, "behind_logits": self._behind_logits.clone()}
        )

    def load_state(self, state: dict[str, Tensor]) -> None:
        """Take back what `state` gave."""
        self.optimizer.load_state(state)
        self._behind_logits = state["behind_logits"].clone() if "behind_logits" in state else None

    def _descend(self, learning_rate: float) -> float:
        """Take the optimiser's step along the gathered gradient, limited in norm, and give its norm."""
        gradient = self.flat.gradient
        norm = float(torch.linalg.vector_norm(gradient))
        if not math.isfinite(norm):
            raise FloatingPointError(f"the gradient had norm {norm}")
        scale = 1.0 if self.limit is None or norm <= self.limit else self.limit / norm
        self.optimizer.step(gradient, scale, learning_rate)
        return norm


def _with_terms(
    output: PolicyOutput, gradient: PolicyOutput, terms: list[LossTerm], batch: Batch, named: dict[str, float]
) -> PolicyOutput:
    """Add the gradient of the extra terms by logits and value; their figures go into `named`."""
    logits = {name: tensor.detach().requires_grad_() for name, tensor in output.logits.items()}
    value = output.value.detach().requires_grad_()
    losses: list[Tensor] = []
    for term in terms:
        loss, extra = term(logits, value, batch)
        named |= {f"{term.name}_loss": float(loss.detach()), **extra}
        if loss.requires_grad:  # a term whose weight is zero at present may be a plain number
            losses.append(loss)
    if not losses:
        return gradient
    *by_logits, by_value = torch.autograd.grad(
        losses, [*logits.values(), value], allow_unused=True, materialize_grads=True
    )
    added = zip(logits, by_logits, strict=True)
    return PolicyOutput({name: gradient.logits[name] + by for name, by in added}, gradient.value + by_value)


class Descending:
    """What learners that descend keep between updates, and how they give it back."""

    descent: Descent
    generator: torch.Generator
    #: updates so far
    updates: int

    @property
    def value_only(self) -> bool:
        """See `lanista.learning.CriticFirst`."""
        return self.descent.value_only

    @value_only.setter
    def value_only(self, alone: bool) -> None:
        self.descent.value_only = alone

    def state(self) -> dict[str, Tensor]:
        """See `lanista.learning.Learner`."""
        return {
            **self.descent.state(),
            "generator": generator_state(self.generator),
            "updates": torch.tensor(self.updates),
        }

    def load_state(self, state: dict[str, Tensor]) -> None:
        """See `lanista.learning.Learner`."""
        self.descent.load_state(state)
        self.generator.set_state(state["generator"])
        self.updates = int(state["updates"])
