"""What the arrays of a part must be, by the declaration of their env."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from lanista.arrays import AnyArray
from lanista.spec import EnvSpec

#: shape and dtype
_Wanted = tuple[tuple[int, ...], str]


def fault(spec: EnvSpec, arrays: Mapping[str, AnyArray], num_players: int) -> str | None:
    """Say what is wrong with the arrays of a part of `spec`'s games, None if nothing is."""
    for name in ("acting", "outcome", "step_offsets"):
        if name not in arrays:
            return f"its array {name!r} is missing"
    steps, games = len(arrays["acting"]), len(arrays["outcome"])
    shapes: dict[str, _Wanted] = {
        "step_offsets": ((games + 1,), "int64"),
        "player": ((games, spec.seats), "int32"),
        "outcome": ((games, spec.seats), "float32"),
        "truncated": ((games, spec.seats), "bool"),
        "acting": ((steps, spec.seats), "bool"),
        "random": ((steps, spec.seats), "bool"),
        "reward": ((steps, spec.seats), "float32"),
    }
    for name, (shape, dtype) in shapes.items():
        problem = _differs(name, arrays, shape, dtype)
        if problem is not None:
            return problem
    if games == 0:
        return "it holds no game"
    problem = _badly_counted("step_offsets", arrays["step_offsets"], steps, least=1)
    if problem is not None:
        return problem
    players = arrays["player"]
    if players.min() < 0 or players.max() >= num_players:
        return f"its array 'player' names player {players.max()} of {num_players}"
    return _decisions_fault(spec, arrays, int(arrays["acting"].sum()))


def _decisions_fault(spec: EnvSpec, arrays: Mapping[str, AnyArray], decisions: int) -> str | None:
    units = any(head.kind == "units" for head in spec.heads)
    num_units = 0
    if units:
        problem = _differs("unit_offsets", arrays, (decisions + 1,), "int64")
        if problem is not None:
            return problem
        num_units = int(arrays["unit_offsets"][-1])
        problem = _badly_counted("unit_offsets", arrays["unit_offsets"], num_units, least=0)
        if problem is not None:
            return problem
    wanted: dict[str, _Wanted] = {
        f"observation.{part.name}": ((decisions, *part.shape), part.dtype) for part in spec.observation
    }
    for head in spec.heads:
        if head.kind == "units":
            wanted[f"action.{head.name}"] = ((num_units,), "int64")
            wanted["unit_legal"] = ((num_units, head.size), "bool")
            wanted["unit_cell"] = wanted["unit_kind"] = ((num_units,), "int64")
            continue
        wanted[f"action.{head.name}"] = ((decisions, *head.action_shape), head.action_dtype)
        if not head.continuous:
            wanted[f"legal.{head.name}"] = ((decisions, head.size), "bool")
    for part in spec.unit_observation:
        wanted[f"unit_observation.{part.name}"] = ((num_units, *part.shape), part.dtype)
    for name, (shape, dtype) in wanted.items():
        problem = _differs(name, arrays, shape, dtype)
        if problem is not None:
            return problem
    return None


def _differs(name: str, arrays: Mapping[str, AnyArray], shape: tuple[int, ...], dtype: str) -> str | None:
    array: Any = arrays.get(name)
    if array is None:
        return f"its array {name!r} is missing"
    if array.shape != shape or array.dtype.name != dtype:
        return f"its array {name!r} is {array.dtype} {array.shape}, asked is {dtype} {shape}"
    return None


def _badly_counted(name: str, offsets: AnyArray, total: int, least: int) -> str | None:
    """Offsets begin at 0, end at the number of rows, and rise by `least` or more."""
    if offsets[0] != 0 or offsets[-1] != total or (np.diff(offsets) < least).any():
        return f"its array {name!r} does not divide {total} rows"
    return None
