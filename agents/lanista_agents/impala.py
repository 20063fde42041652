"""Learner ``impala``: V-trace (Espeholt et al. 2018), UPGO (Vinyals et al. 2019) and TD(lambda) values.

The terms are those with which Lux Season 1 was won (I. Pressman, "Toad Brigade"): a policy gradient along the sum of the
V-trace advantage and the UPGO advantage, the latter weighed by the clipped probability ratio; values led to the TD(lambda)
return; an entropy bonus. There each term but the entropy has the weight 1, and
``gamma = 0.999, td_lambda = 0.8 (later 0.9), value_coef = 1.0, value_huber = 1.0, scale_advantage = false``,
``entropy_coef = 0.001`` with shaped rewards and 0.0002 with the result alone, Adam at 1e-4 (5e-5) with ``adam_eps = 3e-4``,
and a teacher's KL of 0.001 to 0.005. The losses were sums over 128 rows there and are means here, which Adam undoes, but
for `adam_eps` and `max_grad_norm`. ``upgo_coef = 0`` with ``value_target = "vtrace"`` is IMPALA as it was published.

1. Each epoch shuffles the *rows* of the rollout (a seat of a game) and cuts them into minibatches of whole rows.
2. A minibatch: forward pass over its decisions; targets and advantages along each row's chain by the present values
   and ratios; the gradient, its norm limited, one optimiser step.

The values at the rollout's end and at truncations are those of the policy that played it.
"""

import math
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch

from lanista.arrays import BoolArray, FloatArray, IntArray
from lanista.learning import Batch, LossTerm, Rollout
from lanista.policy import Policy
from lanista_agents.decisions import Decisions, decisions
from lanista_agents.descent import Descending, Descent
from lanista_agents.returns import Walk, explained_variance, td_lambda, upgo, vtrace
from lanista_agents.settings import ImpalaSettings


@dataclass(frozen=True)
class Chains:
    """Whole rows of a rollout, C of them, with their D decisions."""

    rollout: Rollout
    #: ``[C]``: which rows
    rows: IntArray
    #: ``[T, C]``: where a decision was taken; D of them
    learn: BoolArray
    #: ``[D]``, by step, then row
    decisions: Decisions

    def spread(self, numbers: FloatArray) -> FloatArray:
        """``[D]`` numbers of the decisions as ``[T, C]``, 0 elsewhere."""
        table = np.zeros(self.learn.shape, np.float32)
        table[self.learn] = numbers
        return table


