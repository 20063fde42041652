"""A frozen teacher as a term of the learner's loss (kickstarting, Schmitt et al. 2018)."""

import copy
from collections.abc import Mapping

import torch
from torch import Tensor

from lanista.errors import LanistaError, RecipeError
from lanista.learning import Batch, Distiller
from lanista.phases import PhaseContext
from lanista.policy import Policy
from lanista.teachers import LiveTeacher
from lanista.testing import check_loss
from lanista.testing.complaints import Complaints
from lanista_plugins.phases.settings import LAST_BEST, TeacherSettings


class TeacherTerm:
    """``coef * distiller + value_coef * (v_student - v_teacher)^2``, averaged over the minibatch."""

    name = "teacher"

    def __init__(
        self,
        policy: Policy,
        teacher: Policy | None,
        distiller: Distiller,
        settings: TeacherSettings,
        complaints: Complaints,
    ) -> None:
        """Freeze the teacher, if there is one yet; `policy` is the student whose heads define the divergence.

        `complaints` speak in the distiller's name when its loss has not the form of one.
        """
        self._policy = policy
        self._distiller = distiller
        self._settings = settings
        self._complaints = complaints
        self._take(teacher)

    def _take(self, teacher: Policy | None) -> None:
        self._teacher = teacher
        if teacher is not None:
            teacher.network.requires_grad_(False)
            teacher.network.eval()

    @property
    def source(self) -> str:
        """Who teaches, as the recipe says."""
        return self._settings.source

    def follow(self, weights: Mapping[str, Tensor]) -> None:
        """Let the student as it was with these weights be the teacher from now on."""
        network = copy.deepcopy(self._policy.network)
        network.load_state_dict(weights)
        self._take(Policy(network, self._policy.heads, self._policy.card))

    def __call__(
        self, logits: dict[str, Tensor], value: Tensor, batch: Batch
    ) -> tuple[Tensor, dict[str, float]]:
        """Weigh the terms by their schedules at the batch's progress."""
        coef = self._settings.coef.at(batch.progress)
        value_coef = self._settings.value_coef.at(batch.progress)
        if self._teacher is None or (coef == 0.0 and value_coef == 0.0):
            return value.new_zeros(()), {"teacher_coef": 0.0}
        with torch.no_grad():
            says = self._teacher.network(batch.observation)
        rows = self._distiller.loss(self._policy, logits, value, says.logits, says.value, batch.legal)
        check_loss(rows, len(value), self._complaints)
        divergence = rows.mean()
        loss = coef * divergence
        if value_coef:
            if bool(says.value.isnan().any()):
                raise LanistaError(
                    f"the teacher {self.source!r} has no critic (its value is NaN), and value_coef is {value_coef:g}; set "
                    "value_coef = 0.0, or name a teacher that has its critic"
                )
            loss = loss + value_coef * (value - says.value).square().mean()
        return loss, {"teacher_divergence": float(divergence.detach()), "teacher_coef": coef}


def teacher_term(context: PhaseContext, policy: Policy, settings: TeacherSettings) -> TeacherTerm:
    """Load the teacher that a recipe names; it must see and choose what the student sees and chooses."""
    teacher: Policy | None = None
    if settings.source != LAST_BEST:
        teacher = context.policy_of(settings)
    elif context.previous is not None:
        teacher = context.policy_of("previous")
    if teacher is not None:
        check_same_task(context.name, policy, teacher)
    distiller = settings.loss.build(context.registry)(settings.loss.settings(context.registry))
    complaints = Complaints.about(context.registry.get("distillers", settings.loss.use))
    return TeacherTerm(policy, teacher, distiller, settings, complaints)


def check_same_task(phase: str, student: Policy, teacher: Policy | LiveTeacher) -> None:
    """Refuse a teacher whose observation or heads differ, naming the first difference."""
    for what in ("observation", "heads", "unit_observation"):
        ours, theirs = getattr(student.card.spec, what), getattr(teacher.card.spec, what)
        if ours != theirs:
            raise RecipeError(
                f"phase {phase!r}: the teacher was made for another {what} ({theirs} against {ours}); "
                "use a teacher of the same env and settings"
            )
    for head in student.card.spec.heads:
        ours, theirs = student.card.head_table(head), teacher.card.head_table(head)
        if ours != theirs:
            raise RecipeError(
                f"phase {phase!r}: head {head.name!r} of the teacher is {theirs} and of the student {ours}; their "
                "divergence has a meaning within one family only, so give both the same under heads"
            )
