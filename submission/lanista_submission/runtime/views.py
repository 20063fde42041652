"""Operators that look at their operand in another way: a view, and no call at run time.

Portable: numpy and the standard library only. Reshape and Flatten copy where no view has the shape.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from .activations import Array, Call

Bound = tuple[list[Array], list[Call]]
Attributes = dict[str, Any]


def reshaped(x: Array, shape: Sequence[int]) -> Bound:
    """`x` in another shape: a view, or a copy of its entries where no view has that shape."""
    view = x.reshape(shape)
    if x.size == 0 or np.may_share_memory(view, x):
        return [view], []
    out = np.empty(x.shape, x.dtype)
    return [out.reshape(shape)], [partial(np.copyto, out, x)]


def _reshape(attributes: Attributes, x: Array, shape: Array) -> Bound:
    wanted = [int(size) for size in shape]
    if not attributes.get("allowzero", 0):
        wanted = [x.shape[place] if size == 0 else size for place, size in enumerate(wanted)]
    return reshaped(x, wanted)


def _flatten(attributes: Attributes, x: Array) -> Bound:
    axis = attributes.get("axis", 1)
    axis = axis + x.ndim if axis < 0 else axis
    return reshaped(x, (int(np.prod(x.shape[:axis], dtype=int)), int(np.prod(x.shape[axis:], dtype=int))))


def _transpose(attributes: Attributes, x: Array) -> Bound:
    return [x.transpose(attributes.get("perm"))], []


def _squeeze(attributes: Attributes, x: Array, axes: Array | None = None) -> Bound:
    return [x.squeeze(None if axes is None else tuple(int(axis) for axis in axes))], []


def _unsqueeze(attributes: Attributes, x: Array, axes: Array) -> Bound:
    return [np.expand_dims(x, tuple(int(axis) for axis in axes))], []


def _split(attributes: Attributes, x: Array, sizes: Array | None = None) -> Bound:
    axis = attributes.get("axis", 0)
    if sizes is None:
        count = attributes["num_outputs"]
        step = -(-x.shape[axis] // count)
        places = [step * part for part in range(1, count)]
    else:
        places = np.cumsum(sizes)[:-1].tolist()
    return list(np.split(x, places, axis)), []


def _slice(
    attributes: Attributes,
    x: Array,
    starts: Array,
    ends: Array,
    axes: Array | None = None,
    steps: Array | None = None,
) -> Bound:
    over = range(starts.size) if axes is None else [int(axis) for axis in axes]
    by = [1] * starts.size if steps is None else [int(step) for step in steps]
    place: list[slice] = [slice(None)] * x.ndim
    for axis, start, end, step in zip(over, starts.tolist(), ends.tolist(), by, strict=True):
        size = x.shape[axis]
        # A backward slice that runs past the front ends at None: -1 would mean the last entry.
        stop = None if step < 0 and end < -size else end
        place[axis] = slice(start, stop, step)
    return [x[tuple(place)]], []


def _expand(attributes: Attributes, x: Array, shape: Array) -> Bound:
    return [np.broadcast_to(x, np.broadcast_shapes(x.shape, tuple(int(size) for size in shape)))], []


def _shape(attributes: Attributes, x: Array) -> Bound:
    sizes = x.shape[slice(attributes.get("start", 0), attributes.get("end"))]
    return [np.asarray(sizes, np.int64)], []


def _identity(attributes: Attributes, x: Array) -> Bound:
    return [x], []


def _select(attributes: Attributes, x: Array) -> Bound:
    """One entry of an axis, the axis dropped: what Gather with one known index means."""
    place: list[Any] = [slice(None)] * x.ndim
    place[attributes["axis"]] = attributes["index"]
    return [x[tuple(place)]], []


VIEWS: dict[str, Callable[..., Bound]] = {
    "Expand": _expand,
    "Flatten": _flatten,
    "Identity": _identity,
    "Reshape": _reshape,
    "Select": _select,
    "Shape": _shape,
    "Slice": _slice,
    "Split": _split,
    "Squeeze": _squeeze,
    "Transpose": _transpose,
    "Unsqueeze": _unsqueeze,
}
