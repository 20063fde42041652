"""What must hold of an action head: exact masks, log-probabilities that agree with its draws, gradients, KL.

A head of choices is tried with masks, one of real numbers with bounds, one of units with their table; a head says by its
own constructor which of them it is for (it refuses the other `HeadSpec`s), else choices are taken.
"""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from lanista.errors import LanistaError
from lanista.plugins import Registry
from lanista.spec import HeadSpec
from lanista.testing.complaints import Complaints
from lanista.testing.grounds import settings_of
from lanista.testing.unit_heads import SPEC as UNIT_SPEC
from lanista.testing.unit_heads import check_unit_head

if TYPE_CHECKING:
    from torch import Tensor

#: rows that are drawn for a comparison of frequencies with probabilities
DRAWS = 20_000


def check_head(
    registry: Registry, name: str, *, options: Mapping[str, Any] | None = None, continuous: bool | None = None
) -> None:
    """Raise `LanistaError`, one sentence, for the first thing in which a head breaks its contract.

    `continuous` says whether its actions are real numbers; None tries choices, then units, then real numbers.
    """
    complaints = Complaints.about(registry.get("heads", name))
    settings = settings_of(registry, "heads", name, options)
    factory = registry.load("heads", name)
    choices = HeadSpec("choice", name, 5, "one of five")
    numbers = HeadSpec("number", name, 2, "two numbers", low=(-2.0, 0.0), high=(2.0, 1.0))
    if continuous is None:
        spec = next((spec for spec in (choices, UNIT_SPEC) if _takes(factory, spec, settings)), numbers)
    else:
        spec = numbers if continuous else choices
    head = factory(spec, settings)
    outputs = head.num_outputs
    complaints.refuse(
        not isinstance(outputs, int) or outputs < 1, "num_outputs", f"is {outputs!r}",
        "give the number of network outputs that the head reads",
    )  # fmt: skip
    if spec is UNIT_SPEC:
        check_unit_head(head, complaints)
    else:
        _Trial(head, spec, complaints).check()


def _takes(factory: Any, spec: HeadSpec, settings: Any) -> bool:  # noqa: ANN401
    """Whether a head can be made for `spec`."""
    try:
        factory(spec, settings)
    except LanistaError:
        return False
    return True


