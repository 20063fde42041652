"""Operators that read and write by number: what pools and picks the acting units of a seat. Portable.

As in `operators`, a binder gives the output arrays and the calls that fill them.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from .activations import Array, Call
from .views import Attributes, Bound


def _gather(attributes: Attributes, x: Array, indices: Array) -> Bound:
    axis = attributes.get("axis", 0) % x.ndim
    out = np.empty(x.shape[:axis] + indices.shape + x.shape[axis + 1 :], x.dtype)
    return [out], [partial(np.take, x, indices, axis, out)]


def _gather_elements(attributes: Attributes, x: Array, indices: Array) -> Bound:
    axis = attributes.get("axis", 0) % x.ndim
    out = np.empty(indices.shape, x.dtype)
    places: list[Any] = list(np.ogrid[tuple(slice(size) for size in indices.shape)])
    # The index array is filled at run time: the same object stands in the tuple.
    places[axis] = indices
    wanted = tuple(places)
    return [out], [lambda: np.copyto(out, x[wanted])]


def _scatter_nd(attributes: Attributes, x: Array, indices: Array, updates: Array) -> Bound:
    """Copy `x` and write, or add, `updates` at the places that ``indices[..., k]`` names along the first k axes."""
    out = np.empty(x.shape, x.dtype)
    calls: list[Call] = [partial(np.copyto, out, x)]
    add = attributes.get("reduction", "none") == "add"
    if add and indices.shape == (len(updates), 1) and len(out) == 1:
        # All go into the only row: a plain sum, many times as fast as adding by number.
        total = np.empty(out.shape[1:], out.dtype)
        return [out], [
            *calls,
            partial(np.add.reduce, updates, 0, None, total),
            partial(np.add, out[0], total, out[0]) if out.ndim > 1 else lambda: np.add(out, total, out),
        ]
    places = tuple(indices[..., axis] for axis in range(indices.shape[-1]))
    if add:
        return [out], [*calls, lambda: np.add.at(out, places, updates)]

    def write() -> None:
        out[places] = updates

    return [out], [*calls, write]


def _cumsum(attributes: Attributes, x: Array, axis: Array) -> Bound:
    over = int(axis.reshape(-1)[0]) % x.ndim
    out = np.empty(x.shape, x.dtype)
    backwards = [slice(None)] * x.ndim
    if attributes.get("reverse", 0):
        backwards[over] = slice(None, None, -1)
    read, written = x[tuple(backwards)], out[tuple(backwards)]
    calls: list[Call] = [partial(np.add.accumulate, read, over, None, written)]
    if attributes.get("exclusive", 0):
        calls.append(partial(np.subtract, out, x, out))
    return [out], calls


def _constant_of_shape(attributes: Attributes, shape: Array) -> Bound:
    return [np.full([int(size) for size in shape], attributes["value"], attributes["dtype"])], []


SCATTERING: dict[str, Callable[..., Bound]] = {
    "ConstantOfShape": _constant_of_shape,
    "CumSum": _cumsum,
    "Gather": _gather,
    "GatherElements": _gather_elements,
    "ScatterND": _scatter_nd,
}
