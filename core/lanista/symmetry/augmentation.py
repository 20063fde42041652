"""Training on games as a drawn symmetry shows them.

When a game begins, each of its seats draws an element of the group, and keeps it until the game ends. The policy is
shown the seat's observation and masks transformed by it, and what it chooses is translated back for the env. So a seat
plays whole episodes of a game that differs from the env's in names only: what is stored (the transformed observation,
the choice in its terms, its log-probability, the value) is exactly what was seen and done, and ratios, returns and
V-trace are exact for every learner. docs/decisions/0010-symmetry.md says why rows are not transformed afterwards.
"""

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from lanista.arrays import IntArray
from lanista.learning import Rollout
from lanista.policy import Policy
from lanista.spec import UNITS
from lanista.symmetry.rows import Rows
from lanista.units import UnitTable


class Augmentation:
    """The elements of all rows ``game * S + seat``, and what a policy sees by them."""

    def __init__(self, rows: Rows, num_games: int, num_steps: int, generator: torch.Generator) -> None:
        """Draw every row's element from `generator`, which goes on being used."""
        self.rows, self._seats = rows, rows.spec.seats
        self._generator = generator
        #: ``[R]``: the element of each row now
        self.element: IntArray = np.zeros(num_games * self._seats, np.int64)
        #: ``[T, R]``: the same before each step of the rollout
        self.by_step: IntArray = np.zeros((num_steps, num_games * self._seats), np.int64)
        self.games_ended(np.arange(num_games))

    def games_ended(self, games: IntArray) -> None:
        """Draw the elements of the games that begin now."""
        shape = (len(games), self._seats)
        drawn = torch.randint(len(self.rows.group), shape, generator=self._generator)
        self.element.reshape(-1, self._seats)[games] = drawn.numpy()

    def act(
        self, policy: Policy, index: IntArray, observation: dict[str, Any], legal: dict[str, Any]
    ) -> tuple[dict[str, Tensor], Tensor, Tensor]:
        """Ask `policy` for the rows `index`, given as the env shows them; actions are in the env's terms."""
        element = self.element[index]
        seen, masks = self.rows.transformed(observation, legal, element)
        actions, logprob, value = policy.act(seen, masks, self._generator)
        back = self.rows.group.inverse[element]
        return self.rows.actions(actions, back, observation.get(UNITS)), logprob, value

    def seen(self, observation: dict[str, Any], element: IntArray) -> dict[str, Any]:
        """An observation as the elements show it, for values alone."""
        return self.rows.transformed(observation, {}, element)[0]

    def turned(self, rollout: Rollout) -> Rollout:
        """A rollout that was recorded in the env's terms, in those of the policy."""
        element = self.by_step.reshape(-1)

        def flat(arrays: dict[str, Any]) -> dict[str, Any]:
            return {
                name: torch.from_numpy(array).flatten(0, 1)
                for name, array in arrays.items()
                if name not in rollout.units
            }

        def shaped(tensors: dict[str, Any]) -> dict[str, Any]:
            steps = self.by_step.shape
            return {name: part.numpy().reshape(*steps, *part.shape[1:]) for name, part in tensors.items()}

        observation, legal = self.rows.transformed(
            flat(rollout.observation), flat(dict(rollout.legal)), element
        )
        actions = shaped(self.rows.actions(flat(rollout.action), element))
        units: dict[str, UnitTable] = {}
        for head, table in rollout.units.items():
            units[head] = self.rows.table(table, element, head)
            chosen = {head: torch.from_numpy(rollout.action[head])}
            actions[head] = self.rows.actions(chosen, element, table)[head].numpy()
        return replace(
            rollout, observation=shaped(observation), legal=shaped(legal), action=actions, units=units
        )
