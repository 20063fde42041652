"""The symmetries of a phase's env, for phases that learn from games or rows as a drawn one of them shows them.

Rows that a teacher labelled, or that somebody played, are transformed with their labels when they are drawn: a label is
the right answer to its row, so its transformed is the right answer to the transformed row, and there is no chance of
play that would have to be accounted for. Rows that a policy is to learn from by the outcome of its own play are another
matter: see `lanista.symmetry.augmentation`.
"""

from dataclasses import replace
from typing import TypeVar

import torch

from lanista.env import VecEnv
from lanista.errors import RecipeError
from lanista.phases import PhaseContext
from lanista.policy import Policy
from lanista.spec import UNITS
from lanista.symmetry.averaging import averaged_as_told, refuse_numbers
from lanista.symmetry.find import find_group
from lanista.symmetry.rows import Rows
from lanista.teachers import LiveTeacher
from lanista_plugins.phases.clone_rows import ClonedBatch
from lanista_plugins.phases.labelled import LabelledBatch

AnyBatch = TypeVar("AnyBatch", bound=LabelledBatch)


def symmetric_rows(context: PhaseContext, env: VecEnv) -> Rows:
    """The symmetries of the phase's env; raises `SymmetryError` if it declares none."""
    options = {**context.env.options, **context.env_overrides}
    return Rows(find_group(context.registry, context.env.use, options, env.spec), env.spec)


class SymmetricBatches:
    """Shows each row of a batch as an element of its own."""

    def __init__(self, context: PhaseContext, env: VecEnv, labelled: bool = False) -> None:
        """Find the symmetries; `labelled` rows come with logits, which only choices have."""
        self.rows = symmetric_rows(context, env)
        if labelled:
            refuse_numbers(self.rows.group, env.spec)

    def shown(self, batch: AnyBatch, generator: torch.Generator) -> AnyBatch:
        """The batch with its labels, each row by an element drawn from `generator`."""
        drawn = torch.randint(len(self.rows.group), (len(batch.value),), generator=generator)
        element, units = drawn.numpy(), batch.observation.get(UNITS)
        observation, legal = self.rows.transformed(batch.observation, batch.legal, element)
        shown = replace(
            batch,
            observation=observation,
            legal=legal,
            logits=self.rows.logits(batch.logits, element, units),
        )
        if isinstance(shown, ClonedBatch):
            return replace(shown, action=self.rows.actions(shown.action, element, units))
        return shown


def averaged_teacher(
    context: PhaseContext, teacher: Policy | LiveTeacher, told: str | None, env: VecEnv
) -> Policy | LiveTeacher:
    """The teacher that averages over symmetries of the phase's env, "all" or named ones; itself for None."""
    if told is None:
        return teacher
    if isinstance(teacher, LiveTeacher):
        raise RecipeError(
            f"phase {context.name!r}: average_symmetries is for a policy, and the teacher must see the env itself; leave "
            "it out"
        )
    card = context.card(env, teacher.card.network, teacher.card.network_settings)
    here = replace(card, heads=teacher.card.heads, scaling=teacher.card.scaling, name=teacher.card.name)
    return averaged_as_told(Policy(teacher.network, teacher.heads, here), context.registry, told)
