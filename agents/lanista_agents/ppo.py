"""Learner ``ppo``: proximal policy optimisation (Schulman et al. 2017).

1. Advantages and returns by `gae` over the whole rollout; only rows where it was our decision are kept.
2. Each epoch shuffles them and cuts them into minibatches of nearly equal size.
3. A minibatch: forward pass, clipped surrogate + value loss - entropy bonus + the extra terms, gradient,
   its norm limited, one optimiser step.
4. The update ends early before the first step whose approx_kl exceeds `target_kl`.

At this size a torch call costs more than what it computes. So the loss and its gradient by log-probability,
entropy and value come out of one compiled pass (`kernels.surrogate`), heads and network lead it back to the
weights by their own `vjp` where they offer one, and the optimiser works on one flat vector.
"""

import math
from collections import defaultdict
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from lanista.errors import LanistaError
from lanista.flat_parameters import FlatParameters
from lanista.kernels import compile_kernels
from lanista.learning import Batch, LossTerm, Rollout, generator_state
from lanista.policy import Policy, PolicyOutput
from lanista_agents import kernels
from lanista_agents.decisions import Decisions, decisions
from lanista_agents.optimizers import Adam, Muon, Optimizer
from lanista_agents.returns import gae
from lanista_agents.settings import PpoSettings
from lanista_agents.vjp import HeadPull, head_vjp, network_vjp

_kernels = compile_kernels(kernels, label="learners")

#: What the kernel `surrogate` writes, in its order.
FIGURES = ("loss", "policy_loss", "value_loss", "entropy", "approx_kl", "clipfrac")


