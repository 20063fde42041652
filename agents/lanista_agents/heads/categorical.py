"""Head ``categorical``: one of A actions, with a mask of legal ones.

Masking is exact: an illegal action has probability zero and its logit gets gradient zero; entropy and KL
are sums over legal entries, so 0 * -inf never comes up. Rows without a legal action must be left out by the
caller; they are not looked for here, since that would cost every step of every run.
"""

from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.autograd import Function

from lanista.arrays import AnyArray
from lanista.errors import LanistaError
from lanista.kernels import compile_kernels
from lanista.plugins import NoSettings
from lanista.spec import HeadSpec
from lanista_agents.heads import categorical_rows
from lanista_agents.vjp import HeadPull

_rows = compile_kernels(categorical_rows, label="categorical")


def _array(tensor: Tensor) -> AnyArray:
    """A tensor's numbers as a contiguous numpy array, without a copy where torch allows."""
    array: AnyArray = tensor.detach().cpu().contiguous().numpy()
    return array


def _mask(logits: Tensor, legal: Tensor | None) -> AnyArray:
    """The mask as an array; all True where there is none."""
    return np.ones(logits.shape, np.bool_) if legal is None else _array(legal)


class _Evaluate(Function):
    """`Categorical.vjp` as a node of torch's graph."""

    @staticmethod
    def forward(
        ctx: Any,  # noqa: ANN401 - torch's own context
        head: "Categorical",
        logits: Tensor,
        legal: Tensor | None,
        action: Tensor,
    ) -> tuple[Tensor, Tensor]:
        logprob, entropy, ctx.pull = head.vjp(logits, legal, action)
        return logprob, entropy

    @staticmethod
    def backward(
        ctx: Any,  # noqa: ANN401 - torch's own context
        by_logprob: Tensor,
        by_entropy: Tensor,
    ) -> tuple[None, Tensor, None, None]:
        return None, ctx.pull(by_logprob, by_entropy), None, None


class _Kl(Function):
    """(teacher logits, student logits, legal, temperature) -> KL a row, with gradients for both."""

    @staticmethod
    def forward(
        ctx: Any,  # noqa: ANN401 - torch's own context
        teacher: Tensor,
        student: Tensor,
        legal: Tensor | None,
        temperature: float,
    ) -> Tensor:
        kl = torch.empty(teacher.shape[0], dtype=teacher.dtype)
        by_teacher = torch.empty(teacher.shape, dtype=teacher.dtype)
        by_student = torch.empty(teacher.shape, dtype=teacher.dtype)
        _rows.kl_rows(
            _array(teacher), _array(student), _mask(teacher, legal), temperature,
            kl.numpy(), by_teacher.numpy(), by_student.numpy(),
        )  # fmt: skip
        ctx.slopes = (by_teacher.to(teacher.device), by_student.to(teacher.device))
        return kl.to(teacher.device)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None, None, None]:  # noqa: ANN401
        by_teacher, by_student = ctx.slopes
        weight = gradient.unsqueeze(-1)
        return (
            by_teacher * weight if ctx.needs_input_grad[0] else None,
            by_student * weight if ctx.needs_input_grad[1] else None,
            None,
            None,
        )


class Categorical:
    """One of A actions; ``logits`` and ``legal`` are ``[B, A]``, actions ``[B]`` int64. No `legal`: all are."""

    def __init__(self, spec: HeadSpec, settings: NoSettings | None = None) -> None:
        """One logit an action."""
        if spec.continuous:
            raise LanistaError(
                f"head {spec.name!r} has bounds, so its actions are real numbers; categorical chooses among "
                f"{spec.size} actions: name a head of real numbers such as gaussian, or take the bounds away"
            )
        self.num_outputs = spec.size

    def sample(
        self, logits: Tensor, legal: Tensor | None, generator: torch.Generator
    ) -> tuple[Tensor, Tensor]:
        """Draw one legal action a row with B numbers from `generator`; neither return carries a gradient."""
        rows = logits.shape[0]
        uniform = torch.rand(rows, generator=generator, dtype=torch.float64, device=generator.device)
        action = torch.empty(rows, dtype=torch.int64)
        logprob = torch.empty(rows, dtype=logits.dtype)
        mask = _mask(logits, legal)
        _rows.sample_rows(_array(logits), mask, _array(uniform), action.numpy(), logprob.numpy())
        return action.to(logits.device), logprob.to(logits.device)

    def greedy(self, logits: Tensor, legal: Tensor | None) -> Tensor:
        """The most probable legal action; of equals, the first."""
        return (logits if legal is None else torch.where(legal, logits, -torch.inf)).argmax(dim=-1)

    def logprob(self, logits: Tensor, legal: Tensor | None, action: Tensor) -> Tensor:
        """Log-probability of `action`; -inf for an illegal one."""
        return self.evaluate(logits, legal, action)[0]

    def entropy(self, logits: Tensor, legal: Tensor | None) -> Tensor:
        """Entropy in nats over legal actions."""
        nothing = torch.full((logits.shape[0],), -1, dtype=torch.int64)
        return self.evaluate(logits, legal, nothing)[1]

    def evaluate(self, logits: Tensor, legal: Tensor | None, action: Tensor) -> tuple[Tensor, Tensor]:
        """Log-probability and entropy in one pass over the logits."""
        logprob, entropy = _Evaluate.apply(self, logits, legal, action)  # type: ignore[no-untyped-call]
        return logprob, entropy

    def vjp(self, logits: Tensor, legal: Tensor | None, action: Tensor) -> tuple[Tensor, Tensor, HeadPull]:
        """`evaluate` without torch's graph, and the way back to the logits; see `lanista_agents.vjp`."""
        logs = torch.empty(logits.shape, dtype=logits.dtype)
        entropy = torch.empty(logits.shape[0], dtype=logits.dtype)
        logprob = torch.empty(logits.shape[0], dtype=logits.dtype)
        kept = (logs.numpy(), entropy.numpy(), _array(action))
        _rows.evaluate_rows(_array(logits), _mask(logits, legal), kept[2], logprob.numpy(), kept[1], kept[0])

        def pull(by_logprob: Tensor, by_entropy: Tensor) -> Tensor:
            gradient = torch.empty(logits.shape, dtype=logits.dtype)
            _rows.evaluate_gradient(*kept, _array(by_logprob), _array(by_entropy), gradient.numpy())
            return gradient.to(logits.device)

        return logprob.to(logits.device), entropy.to(logits.device), pull

    def kl(self, teacher: Tensor, student: Tensor, legal: Tensor | None, temperature: float = 1.0) -> Tensor:
        """KL(p || q) over legal actions in nats; p and q are the softmax of each logits / `temperature`."""
        divergence: Tensor = _Kl.apply(teacher, student, legal, temperature)  # type: ignore[no-untyped-call]
        return divergence

    def exported(self, logits: Tensor, legal: Tensor | None) -> dict[str, Tensor]:
        """``logits``, illegal entries at float32's lowest finite value."""
        if legal is None:
            return {"logits": logits}
        return {"logits": torch.where(legal, logits, torch.finfo(torch.float32).min)}
