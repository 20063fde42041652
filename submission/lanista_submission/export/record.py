"""Observations to compare on: those that a run recorded, or those of games of the policy with itself."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from lanista.arrays import AnyArray
from lanista.league.member import game_digest
from lanista.plugins import Registry
from lanista.policy import Policy
from lanista.units import ROW, UnitTable, seen
from lanista_submission.errors import ExportError
from lanista_submission.export.units import graph_arrays

#: games in lock-step while recording, and the stream that their actions are drawn from
NUM_GAMES, SEED = 32, 20_261_121


@dataclass(frozen=True)
class Recorded:
    """Rows that acted: part -> ``[B, *shape]``, head -> ``[B, A]`` bool; every row has a legal action.

    Heads of real numbers have no masks and no entry in `legal`, and a head of units has its mask among the `units`:
    arrays ``[U, ...]`` under the names of the graph's inputs (`lanista_submission.export.units`); every row has one.
    """

    observation: dict[str, AnyArray]
    legal: dict[str, AnyArray]
    units: dict[str, AnyArray] = field(default_factory=dict)

    def __len__(self) -> int:
        """B."""
        return len(next(iter(self.observation.values())))

    def inputs(self) -> dict[str, AnyArray]:
        """As the exported graph names them."""
        masks = {f"legal_{name}": mask for name, mask in self.legal.items()}
        return {**self.observation, **self.units, **masks}

    def rows(self, chosen: "slice | AnyArray") -> "Recorded":
        """Some of the rows."""
        return Recorded(
            {name: array[chosen] for name, array in self.observation.items()},
            {name: array[chosen] for name, array in self.legal.items()},
            self._units_of(chosen),
        )

    def _units_of(self, chosen: "slice | AnyArray") -> dict[str, AnyArray]:
        """The units of some of the rows, which must rise, with these rows' new numbers."""
        if not self.units:
            return {}
        numbers = np.full(len(self), -1, np.int64)
        picked = np.arange(len(self))[chosen]
        numbers[picked] = np.arange(len(picked))
        row = numbers[self.units[ROW]]
        return {name: array[row >= 0] for name, array in self.units.items()} | {ROW: row[row >= 0]}


def read_recorded(path: Path, policy: Policy) -> Recorded:
    """Read ``observation/<part>`` and ``legal/<head>`` arrays from an npz file."""
    with np.load(path, allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    spec = policy.card.spec
    wanted = {f"observation/{part.name}": part.shape for part in spec.observation}
    wanted |= {f"legal/{head.name}": (head.size,) for head in spec.heads if not head.continuous}
    for name, shape in wanted.items():
        if name not in arrays or arrays[name].shape[1:] != shape:
            found = arrays[name].shape if name in arrays else "nothing"
            raise ExportError(
                f"{path}: {name} should be an array [B, {shape}], found {found}; record it anew"
            )
    recorded = Recorded(
        {part.name: arrays[f"observation/{part.name}"] for part in spec.observation},
        {head.name: arrays[f"legal/{head.name}"] for head in spec.heads if not head.continuous},
    )
    return acting_rows(recorded)


def acting_rows(recorded: Recorded) -> Recorded:
    """The rows in which every head that chooses has a legal action."""
    can_act = np.ones(len(recorded), np.bool_)
    for mask in recorded.legal.values():
        can_act &= mask.any(axis=1)
    if recorded.units:
        can_act &= np.bincount(recorded.units[ROW], minlength=len(recorded)) > 0
    return recorded if can_act.all() else recorded.rows(can_act)


def record_play(policy: Policy, registry: Registry, num_observations: int) -> Recorded:
    """Play the policy's env with itself in every seat, sampling, until that many rows have acted."""
    card = policy.card
    settings = registry.settings("envs", card.env, card.env_settings)
    env = registry.load("envs", card.env)(NUM_GAMES, settings, 1)
    if game_digest(card.spec) != game_digest(env.spec):
        env.close()
        raise ExportError(
            f"policy {card.name!r} was trained for an env {card.env!r} that showed or asked for something else than it "
            f"does now, so nothing can be recorded to compare it on; train it anew with this version"
        )
    generator = torch.Generator().manual_seed(SEED)
    pieces: list[Recorded] = []
    count = 0
    try:
        env.reset(SEED)
        while count < num_observations:
            observation, legal = seen(env, np.flatnonzero(env.acting))
            here, asks = _as_recorded(observation, legal)
            chosen, _, _ = policy.act(observation, legal, generator)
            actions = {}
            for name, action in chosen.items():
                if name == asks:
                    # Every seat of a game with units acts in every step, so these are all units of the env's table.
                    actions[name] = action.numpy()
                    continue
                actions[name] = np.zeros((*env.acting.shape, *action.shape[1:]), action.numpy().dtype)
                actions[name][np.nonzero(env.acting)] = action.numpy()
            here = acting_rows(here)
            pieces.append(here)
            count += len(here)
            env.step(actions)
    finally:
        env.close()
    return _joined(pieces).rows(slice(0, num_observations))


def _as_recorded(observation: dict[str, Any], legal: dict[str, Any]) -> tuple[Recorded, str | None]:
    """(The rows of an observation as numpy arrays, the name of the head of units or None.)"""
    table = next(((name, mask) for name, mask in legal.items() if isinstance(mask, UnitTable)), None)
    plain = [
        {name: tensor.numpy() for name, tensor in side.items() if not isinstance(tensor, UnitTable)}
        for side in (observation, legal)
    ]
    if table is None:
        return Recorded(plain[0], plain[1]), None
    return Recorded(plain[0], plain[1], graph_arrays(table[1], table[0])), table[0]


def _joined(pieces: list[Recorded]) -> Recorded:
    """All rows of all pieces."""

    def together(group: str) -> dict[str, AnyArray]:
        sides = [getattr(piece, group) for piece in pieces]
        return {name: np.concatenate([side[name] for side in sides]) for name in sides[0]}

    units = together("units")
    if units:
        before = np.cumsum([0, *[len(piece) for piece in pieces[:-1]]])
        units[ROW] = np.concatenate(
            [piece.units[ROW] + first for piece, first in zip(pieces, before, strict=True)]
        )
    return Recorded(together("observation"), together("legal"), units)
