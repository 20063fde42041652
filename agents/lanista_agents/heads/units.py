"""Head ``units``: one of A choices for every acting unit of a seat, each behind its own mask.

Logits and actions have a row a unit, ``[U, A]`` and ``[U]``; what tells which units are whose, and what each may
choose, is the `lanista.units.UnitTable` that comes as `legal`. A seat's log-probability is that of all of its units'
choices together, its entropy and KL are sums over its units; a seat without units has 0 of each. For the mean a unit,
divide by ``legal.counts`` (at least 1).

The units of a seat choose one after another, in the table's order. `HeadSpec.exclusive` names choices that only one
unit of a cell may take: to a unit they are closed once an earlier unit in its cell has taken one (unless that leaves
nothing). So stacked units never stop each other, drawn or greedy, and the log-probability of a draw is exact::

    log p(a_1 .. a_n) = sum_i log p_i(a_i | what a_1 .. a_i-1 left open)

Entropy and KL are those of the units by themselves, by their masks alone: the exact ones would be sums over all that
the earlier units may do. A choice that no draw would give (another player's, in a game to learn from) has the
log-probability that it would have, were it open. docs/decisions/0008-units.md says why.
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
from lanista.units import UnitTable
from lanista_agents.heads import units_rows
from lanista_agents.heads.categorical import Categorical
from lanista_agents.vjp import HeadPull

_rows = compile_kernels(units_rows, label="units")

#: choices that may be exclusive: they are bits of a whole number
_BITS = 62


def _array(tensor: Tensor) -> AnyArray:
    """A tensor's numbers as a contiguous numpy array, without a copy where torch allows."""
    array: AnyArray = tensor.detach().cpu().contiguous().numpy()
    return array


class _Evaluate(Function):
    """`Units.vjp` as a node of torch's graph."""

    @staticmethod
    def forward(
        ctx: Any,  # noqa: ANN401 - torch's own context
        head: "Units",
        logits: Tensor,
        legal: UnitTable,
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


class Units:
    """See the module; keeps `lanista.policy.Head` with ``[U, A]`` logits, ``[U]`` actions and a `UnitTable` as `legal`."""

    def __init__(self, spec: HeadSpec, settings: NoSettings | None = None) -> None:
        """One logit a choice; raises LanistaError for a spec without kinds of units."""
        if not spec.units:
            raise LanistaError(
                f"head {spec.name!r} names no kinds of units, so there is no table of units to choose for; declare "
                f"units in its HeadSpec, or name a head for one decision a seat such as categorical"
            )
        self.num_outputs = spec.size
        named = sorted({choice for closed in spec.exclusive for choice in closed})
        if len(named) > _BITS:
            raise LanistaError(
                f"head {spec.name!r} has {len(named)} exclusive choices; head units takes {_BITS} at most"
            )
        #: ``[K, A]``: see `units_rows`
        self._once = np.zeros((len(spec.units), spec.size), np.int64)
        for kind, closed in enumerate(spec.exclusive):
            for choice in closed:
                self._once[kind, choice] = 1 << named.index(choice)
        # A choice of one unit by itself.
        self._alone = Categorical(HeadSpec(spec.name, "categorical", spec.size, spec.meaning))

    def sample(self, logits: Tensor, legal: UnitTable, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Draw with U numbers from `generator`: choices ``[U]`` and joint log-probabilities ``[B]``, no gradient."""
        uniform = torch.rand(
            legal.num_units, generator=generator, dtype=torch.float64, device=generator.device
        )
        return self._choose(logits, legal, _array(uniform))

    def greedy(self, logits: Tensor, legal: UnitTable) -> Tensor:
        """Each unit's most probable open choice; of equals, the first."""
        return self._choose(logits, legal, np.full(legal.num_units, -1.0))[0]

    def _choose(self, logits: Tensor, legal: UnitTable, uniform: AnyArray) -> tuple[Tensor, Tensor]:
        action = torch.full((legal.num_units,), -1, dtype=torch.int64)
        logprob = torch.empty(len(legal), dtype=logits.dtype)
        _rows.choose_units(
            _array(logits), *self._table(legal), uniform, action.numpy(), logprob.numpy(),
        )  # fmt: skip
        return action.to(logits.device), logprob.to(logits.device)

    def _table(self, legal: UnitTable) -> tuple[AnyArray, ...]:
        columns = (legal.legal, legal.offsets, legal.cell, legal.kind)
        return (*(_array(column) for column in columns), self._once)

    def logprob(self, logits: Tensor, legal: UnitTable, action: Tensor) -> Tensor:
        """Joint log-probability of all choices of a row, ``[B]``; -inf if one is illegal."""
        return self.evaluate(logits, legal, action)[0]

    def entropy(self, logits: Tensor, legal: UnitTable) -> Tensor:
        """Sum of the units' entropies in nats, ``[B]``."""
        nothing = torch.full((legal.num_units,), -1, dtype=torch.int64)
        return self.evaluate(logits, legal, nothing)[1]

    def evaluate(self, logits: Tensor, legal: UnitTable, action: Tensor) -> tuple[Tensor, Tensor]:
        """Log-probability and entropy in one pass over the logits."""
        logprob, entropy = _Evaluate.apply(self, logits, legal, action)  # type: ignore[no-untyped-call]
        return logprob, entropy

    def vjp(self, logits: Tensor, legal: UnitTable, action: Tensor) -> tuple[Tensor, Tensor, HeadPull]:
        """`evaluate` without torch's graph, and the way back to the logits; see `lanista_agents.vjp`."""
        units, dtype = legal.num_units, logits.dtype
        table, chosen = self._table(legal), _array(action)
        logprob, entropy = torch.empty(len(legal), dtype=dtype), torch.empty(len(legal), dtype=dtype)
        shapes = (logits.shape, logits.shape, (units,), (units,))
        kept = tuple(torch.empty(shape, dtype=dtype).numpy() for shape in shapes)
        _rows.evaluate_units(_array(logits), *table, chosen, logprob.numpy(), entropy.numpy(), *kept)

        def pull(by_logprob: Tensor, by_entropy: Tensor) -> Tensor:
            gradient = torch.empty(logits.shape, dtype=dtype)
            _rows.evaluate_gradient(
                *kept, *table, chosen, _array(by_logprob), _array(by_entropy), gradient.numpy()
            )
            return gradient.to(logits.device)

        return logprob.to(logits.device), entropy.to(logits.device), pull

    def kl(self, teacher: Tensor, student: Tensor, legal: UnitTable, temperature: float = 1.0) -> Tensor:
        """Sum of the units' KL(p || q) in nats, ``[B]``; p and q are the softmax of each logits / `temperature`."""
        return legal.sum(self._alone.kl(teacher, student, legal.legal, temperature))

    def exported(self, logits: Tensor, legal: UnitTable) -> dict[str, Tensor]:
        """``logits`` ``[U, A]``, illegal entries at float32's lowest finite value; what is closed is not left out."""
        return {"logits": torch.where(legal.legal, logits, torch.finfo(torch.float32).min)}
