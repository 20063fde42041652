"""Learner ``ppo``: proximal policy optimisation (Schulman et al. 2017).

1. Advantages and returns by `gae` over the whole rollout; only rows where it was our decision are kept.
2. Each epoch shuffles them and cuts them into minibatches of nearly equal size.
3. A minibatch: forward pass, clipped surrogate + value loss - entropy bonus + the extra terms, gradient,
   its norm limited, one optimiser step.
4. The update ends early before the first step whose approx_kl exceeds `target_kl`.

At this size a torch call costs more than what it computes. So the loss and its gradient by log-probability,
entropy and value come out of one compiled pass (`kernels.surrogate`), which `descent` leads back to the weights.
"""

import math
from collections import defaultdict
from collections.abc import Iterator

import numpy as np
import torch

from lanista.kernels import compile_kernels
from lanista.learning import Batch, LossTerm, Rollout
from lanista.policy import Policy
from lanista_agents import kernels
from lanista_agents.decisions import Decisions, decisions
from lanista_agents.descent import Descending, Descent
from lanista_agents.returns import explained_variance, gae
from lanista_agents.settings import PpoSettings

_kernels = compile_kernels(kernels, label="learners")

#: What the kernel `surrogate` writes, in its order.
FIGURES = ("loss", "policy_loss", "value_loss", "entropy", "approx_kl", "clipfrac")


class Ppo(Descending):
    """See the module; keeps `lanista.learning.Learner`."""

    def __init__(self, policy: Policy, settings: PpoSettings, seed: int) -> None:
        """`seed` starts the stream that shuffles rows. The policy's weights move into one flat vector."""
        self.policy = policy
        self.settings = settings
        self.gamma = settings.gamma
        self.generator = torch.Generator().manual_seed(seed)
        self.descent = Descent(policy, settings)
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
        learning_rate = settings.learning_rate.at(progress)
        totals: defaultdict[str, float] = defaultdict(float)
        steps = 0
        with self.descent.kept_finite("ppo", self.updates):
            for minibatch in self._minibatches(rows):
                figures = self._step(minibatch, progress, terms, learning_rate, first=steps == 0)
                if figures is None:
                    break
                steps += 1
                for name, figure in figures.items():
                    totals[name] += figure
        self.updates += 1
        metrics = {name: total / max(steps, 1) for name, total in totals.items()}
        return {
            **metrics,
            "explained_variance": explained_variance(rows.value.numpy(), rows.return_.numpy()),
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
        evaluated = self.descent.evaluate(rows)
        by = torch.empty(3, len(rows))
        figures = np.empty(len(FIGURES))
        _kernels.surrogate(
            evaluated.logprob.numpy(),
            evaluated.entropy.numpy(),
            evaluated.output.value.contiguous().numpy(),
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
        batch = Batch(rows.observation, rows.legal, progress)
        return named | self.descent.step(evaluated, by, terms, batch, learning_rate)
