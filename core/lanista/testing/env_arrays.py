"""What must hold of an env's spec and of its arrays at any one moment."""

import math

import numpy as np

from lanista.actions import bounds
from lanista.arrays import AnyArray
from lanista.env import VecEnv
from lanista.spec import UNITS, EnvSpec, HeadSpec
from lanista.testing.complaints import Complaints
from lanista.testing.env_units import check_units, check_units_spec

#: names of arrays, as an author writes them -> the array
Arrays = dict[str, AnyArray]


def check_spec(spec: EnvSpec, complaints: Complaints) -> None:
    """Check that the declaration is whole and that its parts fit each other."""
    refuse = complaints.refuse
    refuse(spec.seats < 1, "spec.seats", f"is {spec.seats}", "an env has at least one seat")
    refuse(spec.max_steps < 1, "spec.max_steps", f"is {spec.max_steps}", "give the longest episode in steps")
    low, high = spec.reward_range
    refuse(not low <= high, "spec.reward_range", f"is ({low}, {high})", "give the lowest reward first")
    for kind, records in (("observation", spec.observation), ("heads", spec.heads), ("facts", spec.facts)):
        names = [record.name for record in records]
        refuse(not names, f"spec.{kind}", "is empty", f"declare the env's {kind}")
        twice = sorted({name for name in names if names.count(name) > 1})
        refuse(bool(twice), f"spec.{kind}", f"has {twice} twice", "give each a name of its own")
    check_units_spec(spec, complaints)
    for head in spec.heads:
        _check_head(head, complaints)
    for part in (*spec.observation, *spec.unit_observation):
        last = part.shape[-1] if part.shape else 1
        for name, numbers in (("center", part.center), ("spread", part.spread)):
            refuse(
                len(numbers) not in (1, last), f"spec.observation {part.name!r}: {name}",
                f"has {len(numbers)} numbers", f"give one, or one for each of the {last} on the last axis",
            )  # fmt: skip
        refuse(
            not all(math.isfinite(number) and number > 0 for number in part.spread),
            f"spec.observation {part.name!r}: spread", f"is {part.spread}",
            "the network divides by it, so give numbers above 0",
        )  # fmt: skip
    kinds = {fact.name: fact.kind for fact in spec.facts}
    refuse(
        "reward" not in kinds, "spec.facts", f"lacks reward, it has {sorted(kinds)}", "add the flow reward"
    )
    refuse(
        kinds["reward"] != "flow", "spec.facts 'reward'", f"is a {kinds['reward']}", "declare it as a flow"
    )
    refuse(
        EnvSpec.from_json(spec.to_json()) != spec, "spec", "is not the same after to_json and from_json",
        "use tuples of plain numbers and texts in it",
    )  # fmt: skip


def _check_head(head: HeadSpec, complaints: Complaints) -> None:
    """Check the size, and the bounds of a head of real numbers."""
    field = f"spec.heads {head.name!r}"
    complaints.refuse(head.size < 1, f"{field}: size", f"is {head.size}", "give the number of actions")
    if not (head.low or head.high):
        complaints.refuse(
            head.kind == "gaussian", f"{field}: low and high", "are missing",
            f"give the lowest and the highest of each of its {head.size} real numbers",
        )  # fmt: skip
        return
    for name, numbers in (("low", head.low), ("high", head.high)):
        complaints.refuse(
            len(numbers) != head.size, f"{field}: {name}", f"has {len(numbers)} numbers",
            f"give one for each of the {head.size} real numbers of an action",
        )  # fmt: skip
        complaints.refuse(
            not all(math.isfinite(number) for number in numbers), f"{field}: {name}", f"is {numbers}",
            "give finite bounds, and let the env scale what has none",
        )  # fmt: skip
    complaints.refuse(
        not all(low < high for low, high in zip(*bounds(head), strict=True)), f"{field}: low and high",
        f"are {head.low} and {head.high}", "give bounds with low below high, told apart by float32",
    )  # fmt: skip
    complaints.refuse(
        head.kind in (UNITS, "categorical"), f"{field}: low and high", f"are given with the kind {head.kind!r}",
        "name a head of real numbers such as gaussian, or take the bounds away",
    )  # fmt: skip


