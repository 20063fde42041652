"""Learner ``ppo``: proximal policy optimisation (Schulman et al. 2017).

1. Advantages and returns by `gae` over the whole rollout; only rows where it was our decision are kept.
2. Each epoch shuffles them and cuts them into minibatches of nearly equal size.
3. A minibatch: forward pass, clipped surrogate + value loss - entropy bonus + the extra terms, gradient,
   its norm limited, one optimiser step.
4. The update ends early before the first step whose approx_kl exceeds `target_kl`.

At this size a torch call costs more than what it computes. So the loss and its gradient by log-probability,
entropy and value come out of one compiled pass (`kernels.surrogate`), torch differentiates from there down,
and the optimiser works on one flat vector.
"""

import math
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.autograd import Function

from lanista.arrays import AnyArray
from lanista.errors import LanistaError
from lanista.kernels import compile_kernels
from lanista.learning import Batch, LossTerm, Rollout, generator_state
from lanista.policy import Head, Policy, PolicyOutput
from lanista_agents import kernels
from lanista_agents.decisions import Decisions, decisions
from lanista_agents.flat_parameters import FlatParameters
from lanista_agents.optimizers import Adam, Muon, Optimizer
from lanista_agents.returns import gae
from lanista_agents.settings import PpoSettings

_kernels = compile_kernels(kernels, label="learners")

#: What the kernel `surrogate` writes, in its order.
FIGURES = ("loss", "policy_loss", "value_loss", "entropy", "approx_kl", "clipfrac")


def _evaluate(head: Head, logits: Tensor, legal: Tensor, action: Tensor) -> tuple[Tensor, Tensor]:
    """Log-probability and entropy; in one call from heads that offer it."""
    both = getattr(head, "evaluate", None)
    if both is not None:
        logprob, entropy = both(logits, legal, action)
        return logprob, entropy
    return head.logprob(logits, legal, action), head.entropy(logits, legal)


class _Surrogate(Function):
    """PPO's loss as one node; also the gate through which its compiled gradient enters torch's graph."""

    @staticmethod
    def forward(
        ctx: Any,  # noqa: ANN401 - torch's own context
        logprob: Tensor,
        entropy: Tensor,
        value: Tensor,
        rows: Decisions,
        settings: PpoSettings,
        clip: float,
        entropy_coef: float,
        figures: AnyArray,
    ) -> Tensor:
        ctx.gradient = torch.empty(3, len(rows))
        _kernels.surrogate(
            logprob.detach().numpy(),
            entropy.detach().numpy(),
            value.detach().contiguous().numpy(),
            rows.logprob.numpy(),
            rows.value.numpy(),
            rows.advantage.numpy(),
            rows.return_.numpy(),
            settings.normalise_advantage,
            clip,
            math.inf if settings.value_clip is None else settings.value_clip,
            settings.value_coef,
            entropy_coef,
            ctx.gradient.numpy(),
            figures,
        )
        return torch.tensor(figures[0], dtype=torch.float32)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:  # noqa: ANN401 - torch's own context
        by_logprob, by_entropy, by_value = ctx.gradient * gradient
        return by_logprob, by_entropy, by_value, None, None, None, None, None


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
        output = self.policy.network(rows.observation)
        logprob, entropy = self._evaluate_heads(output, rows)
        figures = np.empty(len(FIGURES))
        loss = _Surrogate.apply(  # type: ignore[no-untyped-call]
            logprob, entropy, output.value, rows, settings, settings.clip.at(progress),
            settings.entropy_coef.at(progress), figures,
        )  # fmt: skip
        named = dict(zip(FIGURES, figures.tolist(), strict=True))
        # The first step of an update compares the policy with itself, so it is always taken.
        if settings.target_kl is not None and not first and named["approx_kl"] > settings.target_kl:
            return None
        losses: list[Tensor] = [loss]
        for term in terms:
            addition, extra = term(output.logits, output.value, Batch(rows.observation, rows.legal, progress))
            if addition.requires_grad:
                losses.append(addition)
            named |= {f"{term.name}_loss": float(addition.detach()), **extra}
        named["grad_norm"] = self._descend(losses, learning_rate)
        return named

    def _evaluate_heads(self, output: PolicyOutput, rows: Decisions) -> tuple[Tensor, Tensor]:
        """The joint log-probability and entropy of all heads, ``[B]`` each."""
        parts = [
            _evaluate(head, output.logits[name], rows.legal[name], rows.action[name])
            for name, head in self.policy.heads.items()
        ]
        logprob, entropy = parts[0]
        for more_logprob, more_entropy in parts[1:]:
            logprob, entropy = logprob + more_logprob, entropy + more_entropy
        return logprob, entropy

    def _descend(self, losses: list[Tensor], learning_rate: float) -> float:
        """Step downhill on the sum of the scalar losses and give the gradient's norm."""
        found = torch.autograd.grad(losses, self.flat.weights, allow_unused=True, materialize_grads=True)
        gradient = self.flat.gather(found)
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


def _explained_variance(rows: Decisions) -> float:
    """1 - var(return_ - value) / var(return_); 0 where return_ does not vary."""
    if not len(rows):
        return 0.0
    return_ = rows.return_.numpy()
    spread = float(return_.var())
    return 1.0 - float((return_ - rows.value.numpy()).var()) / spread if spread > 0.0 else 0.0
