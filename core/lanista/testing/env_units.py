"""What must hold of the flat table of acting units, and how its choices are drawn."""

import numpy as np
import numpy.typing as npt

from lanista.arrays import AnyArray, IntArray
from lanista.env import VecEnv
from lanista.spec import UNITS, EnvSpec, HeadSpec
from lanista.testing.complaints import Complaints

#: name -> dtype of the arrays with one entry a row
_NUMBERS = {"unit_row": "int64", "unit_cell": "int64", "unit_kind": "int64"}


def check_units_spec(spec: EnvSpec, complaints: Complaints) -> None:
    """Check what the spec says of units."""
    heads = [head for head in spec.heads if head.kind == UNITS]
    complaints.refuse(
        len(heads) > 1, "spec.heads", f"has {len(heads)} of the kind 'units'", "there is one table of units"
    )
    for head in spec.heads:
        field = f"spec.heads {head.name!r}: units"
        complaints.refuse(
            head.kind != UNITS and head.units != (), field, f"is {head.units}", "only a head of units has any"
        )
        if head.kind == UNITS:
            most = max((choices for _, choices in head.units), default=0)
            complaints.refuse(
                most != head.size, field, f"is {head.units}, with {most} choices at most",
                f"name each kind of unit with its choices, at most {head.size}, which one of them has",
            )  # fmt: skip
        _check_exclusive(head, complaints)
    complaints.refuse(
        not heads and spec.unit_observation != (), "spec.unit_observation", "is given without a head of units",
        "leave it empty",
    )  # fmt: skip


def _check_exclusive(head: HeadSpec, complaints: Complaints) -> None:
    field = f"spec.heads {head.name!r}: exclusive"
    complaints.refuse(
        len(head.exclusive) not in (0, len(head.units)), field, f"has {len(head.exclusive)} entries",
        f"give the choices of each of the {len(head.units)} kinds, or leave it empty",
    )  # fmt: skip
    for (name, choices), closed in zip(head.units, head.exclusive, strict=False):
        complaints.refuse(
            any(not 0 <= choice < choices for choice in closed), field, f"names {closed} of {name}",
            f"it has the choices 0 to {choices - 1}",
        )  # fmt: skip


def unit_arrays(env: VecEnv, games: int) -> dict[str, AnyArray]:
    """The rows of the first `games` games, by the names that an author gives the arrays."""
    if env.spec.units_head is None:
        return {}
    offsets = env.unit_offsets[: games * env.spec.seats + 1]
    end = int(offsets[-1])
    arrays: dict[str, AnyArray] = {"unit_offsets": offsets}
    arrays |= {name: getattr(env, name)[:end] for name in (*_NUMBERS, "unit_legal")}
    arrays |= {f"unit_observation[{name!r}]": array[:end] for name, array in env.unit_observation.items()}
    return arrays


def check_units(env: VecEnv, complaints: Complaints, when: str) -> None:
    """Check the table as it stands now."""
    head = env.spec.units_head
    if head is None:
        return
    rows = env.num_games * env.spec.seats
    _check_offsets(env, rows, complaints, when)
    count = int(env.unit_offsets[-1])
    wanted: dict[str, tuple[tuple[int, ...], str]] = {
        name: ((count,), dtype) for name, dtype in _NUMBERS.items()
    }
    wanted["unit_legal"] = ((count, head.size), "bool")
    for part in env.spec.unit_observation:
        wanted[f"unit_observation[{part.name!r}]"] = ((count, *part.shape), part.dtype)
    found = unit_arrays(env, env.num_games)
    complaints.refuse(
        set(found) - {"unit_offsets"} != set(wanted), "unit_observation",
        f"has the parts {sorted(env.unit_observation)}",
        f"the spec declares {sorted(part.name for part in env.spec.unit_observation)}",
    )  # fmt: skip
    for name, (shape, dtype) in wanted.items():
        array = getattr(env, name) if name in (*_NUMBERS, "unit_legal") else found[name]
        complaints.refuse(
            array.shape != shape or array.dtype != dtype, name, f"is {array.shape} {array.dtype}{when}",
            f"unit_offsets and the spec ask for {shape} {dtype}",
        )  # fmt: skip
    _check_rows(env, head, complaints, when)


def _check_offsets(env: VecEnv, rows: int, complaints: Complaints, when: str) -> None:
    offsets = getattr(env, "unit_offsets", None)
    complaints.refuse(
        not isinstance(offsets, np.ndarray) or offsets.shape != (rows + 1,) or offsets.dtype != np.int64,
        "unit_offsets", "is not there as it must be", f"give an array ({rows + 1},) of int64",
    )  # fmt: skip
    complaints.refuse(
        env.unit_offsets[0] != 0 or bool((np.diff(env.unit_offsets) < 0).any()), "unit_offsets",
        f"falls or does not begin with 0{when}", "give where each seat's rows begin, in their order",
    )  # fmt: skip


def _check_rows(env: VecEnv, head: HeadSpec, complaints: Complaints, when: str) -> None:
    counts = np.diff(env.unit_offsets)
    complaints.refuse(
        not np.array_equal(env.unit_row, np.repeat(np.arange(len(counts)), counts)), "unit_row",
        f"does not agree with unit_offsets{when}", "a row's r is game * seats + seat",
    )  # fmt: skip

    def refuse_where(wrong: npt.ArrayLike, field: str, fault: str, change: str) -> None:
        complaints.refuse_where(np.asarray(wrong), field, fault, change, axes=("row",), when=when)

    idle = (counts > 0) & ~env.acting.reshape(-1)
    complaints.refuse_where(
        idle, "unit_offsets", "gives rows to a seat that does not act", "give it none", axes=("r",), when=when
    )
    choices = np.array([number for _, number in head.units])
    refuse_where(
        (env.unit_kind < 0) | (env.unit_kind >= len(choices)), "unit_kind", "is none of the head's units",
        f"there are {len(choices)}",
    )  # fmt: skip
    refuse_where(env.unit_cell < 0, "unit_cell", "is below 0", "give y * W + x")
    refuse_where(
        ~env.unit_legal.any(1), "unit_legal", "has no legal choice", "leave out a unit with nothing to choose"
    )
    beyond = np.arange(head.size) >= choices[env.unit_kind][:, None]
    refuse_where(
        (env.unit_legal & beyond).any(1), "unit_legal", "has a legal choice that the kind does not have",
        "leave the mask False beyond the choices of the row's kind",
    )  # fmt: skip
    for name, array in env.unit_observation.items():
        if array.dtype.kind == "f":
            wrong = ~np.isfinite(array).all(axis=tuple(range(1, array.ndim)))  # also of no rows at all
            refuse_where(wrong, f"unit_observation[{name!r}]", "holds a number that is not finite",
                         "write finite numbers")  # fmt: skip


def draw_choices(env: VecEnv, head: HeadSpec, streams: list[np.random.Generator]) -> IntArray:
    """A random legal choice for every row, each game from a stream of its own."""
    seats = env.spec.seats
    draws = [
        stream.random((int(env.unit_offsets[(game + 1) * seats] - env.unit_offsets[game * seats]), head.size))
        for game, stream in enumerate(streams)
    ]
    chosen: IntArray = np.where(env.unit_legal, np.concatenate(draws), -1.0).argmax(1)
    return chosen
