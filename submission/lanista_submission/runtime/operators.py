"""The operators of the runtime, bound once a batch size. Portable: numpy and the standard library only.

A *binder* gets an operator's attributes and its operands, all of them arrays of fixed shape, and gives the
output arrays and the calls (without arguments) that fill them from the operands. Operators that only look at
their operand in another way (Reshape, Transpose, Slice, ...) give a view and no call at all, so they cost
nothing at run time. A binder writes into arrays of its own only, never into an operand.
"""

from collections.abc import Callable
from functools import partial
from operator import setitem
from typing import Any

import numpy as np

from .activations import ACTIVATIONS, Array, Call, activated
from .views import Attributes, Bound


class PlanError(Exception):
    """A plan asks for something that the runtime cannot give; the text says what."""


def _unary(ufunc: Callable[..., Any]) -> Callable[..., Bound]:
    def bind(attributes: Attributes, x: Array) -> Bound:
        out = np.empty(x.shape, x.dtype)
        return [out], [partial(ufunc, x, out)]

    return bind


#: constants are stretched over at most so many entries
STRETCH = 1 << 14


def stretched(attributes: Attributes, place: int, x: Array, shape: tuple[int, ...]) -> Array:
    """Operand number `place`: if it never changes (``fixed``) and that is not large, in the full `shape`.

    numpy adds two arrays of one shape in a third of the time that it needs to stretch one of them, which is most
    of the time at batch 1.
    """
    fixed = attributes.get("fixed", ())
    still = place < len(fixed) and fixed[place]
    if not still or x.shape == shape or int(np.prod(shape)) > STRETCH:
        return x
    return np.array(np.broadcast_to(x, shape)) if np.broadcast_shapes(x.shape, shape) == shape else x


def _binary(ufunc: Callable[..., Any], dtype: Any = None) -> Callable[..., Bound]:  # noqa: ANN401 - a numpy type
    def bind(attributes: Attributes, *operands: Array) -> Bound:
        shape = np.broadcast_shapes(*[x.shape for x in operands])
        out, *others = [stretched(attributes, place, x, shape) for place, x in enumerate(operands)]
        calls: list[Call] = []
        for x in others:
            left, out = out, np.empty(np.broadcast_shapes(out.shape, x.shape), dtype or out.dtype)
            # `out` by place is quicker than by name; numpy takes it so from all ufuncs but these two.
            by_name = ufunc in (np.maximum, np.minimum)
            calls.append(partial(ufunc, left, x, out=out) if by_name else partial(ufunc, left, x, out))
        return [out], calls

    return bind


def _divide(attributes: Attributes, a: Array, b: Array) -> Bound:
    out = np.empty(np.broadcast_shapes(a.shape, b.shape), a.dtype)
    a, b = stretched(attributes, 0, a, out.shape), stretched(attributes, 1, b, out.shape)
    if a.dtype.kind == "f":
        return [out], [partial(np.divide, a, b, out)]
    # ONNX divides integers towards zero, numpy towards minus infinity; fmod has the dividend's sign.
    rest = np.empty_like(out)
    return [out], [
        partial(np.fmod, a, b, rest),
        partial(np.subtract, a, rest, rest),
        partial(np.floor_divide, rest, b, out),
    ]


def _activation(name: str) -> Callable[..., Bound]:
    def bind(attributes: Attributes, x: Array) -> Bound:
        out = np.empty(x.shape, x.dtype)
        return [out], ACTIVATIONS[name](x, out)

    return bind


def _leaky_relu(attributes: Attributes, x: Array) -> Bound:
    slope = np.asarray(attributes.get("alpha", 0.01), x.dtype)
    low, out = np.empty(x.shape, x.dtype), np.empty(x.shape, x.dtype)
    zero = np.zeros((), x.dtype)
    return [out], [
        partial(np.minimum, x, zero, out=low),
        partial(np.multiply, low, slope, low),
        partial(np.maximum, x, zero, out=out),
        partial(np.add, out, low, out),
    ]


def _elu(attributes: Attributes, x: Array) -> Bound:
    scale = np.asarray(attributes.get("alpha", 1.0), x.dtype)
    low, out = np.empty(x.shape, x.dtype), np.empty(x.shape, x.dtype)
    zero = np.zeros((), x.dtype)
    return [out], [
        partial(np.minimum, x, zero, out=low),
        partial(np.expm1, low, low),
        partial(np.multiply, low, scale, low),
        partial(np.maximum, x, zero, out=out),
        partial(np.add, out, low, out),
    ]