class Ppo:
    """See the module; keeps `lanista.learning.Learner`."""

    def __init__(self, policy: Policy, settings: PpoSettings, seed: int) -> None:
        """`seed` starts the stream that shuffles rows. The policy's weights move into one flat vector."""
        self.policy = policy
        self.settings = settings
        self.gamma = settings.gamma
        self.generator = torch.Generator().manual_seed(seed)
        self.flat = FlatParameters(policy.network)
        betas = (settings.adam_beta1, settings.adam_beta2)
        self.optimizer: Optimizer = (
            Adam(self.flat, betas, settings.adam_eps)
            if settings.optimizer == "adam"
            else Muon(self.flat, settings.muon_momentum, betas, settings.adam_eps)
        )
        self.updates = 0

    def update(self, rollout: Rollout, progress: float, terms: list[LossTerm]) -> dict[str, float]:
        """See `lanista.learning.Learner`; a rollout without a decision of ours changes nothing."""
        settings = self.settings
        advantage, return_ = gae(
            reward=rollout.reward,
            value=rollout.value,
            learn=rollout.learn,
            terminated=rollout.terminated,
            truncated=rollout.truncated,
            final_value=rollout.final_value,
            bootstrap_value=rollout.bootstrap_value,
            gamma=settings.gamma,
            gae_lambda=settings.gae_lambda,
        )
        rows = decisions(rollout, advantage, return_)
        self.flat.bind()
        before = self.flat.vector.clone()
        learning_rate = settings.learning_rate.at(progress)
        totals: defaultdict[str, float] = defaultdict(float)
        steps = 0
        for minibatch in self._minibatches(rows):
            try:
                figures = self._step(minibatch, progress, terms, learning_rate, first=steps == 0)
            except FloatingPointError as error:
                self.flat.vector.copy_(before)
                raise LanistaError(
                    f"ppo: {error} in update {self.updates}, so its weights were put back to those before "
                    f"it; look for a reward or observation that is not finite, or lower learning_rate"
                ) from error
            if figures is None:
                break
            steps += 1
            for name, figure in figures.items():
                totals[name] += figure
        self.updates += 1
        metrics = {name: total / max(steps, 1) for name, total in totals.items()}
        return {
            **metrics,
            "explained_variance": _explained_variance(rows),
            "learning_rate": learning_rate,
            "optimizer_steps": float(steps),
        }

    def _minibatches(self, rows: Decisions) -> Iterator[Decisions]:
        """Give all minibatches of all epochs; each epoch's rows are copied into their new order at once."""
        if not len(rows):
            return
        pieces = max(1, round(len(rows) / self.settings.minibatch_size))
        for _ in range(self.settings.num_epochs):
            if pieces == 1:
                yield rows
            else:
                yield from rows.take(torch.randperm(len(rows), generator=self.generator)).cut(pieces)

    def _step(
        self, rows: Decisions, progress: float, terms: list[LossTerm], learning_rate: float, first: bool
    ) -> dict[str, float] | None:
        """Take one optimiser step and give its figures, or None without a step if `target_kl` is exceeded."""
        settings = self.settings
        output, pull_network = network_vjp(self.policy.network, rows.observation)
        logprob, entropy, pulls = self._evaluate_heads(output, rows)
        by = torch.empty(3, len(rows))
        figures = np.empty(len(FIGURES))
        _kernels.surrogate(
            logprob.numpy(),
            entropy.numpy(),
            output.value.contiguous().numpy(),
            rows.logprob.numpy(),
            rows.value.numpy(),
            rows.advantage.numpy(),
            rows.return_.numpy(),
            settings.normalise_advantage,
            settings.clip.at(progress),
            math.inf if settings.value_clip is None else settings.value_clip,
            settings.value_coef,
            settings.entropy_coef.at(progress),
            by.numpy(),
            figures,
        )
        named = dict(zip(FIGURES, figures.tolist(), strict=True))
        # The first step of an update compares the policy with itself, so it is always taken.
        if settings.target_kl is not None and not first and named["approx_kl"] > settings.target_kl:
            return None
        by_logprob, by_entropy, by_value = by
        gradient = PolicyOutput(
            {name: pull(by_logprob, by_entropy) for name, pull in pulls.items()}, by_value
        )
        if terms:
            gradient = _with_terms(
                output, gradient, terms, Batch(rows.observation, rows.legal, progress), named
            )
        pull_network(gradient, self.flat.slots)
        named["grad_norm"] = self._descend(learning_rate)
        return named

    def _evaluate_heads(
        self, output: PolicyOutput, rows: Decisions
    ) -> tuple[Tensor, Tensor, dict[str, HeadPull]]:
        """The joint log-probability and entropy of all heads, ``[B]`` each, and each head's way back."""
        logprob = entropy = torch.zeros(())
        pulls: dict[str, HeadPull] = {}
        for name, head in self.policy.heads.items():
            one = head_vjp(head, output.logits[name], rows.legal.get(name), rows.action[name])
            # The first head's arrays are taken as they are: most policies have no other.
            logprob, entropy = (logprob + one[0], entropy + one[1]) if pulls else one[:2]
            pulls[name] = one[2]
        return logprob, entropy, pulls

    def _descend(self, learning_rate: float) -> float:
        """Take the optimiser's step along the gathered gradient, limited in norm, and give its norm."""
        gradient = self.flat.gradient
        norm = float(torch.linalg.vector_norm(gradient))
        if not math.isfinite(norm):
            raise FloatingPointError(f"the gradient had norm {norm}")
        limit = self.settings.max_grad_norm
        scale = 1.0 if limit is None or norm <= limit else limit / norm
        self.optimizer.step(gradient, scale, learning_rate)
        return norm

    def state(self) -> dict[str, Tensor]:
        """See `lanista.learning.Learner`."""
        return {
            **self.optimizer.state(),
            "generator": generator_state(self.generator),
            "updates": torch.tensor(self.updates),
        }

    def load_state(self, state: dict[str, Tensor]) -> None:
        """See `lanista.learning.Learner`."""
        self.optimizer.load_state(state)
        self.generator.set_state(state["generator"])
        self.updates = int(state["updates"])


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


def _explained_variance(rows: Decisions) -> float:
    """1 - var(return_ - value) / var(return_); 0 where return_ does not vary."""
    if not len(rows):
        return 0.0
    return_ = rows.return_.numpy()
    spread = float(return_.var())
    return 1.0 - float((return_ - rows.value.numpy()).var()) / spread if spread > 0.0 else 0.0
