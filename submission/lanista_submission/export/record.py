"""Observations to compare on: those that a run recorded, or those of games of the policy with itself."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from lanista.arrays import AnyArray
from lanista.plugins import Registry
from lanista.policy import Policy
from lanista_submission.errors import ExportError

#: games in lock-step while recording, and the stream that their actions are drawn from
NUM_GAMES, SEED = 32, 20_261_121


@dataclass(frozen=True)
class Recorded:
    """Rows that acted: part -> ``[B, *shape]``, head -> ``[B, A]`` bool; every row has a legal action.

    Heads of real numbers have no masks and no entry in `legal`.
    """

    observation: dict[str, AnyArray]
    legal: dict[str, AnyArray]

    def __len__(self) -> int:
        """B."""
        return len(next(iter(self.observation.values())))

    def inputs(self) -> dict[str, AnyArray]:
        """As the exported graph names them."""
        return {**self.observation, **{f"legal_{name}": mask for name, mask in self.legal.items()}}

    def rows(self, chosen: "slice | AnyArray") -> "Recorded":
        """Some of the rows."""
        return Recorded(
            {name: array[chosen] for name, array in self.observation.items()},
            {name: array[chosen] for name, array in self.legal.items()},
        )


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
    return recorded if can_act.all() else recorded.rows(can_act)


def record_play(policy: Policy, registry: Registry, num_observations: int) -> Recorded:
    """Play the policy's env with itself in every seat, sampling, until that many rows have acted."""
    card = policy.card
    settings = registry.settings("envs", card.env, card.env_settings)
    env = registry.load("envs", card.env)(NUM_GAMES, settings, 1)
    generator = torch.Generator().manual_seed(SEED)
    seen: list[Recorded] = []
    count = 0
    try:
        env.reset(SEED)
        while count < num_observations:
            games, seats = np.nonzero(env.acting)
            here = Recorded(
                {name: part[games, seats] for name, part in env.observation.items()},
                {name: mask[games, seats] for name, mask in env.legal.items()},
            )
            tensors = [
                {name: torch.from_numpy(array) for name, array in side.items()}
                for side in (here.observation, here.legal)
            ]
            chosen, _, _ = policy.act(tensors[0], tensors[1], generator)
            actions = {}
            for name, action in chosen.items():
                actions[name] = np.zeros((*env.acting.shape, *action.shape[1:]), action.numpy().dtype)
                actions[name][games, seats] = action.numpy()
            seen.append(here)
            count += len(here)
            env.step(actions)
    finally:
        env.close()
    joined = Recorded(
        {name: np.concatenate([part.observation[name] for part in seen]) for name in seen[0].observation},
        {name: np.concatenate([part.legal[name] for part in seen]) for name in seen[0].legal},
    )
    return joined.rows(slice(0, num_observations))
