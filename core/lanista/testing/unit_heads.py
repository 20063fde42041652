"""What must hold of a head of units: all that holds of a head, unit by unit, and sums over the units of each row."""

from typing import TYPE_CHECKING, Any

from lanista.spec import UNITS, HeadSpec
from lanista.testing.complaints import Complaints

if TYPE_CHECKING:
    from torch import Tensor

    from lanista.units import UnitTable

#: a head to try: two kinds of units, no choice of which units close to each other
SPEC = HeadSpec("orders", UNITS, 4, "an order a unit", units=(("worker", 4), ("tile", 2)))
ROWS = 32


def random_table(rows: int, seed: int) -> "UnitTable":
    """Rows of none to four units, each in a cell of its own, with masks; row 0 has none."""
    import torch

    from lanista.units import UnitTable

    generator = torch.Generator().manual_seed(seed)
    counts = torch.randint(5, (rows,), generator=generator)
    counts[0] = 0
    row = torch.repeat_interleave(torch.arange(rows), counts)
    kind = torch.randint(len(SPEC.units), (len(row),), generator=generator)
    choices = torch.tensor([number for _, number in SPEC.units])[kind]
    legal = torch.rand(len(row), SPEC.size, generator=generator) < 0.6
    legal &= torch.arange(SPEC.size) < choices.unsqueeze(1)
    legal[torch.arange(len(row)), torch.randint(2, (len(row),), generator=generator)] = True
    offsets = torch.cat([counts.new_zeros(1), counts.cumsum(0)])
    return UnitTable(offsets, row, torch.arange(len(row)), kind, legal)


def check_unit_head(head: Any, complaints: Complaints) -> None:  # noqa: ANN401
    """Refuse the first thing in which a head of units breaks its contract."""
    _UnitTrial(head, complaints).check()


