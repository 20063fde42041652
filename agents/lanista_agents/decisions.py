"""The decisions of a rollout as flat torch rows, shuffled and cut into minibatches."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from lanista.arrays import AnyArray, FloatArray
from lanista.learning import Rollout


@dataclass(frozen=True)
class Decisions:
    """B decisions of the learning policy; all leading axes are B. Memory is the rollout's where possible."""

    observation: dict[str, Tensor]
    legal: dict[str, Tensor]
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

        def part(rows: dict[str, Tensor]) -> dict[str, Tensor]:
            return {name: tensor.index_select(0, index) for name, tensor in rows.items()}

        return Decisions(
            part(self.observation),
            part(self.legal),
            part(self.action),
            self.logprob.index_select(0, index),
            self.value.index_select(0, index),
            self.advantage.index_select(0, index),
            self.return_.index_select(0, index),
        )

    def cut(self, pieces: int) -> Iterator["Decisions"]:
        """Give the rows in order as `pieces` views of nearly equal size."""
        size, longer = divmod(len(self), pieces)
        start = 0
        for i in range(pieces):
            stop = start + size + (i < longer)

            def part(rows: dict[str, Tensor], start: int = start, stop: int = stop) -> dict[str, Tensor]:
                return {name: tensor[start:stop] for name, tensor in rows.items()}

            yield Decisions(
                part(self.observation),
                part(self.legal),
                part(self.action),
                self.logprob[start:stop],
                self.value[start:stop],
                self.advantage[start:stop],
                self.return_[start:stop],
            )
            start = stop


def decisions(rollout: Rollout, advantage: FloatArray, return_: FloatArray) -> Decisions:
    """Give the rows where ``rollout.learn``, by time, then row; without a copy if it is all of them."""
    everything = bool(rollout.learn.all())
    rows = None if everything else torch.from_numpy(np.flatnonzero(rollout.learn))

    def flat(array: AnyArray) -> Tensor:
        tensor = torch.from_numpy(array).flatten(0, 1)
        return tensor if rows is None else tensor.index_select(0, rows)

    def part(arrays: dict[str, AnyArray]) -> dict[str, Tensor]:
        return {name: flat(array) for name, array in arrays.items()}

    return Decisions(
        part(rollout.observation),
        part(rollout.legal),
        part(rollout.action),
        flat(rollout.logprob),
        flat(rollout.value),
        flat(advantage),
        flat(return_),
    )
