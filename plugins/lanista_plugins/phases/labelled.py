"""The newest states that a teacher has labelled, ready to be drawn as minibatches."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from lanista.arrays import AnyArray
from lanista.learning import Rollout
from lanista.policy import Policy


@dataclass(frozen=True)
class LabelledBatch:
    """B rows: what was seen, what was legal, what the teacher says of it."""

    observation: dict[str, Tensor]
    legal: dict[str, Tensor]
    logits: dict[str, Tensor]
    value: Tensor


class LabelledRows:
    """A ring of at most `capacity` rows; arrays are named ``observation.<part>``, ``legal.<head>``, ..."""

    def __init__(self, capacity: int) -> None:
        """Start empty; the arrays are allocated by the first rows."""
        self._capacity = capacity
        self._arrays: dict[str, AnyArray] = {}
        self._next = 0
        self._filled = 0

    def add(self, rollout: Rollout, teacher: Policy) -> None:
        """Label every row of a rollout that acted, and let the oldest rows go."""
        acted = rollout.learn
        observation = {name: part[acted] for name, part in rollout.observation.items()}
        self.add_rows(observation, {name: mask[acted] for name, mask in rollout.legal.items()}, teacher)

    @torch.no_grad()
    def add_rows(self, observation: dict[str, AnyArray], legal: dict[str, AnyArray], teacher: Policy) -> None:
        """Label rows, ``[B, ...]`` each, and let the oldest rows go."""
        says = teacher.network({name: torch.from_numpy(part) for name, part in observation.items()})
        fresh: dict[str, AnyArray] = {f"observation.{name}": part for name, part in observation.items()}
        fresh |= {f"legal.{name}": mask for name, mask in legal.items()}
        fresh |= {f"logits.{name}": logits.numpy() for name, logits in says.logits.items()}
        fresh["value"] = says.value.numpy()
        count = min(len(fresh["value"]), self._capacity)
        place = (self._next + np.arange(count)) % self._capacity
        for name, array in fresh.items():
            if name not in self._arrays:
                self._arrays[name] = np.zeros((self._capacity, *array.shape[1:]), array.dtype)
            self._arrays[name][place] = array[-count:]
        self._next = (self._next + count) % self._capacity
        self._filled = min(self._filled + count, self._capacity)

    def draw(self, size: int, generator: torch.Generator) -> LabelledBatch:
        """Draw rows with replacement."""
        index = torch.randint(self._filled, (size,), generator=generator).numpy()
        drawn = {name: torch.from_numpy(array[index]) for name, array in self._arrays.items()}

        def under(prefix: str) -> dict[str, Tensor]:
            return {name[len(prefix) :]: tensor for name, tensor in drawn.items() if name.startswith(prefix)}

        return LabelledBatch(under("observation."), under("legal."), under("logits."), drawn["value"])

    def state(self) -> dict[str, AnyArray]:
        """All rows and the ring's place."""
        return {**self._arrays, "place": np.array([self._next, self._filled], np.int64)}

    def load_state(self, state: dict[str, AnyArray]) -> None:
        """Take back what `state` gave."""
        self._next, self._filled = (int(number) for number in state["place"])
        self._arrays = {name: array.copy() for name, array in state.items() if name != "place"}