def _softplus(attributes: Attributes, x: Array) -> Bound:
    out = np.empty(x.shape, x.dtype)
    return [out], [partial(np.logaddexp, x, np.zeros((), x.dtype), out)]


def _clip(attributes: Attributes, x: Array, low: Array | None = None, high: Array | None = None) -> Bound:
    out = np.empty(x.shape, x.dtype)
    calls: list[Call] = []
    for place, (ufunc, bound) in enumerate(((np.maximum, low), (np.minimum, high)), 1):
        if bound is not None:
            full = stretched(attributes, place, bound, x.shape)
            below = out if out.size > 1 or not calls else np.empty_like(out)
            calls.append(partial(ufunc, out if calls else x, full, out=below))
            out = below
    return [out], calls or [partial(np.copyto, out, x)]


# --- dense layers ------------------------------------------------------------------------------------------


def _matmul(attributes: Attributes, a: Array, b: Array) -> Bound:
    shape = np.matmul(np.zeros(a.shape, np.int8), np.zeros(b.shape, np.int8)).shape
    out = np.empty(shape, a.dtype)
    product = np.dot if a.ndim == b.ndim == 2 else np.matmul
    return [out], [partial(product, a, b, out)]


def _dense(attributes: Attributes, x: Array, weight: Array, bias: Array | None = None) -> Bound:
    """``x @ weight + bias`` for ``[B, K] x [K, N]``, then the activation; np.dot starts sooner than @."""
    out = np.empty((x.shape[0], weight.shape[1]), x.dtype)
    calls: list[Call] = [partial(np.dot, x, weight, out)]
    if bias is not None:
        # In place, numpy takes a slow path for arrays of one number.
        product, out = out, out if out.size > 1 else np.empty_like(out)
        calls.append(partial(np.add, product, stretched(attributes, 2, bias, out.shape), out))
    return [out], calls + activated(attributes, out)


# --- reductions --------------------------------------------------------------------------------------------


def _axes(attributes: Attributes, axes: Array | None, ndim: int) -> tuple[int, ...]:
    if axes is None or axes.size == 0:
        return () if attributes.get("noop_with_empty_axes", 0) else tuple(range(ndim))
    return tuple(int(axis) % ndim for axis in axes.reshape(-1))


def _reduce(ufunc: np.ufunc, mean: bool = False) -> Callable[..., Bound]:
    def bind(attributes: Attributes, x: Array, axes: Array | None = None) -> Bound:
        over = _axes(attributes, axes, x.ndim)
        keep = bool(attributes.get("keepdims", 1))
        out = np.empty(np.sum(np.zeros(x.shape, np.int8), axis=over, keepdims=keep).shape, x.dtype)
        calls: list[Call] = [partial(ufunc.reduce, x, axis=over, out=out, keepdims=keep)]
        if mean:
            count = np.asarray(max(int(np.prod([x.shape[axis] for axis in over])), 1), x.dtype)
            calls.append(partial(np.divide, out, count, out))
        return [out], calls

    return bind


def _softmax(log: bool) -> Callable[..., Bound]:
    def bind(attributes: Attributes, x: Array) -> Bound:
        axis = attributes.get("axis", -1)
        shape = np.max(np.zeros(x.shape, np.int8), axis=axis, keepdims=True).shape
        top, total = np.empty(shape, x.dtype), np.empty(shape, x.dtype)
        out, powers = np.empty(x.shape, x.dtype), np.empty(x.shape, x.dtype)
        calls: list[Call] = [
            partial(np.maximum.reduce, x, axis, None, top, True),
            partial(np.subtract, x, top, out),
            partial(np.exp, out, powers),
            partial(np.add.reduce, powers, axis, None, total, True),
        ]
        if log:
            return [out], [*calls, partial(np.log, total, total), partial(np.subtract, out, total, out)]
        return [out], [*calls, partial(np.divide, powers, total, out)]

    return bind


