"""Learning from the student's own play with the whole gradient: losses now, and what choices lead to later.

For `TrajectoryDistiller`s (Czarnecki et al. 2019, https://arxiv.org/abs/1902.02186). A rollout is learnt from in
one pass and then forgotten: its later costs belong to the policy that played it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from lanista.arrays import FloatArray
from lanista.errors import LanistaError, RecipeError
from lanista.learning import Distiller, Rollout, TrajectoryDistiller
from lanista.policy import Policy
from lanista.spec import UNITS
from lanista.units import UnitTable
from lanista_plugins.phases.labelled import LabelledBatch

#: a distiller by its name, with the schedule of its weight
Term = tuple[str, Distiller, Any]


@dataclass(frozen=True)
class PlayedBatch(LabelledBatch):
    """Rows that the student has just played: also what it chose, and what that is charged with."""

    #: head -> ``[B]`` int64 or ``[B, A]`` float32
    action: dict[str, Tensor]
    #: ``[B]``, of the action when it was played
    logprob: Tensor
    #: ``[B]``: the later losses of the trajectory distillers, weighted, less their baselines
    later: Tensor


def charge(policy: Policy, logits: dict[str, Tensor], batch: PlayedBatch, clip: float = 0.2) -> Tensor:
    """Give a loss a row, ``[B]``, whose gradient is ``later * grad log p(action)`` at the weights that played.

    With the ratio r of the action's chance now to that when it was played: ``max(r later, clipped(r) later)`` with r
    cut to 1 - clip .. 1 + clip, so that one pass of several steps does not run away (Schulman et al. 2017,
    https://arxiv.org/abs/1707.06347, with costs for rewards).
    """
    parts = [
        head.logprob(logits[name], batch.legal.get(name), batch.action[name])
        for name, head in policy.heads.items()
    ]
    ratio = torch.exp(torch.stack(parts).sum(dim=0) - batch.logprob)
    return torch.maximum(ratio * batch.later, ratio.clamp(1.0 - clip, 1.0 + clip) * batch.later)


def wants_own_play(terms: Sequence[Term]) -> bool:
    """Whether any of the losses is charged along trajectories."""
    return any(isinstance(distiller, TrajectoryDistiller) for _, distiller, _ in terms)


def check_own_play(phase: str, terms: Sequence[Term], sampled: bool, alone: bool) -> None:
    """Refuse trajectory losses where the states do not come from the student's own sampled moves.

    `sampled`: moves are drawn and not greedy; `alone`: every move is the student's, and no states are stored ones.
    """
    if sampled and alone:
        return
    for name, distiller, _ in terms:
        if isinstance(distiller, TrajectoryDistiller):
            missing = "every move to be the student's own" if not alone else "sampled moves"
            raise RecipeError(
                f"phase {phase!r}: the loss {name!r} charges choices with what they lead to, which takes {missing}; "
                f"set student_share = 1.0 and greedy = false and leave states out, or take a loss such as kl"
            )


class PlayedRows:
    """The decisions of one rollout, labelled and charged."""

    def __init__(self, terms: Sequence[Term]) -> None:
        """Take the phase's losses; nothing is held before `take`."""
        self._terms = tuple(terms)
        self._batch: PlayedBatch | None = None

    @torch.no_grad()
    def take(self, rollout: Rollout, student: Policy, teacher: Policy, progress: float) -> dict[str, float]:
        """Label a rollout that `student` has just played; give figures for the log."""
        learn = rollout.learn
        if not learn.any():
            raise LanistaError("the student made no decision in a whole rollout; raise num_steps")
        observation, legal, action = rollout.decided()
        ours, theirs = student.network(observation), teacher.network(observation)
        for name, table in legal.items():
            if isinstance(table, UnitTable):  # rows take their units' logits along
                legal[name] = table.with_further({"logits": theirs.logits[name]})
        later: FloatArray = np.zeros(learn.shape, np.float32)
        for _, distiller, coef in self._terms:
            if isinstance(distiller, TrajectoryDistiller):
                losses = np.zeros(learn.shape, np.float32)
                losses[learn] = distiller.loss(
                    student, ours.logits, ours.value, theirs.logits, theirs.value, legal
                ).numpy()
                later += coef.at(progress) * distiller.cost_to_go(losses, rollout)
        self._batch = PlayedBatch(
            observation=observation,
            legal=legal,
            logits=theirs.logits,
            value=theirs.value,
            action=action,
            logprob=torch.from_numpy(rollout.logprob[learn]),
            later=torch.from_numpy(later[learn]),
        )
        return {"later_cost_spread": float(later[learn].std())}

    def batches(self, size: int, generator: torch.Generator) -> Iterator[PlayedBatch]:
        """Give every row once, in an order drawn from `generator`, at most `size` at a time."""
        batch = self._batch
        if batch is None:
            raise LanistaError("no rollout has been taken yet")
        order = torch.randperm(len(batch.value), generator=generator)

        units = {name for name, table in batch.legal.items() if isinstance(table, UnitTable)}

        def at(index: Tensor, parts: dict[str, Any]) -> dict[str, Any]:
            return {name: part[index] for name, part in parts.items() if name not in {*units, UNITS}}

        for first in range(0, len(order), size):
            index = order[first : first + size]
            tables = {name: batch.legal[name][index] for name in units}
            seen = at(index, batch.observation)
            if tables:
                (seen[UNITS],) = tables.values()
            yield PlayedBatch(
                observation=seen,
                legal=at(index, batch.legal) | tables,
                logits=at(index, batch.logits)
                | {name: table.further["logits"] for name, table in tables.items()},
                value=batch.value[index],
                action=at(index, batch.action)
                | {name: table.further["action"] for name, table in tables.items()},
                logprob=batch.logprob[index],
                later=batch.later[index],
            )
