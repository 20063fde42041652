"""gymnasium's spaces as observation parts and heads.

A space of an observation becomes a tree of leaves, each a part: numbers as they are (float64 as float32, integers as
int32 unless they fit a smaller type that a part may have), choices as 0 and 1 ("one hot"). An action space becomes
heads: a choice a head, or real numbers within bounds in one.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from gymnasium import spaces

from lanista.arrays import AnyArray
from lanista.errors import LanistaError
from lanista.spec import HeadSpec, ObsPart

#: bounds beyond this say nothing about the size of the numbers
_WIDE = 1e6


class UnsupportedSpaceError(LanistaError):
    """A space that no part or head can hold."""


@dataclass(frozen=True)
class Leaf:
    """One part: where it lies in an observation, and how it is read."""

    part: ObsPart
    #: keys of dictionaries and places in tuples, from the outside in
    path: tuple[Any, ...]
    #: one observation, or a batch of them along the first axis, to the part's own form
    read: Callable[[AnyArray], AnyArray]

    def find(self, observation: Any) -> AnyArray:  # noqa: ANN401 - a tree of gymnasium's values
        """The array of this leaf, as the part holds it."""
        for step in self.path:
            observation = observation[step]
        return self.read(np.asarray(observation))


def leaves_of(space: spaces.Space[Any], where: str, path: tuple[Any, ...] = ()) -> list[Leaf]:
    """The parts of an observation space; `where` opens the error on one that cannot be had."""
    if isinstance(space, spaces.Dict):
        return [leaf for key, inner in space.spaces.items() for leaf in leaves_of(inner, where, (*path, key))]
    if isinstance(space, spaces.Tuple):
        return [
            leaf for key, inner in enumerate(space.spaces) for leaf in leaves_of(inner, where, (*path, key))
        ]
    name = ".".join(str(step) for step in path) or "observation"
    if isinstance(space, spaces.Box):
        return [_box_leaf(space, name, path)]
    if isinstance(space, spaces.Discrete):
        hot, first = np.eye(int(space.n), dtype=np.uint8), int(space.start)
        part = ObsPart(name, (int(space.n),), "uint8", f"1 at the place of the value, {first} and up")
        return [Leaf(part, path, lambda value: hot[value.astype(np.int64) - first])]
    if isinstance(space, spaces.MultiDiscrete):
        return [_multi_leaf(space, name, path)]
    if isinstance(space, spaces.MultiBinary):
        part = ObsPart(name, tuple(space.shape), "uint8", "0 or 1 each")
        return [Leaf(part, path, lambda value: value.astype(np.uint8))]
    raise UnsupportedSpaceError(
        f"{where}: observation {name!r} is a {type(space).__name__}, which has no fixed size; wrap the env so that it "
        f"shows Box, Discrete, MultiDiscrete, MultiBinary, Dict or Tuple"
    )


def _box_leaf(space: spaces.Box, name: str, path: tuple[Any, ...]) -> Leaf:
    dtype: Literal["float32", "int8", "int32", "uint8"] = "float32"
    if space.dtype.kind in "iub":
        small = {"int8": "int8", "uint8": "uint8", "bool": "uint8"}
        dtype = small.get(space.dtype.name, "int32")  # type: ignore[assignment]  # values of the table
    shape = tuple(space.shape)
    center, spread = _magnitude(space)
    image = len(shape) == 3 and dtype == "uint8" and shape[2] in (1, 3, 4) and min(shape[:2]) > 4
    if image:  # gymnasium's pictures are [H, W, C], planes here are [C, H, W]
        part = ObsPart(name, (shape[2], *shape[:2]), dtype, "planes of a picture", center, spread)
        return Leaf(part, path, lambda value: np.moveaxis(value, -1, -3))
    part = ObsPart(name, shape or (1,), dtype, "the env's own numbers", center, spread)
    return Leaf(part, path, lambda value: _as(value, dtype, shape))


def _as(value: AnyArray, dtype: str, shape: tuple[int, ...]) -> AnyArray:
    if dtype == "int32" and value.dtype.itemsize > 4:
        value = np.clip(value, -(2**31), 2**31 - 1)
    return value.astype(dtype)[..., None] if not shape else value.astype(dtype, copy=False)


def _magnitude(space: spaces.Box) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Middle and half width of the bounds, for each entry of the last axis or for all; (0, 1) if they are wide."""
    low, high = space.low.astype(np.float64), space.high.astype(np.float64)
    width = low.shape[-1] if low.ndim else 1
    lowest, highest = low.reshape(-1, width).min(axis=0), high.reshape(-1, width).max(axis=0)
    known = (np.abs(lowest) < _WIDE) & (np.abs(highest) < _WIDE) & (highest > lowest)
    lowest, highest = np.where(known, lowest, -1.0), np.where(known, highest, 1.0)
    center, spread = (lowest + highest) / 2, (highest - lowest) / 2
    if (center == center[0]).all() and (spread == spread[0]).all():
        center, spread = center[:1], spread[:1]
    return tuple(center.tolist()), tuple(spread.tolist())


