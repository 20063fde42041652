"""The symmetries that an env declares, held against its games.

1. Everything that is declared makes a group (`lanista.symmetry.group`).
2. For each declared symmetry two envs are brought into a state and its transformed one, by the author's function of
   `VecEnv.save` or because games begin where nothing changes: what they show must be each other's transformed.
3. With ``check="games"`` both play on, one with random actions, the other with the transformed ones, and stay so.
"""

from collections.abc import Callable

import numpy as np
import torch

from lanista.arrays import AnyArray
from lanista.env import VecEnv
from lanista.hints import told
from lanista.spec import UNITS
from lanista.symmetry.declared import Symmetries, Symmetry
from lanista.symmetry.group import group_of
from lanista.symmetry.rows import Rows
from lanista.testing.complaints import Complaints
from lanista.testing.env_replay import Chooser
from lanista.units import UnitTable, live_units, seen

#: games side by side, moments at which a state is transformed
GAMES, MOMENTS = 4, 8


def check_symmetries(
    build: Callable[[int, int], VecEnv], declared: Symmetries, complaints: Complaints, seed: int, steps: int
) -> None:
    """Raise for the first thing in which two games that should be each other's transformed differ."""
    first, second = build(GAMES, 1), build(GAMES, 1)
    try:
        group = group_of(first.spec, declared)
        rows = Rows(group, first.spec)
        for part in declared.loose:
            known = [part.name for part in (*first.spec.observation, *first.spec.unit_observation)]
            complaints.refuse(
                part not in known, "symmetries: loose", f"names {part!r}", f"there are {', '.join(known)}"
            )
        if declared.check == "none":
            return
        for symmetry, element in zip(declared.generators, group.generators, strict=True):
            pair = _Pair(first, second, rows, symmetry, element, declared, complaints)
            if symmetry.state is None:
                pair.begin(seed)
                pair.play_on(steps, Chooser(GAMES, seed))
            else:
                pair.meet(seed, steps, symmetry.state)
    finally:
        first.close()
        second.close()


class _Pair:
    """Two envs, the second of which shows what the first does, transformed."""

    def __init__(
        self,
        first: VecEnv,
        second: VecEnv,
        rows: Rows,
        symmetry: Symmetry,
        element: int,
        declared: Symmetries,
        complaints: Complaints,
    ) -> None:
        self.first, self.second, self.rows, self.declared = first, second, rows, declared
        self.complaints, self.name = complaints, symmetry.name
        self.index = np.arange(GAMES * first.spec.seats)
        self.element = np.full(len(self.index), element, np.int64)

    def begin(self, seed: int) -> None:
        """Start both, where the start stays as it is."""
        self.first.reset(seed)
        self.second.reset(seed)
        self.compare(
            " after reset", "give Symmetry a `state`, since games do not begin alike, or say check='none'"
        )

    def meet(
        self, seed: int, steps: int, transform: Callable[[dict[str, AnyArray]], dict[str, AnyArray]]
    ) -> None:
        """Transform states from random games."""
        self.complaints.refuse(
            not self.first.resumable, f"symmetry {self.name!r}", "has a `state`, and the env saves none",
            "leave it out and say check='none'",
        )  # fmt: skip
        self.first.reset(seed)
        self.second.reset(seed)
        chooser = Chooser(GAMES, seed)
        for moment in range(MOMENTS):
            try:
                self.second.load(transform(self.first.save()))
            except Exception as error:
                self.complaints.complain(
                    f"symmetry {self.name!r}: state",
                    f"made no state that load takes ({told(error)})",
                    "mend it",
                )
            self.compare(
                f" in a transformed state (moment {moment})",
                "mend the symmetry or its `state`, or what the env shows",
            )
            if self.declared.check == "games":
                self.play_on(max(steps // MOMENTS, 1), chooser)
            else:
                for _ in range(max(steps // MOMENTS, 1)):
                    self.first.step(chooser.choose(self.first))

    def play_on(self, steps: int, chooser: Chooser) -> None:
        """Play both, the second with the transformed actions."""
        change = (
            "games must go on alike; if chance or an order of play tells the sides apart, say check='moments'"
        )
        spec = self.first.spec
        for step in range(1, steps + 1):
            actions = chooser.choose(self.first)
            flat = {
                name: torch.from_numpy(np.asarray(action).reshape(-1, *action.shape[2:]))
                if spec.units_head is None or name != spec.units_head.name
                else torch.from_numpy(action)
                for name, action in actions.items()
            }
            units = None if spec.units_head is None else live_units(self.first)
            renamed = self.rows.actions(flat, self.element, units)
            self.second.step({name: renamed[name].numpy().reshape(actions[name].shape) for name in actions})
            self.first.step(actions)
            when = f" {step} steps on"
            self.compare(when, change)
            for name in ("ended", "terminated", "truncated", "outcome"):
                self._same(name, getattr(self.first, name), getattr(self.second, name), when, change)
            for name, fact in self.first.facts.items():
                self._same(f"facts[{name!r}]", fact, self.second.facts[name], when, change)

    def compare(self, when: str, change: str) -> None:
        """Hold against each other what both show now."""
        (ours, may), (theirs, might) = seen(self.first, self.index), seen(self.second, self.index)
        ours, may = self.rows.transformed(ours, may, self.element)
        acting = self.first.acting
        self._same("acting", acting, self.second.acting, when, change)
        for name, part in ours.items():
            if name != UNITS:
                self._same_part(f"observation[{name!r}]", name, part, theirs[name], when, change)
        for name, mask in may.items():
            if isinstance(mask, UnitTable):
                self._same_units(mask, might[name], when, change)
            else:
                rows = torch.from_numpy(acting.reshape(-1))
                self._same(f"legal[{name!r}]", mask[rows], might[name][rows], when, change)

    def _same_units(self, ours: UnitTable, theirs: UnitTable, when: str, change: str) -> None:
        self._same("unit_offsets", ours.offsets, theirs.offsets, when, change)
        self._same("unit_kind", ours.kind, theirs.kind, when, change)
        self._same("unit_legal", ours.legal, theirs.legal, when, change)
        if self.declared.board is not None:
            self._same("unit_cell", ours.cell, theirs.cell, when, change)
        for name, part in ours.observation.items():
            self._same_part(f"unit_observation[{name!r}]", name, part, theirs.observation[name], when, change)

    def _same_part(
        self, field: str, name: str, ours: torch.Tensor, theirs: torch.Tensor, when: str, change: str
    ) -> None:
        flat, other = ours.flatten(1).numpy().copy(), theirs.flatten(1).numpy()
        loose = list(self.declared.loose.get(name, ()))
        flat[:, loose] = other[:, loose]
        self._same(field, flat, other, when, change)

    def _same(
        self,
        field: str,
        ours: AnyArray | torch.Tensor,
        theirs: AnyArray | torch.Tensor,
        when: str,
        change: str,
    ) -> None:
        one, two = np.asarray(ours), np.asarray(theirs)
        alike = one.shape == two.shape and bool(
            # Numbers that are computed from the other side may differ in their last digit.
            np.allclose(one, two, rtol=1e-5, atol=1e-6) if one.dtype.kind == "f" else np.array_equal(one, two)
        )
        where = ""
        if not alike and one.shape == two.shape:
            differ = ~np.isclose(one, two, rtol=1e-5, atol=1e-6)
            where = f" at {tuple(int(place[0]) for place in differ.nonzero())}"
        self.complaints.refuse(
            not alike, f"symmetry {self.name!r}: {field}",
            f"is not the transformed one{where}{when}", change,
        )  # fmt: skip
