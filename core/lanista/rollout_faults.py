"""What a rollout shows of a broken env, network, player or shaper; envs are looked at once a rollout, never in its loop.

`lanista.testing.check_env` finds all of this and more before a run; here it is found in the run of somebody who did not
call it, and told in one sentence instead of as numbers that make no sense.
"""

import numpy as np
import torch
from torch import Tensor

from lanista.actions import units_of_rows
from lanista.arrays import BoolArray, FloatArray, IntArray
from lanista.env import VecEnv
from lanista.errors import LanistaError, PluginError
from lanista.learning import Rollout
from lanista.players import Player
from lanista.shaping import Shaper
from lanista.spec import UNITS
from lanista.testing.complaints import Complaints
from lanista.testing.env_arrays import arrays_of
from lanista.units import UnitTable


class RolloutFaults:
    """Remembers an env's arrays, and looks at each rollout of it."""

    def __init__(self, env: VecEnv, network: str | None) -> None:
        """`network` is the policy's network by name, for a complaint."""
        self._env = env
        self._network = network
        self._arrays = arrays_of(env)
        self._complaints = Complaints(env.spec.name)

    def look(self, rollout: Rollout, facts: dict[str, FloatArray]) -> None:
        """Raise for the first fault; `facts` map names to ``[T, R]``, those after each step."""
        self._same_arrays()
        self._masks(rollout)
        for name, fact in facts.items():
            self._refuse(
                ~np.isfinite(fact), f"facts[{name!r}]", "holds NaN or infinity", "write finite numbers"
            )
        decided = rollout.learn & ~np.isfinite(rollout.value)
        if decided.any():
            self._blame(rollout, decided)

    def _same_arrays(self) -> None:
        """An env that replaces its arrays shows nothing new to those who hold the old ones."""
        for name, array in arrays_of(self._env).items():
            self._complaints.refuse(
                array is not self._arrays.get(name), name, "is another array after a step than before it",
                "write into the same one, as in array[...] = values",
            )  # fmt: skip

    def _masks(self, rollout: Rollout) -> None:
        for name, legal in rollout.legal.items():
            self._refuse(
                rollout.learn & ~legal.any(axis=-1), f"legal[{name!r}]", "has no legal action for a seat that acts",
                "give it one, or do not let the seat act",
            )  # fmt: skip
        for table in rollout.units.values():
            self._refuse_units(
                table, ~table.legal.any(dim=1), "unit_legal", "has no legal choice",
                "leave out a unit with nothing to choose",
            )  # fmt: skip

    def _refuse_units(self, table: UnitTable, wrong: Tensor, field: str, fault: str, change: str) -> None:
        """Complain about the first True of ``[U]`` by its step, game and seat."""
        rows: BoolArray = table.sum(wrong.to(torch.int64)).numpy() > 0
        steps = len(rows) // (self._env.num_games * self._env.spec.seats)
        self._refuse(rows.reshape(steps, -1), field, f"{fault}, of a unit", change)

    def _blame(self, rollout: Rollout, decided: BoolArray) -> None:
        """The value is not finite: the observation is to blame if it is not either, else the network."""
        for name, part in rollout.observation.items():
            if part.dtype.kind == "f":
                odd = ~np.isfinite(part).reshape(*part.shape[:2], -1).all(axis=2)
                self._refuse(
                    odd & decided, f"observation[{name!r}]", "holds a number that is not finite",
                    "write finite numbers",
                )  # fmt: skip
        for table in rollout.units.values():
            for name, column in table.observation.items():
                wrong = ~column.flatten(1).isfinite().all(dim=1)
                self._refuse_units(
                    table, wrong, f"unit_observation[{name!r}]", "holds a number that is not finite",
                    "write finite numbers",
                )  # fmt: skip
        who = f"network {self._network!r}" if self._network else "the policy's network"
        raise PluginError(
            f"{who}: its value is NaN or infinite for observations that are finite; look at its "
            f"divisions and logarithms, or lower the learner's step size"
        )

    def _refuse(self, wrong: BoolArray, field: str, fault: str, change: str) -> None:
        """Complain about the first True of ``[T, R]``."""
        if wrong.any():
            seats = self._env.spec.seats
            shaped = wrong.reshape(len(wrong), -1, seats)
            self._complaints.refuse_where(shaped, field, fault, change, axes=("step", "game", "seat"))


def misplayed(player: Player, head: str, chosen: object, rows: IntArray, env: VecEnv) -> LanistaError:
    """Say what is wrong with an answer that does not fit the heads' actions."""
    heads = {spec.name: spec for spec in env.spec.heads}
    who = f"player {type(player).__module__}.{type(player).__name__}"
    if head not in heads:
        return PluginError(
            f"{who}: act gave actions for {head!r}; the heads of {env.spec.name} are {', '.join(heads)}"
        )
    count = int(units_of_rows(env, rows).sum()) if heads[head].kind == UNITS else len(rows)
    asked = (count, *heads[head].action_shape)
    found = (
        f"the shape {np.shape(chosen)}" if isinstance(chosen, np.ndarray) else f"a {type(chosen).__name__}"
    )
    return PluginError(
        f"{who}: act gave {found} for head {head!r}; give [B] = {asked} of {heads[head].action_dtype}"
    )


def check_part(shaper: Shaper, name: str, part: FloatArray, reward: FloatArray) -> FloatArray:
    """Refuse a reward part of a wrong shape or with numbers that are not finite, naming the shaper."""
    who = f"shaper {type(shaper).__module__.removeprefix('lanista_file_plugins.')}.{type(shaper).__name__}"
    array = np.asarray(part)
    if array.shape != reward.shape:
        raise PluginError(
            f"{who}: part {name!r} has shape {array.shape}, asked is [T, N, S] = {reward.shape}; "
            f"give a number for every step, game and seat"
        )
    if not np.isfinite(array).all():
        raise PluginError(f"{who}: part {name!r} holds NaN or infinity; check divisions and logarithms")
    return array.astype(np.float32, copy=False)