class _Trial:
    """One head on rows of random logits."""

    def __init__(self, head: Any, spec: HeadSpec, complaints: Complaints) -> None:  # noqa: ANN401
        import torch

        self.head, self.spec, self.complaints = head, spec, complaints
        generator = torch.Generator().manual_seed(0)
        self.rows = 64
        self.logits = torch.randn(self.rows, head.num_outputs, generator=generator)
        self.other = torch.randn(self.rows, head.num_outputs, generator=generator)
        self.legal: Tensor | None = None
        if not spec.continuous:
            legal = torch.rand(self.rows, spec.size, generator=generator) < 0.6
            legal[torch.arange(self.rows), torch.randint(spec.size, (self.rows,), generator=generator)] = True
            legal[0] = False
            legal[0, 2] = True  # one legal action alone
            self.legal = legal

    def check(self) -> None:
        """All checks, the simplest first."""
        import torch

        head, legal = self.head, self.legal
        action, logprob = head.sample(self.logits, legal, torch.Generator().manual_seed(1))
        self._action("sample", action)
        self._number("sample, its log-probabilities,", logprob)
        again, _ = head.sample(self.logits, legal, torch.Generator().manual_seed(1))
        self.complaints.refuse(
            not torch.equal(action, again), "sample", "draws differently from equal generators",
            "draw from the generator that it is handed and from no other",
        )  # fmt: skip
        self._action("greedy", head.greedy(self.logits, legal))
        told = head.logprob(self.logits, legal, action)
        self._number("logprob", told)
        self._near("logprob", told, logprob, "differs from what sample gave for the same actions", 1e-4)
        entropy = head.entropy(self.logits, legal)
        self._number("entropy", entropy)
        self._frequencies(entropy)
        self._divergence()
        self._gradients(action)
        self._exported()

    def _action(self, field: str, action: "Tensor") -> None:
        import torch

        wanted = (self.rows, *self.spec.action_shape)
        dtype = str(action.dtype).removeprefix("torch.")
        refuse = self.complaints.refuse
        refuse(
            tuple(action.shape) != wanted, field, f"gives actions {tuple(action.shape)}", f"asked is {wanted}"
        )
        refuse(
            dtype != self.spec.action_dtype,
            field,
            f"gives actions of {dtype}",
            f"give {self.spec.action_dtype}",
        )
        if self.legal is None:
            low, high = torch.tensor(self.spec.low), torch.tensor(self.spec.high)
            refuse(
                not bool(((action >= low) & (action <= high)).all()), field, "gives numbers outside the bounds",
                "keep them within the spec's low and high",
            )  # fmt: skip
        else:
            inside = (action >= 0) & (action < self.spec.size)
            fine = bool(inside.all()) and bool(self.legal[torch.arange(self.rows), action].all())
            refuse(not fine, field, "gives an illegal action", "give illegal entries the probability 0")

    def _number(self, field: str, values: "Tensor") -> None:
        refuse = self.complaints.refuse
        refuse(
            tuple(values.shape) != (self.rows,), field, f"has the shape {tuple(values.shape)}",
            f"asked is [B] = ({self.rows},)",
        )  # fmt: skip
        dtype = str(values.dtype).removeprefix("torch.")
        refuse(dtype != "float32", field, f"has the dtype {dtype}", "give float32")
        refuse(
            not bool(values.isfinite().all()), field, "holds NaN or infinity",
            "sum over legal entries only: 0 times minus infinity is NaN",
        )  # fmt: skip

    def _near(self, field: str, one: "Tensor", other: "Tensor", fault: str, allowed: float) -> None:
        gap = float((one - other).abs().max())
        self.complaints.refuse(gap > allowed, field, f"{fault} (by up to {gap:.2g})", "make the two agree")

    def _frequencies(self, entropy: "Tensor") -> None:
        """Draw one row often: the mean of -logprob is the entropy, and choices come as often as they should."""
        import torch

        logits = self.logits[1:2].expand(DRAWS, -1)
        legal = None if self.legal is None else self.legal[1:2].expand(DRAWS, -1)
        action, logprob = self.head.sample(logits, legal, torch.Generator().manual_seed(2))
        spread = float(logprob.std()) / math.sqrt(DRAWS)
        gap = abs(float(-logprob.mean()) - float(entropy[1]))
        self.complaints.refuse(
            gap > 6 * spread + 0.02, "entropy", f"is {float(entropy[1]):.4f} where {DRAWS:,} draws give "
            f"{float(-logprob.mean()):.4f}", "give the mean of -logprob, in nats",
        )  # fmt: skip
        if legal is None:
            return
        drawn = torch.bincount(action, minlength=self.spec.size) / DRAWS
        everything = torch.arange(self.spec.size)
        rows = self.logits[1:2].expand(self.spec.size, -1)
        chances = self.head.logprob(rows, legal[: self.spec.size], everything).exp()
        chances = torch.where(legal[0], chances, 0.0)
        self._near("sample", drawn, chances, "draws more or less often than logprob says", 0.02)

    def _divergence(self) -> None:
        head, legal = self.head, self.legal
        kl = head.kl(self.other, self.logits, legal)
        self._number("kl", kl)
        self.complaints.refuse(
            float(kl.min()) < -1e-5, "kl", f"falls to {float(kl.min()):.2g}", "a divergence is never below 0"
        )
        own = head.kl(self.logits, self.logits, legal)
        self.complaints.refuse(
            float(own.abs().max()) > 1e-4, "kl", f"is {float(own.abs().max()):.2g} between a policy and itself",
            "it is 0 there",
        )  # fmt: skip
        softer = head.kl(self.other, self.logits, legal, 2.0)
        self._number("kl at temperature 2", softer)

    def _gradients(self, action: "Tensor") -> None:
        """Gradients are finite, and exactly 0 for entries that are illegal."""
        import torch

        for field in ("logprob", "entropy", "kl"):
            logits = self.logits.clone().requires_grad_()
            if field == "logprob":
                value = self.head.logprob(logits, self.legal, action)
            elif field == "entropy":
                value = self.head.entropy(logits, self.legal)
            else:
                value = self.head.kl(self.other, logits, self.legal)
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
            if self.legal is not None and self.legal.shape == gradient.shape:
                self.complaints.refuse(
                    bool((gradient[~self.legal] != 0).any()), f"{field}, its gradient,", "reaches illegal entries",
                    "mask them with torch.where, so that their gradient is exactly 0",
                )  # fmt: skip

    def _exported(self) -> None:
        given = self.head.exported(self.logits, self.legal)
        name = "action" if self.spec.continuous else "logits"
        self.complaints.refuse(
            not isinstance(given, dict) or name not in given, "exported", f"gives no {name!r}",
            f'give {{"{name}": ...}} for the exported graph',
        )  # fmt: skip
        self.complaints.refuse(
            tuple(given[name].shape) != (self.rows, self.spec.size), f"exported, {name!r},",
            f"has the shape {tuple(given[name].shape)}", f"asked is [B, A] = ({self.rows}, {self.spec.size})",
        )  # fmt: skip
