"""Teachers from elsewhere: what a plugin of the kind `teachers` gives, and how one is built and looked at.

A teacher speaks the student's language: it sees the env's observation, and its logits are those of the student's
heads. So whatever its origin, it labels rows in one forward pass, and every loss works with it. A teacher without a
critic says NaN for every value.

``card.history["teacher"]`` says where it came from. The keys that all have::

    source     the name that built it, "sb3:FILE.zip"
    algorithm  what made it, "ppo", as far as that is known
    file       the file's name, and `sha256` of its bytes, where there is one
    heads      head -> the recipe table of the head in which the teacher's own distribution is exact
    notes      sentences about what was found beside it: observation scaling, wrappers that it was trained with
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Protocol, runtime_checkable

import numpy as np
import torch

from lanista.arrays import AnyArray
from lanista.env import VecEnv
from lanista.errors import LanistaError, PluginError
from lanista.hints import told
from lanista.policy import Head, Policy, PolicyCard, PolicyOutput, outputs_of
from lanista.registry import Registry
from lanista.tables import TeacherTable
from lanista.testing.complaints import Complaints
from lanista.testing.outputs import check_output
from lanista.units import blank_rows, blank_units


@runtime_checkable
class LiveTeacher(Protocol):
    """A teacher that must see the env itself, such as a scripted player: it can label only where it stands.

    It is no `Policy`: `labels` once a step for the rows that are to be labelled or played, then `output` for the rows
    that are kept.
    """

    #: head by head, those of the student
    heads: Mapping[str, Head]
    #: without a network; `history` as the module says
    card: PolicyCard

    def labels(self, env: VecEnv, games: np.ndarray, seats: np.ndarray) -> dict[str, AnyArray]:
        """What it does in the rows ``(games[b], seats[b])`` now: head -> ``[B]`` int64, or ``[B, A]`` float32."""

    def output(self, actions: dict[str, AnyArray]) -> PolicyOutput:
        """Logits of the student's heads that stand for these actions, values NaN."""

    def state(self) -> dict[str, AnyArray]:
        """Whatever goes on from step to step, as arrays."""

    def load_state(self, state: dict[str, AnyArray]) -> None:
        """Take back what `state` gave."""


def build_teacher(table: TeacherTable, card: PolicyCard, registry: Registry) -> Policy | LiveTeacher:
    """Build the teacher that a plugin offers for `table.source`, and hold its answer against the heads of `card`.

    `card` needs no network: its env, spec and heads are read. Raises `LanistaError`, one sentence.
    """
    entry = registry.get("teachers", table.source)
    settings, factory = table.settings(registry), registry.load("teachers", table.source)
    words = f"{entry.words} of plugin {entry.owner}"
    try:
        teacher = factory(settings, card, registry)
    except LanistaError:
        raise
    except Exception as error:
        raise PluginError(
            f"{words}: {entry.target} raised {told(error)} when it was called as factory(settings, card, registry); "
            f"mend that, and raise a lanista.errors.LanistaError for a file that will not do"
        ) from error
    if not isinstance(teacher, Policy | LiveTeacher):
        raise PluginError(
            f"{words}: {entry.target} gave a {type(teacher).__name__}; give a lanista.policy.Policy, or what keeps "
            f"lanista.teachers.LiveTeacher"
        )
    if teacher.card.spec != card.spec:
        raise PluginError(
            f"{words}: its card is for another env than the one it was asked for, {teacher.card.spec.name} against "
            f"{card.spec.name}; make the card with dataclasses.replace(card, network=..., network_settings=...)"
        )
    kept = {"source": table.source, **teacher.card.history.get("teacher", {})}
    teacher.card = replace(teacher.card, history={**teacher.card.history, "teacher": kept})
    if isinstance(teacher, Policy):
        _look_at(teacher, Complaints.about(entry))
    return teacher


def _look_at(teacher: Policy, complaints: Complaints) -> None:
    """Two rows of zeros must give logits of the heads' sizes, and values that are numbers or all NaN."""
    spec = teacher.card.spec
    with torch.no_grad():
        answer = teacher.network(blank_rows(spec, 2))
    value = getattr(answer, "value", None)
    if isinstance(value, torch.Tensor) and bool(value.isnan().all()):
        answer = answer._replace(value=torch.zeros_like(value))
    check_output(answer, outputs_of(spec, teacher.heads), 2, complaints, blank_units(spec))
