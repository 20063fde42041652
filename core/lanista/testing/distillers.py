"""What must hold of a distiller: ``[B]``, finite, blind to illegal entries, at rest when student and teacher agree."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from lanista.plugins import Registry
from lanista.testing.complaints import Complaints
from lanista.testing.grounds import settings_of
from lanista.testing.practice import CHOICES, Practice, PracticeSettings, offer_practice

if TYPE_CHECKING:
    from torch import Tensor

    from lanista.policy import Policy

ROWS = 32


def check_distiller(registry: Registry, name: str, *, options: Mapping[str, Any] | None = None) -> None:
    """Raise `LanistaError`, one sentence, for the first thing in which a distiller breaks its contract."""
    complaints = Complaints.about(registry.get("distillers", name))
    settings = settings_of(registry, "distillers", name, options)
    _Trial(registry.load("distillers", name)(settings), practice_policy(registry), complaints).check()


def practice_policy(registry: Registry, network: str = "mlp", seats: int = 1) -> "Policy":
    """An untrained policy for the practice game."""
    from lanista.policy import PolicyCard, build_policy

    offer_practice(registry)
    env = Practice(1, PracticeSettings(seats=seats), 1)
    return build_policy(PolicyCard("practice", {"seats": seats}, env.spec, network, {}), registry)


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


class _Trial:
    def __init__(self, distiller: Any, policy: "Policy", complaints: Complaints) -> None:  # noqa: ANN401
        import torch

        self.distiller, self.policy, self.complaints = distiller, policy, complaints
        draw = torch.Generator().manual_seed(0)
        self.student = torch.randn(ROWS, CHOICES, generator=draw), torch.randn(ROWS, generator=draw)
        self.teacher = torch.randn(ROWS, CHOICES, generator=draw), torch.randn(ROWS, generator=draw)
        self.legal = torch.rand(ROWS, CHOICES, generator=draw) < 0.6
        self.legal[torch.arange(ROWS), torch.randint(CHOICES, (ROWS,), generator=draw)] = True

    def _loss(self, student: "tuple[Tensor, Tensor]", teacher: "tuple[Tensor, Tensor]") -> "Tensor":
        found = self.distiller.loss(
            self.policy, {"say": student[0]}, student[1], {"say": teacher[0]}, teacher[1], {"say": self.legal}
        )
        check_loss(found, ROWS, self.complaints)
        loss: Tensor = found
        return loss

    def check(self) -> None:
        """Form, gradients, rest and masks."""
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
        equal = tuple(part.clone().requires_grad_() for part in self.teacher)
        rest = torch.autograd.grad(
            self._loss(equal, self.teacher).sum(),  # type: ignore[arg-type]
            equal,
            allow_unused=True,
        )
        pull = max((float(part.abs().max()) for part in rest if part is not None), default=0.0)
        refuse(
            pull > 1e-4, "loss, its gradient,", f"is {pull:.2g} where student and teacher are equal",
            "let the loss be smallest there, or the student never comes to rest",
        )  # fmt: skip
        moved = torch.where(self.legal, self.student[0], self.student[0] + 37.0)
        other = torch.where(self.legal, self.teacher[0], self.teacher[0] - 53.0)
        changed = self._loss((moved, self.student[1]), (other, self.teacher[1]))
        gap = float((changed - loss).detach().abs().max())
        refuse(
            gap > 1e-5, "loss", f"changes by {gap:.2g} with the logits of illegal actions",
            "leave illegal entries out (`legal` is True where an action is legal)",
        )  # fmt: skip
