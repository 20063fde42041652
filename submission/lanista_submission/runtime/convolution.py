"""Convolutions, pools and padding of the runtime. Portable: numpy and the standard library only.

A convolution is one matrix product: the windows of the padded input are copied into a preallocated matrix
``[B, C * kernel, places]`` (im2col) and multiplied by the weights ``[O, C * kernel]``, which lands in
``[B, O, places]``, the output's own order. Any number of spatial axes.
"""

from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from .activations import Array, Call, activated
from .operators import BINDERS, PlanError
from .views import Attributes, Bound


def _geometry(
    attributes: Attributes, kernel: Sequence[int], sizes: Sequence[int]
) -> tuple[list[int], list[int], list[tuple[int, int]]]:
    """Strides, dilations and (before, after) padding of each spatial axis."""
    count = len(kernel)
    strides = list(attributes.get("strides", [1] * count))
    dilations = list(attributes.get("dilations", [1] * count))
    auto = attributes.get("auto_pad", "NOTSET")
    if auto in ("NOTSET", ""):
        pads = attributes.get("pads", [0] * (2 * count))
        return strides, dilations, list(zip(pads[:count], pads[count:], strict=True))
    if auto == "VALID":
        return strides, dilations, [(0, 0)] * count
    padding = []
    for size, span, stride, dilation in zip(sizes, kernel, strides, dilations, strict=True):
        total = max((-(-size // stride) - 1) * stride + (span - 1) * dilation + 1 - size, 0)
        small, large = total // 2, total - total // 2
        padding.append((small, large) if auto == "SAME_UPPER" else (large, small))
    return strides, dilations, padding


def _windows(
    x: Array,
    kernel: Sequence[int],
    strides: Sequence[int],
    dilations: Sequence[int],
    padding: Sequence[tuple[int, int]],
    fill: Any,  # noqa: ANN401 - a number of the array's type
) -> tuple[Array, list[Call]]:
    """All windows of `x` ``[B, C, *sizes]`` as a view ``[B, C, *kernel, *places]``, and its copy."""
    calls: list[Call] = []
    if any(before or after for before, after in padding):
        sizes = [size + before + after for size, (before, after) in zip(x.shape[2:], padding, strict=True)]
        padded = np.full((*x.shape[:2], *sizes), fill, x.dtype)
        inside = tuple(
            slice(before, before + size) for size, (before, _) in zip(x.shape[2:], padding, strict=True)
        )
        calls.append(partial(np.copyto, padded[(slice(None), slice(None), *inside)], x))
        x = padded
    places = [
        (size - (span - 1) * dilation - 1) // stride + 1
        for size, span, stride, dilation in zip(x.shape[2:], kernel, strides, dilations, strict=True)
    ]
    if min(places, default=1) < 1:
        raise PlanError(f"a window of {tuple(kernel)} does not fit into an input of {x.shape[2:]}")
    steps = x.strides[2:]
    view = as_strided(
        x,
        (*x.shape[:2], *kernel, *places),
        (
            *x.strides[:2],
            *(step * dilation for step, dilation in zip(steps, dilations, strict=True)),
            *(step * stride for step, stride in zip(steps, strides, strict=True)),
        ),
        writeable=False,
    )
    return view, calls


def _conv(attributes: Attributes, x: Array, weight: Array, bias: Array | None = None) -> Bound:
    kernel = weight.shape[2:]
    strides, dilations, padding = _geometry(attributes, kernel, x.shape[2:])
    view, calls = _windows(x, kernel, strides, dilations, padding, 0)
    batch, outputs, groups = x.shape[0], weight.shape[0], attributes.get("group", 1)
    places = view.shape[2 + len(kernel) :]
    matrix = np.ascontiguousarray(weight.reshape(groups, outputs // groups, -1))
    count = int(np.prod(places))
    out = np.empty((batch, groups, outputs // groups, count), x.dtype)
    columns = np.empty((batch, groups, matrix.shape[2], count), x.dtype)
    calls.append(partial(np.copyto, columns.reshape(view.shape), view))
    if batch == 1 and groups == 1:
        calls.append(partial(np.dot, matrix[0], columns[0, 0], out[0, 0]))
    else:
        calls.append(partial(np.matmul, matrix, columns, out))
    result = out.reshape(batch, outputs, *places)
    if bias is not None:
        calls.append(partial(np.add, result, bias.reshape(-1, *[1] * len(places)), result))
    return [result], calls + activated(attributes, result)


def _pool(kind: str) -> Any:  # noqa: ANN401 - a binder
    def bind(attributes: Attributes, x: Array) -> Bound:
        kernel = attributes["kernel_shape"]
        if attributes.get("ceil_mode", 0):
            raise PlanError(f"{kind} with ceil_mode is not offered")
        strides, dilations, padding = _geometry(attributes, kernel, x.shape[2:])
        fill = -np.inf if kind == "MaxPool" else 0.0
        view, calls = _windows(x, kernel, strides, dilations, padding, fill)
        over = tuple(range(2, 2 + len(kernel)))
        out = np.empty(view.shape[:2] + view.shape[2 + len(kernel) :], x.dtype)
        if kind == "MaxPool":
            return [out], [*calls, partial(np.maximum.reduce, view, over, None, out)]
        ones = np.ones((1, 1, *x.shape[2:]), x.dtype)
        counts, filled = _windows(
            ones, kernel, strides, dilations, padding, attributes.get("count_include_pad", 0)
        )
        for call in filled:
            call()
        return [out], [
            *calls,
            partial(np.add.reduce, view, over, None, out),
            partial(np.divide, out, counts.sum(over), out),
        ]

    return bind


def _global(mean: bool) -> Any:  # noqa: ANN401 - a binder
    reduce = BINDERS["ReduceMean" if mean else "ReduceMax"]

    def bind(attributes: Attributes, x: Array) -> Bound:
        return reduce({"keepdims": 1}, x, np.arange(2, x.ndim))

    return bind


_PAD_MODES = {"constant": "constant", "reflect": "reflect", "edge": "edge", "wrap": "wrap"}


def _pad(
    attributes: Attributes, x: Array, pads: Array, value: Array | None = None, axes: Array | None = None
) -> Bound:
    mode = attributes.get("mode", "constant")
    over = list(range(x.ndim)) if axes is None else [int(axis) % x.ndim for axis in axes]
    numbers = [int(number) for number in pads]
    around = {axis: (numbers[i], numbers[i + len(over)]) for i, axis in enumerate(over)}
    crop = tuple(
        slice(max(-around.get(axis, (0, 0))[0], 0), size - max(-around.get(axis, (0, 0))[1], 0))
        for axis, size in enumerate(x.shape)
    )
    x = x[crop]
    added = [
        (max(before, 0), max(after, 0))
        for before, after in (around.get(axis, (0, 0)) for axis in range(x.ndim))
    ]
    if mode == "constant":
        shape = [size + before + after for size, (before, after) in zip(x.shape, added, strict=True)]
        out = np.empty(shape, x.dtype)
        inside = tuple(slice(before, before + size) for size, (before, _) in zip(x.shape, added, strict=True))
        fill: Any = np.zeros((), x.dtype) if value is None else value
        return [out], [partial(np.copyto, out, fill), partial(np.copyto, out[inside], x)]
    calls: list[Call] = []
    for axis, (before, after) in enumerate(added):
        if before or after:
            # Which entry stands in each place of the padded axis, as numpy's own padding has it.
            entries = np.pad(np.arange(x.shape[axis]), (before, after), mode=_PAD_MODES[mode])  # type: ignore[call-overload]
            out = np.empty((*x.shape[:axis], entries.size, *x.shape[axis + 1 :]), x.dtype)
            places = [slice(None)] * axis
            # Runs of neighbours are copied as slices, which is much quicker than a gather.
            cuts = [0, *(np.flatnonzero(np.diff(entries) != 1) + 1).tolist(), entries.size]
            for start, stop in pairwise(cuts):
                first = int(entries[start])
                source = x[(*places, slice(first, first + stop - start))]
                calls.append(partial(np.copyto, out[(*places, slice(start, stop))], source))
            x = out
    return [x], calls


SPATIAL: dict[str, Callable[..., Bound]] = {
    "AveragePool": _pool("AveragePool"),
    "Conv": _conv,
    "GlobalAveragePool": _global(mean=True),
    "GlobalMaxPool": _global(mean=False),
    "MaxPool": _pool("MaxPool"),
    "Pad": _pad,
}