def masked_heads(spec: EnvSpec) -> list[HeadSpec]:
    """The heads that have masks in ``env.legal``: choices, but not those of units."""
    return [head for head in spec.heads if head.kind != UNITS and not head.continuous]


def arrays_of(env: VecEnv) -> Arrays:
    """All exposed arrays by the names that an author gives them."""
    named: Arrays = {}
    for group in ("observation", "legal", "facts", "final_observation", "final_facts"):
        for name, array in getattr(env, group).items():
            named[f"{group}[{name!r}]"] = array
    for name in ("acting", "outcome", "terminated", "truncated", "ended"):
        named[name] = getattr(env, name)
    return named


def check_shapes(env: VecEnv, complaints: Complaints) -> None:
    """Check that every array of the contract is there, with its shape and dtype, and that no other is."""
    spec, rows = env.spec, (env.num_games, env.spec.seats)
    wanted: dict[str, tuple[tuple[int, ...], str]] = {
        "acting": (rows, "bool"), "outcome": (rows, "float32"), "terminated": (rows, "bool"),
        "truncated": (rows, "bool"), "ended": (rows[:1], "bool"),
    }  # fmt: skip
    for prefix in ("", "final_"):
        for part in spec.observation:
            wanted[f"{prefix}observation[{part.name!r}]"] = ((*rows, *part.shape), part.dtype)
        for fact in spec.facts:
            wanted[f"{prefix}facts[{fact.name!r}]"] = (rows, "float32")
    for head in masked_heads(spec):
        wanted[f"legal[{head.name!r}]"] = ((*rows, head.size), "bool")
    for group in ("observation", "legal", "facts", "final_observation", "final_facts"):
        complaints.refuse(
            not isinstance(getattr(env, group, None), dict), group, "is not a dictionary of arrays",
            "fill it in the constructor",
        )  # fmt: skip
    for name in ("acting", "outcome", "terminated", "truncated", "ended"):
        complaints.refuse(
            not isinstance(getattr(env, name, None), np.ndarray),
            name,
            "is not an array",
            "make it in the constructor",
        )
    found = arrays_of(env)
    for name in sorted(set(found) - set(wanted)):
        complaints.complain(name, "is not declared in the spec", "declare it there or take the array away")
    for name, (shape, dtype) in wanted.items():
        complaints.refuse(name not in found, name, "is missing", f"give an array {shape} of {dtype}")
        array = found[name]
        complaints.refuse(
            array.shape != shape,
            name,
            f"has the shape {array.shape}",
            f"the spec and {rows[0]} games ask for {shape}",
        )
        complaints.refuse(
            array.dtype != dtype, name, f"has the dtype {array.dtype}", f"the contract asks for {dtype}"
        )


def check_moment(env: VecEnv, complaints: Complaints, when: str) -> None:
    """Check what must hold after a reset and after every step alike."""
    spec = env.spec
    for name, array in arrays_of(env).items():
        final = name.startswith("final_")
        if array.dtype.kind == "f":
            wrong = ~np.isfinite(array)
            if final:
                wrong &= env.ended.reshape(-1, *[1] * (array.ndim - 1))
            complaints.refuse_where(
                wrong, name, "holds a number that is not finite", "write finite numbers", when=when
            )
    complaints.refuse_where(
        env.acting.sum(1) == 0, "acting", "has no seat that acts", "someone must act in a running game",
        axes=("game",), when=when,
    )  # fmt: skip
    if spec.turns == "alternating":
        complaints.refuse_where(
            env.acting.sum(1) > 1, "acting", "has more than one seat", "the spec says that seats take turns",
            axes=("game",), when=when,
        )  # fmt: skip
    check_units(env, complaints, when)
    for head in masked_heads(spec):
        complaints.refuse_where(
            env.acting & ~env.legal[head.name].any(2), f"legal[{head.name!r}]",
            "has no legal action for a seat that acts", "give it one, or do not let the seat act", when=when,
        )  # fmt: skip