def _multi_leaf(space: spaces.MultiDiscrete, name: str, path: tuple[Any, ...]) -> Leaf:
    sizes = space.nvec.reshape(-1).astype(np.int64)
    begin = np.concatenate([[0], np.cumsum(sizes)[:-1]]) - np.asarray(space.start).reshape(-1)
    hot = np.eye(int(sizes.sum()), dtype=np.uint8)
    part = ObsPart(
        name, (len(hot),), "uint8", f"1 at the place of each of {len(sizes)} values, one after another"
    )

    def read(value: AnyArray) -> AnyArray:
        flat = value.reshape(*value.shape[: value.ndim - len(space.shape)], -1)
        joined: AnyArray = hot[flat.astype(np.int64) + begin].sum(axis=-2, dtype=np.uint8)
        return joined

    return Leaf(part, path, read)


@dataclass(frozen=True)
class Actions:
    """The heads of an action space, and the way from what they chose to the env's own actions."""

    heads: tuple[HeadSpec, ...]
    #: head -> array of any leading shape (``[..., A]`` for real numbers) to the env's action, same leading shape
    join: Callable[[dict[str, AnyArray]], AnyArray]


def actions_of(space: spaces.Space[Any], where: str) -> Actions:
    """The heads of an action space; one that has none is an error that says what to do."""
    if isinstance(space, spaces.Discrete):
        head = HeadSpec("action", "categorical", int(space.n), "the env's own choices, in its order")
        first = int(space.start)
        return Actions((head,), lambda chosen: chosen["action"] + first)
    if isinstance(space, spaces.MultiDiscrete | spaces.MultiBinary):
        if isinstance(space, spaces.MultiBinary):
            sizes = np.full(space.shape, 2)
            start = np.zeros(space.shape, np.int64)
        else:
            sizes, start = space.nvec, np.asarray(space.start)
        names = [f"action_{place}" for place in range(sizes.size)]
        heads = tuple(
            HeadSpec(name, "categorical", int(size), f"choice {place} of {sizes.size}")
            for place, (name, size) in enumerate(zip(names, sizes.reshape(-1), strict=True))
        )

        def join(chosen: dict[str, AnyArray]) -> AnyArray:
            flat = np.stack([chosen[name] for name in names], axis=-1)
            joined: AnyArray = flat.reshape(*flat.shape[:-1], *sizes.shape) + start
            return joined.astype(space.dtype)

        return Actions(heads, join)
    if isinstance(space, spaces.Box) and space.dtype.kind == "f" and space.shape:
        if not (np.isfinite(space.low).all() and np.isfinite(space.high).all()):
            raise UnsupportedSpaceError(
                f"{where}: its actions are real numbers without bounds; give bounds, for example with "
                f'wrappers = [{{ use = "gymnasium.wrappers:RescaleAction", kwargs = {{ ... }} }}]'
            )
        low, high = (tuple(float(edge) for edge in bound.reshape(-1)) for bound in (space.low, space.high))
        real = HeadSpec("action", "gaussian", len(low), "the env's own numbers", low=low, high=high)
        shape, dtype = space.shape, space.dtype
        return Actions((real,), lambda chosen: chosen["action"].reshape(-1, *shape).astype(dtype))
    raise UnsupportedSpaceError(
        f"{where}: its actions are a {type(space).__name__} ({space}); wrap the env so that it takes Discrete, "
        f"MultiDiscrete, MultiBinary or a Box of real numbers"
    )