class _UnitTrial:
    def __init__(self, head: Any, complaints: Complaints) -> None:  # noqa: ANN401
        import torch

        self.head, self.complaints = head, complaints
        self.table = random_table(ROWS, 0)
        generator = torch.Generator().manual_seed(1)
        size = (self.table.num_units, head.num_outputs)
        self.logits, self.other = (torch.randn(size, generator=generator) for _ in range(2))

    def check(self) -> None:
        """All checks, the simplest first."""
        import torch

        head, table, refuse = self.head, self.table, self.complaints.refuse
        action, logprob = head.sample(self.logits, table, torch.Generator().manual_seed(2))
        self._action("sample", action)
        self._number("sample, its log-probabilities,", logprob)
        again, _ = head.sample(self.logits, table, torch.Generator().manual_seed(2))
        refuse(
            not torch.equal(action, again), "sample", "draws differently from equal generators",
            "draw from the generator that it is handed and from no other",
        )  # fmt: skip
        self._action("greedy", head.greedy(self.logits, table))
        told = head.logprob(self.logits, table, action)
        self._number("logprob", told)
        gap = float((told - logprob).abs().max())
        refuse(
            gap > 1e-4,
            "logprob",
            f"differs by {gap:.2g} from what sample gave for the same choices",
            "make the two agree",
        )
        entropy, kl = head.entropy(self.logits, table), head.kl(self.other, self.logits, table)
        self._number("entropy", entropy)
        self._number("kl", kl)
        refuse(
            float(kl.min()) < -1e-5, "kl", f"falls to {float(kl.min()):.2g}", "a divergence is never below 0"
        )
        own = float(head.kl(self.logits, self.logits, table).abs().max())
        refuse(own > 1e-4, "kl", f"is {own:.2g} between a policy and itself", "it is 0 there")
        for field, numbers in (("logprob", told), ("entropy", entropy), ("kl", kl)):
            refuse(
                float(numbers[0].detach()) != 0.0, field, f"is {float(numbers[0].detach()):.2g} for a row without units",
                "sum over a row's units; without any that is 0",
            )  # fmt: skip
        self._alone({"logprob": told, "entropy": entropy, "kl": kl}, action)
        self._gradients(action)
        self._exported()

    def _action(self, field: str, action: "Tensor") -> None:
        import torch

        units, refuse = self.table.num_units, self.complaints.refuse
        refuse(
            tuple(action.shape) != (units,),
            field,
            f"gives choices {tuple(action.shape)}",
            f"asked is [U] = ({units},)",
        )
        refuse(action.dtype != torch.int64, field, f"gives choices of {action.dtype}", "give int64")
        inside = (action >= 0) & (action < SPEC.size)
        fine = bool(inside.all()) and bool(self.table.legal[torch.arange(units), action].all())
        refuse(
            not fine, field, "gives an illegal choice", "give entries that are not legal the probability 0"
        )

    def _number(self, field: str, values: "Tensor") -> None:
        import torch

        refuse = self.complaints.refuse
        refuse(
            tuple(values.shape) != (ROWS,), field, f"has the shape {tuple(values.shape)}",
            f"asked is a number a row, [B] = ({ROWS},), the sum over its units (`legal.sum`)",
        )  # fmt: skip
        refuse(values.dtype != torch.float32, field, f"has the dtype {values.dtype}", "give float32")
        refuse(
            not bool(values.isfinite().all()), field, "holds NaN or infinity", "sum over legal entries only"
        )

    def _alone(self, whole: "dict[str, Tensor]", action: "Tensor") -> None:
        """A row must have the same numbers without the others."""
        import torch

        columns = {"logits": self.logits, "other": self.other, "action": action}
        few = self.table.with_further(columns)[torch.arange(ROWS - 1, 0, -3)]
        logits, other = few.further["logits"], few.further["other"]
        found = {
            "logprob": self.head.logprob(logits, few, few.further["action"]),
            "entropy": self.head.entropy(logits, few),
            "kl": self.head.kl(other, logits, few),
        }
        for field, numbers in found.items():
            gap = float((numbers - whole[field][torch.arange(ROWS - 1, 0, -3)]).abs().max())
            self.complaints.refuse(
                gap > 1e-5, field, f"changes by {gap:.2g} with the rows beside a row",
                "let no row depend on another: `legal.row` says whose a unit is",
            )  # fmt: skip

    def _gradients(self, action: "Tensor") -> None:
        import torch

        for field in ("logprob", "entropy", "kl"):
            logits = self.logits.clone().requires_grad_()
            if field == "kl":
                value = self.head.kl(self.other, logits, self.table)
            elif field == "entropy":
                value = self.head.entropy(logits, self.table)
            else:
                value = self.head.logprob(logits, self.table, action)
            self.complaints.refuse(
                not value.requires_grad,
                field,
                "lets no gradient through to the logits",
                "compute it with torch",
            )
            (gradient,) = torch.autograd.grad(value.sum(), logits)
            self.complaints.refuse(
                not bool(gradient.isfinite().all()), f"{field}, its gradient,", "holds NaN or infinity",
                "mask before the logarithm, and sum over legal entries only",
            )  # fmt: skip
            if gradient.shape == self.table.legal.shape:
                self.complaints.refuse(
                    bool((gradient[~self.table.legal] != 0).any()), f"{field}, its gradient,", "reaches illegal entries",
                    "mask them with torch.where, so that their gradient is exactly 0",
                )  # fmt: skip

    def _exported(self) -> None:
        given = self.head.exported(self.logits, self.table)
        refuse, wanted = self.complaints.refuse, (self.table.num_units, SPEC.size)
        refuse(
            not isinstance(given, dict) or "logits" not in given, "exported", "gives no 'logits'",
            'give {"logits": ...} for the exported graph',
        )  # fmt: skip
        refuse(
            tuple(given["logits"].shape) != wanted, "exported, 'logits',", f"has the shape {tuple(given['logits'].shape)}",
            f"asked is [U, A] = {wanted}",
        )  # fmt: skip