class Impala(Descending):
    """See the module; keeps `lanista.learning.Learner`."""

    def __init__(self, policy: Policy, settings: ImpalaSettings, seed: int) -> None:
        """`seed` starts the stream that shuffles rows. The policy's weights move into one flat vector."""
        self.policy = policy
        self.settings = settings
        self.gamma = settings.gamma
        self.generator = torch.Generator().manual_seed(seed)
        self.descent = Descent(policy, settings)
        self.updates = 0

    def update(self, rollout: Rollout, progress: float, terms: list[LossTerm]) -> dict[str, float]:
        """See `lanista.learning.Learner`; a rollout without a decision of ours changes nothing."""
        learning_rate = self.settings.learning_rate.at(progress)
        totals: defaultdict[str, float] = defaultdict(float)
        steps = 0
        with self.descent.kept_finite("impala", self.updates):
            for chains in self._minibatches(rollout):
                steps += 1
                for name, figure in self._step(chains, progress, terms, learning_rate).items():
                    totals[name] += figure
        self.updates += 1
        metrics = {name: total / max(steps, 1) for name, total in totals.items()}
        return {**metrics, "learning_rate": learning_rate, "optimizer_steps": float(steps)}

    def _minibatches(self, rollout: Rollout) -> Iterator[Chains]:
        """Give all minibatches of all epochs, without rows that decided nothing."""
        learn = rollout.learn
        num_decisions = int(learn.sum())
        if num_decisions == 0:
            return
        nothing = np.zeros(learn.shape, np.float32)
        everything = decisions(rollout, nothing, nothing)
        # Where the decision of a step and a row lies among all of them.
        place = np.zeros(learn.shape, np.int64)
        place[learn] = np.arange(num_decisions)
        alive = np.flatnonzero(learn.any(axis=0))
        pieces = min(max(1, round(num_decisions / self.settings.minibatch_size)), len(alive))
        for _ in range(self.settings.num_epochs):
            if pieces == 1:
                yield Chains(rollout, alive, learn[:, alive], everything)
                continue
            order = alive[torch.randperm(len(alive), generator=self.generator).numpy()]
            for rows in np.array_split(order, pieces):
                here = learn[:, rows]
                index = torch.from_numpy(place[:, rows][here])
                yield Chains(rollout, rows, here, everything.take(index))

    def _step(
        self, chains: Chains, progress: float, terms: list[LossTerm], learning_rate: float
    ) -> dict[str, float]:
        """Take one optimiser step and give its figures."""
        evaluated = self.descent.evaluate(chains.decisions)
        with np.errstate(
            over="ignore", invalid="ignore"
        ):  # a gradient that is not finite is told by its norm
            by, named = self._loss(
                chains,
                evaluated.logprob.numpy(),
                evaluated.entropy.numpy(),
                evaluated.output.value.numpy(),
                self.settings.entropy_coef.at(progress),
            )
        rows = chains.decisions
        batch = Batch(rows.observation, rows.legal, progress)
        return named | self.descent.step(evaluated, torch.from_numpy(by), terms, batch, learning_rate)

    def _loss(
        self,
        chains: Chains,
        logprob: FloatArray,
        entropy: FloatArray,
        value: FloatArray,
        entropy_coef: float,
    ) -> tuple[FloatArray, dict[str, float]]:
        """Give the loss's gradient by logprob, entropy and value, ``[3, D]`` float32, and the figures of the step."""
        settings, count = self.settings, len(value)
        log_ratio = logprob.astype(np.float64) - chains.decisions.logprob.numpy()
        ratio = np.exp(np.minimum(log_ratio, 700.0))
        traced, reached, upwards = self._targets(chains, value, log_ratio.astype(np.float32))
        by_vtrace = settings.vtrace_coef * traced
        by_upgo = settings.upgo_coef * np.minimum(ratio, settings.rho_clip) * (upwards - value)
        scale = 1.0
        if settings.scale_advantage:
            scale = 1.0 / (math.sqrt(float(np.square(by_vtrace + by_upgo).mean())) + 1e-8)
        error = value.astype(np.float64) - reached
        wide = math.inf if settings.value_huber is None else settings.value_huber
        slope = np.clip(error, -wide, wide)
        value_loss = float((slope * (error - 0.5 * slope)).mean())
        vtrace_loss = -scale * float((logprob * by_vtrace).mean())
        upgo_loss = -scale * float((logprob * by_upgo).mean())
        bonus = float(entropy.mean())
        gradient = np.stack(
            [
                -scale * (by_vtrace + by_upgo) / count,
                np.full(count, -entropy_coef / count),
                settings.value_coef * slope / count,
            ]
        ).astype(np.float32)
        return gradient, {
            "loss": vtrace_loss + upgo_loss + settings.value_coef * value_loss - entropy_coef * bonus,
            "policy_loss": vtrace_loss + upgo_loss,
            "vtrace_loss": vtrace_loss,
            "upgo_loss": upgo_loss,
            "value_loss": value_loss,
            "entropy": bonus,
            "approx_kl": float((ratio - 1.0 - log_ratio).mean()),
            "clipfrac": float((ratio > settings.rho_clip).mean()),
            "explained_variance": explained_variance(value, reached),
        }

    def _targets(
        self, chains: Chains, value: FloatArray, log_ratio: FloatArray
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Give ``[D]`` each: the V-trace advantage, what the value is to reach, UPGO's return."""
        settings, rollout, rows, learn = self.settings, chains.rollout, chains.rows, chains.learn
        walk: Walk = {
            "reward": rollout.reward[:, rows],
            "value": chains.spread(value),
            "learn": learn,
            "terminated": rollout.terminated[:, rows],
            "truncated": rollout.truncated[:, rows],
            "final_value": rollout.final_value[:, rows],
            "bootstrap_value": rollout.bootstrap_value[rows],
            "gamma": settings.gamma,
        }
        advantage, traced = vtrace(
            **walk,
            log_ratio=chains.spread(log_ratio),
            trace_lambda=settings.trace_lambda,
            rho_clip=settings.rho_clip,
            trace_clip=settings.trace_clip,
        )
        reached = (
            traced if settings.value_target == "vtrace" else td_lambda(**walk, td_lambda=settings.td_lambda)
        )
        upwards = upgo(**walk, td_lambda=settings.td_lambda)
        return advantage[learn], reached[learn], upwards[learn]