def _layer_norm(attributes: Attributes, x: Array, scale: Array, bias: Array | None = None) -> Bound:
    first = attributes.get("axis", -1) % x.ndim
    over = tuple(range(first, x.ndim))
    shape = x.shape[:first] + (1,) * len(over)
    count = np.asarray(int(np.prod(x.shape[first:])), x.dtype)
    mean, spread = np.empty(shape, x.dtype), np.empty(shape, x.dtype)
    square, out = np.empty(x.shape, x.dtype), np.empty(x.shape, x.dtype)
    calls: list[Call] = [
        partial(np.add.reduce, x, over, None, mean, True),
        partial(np.divide, mean, count, mean),
        partial(np.subtract, x, mean, out),
        partial(np.multiply, out, out, square),
        partial(np.add.reduce, square, over, None, spread, True),
        partial(np.divide, spread, count, spread),
        partial(np.add, spread, np.asarray(attributes.get("epsilon", 1e-5), x.dtype), spread),
        partial(np.sqrt, spread, spread),
        partial(np.divide, out, spread, out),
        partial(np.multiply, out, scale, out),
    ]
    if bias is not None:
        calls.append(partial(np.add, out, bias, out))
    return [out], calls


# --- selection and copies ----------------------------------------------------------------------------------


def _where(attributes: Attributes, condition: Array, a: Array, b: Array) -> Bound:
    out = np.empty(np.broadcast_shapes(condition.shape, a.shape, b.shape), a.dtype)
    a, b = stretched(attributes, 1, a, out.shape), stretched(attributes, 2, b, out.shape)
    if condition.shape == a.shape == b.shape:  # both calls start sooner than copyto, and stretch nothing
        return [out], [partial(setitem, out, ..., b), partial(np.putmask, out, condition, a)]
    return [out], [partial(np.copyto, out, b), partial(np.copyto, out, a, where=condition)]


def _cast(attributes: Attributes, x: Array) -> Bound:
    dtype = np.dtype(attributes["dtype"])
    if dtype == x.dtype:
        return [x], []
    out = np.empty(x.shape, dtype)
    return [out], [partial(np.copyto, out, x, casting="unsafe")]


def _concat(attributes: Attributes, *operands: Array) -> Bound:
    axis = attributes["axis"]
    out = np.concatenate([np.zeros_like(x) for x in operands], axis=axis)
    calls: list[Call] = []
    start = 0
    for x in operands:
        stop = start + x.shape[axis]
        place: list[slice] = [slice(None)] * out.ndim
        place[axis] = slice(start, stop)
        calls.append(partial(np.copyto, out[tuple(place)], x))
        start = stop
    return [out], calls


BINDERS: dict[str, Callable[..., Bound]] = {
    "Abs": _unary(np.absolute),
    "Add": _binary(np.add),
    "And": _binary(np.logical_and, np.bool_),
    "Cast": _cast,
    "Clip": _clip,
    "Concat": _concat,
    "Dense": _dense,
    "Div": _divide,
    "Elu": _elu,
    "Equal": _binary(np.equal, np.bool_),
    "Exp": _unary(np.exp),
    "Greater": _binary(np.greater, np.bool_),
    "LayerNormalization": _layer_norm,
    "LeakyRelu": _leaky_relu,
    "Less": _binary(np.less, np.bool_),
    "Log": _unary(np.log),
    "LogSoftmax": _softmax(log=True),
    "MatMul": _matmul,
    "Max": _binary(np.maximum),
    "Min": _binary(np.minimum),
    "Mul": _binary(np.multiply),
    "Neg": _unary(np.negative),
    "Not": _unary(np.logical_not),
    "Or": _binary(np.logical_or, np.bool_),
    "Pow": _binary(np.power),
    "Reciprocal": _unary(np.reciprocal),
    "ReduceMax": _reduce(np.maximum),
    "ReduceMean": _reduce(np.add, mean=True),
    "ReduceMin": _reduce(np.minimum),
    "ReduceSum": _reduce(np.add),
    "Softmax": _softmax(log=False),
    "Softplus": _softplus,
    "Sqrt": _unary(np.sqrt),
    "Sub": _binary(np.subtract),
    "Where": _where,
    **{name: _activation(name) for name in ACTIVATIONS},
}

#: operands that say what shape things have: they must be known before the first run
STATIC: dict[str, tuple[int, ...]] = {
    "ConstantOfShape": (0,),
    "CumSum": (1,),
    "Expand": (1,),
    "Pad": (1, 3),
    "ReduceMax": (1,),
    "ReduceMean": (1,),
    "ReduceMin": (1,),
    "ReduceSum": (1,),
    "Reshape": (1,),
    "Slice": (1, 2, 3, 4),
    "Split": (1,),
    "Squeeze": (1,),
    "Unsqueeze": (1,),
}
