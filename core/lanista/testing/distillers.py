"""What must hold of a distiller: ``[B]``, finite, a row by itself, blind to illegal entries, at rest where both agree.

It is tried on the choices of the practice game; one that refuses those, by a `LanistaError`, on a head of real numbers.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from lanista.errors import LanistaError
from lanista.plugins import Registry
from lanista.testing.complaints import Complaints
from lanista.testing.grounds import settings_of
from lanista.testing.practice import Practice, PracticeSettings, offer_practice

if TYPE_CHECKING:
    from torch import Tensor

    from lanista.policy import Policy

ROWS = 32


def check_distiller(registry: Registry, name: str, *, options: Mapping[str, Any] | None = None) -> None:
    """Raise `LanistaError`, one sentence, for the first thing in which a distiller breaks its contract."""
    complaints = Complaints.about(registry.get("distillers", name))
    settings = settings_of(registry, "distillers", name, options)
    distiller = registry.load("distillers", name)(settings)
    choices = _Trial(distiller, practice_policy(registry), complaints)
    refusal = choices.refusal()
    if refusal is None:
        choices.check()
        return
    numbers = _Trial(distiller, aiming_policy(registry), complaints)
    second = numbers.refusal()
    if second is not None:
        complaints.complain(
            "loss",
            f"refuses a head of choices ({refusal}) and one of real numbers ({second})",
            "support one of them",
        )
    numbers.check()


def practice_policy(registry: Registry, network: str = "mlp", seats: int = 1) -> "Policy":
    """An untrained policy for the practice game."""
    from lanista.policy import PolicyCard, build_policy

    offer_practice(registry)
    env = Practice(1, PracticeSettings(seats=seats), 1)
    return build_policy(PolicyCard("practice", {"seats": seats}, env.spec, network, {}), registry)


def aiming_policy(registry: Registry) -> "Policy":
    """An untrained policy that gives real numbers: two normal distributions, each with bounds of its own."""
    from lanista.policy import PolicyCard, build_policy
    from lanista.spec import EnvSpec, HeadSpec, ObsPart

    head = HeadSpec("aim", "gaussian", 2, "two numbers", low=(-2.0, 0.0), high=(2.0, 1.0))
    parts = (ObsPart("place", (3,), "float32", "where it is"),)
    spec = EnvSpec(
        "aiming", "1", "lanista.testing", 1, "simultaneous", parts, (head,), (), 8, (0.0, 1.0), "score"
    )
    return build_policy(PolicyCard("aiming", {}, spec, "mlp", {}), registry)


def check_loss(rows: Any, count: int, complaints: Complaints) -> None:  # noqa: ANN401
    """Refuse a loss that is no finite float32 number a row."""
    import torch

    refuse = complaints.refuse
    refuse(not isinstance(rows, torch.Tensor), "loss", f"gave a {type(rows).__name__}", "give a tensor [B]")
    refuse(
        tuple(rows.shape) != (count,), "loss", f"has the shape {tuple(rows.shape)}",
        f"give one number a row, [B] = ({count},): sum over actions, do not average over rows",
    )  # fmt: skip
    dtype = str(rows.dtype).removeprefix("torch.")
    refuse(dtype != "float32", "loss", f"has the dtype {dtype}", "give float32")
    refuse(
        not bool(rows.isfinite().all()), "loss", "holds NaN or infinity",
        "mask illegal entries before logarithms: 0 times minus infinity is NaN",
    )  # fmt: skip


def check_cost_to_go(distiller: Any, complaints: Complaints) -> None:  # noqa: ANN401
    """What is particular to a `lanista.learning.TrajectoryDistiller`: decisions are charged with later losses alone."""
    import numpy as np

    from lanista.learning import Rollout

    steps, rows, field = 6, 4, "cost_to_go"
    rng = np.random.default_rng(0)
    cells = (steps, rows)
    zeros = np.zeros(cells, np.float32)
    learn = rng.random(cells) < 0.8
    losses = np.where(learn, rng.random(cells), 0.0).astype(np.float32)
    ended = np.zeros(cells, np.bool_)
    ended[2, 1] = True
    rollout = Rollout(
        observation={}, legal={}, action={}, logprob=zeros, value=zeros, learn=learn, reward=zeros, terminated=ended,
        truncated=np.zeros(cells, np.bool_), final_value=zeros, bootstrap_value=zeros[0],
    )  # fmt: skip
    given = losses.copy()
    cost = distiller.cost_to_go(given, rollout)
    refuse = complaints.refuse
    refuse(not np.array_equal(given, losses), field, "changes the losses that it is given", "work on a copy")
    refuse(
        getattr(cost, "shape", None) != cells, field, f"gives {getattr(cost, 'shape', type(cost).__name__)}",
        f"give an array [T, R] = {cells}",
    )  # fmt: skip
    refuse(cost.dtype != np.float32, field, f"has the dtype {cost.dtype}", "give float32")
    refuse(
        not np.isfinite(cost).all(), field, "holds NaN or infinity", "charge nothing where nothing follows"
    )
    for step in range(steps):
        other = losses.copy()
        other[step] += learn[step]
        changed = distiller.cost_to_go(other.copy(), rollout)
        refuse(
            not np.allclose(changed[step:], cost[step:], atol=1e-5), field,
            f"of a decision depends on losses that were not later (those of step {step})",
            "charge a decision with what comes after it: its own loss has a gradient of its own",
        )  # fmt: skip
    after = losses.copy()
    after[3:, 1] += learn[3:, 1]
    changed = distiller.cost_to_go(after.copy(), rollout)
    refuse(
        not np.allclose(changed[:3, 1], cost[:3, 1], atol=1e-5), field,
        "of a decision depends on the next episode's losses", "stop where the row is terminated or truncated",
    )  # fmt: skip


class _Trial:
    """A distiller on one policy's only head."""

    def __init__(self, distiller: Any, policy: "Policy", complaints: Complaints) -> None:  # noqa: ANN401
        import torch

        self.distiller, self.policy, self.complaints = distiller, policy, complaints
        spec = policy.card.spec.heads[0]
        self.name, outputs = spec.name, policy.heads[spec.name].num_outputs
        draw = torch.Generator().manual_seed(0)
        self.student = torch.randn(ROWS, outputs, generator=draw), torch.randn(ROWS, generator=draw)
        self.teacher = torch.randn(ROWS, outputs, generator=draw), torch.randn(ROWS, generator=draw)
        self.legal: Tensor | None = None
        if not spec.continuous:
            self.legal = torch.rand(ROWS, spec.size, generator=draw) < 0.6
            self.legal[torch.arange(ROWS), torch.randint(spec.size, (ROWS,), generator=draw)] = True

    def refusal(self) -> str | None:
        """What the distiller says to this kind of head, if it will not have it."""
        try:
            self._rows(self.student, self.teacher, ROWS)
        except LanistaError as error:
            return str(error)
        return None

    def _rows(self, student: "tuple[Tensor, Tensor]", teacher: "tuple[Tensor, Tensor]", count: int) -> Any:  # noqa: ANN401
        legal = {} if self.legal is None else {self.name: self.legal[:count]}
        return self.distiller.loss(
            self.policy,
            {self.name: student[0][:count]},
            student[1][:count],
            {self.name: teacher[0][:count]},
            teacher[1][:count],
            legal,
        )

    def _loss(
        self, student: "tuple[Tensor, Tensor]", teacher: "tuple[Tensor, Tensor]", count: int = ROWS
    ) -> "Tensor":
        found = self._rows(student, teacher, count)
        check_loss(found, count, self.complaints)
        loss: Tensor = found
        return loss

    def check(self) -> None:
        """Form, gradients, rows by themselves, rest and masks."""
        loss = self._gradients()
        few = ROWS // 3
        apart = self._loss(self.student, self.teacher, few).detach() - loss[:few]
        self.complaints.refuse(
            float(apart.abs().max()) > 1e-5, "loss", "of a row depends on the other rows",
            "sum over actions and leave the rows alone; whoever calls it takes their mean",
        )  # fmt: skip
        self._rest()
        if self.legal is not None:
            self._masks(loss, self.legal)
        if hasattr(self.distiller, "cost_to_go"):
            check_cost_to_go(self.distiller, self.complaints)

    def _gradients(self) -> "Tensor":
        """They reach the student, and it alone; gives the loss."""
        import torch

        refuse = self.complaints.refuse
        student = tuple(part.clone().requires_grad_() for part in self.student)
        teacher = tuple(part.clone().requires_grad_() for part in self.teacher)
        loss = self._loss(student, teacher)  # type: ignore[arg-type]  # tuples of two by their making
        refuse(
            not loss.requires_grad, "loss", "lets no gradient through to the student", "compute it with torch"
        )
        into = torch.autograd.grad(loss.sum(), [*student, *teacher], allow_unused=True)
        refuse(
            all(part is None or not part.any() for part in into[:2]), "loss", "moves nothing of the student",
            "let it depend on the student's logits or value",
        )  # fmt: skip
        refuse(
            any(part is not None and bool(part.any()) for part in into[2:]), "loss", "moves the teacher",
            "detach what comes from the teacher",
        )  # fmt: skip
        refuse(
            any(part is not None and not bool(part.isfinite().all()) for part in into), "loss, its gradient,",
            "holds NaN or infinity", "mask illegal entries before logarithms",
        )  # fmt: skip
        return loss.detach()

    def _rest(self) -> None:
        """Where student and teacher are equal nothing pulls, unless the distiller says that it does."""
        import torch

        if not getattr(self.distiller, "rests_at_teacher", True):
            return
        equal = tuple(part.clone().requires_grad_() for part in self.teacher)
        rest = torch.autograd.grad(
            self._loss(equal, self.teacher).sum(),  # type: ignore[arg-type]
            equal,
            allow_unused=True,
        )
        pull = max((float(part.abs().max()) for part in rest if part is not None), default=0.0)
        self.complaints.refuse(
            pull > 1e-4, "loss, its gradient,", f"is {pull:.2g} where student and teacher are equal",
            "let the loss be smallest there, or the student never comes to rest; a loss that is meant to pull on, such "
            "as a likelihood of the teacher's choice, says so by the attribute rests_at_teacher = False",
        )  # fmt: skip

    def _masks(self, loss: "Tensor", legal: "Tensor") -> None:
        """Illegal entries change nothing."""
        import torch

        moved = torch.where(legal, self.student[0], self.student[0] + 37.0)
        other = torch.where(legal, self.teacher[0], self.teacher[0] - 53.0)
        changed = self._loss((moved, self.student[1]), (other, self.teacher[1]))
        gap = float((changed - loss).detach().abs().max())
        self.complaints.refuse(
            gap > 1e-5, "loss", f"changes by {gap:.2g} with the logits of illegal actions",
            "leave illegal entries out (`legal` is True where an action is legal)",
        )  # fmt: skip
