"""The decisions of a rollout as flat torch rows, shuffled and cut into minibatches."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from lanista.arrays import FloatArray
from lanista.learning import Rollout
from lanista.spec import UNITS
from lanista.units import UnitTable


@dataclass(frozen=True)
class Decisions:
    """B decisions of the learning policy; all leading axes are B. Memory is the rollout's where possible.

    With a head of units their table stands in `observation` and `legal`, and its choices ``[U]`` in `action`.
    """

    observation: dict[str, Any]
    legal: dict[str, Any]
    action: dict[str, Tensor]
    #: of the policy that played
    logprob: Tensor
    value: Tensor
    advantage: Tensor
    return_: Tensor

    def __len__(self) -> int:
        """B."""
        return len(self.logprob)

    def take(self, index: Tensor) -> "Decisions":
        """Copy the rows of `index` in its order."""
        return self._each(lambda rows: rows.index_select(0, index))

    def cut(self, pieces: int) -> Iterator["Decisions"]:
        """Give the rows in order as `pieces` views of nearly equal size."""
        size, longer = divmod(len(self), pieces)
        start = 0
        for i in range(pieces):
            piece = slice(start, start + size + (i < longer))
            yield self._each(lambda rows, piece=piece: rows[piece])  # type: ignore[misc]  # the lambda's default
            start = piece.stop

    def _each(self, pick: Callable[[Any], Any]) -> "Decisions":
        """`pick` of everything that has a row a decision."""
        observation = {name: pick(part) for name, part in self.observation.items()}
        legal: dict[str, Any] = {}
        action: dict[str, Tensor] = {}
        for name, chosen in self.action.items():
            mask = self.legal.get(name)
            if isinstance(mask, UnitTable):
                legal[name] = observation[UNITS]
                action[name] = observation[UNITS].further["action"]
            else:
                action[name] = pick(chosen)
                if mask is not None:
                    legal[name] = pick(mask)
        of_rows = (self.logprob, self.value, self.advantage, self.return_)
        return Decisions(observation, legal, action, *(pick(numbers) for numbers in of_rows))


def decisions(rollout: Rollout, advantage: FloatArray, return_: FloatArray) -> Decisions:
    """Give the rows where ``rollout.learn``, by time, then row; without a copy if it is all of them."""
    learn = None if rollout.learn.all() else torch.from_numpy(rollout.learn)

    def flat(array: FloatArray) -> Tensor:
        tensor = torch.from_numpy(array)
        return tensor.flatten() if learn is None else tensor[learn]

    return Decisions(
        *rollout.decided(), flat(rollout.logprob), flat(rollout.value), flat(advantage), flat(return_)
    )
