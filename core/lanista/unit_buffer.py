"""The units of a rollout: an env's table of each step, appended to one flat table."""

import numpy as np
import torch

from lanista.arrays import AnyArray, IntArray
from lanista.env import VecEnv
from lanista.units import UnitTable

#: where the parts of what is seen of a unit lie among the columns
_SEEN = "observation."


class UnitBuffer:
    """Tables of consecutive steps; the memory grows to what the longest rollout needs and is used again."""

    def __init__(self, env: VecEnv) -> None:
        """Read the shapes from the env, which must have been reset or loaded."""
        self._env = env
        self._columns = {name: np.empty((0, *column.shape[1:]), column.dtype) for name, column in self._now()}
        self._action = np.empty(0, np.int64)
        self._counts: list[IntArray] = []
        self._filled = 0
        self._latest = 0

    def _now(self) -> list[tuple[str, AnyArray]]:
        """The columns of the env's table as it stands."""
        env = self._env
        own = [("cell", env.unit_cell), ("kind", env.unit_kind), ("legal", env.unit_legal)]
        return [*own, *((f"{_SEEN}{name}", part) for name, part in env.unit_observation.items())]

    def clear(self) -> None:
        """Begin a rollout; what `table` gave before is overwritten from now on."""
        self._counts.clear()
        self._filled = self._latest = 0

    def append(self) -> None:
        """Copy the env's table; call it before the env steps."""
        count = len(self._env.unit_row)
        self._latest, end = self._filled, self._filled + count
        if end > len(self._action):
            self._grow(end + end // 2)
        for name, column in self._now():
            self._columns[name][self._latest : end] = column
        self._counts.append(np.diff(self._env.unit_offsets))
        self._filled = end

    def _grow(self, size: int) -> None:
        for name, column in self._columns.items():
            self._columns[name] = np.empty((size, *column.shape[1:]), column.dtype)
            self._columns[name][: self._filled] = column[: self._filled]
        action = np.empty(size, np.int64)
        action[: self._filled] = self._action[: self._filled]
        self._action = action

    def chose(self, action: IntArray) -> None:
        """Copy what the units of the table that was appended last do."""
        self._action[self._latest : self._filled] = action

    @property
    def action(self) -> IntArray:
        """``[U]``: the choices of all units so far; a view."""
        return self._action[: self._filled]

    def table(self) -> UnitTable:
        """All units so far, of the rows ``t * R + r``; the tensors are views."""
        counts = np.concatenate(self._counts)
        row = np.repeat(np.arange(len(counts)), counts)
        columns = {name: torch.from_numpy(column[: self._filled]) for name, column in self._columns.items()}
        return UnitTable(
            torch.from_numpy(np.concatenate([np.zeros(1, np.int64), np.cumsum(counts)])),
            torch.from_numpy(row),
            columns["cell"],
            columns["kind"],
            columns["legal"],
            {name.removeprefix(_SEEN): part for name, part in columns.items() if name.startswith(_SEEN)},
        )
