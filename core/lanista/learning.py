"""What a learner and a distiller are, and the rollout they learn from.

A rollout is `T` steps of `N` games with `S` seats. Arrays are ``[T, R]`` with ``R = N * S`` (row = game * S +
seat). Only rows with ``learn[t, r]`` are decisions of the learning policy.
"""

from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from torch import Tensor

from lanista.arrays import AnyArray, BoolArray, FloatArray
from lanista.policy import Policy
from lanista.spec import UNITS
from lanista.units import UnitTable


@dataclass
class Rollout:
    """One segment of play; all arrays are allocated once and overwritten by the next rollout."""

    #: part -> ``[T, R, *shape]``: the observation *before* step t.
    observation: dict[str, AnyArray]
    #: head -> ``[T, R, A]`` bool; a head of real numbers has no entry, and one of units has `units`.
    legal: dict[str, BoolArray]
    #: head -> ``[T, R]`` int64, or ``[T, R, A]`` float32 of real numbers; of units ``[U]`` int64, whoever chose.
    action: dict[str, AnyArray]
    #: ``[T, R]``, of the policy that acted, where `learn`.
    logprob: FloatArray
    #: ``[T, R]``, the policy's value of its own observation, where `learn`.
    value: FloatArray
    #: ``[T, R]`` bool: the learning policy decided here.
    learn: BoolArray
    #: ``[T, R]`` float32: the shaped reward of step t, whoever acted.
    reward: FloatArray
    #: ``[T, R]`` bool: this seat's game ended, or was cut off, in step t.
    terminated: BoolArray
    truncated: BoolArray
    #: ``[T, R]`` float32: the value of the seat's last observation where `truncated`, else 0.
    final_value: FloatArray
    #: ``[R]`` float32: the value of each seat's own observation after the last step, acting or not.
    bootstrap_value: FloatArray
    #: head of units -> the acting units before each step, of the rows ``t * R + r``; empty without such a head.
    units: dict[str, UnitTable] = field(default_factory=dict)

    def decided(self) -> tuple[dict[str, Any], dict[str, Any], dict[str, Tensor]]:
        """Observation, masks and actions of the rows with `learn`, by step, then row, as networks and heads take them.

        Units come with their rows, and have what they chose as ``further["action"]``. Views where all rows learn.
        """
        index = None if self.learn.all() else torch.from_numpy(np.flatnonzero(self.learn))

        def flat(arrays: dict[str, AnyArray]) -> dict[str, Any]:
            rows = {
                name: torch.from_numpy(array).flatten(0, 1)
                for name, array in arrays.items()
                if name not in self.units
            }
            return (
                rows if index is None else {name: part.index_select(0, index) for name, part in rows.items()}
            )

        observation, legal, action = flat(self.observation), flat(self.legal), flat(self.action)
        for head, units in self.units.items():
            table = units.with_further({"action": torch.from_numpy(self.action[head])})
            observation[UNITS] = legal[head] = table if index is None else table[index]
            action[head] = legal[head].further["action"]
        return observation, legal, action


@dataclass(frozen=True)
class Batch:
    """The minibatch that a loss term sees: B rows that the learning policy decided."""

    #: part -> ``[B, *shape]``, and the table of units where there is one
    observation: dict[str, Any]
    #: head -> ``[B, A]`` bool; a head of real numbers has no entry, one of units their table
    legal: dict[str, Any]
    #: fraction of the phase that is over, in 0..1, for scheduled weights.
    progress: float


class Distiller(Protocol):
    """A loss between a student's and a teacher's outputs on the same rows.

    It is smallest where the two are equal. One that is not, such as a likelihood of the teacher's choice, says so by an
    attribute ``rests_at_teacher = False``, which nothing else reads than the check of its contract.
    """

    def loss(
        self,
        policy: Policy,
        student_logits: dict[str, Tensor],
        student_value: Tensor,
        teacher_logits: dict[str, Tensor],
        teacher_value: Tensor,
        legal: dict[str, Tensor],
    ) -> Tensor:
        """Give the loss of each row, ``[B]``; gradients flow into the student only.

        `legal` has no entry for a head of real numbers: go over ``policy.heads`` and ask ``legal.get(name)``. A row's
        loss is its own and no other row's. A policy that the loss is not for is refused with a `LanistaError`. A
        teacher without a critic has the value NaN.
        """


@runtime_checkable
class TrajectoryDistiller(Distiller, Protocol):
    """A distiller that also answers for the states that the student's choices lead to.

    Where the student plays, by sampled moves, the states depend on its weights too, so the gradient of what it pays,
    ``E sum_t loss_t``, is that of the losses where it is *and* that of the chances of getting there (Czarnecki et al.
    2019, https://arxiv.org/abs/1902.02186)::

        E sum_t [ grad loss_t + grad log p(action_t) * cost_to_go_t ]

    A phase that meets one gathers by the student's own sampled moves, learns from each rollout once, and adds the
    second term. Without it the losses of student-driven states are the gradient of nothing, and may circle.
    """

    def cost_to_go(self, losses: FloatArray, rollout: "Rollout") -> FloatArray:
        """Give what each decision is charged with, ``[T, R]``: what comes of it after step t, less a baseline.

        `losses` ``[T, R]`` are those of this distiller under the weights that played, 0 where not ``rollout.learn``.
        A baseline must not depend on the decision that it is taken from. The input is not to be changed.
        """


class LossTerm(Protocol):
    """A named addition to the learner's loss, such as a teacher's KL with its scheduled weight."""

    name: str

    def __call__(
        self, logits: dict[str, Tensor], value: Tensor, batch: Batch
    ) -> tuple[Tensor, dict[str, float]]:
        """Give (scalar loss, already weighted; figures for the log)."""


class Learner(Protocol):
    """Turns rollouts into better weights of `policy`. Every number that it needs later is in `state`."""

    policy: Policy
    #: the discount of one env step, for potential shapers
    gamma: float

    def update(self, rollout: Rollout, progress: float, terms: list[LossTerm]) -> dict[str, float]:
        """Learn from one rollout; give the metrics of the update.

        The keys are those of the field: policy_loss, value_loss, entropy, approx_kl, clipfrac,
        explained_variance, learning_rate and one ``<term>_loss`` a term.
        """

    def state(self) -> dict[str, Tensor]:
        """Optimiser moments, counters and generators, as tensors."""

    def load_state(self, state: dict[str, Tensor]) -> None:
        """Take back what `state` gave, so that the next update is bit for bit the same."""


@runtime_checkable
class CriticFirst(Protocol):
    """A learner whose critic can be trained alone: the setting `critic_warmup` of a phase asks for it."""

    #: while it is True an update moves no weight that a logit depends on, so the policy stays the same bit for bit
    value_only: bool


def generator_state(generator: torch.Generator) -> Tensor:
    """A torch generator's state as a uint8 tensor that safetensors can hold."""
    return generator.get_state().clone()
