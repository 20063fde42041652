"""The operators of the runtime, bound once a batch size. Portable: numpy and the standard library only.

A *binder* gets an operator's attributes and its operands, all of them arrays of fixed shape, and gives the
output arrays and the calls (without arguments) that fill them from the operands. Operators that only look at
their operand in another way (Reshape, Transpose, Slice, ...) give a view and no call at all, so they cost
nothing at run time. A binder writes into arrays of its own only, never into an operand.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]
Call = Callable[[], Any]
Bound = tuple[list[Array], list[Call]]
Attributes = dict[str, Any]


class RuntimeFault(Exception):
    """A plan asks for something that the runtime cannot give; the text says what."""


def _unary(ufunc: Callable[..., Any]) -> Callable[..., Bound]:
    def bind(attributes: Attributes, x: Array) -> Bound:
        out = np.empty(x.shape, x.dtype)
        return [out], [partial(ufunc, x, out)]

    return bind


def _binary(ufunc: Callable[..., Any], dtype: Any = None) -> Callable[..., Bound]:  # noqa: ANN401 - a numpy type
    def bind(attributes: Attributes, *operands: Array) -> Bound:
        out, calls = operands[0], []
        for x in operands[1:]:
            left, out = out, np.empty(np.broadcast_shapes(out.shape, x.shape), dtype or out.dtype)
            calls.append(partial(ufunc, left, x, out))
        return [out], calls

    return bind


def _divide(attributes: Attributes, a: Array, b: Array) -> Bound:
    out = np.empty(np.broadcast_shapes(a.shape, b.shape), a.dtype)
    if a.dtype.kind == "f":
        return [out], [partial(np.divide, a, b, out)]
    # ONNX divides integers towards zero, numpy towards minus infinity; fmod has the dividend's sign.
    rest = np.empty_like(out)
    return [out], [
        partial(np.fmod, a, b, rest),
        partial(np.subtract, a, rest, rest),
        partial(np.floor_divide, rest, b, out),
    ]


# --- activations: `activate` fills `out` from `x`; the two may be one array ---------------------------------


def relu_calls(x: Array, out: Array) -> list[Call]:
    """max(x, 0)."""
    return [partial(np.maximum, x, np.zeros((), x.dtype), out)]


def tanh_calls(x: Array, out: Array) -> list[Call]:
    """tanh(x)."""
    return [partial(np.tanh, x, out)]


def sigmoid_calls(x: Array, out: Array) -> list[Call]:
    """1 / (1 + exp(-x)), through tanh, which cannot overflow."""
    half = np.asarray(0.5, x.dtype)
    return [
        partial(np.multiply, x, half, out),
        partial(np.tanh, out, out),
        partial(np.multiply, out, half, out),
        partial(np.add, out, half, out),
    ]


#: Abramowitz and Stegun, Handbook of Mathematical Functions, 7.1.26: |error| <= 1.5e-7.
_ERF_SLOPE = 0.3275911
_ERF = (1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592)


def erf_calls(x: Array, out: Array) -> list[Call]:
    """The error function: sign(x) * (1 - poly(t) * exp(-x^2)) with t = 1 / (1 + p |x|)."""

    def number(value: float) -> Array:
        return np.asarray(value, x.dtype)

    t, bell = np.empty(x.shape, x.dtype), np.empty(x.shape, x.dtype)
    sign = np.empty(x.shape, x.dtype)
    calls: list[Call] = [
        partial(np.copyto, sign, x),
        partial(np.absolute, x, t),
        partial(np.multiply, t, t, bell),
        partial(np.negative, bell, bell),
        partial(np.exp, bell, bell),
        partial(np.multiply, t, number(_ERF_SLOPE), t),
        partial(np.add, t, number(1.0), t),
        partial(np.reciprocal, t, t),
        partial(np.multiply, t, number(_ERF[0]), out),
    ]
    for coefficient in _ERF[1:]:
        calls += [partial(np.add, out, number(coefficient), out), partial(np.multiply, out, t, out)]
    return [
        *calls,
        partial(np.multiply, out, bell, out),
        partial(np.subtract, number(1.0), out, out),
        partial(np.copysign, out, sign, out),
    ]


def gelu_calls(x: Array, out: Array) -> list[Call]:
    """x * (1 + erf(x / sqrt 2)) / 2."""
    scaled, kept = np.empty(x.shape, x.dtype), np.empty(x.shape, x.dtype)
    half, root = np.asarray(0.5, x.dtype), np.asarray(0.5**0.5, x.dtype)
    return [
        partial(np.multiply, x, half, kept),
        partial(np.multiply, x, root, scaled),
        *erf_calls(scaled, scaled),
        partial(np.multiply, scaled, kept, scaled),
        partial(np.add, scaled, kept, out),
    ]


def gelu_tanh_calls(x: Array, out: Array) -> list[Call]:
    """x * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 x^3))) / 2, the usual approximation."""
    inner, kept = np.empty(x.shape, x.dtype), np.empty(x.shape, x.dtype)
    half, cubic = np.asarray(0.5, x.dtype), np.asarray(0.044715, x.dtype)
    slope, one = np.asarray((2.0 / np.pi) ** 0.5, x.dtype), np.ones((), x.dtype)
    return [
        partial(np.multiply, x, half, kept),
        partial(np.multiply, x, x, inner),
        partial(np.multiply, inner, cubic, inner),
        partial(np.add, inner, one, inner),
        partial(np.multiply, inner, x, inner),
        partial(np.multiply, inner, slope, inner),
        partial(np.tanh, inner, inner),
        partial(np.add, inner, one, inner),
        partial(np.multiply, inner, kept, out),
    ]


def mish_calls(x: Array, out: Array) -> list[Call]:
    """x * tanh(log(1 + exp(x)))."""
    inner = np.empty(x.shape, x.dtype)
    return [
        partial(np.logaddexp, x, np.zeros((), x.dtype), inner),
        partial(np.tanh, inner, inner),
        partial(np.multiply, inner, x, out),
    ]


def hard_swish_calls(x: Array, out: Array) -> list[Call]:
    """x * min(max(x / 6 + 1 / 2, 0), 1)."""
    inner, one = np.empty(x.shape, x.dtype), np.ones((), x.dtype)
    return [
        partial(np.multiply, x, np.asarray(1.0 / 6.0, x.dtype), inner),
        partial(np.add, inner, np.asarray(0.5, x.dtype), inner),
        partial(np.maximum, inner, np.zeros((), x.dtype), inner),
        partial(np.minimum, inner, one, inner),
        partial(np.multiply, inner, x, out),
    ]


ACTIVATIONS: dict[str, Callable[[Array, Array], list[Call]]] = {
    "Erf": erf_calls,
    "Gelu": gelu_calls,
    "GeluTanh": gelu_tanh_calls,
    "HardSwish": hard_swish_calls,
    "Mish": mish_calls,
    "Relu": relu_calls,
    "Sigmoid": sigmoid_calls,
    "Tanh": tanh_calls,
}


def _activation(name: str) -> Callable[..., Bound]:
    def bind(attributes: Attributes, x: Array) -> Bound:
        out = np.empty(x.shape, x.dtype)
        return [out], ACTIVATIONS[name](x, out)

    return bind


def activated(attributes: Attributes, out: Array) -> list[Call]:
    """The calls of the activation that the plan fused into a step, in place on the step's own output."""
    name = attributes.get("activation")
    return ACTIVATIONS[name](out, out) if name else []


def _leaky_relu(attributes: Attributes, x: Array) -> Bound:
    slope = np.asarray(attributes.get("alpha", 0.01), x.dtype)
    low, out = np.empty(x.shape, x.dtype), np.empty(x.shape, x.dtype)
    zero = np.zeros((), x.dtype)
    return [out], [
        partial(np.minimum, x, zero, low),
        partial(np.multiply, low, slope, low),
        partial(np.maximum, x, zero, out),
        partial(np.add, out, low, out),
    ]


def _elu(attributes: Attributes, x: Array) -> Bound:
    scale = np.asarray(attributes.get("alpha", 1.0), x.dtype)
    low, out = np.empty(x.shape, x.dtype), np.empty(x.shape, x.dtype)
    zero = np.zeros((), x.dtype)
    return [out], [
        partial(np.minimum, x, zero, low),
        partial(np.expm1, low, low),
        partial(np.multiply, low, scale, low),
        partial(np.maximum, x, zero, out),
        partial(np.add, out, low, out),
    ]


def _softplus(attributes: Attributes, x: Array) -> Bound:
    out = np.empty(x.shape, x.dtype)
    return [out], [partial(np.logaddexp, x, np.zeros((), x.dtype), out)]


def _clip(attributes: Attributes, x: Array, low: Array | None = None, high: Array | None = None) -> Bound:
    out = np.empty(x.shape, x.dtype)
    calls: list[Call] = [partial(np.copyto, out, x)]
    if low is not None:
        calls.append(partial(np.maximum, out, low, out))
    if high is not None:
        calls.append(partial(np.minimum, out, high, out))
    return [out], calls


# --- dense layers ------------------------------------------------------------------------------------------


def _matmul(attributes: Attributes, a: Array, b: Array) -> Bound:
    shape = np.matmul(np.zeros(a.shape, np.int8), np.zeros(b.shape, np.int8)).shape
    out = np.empty(shape, a.dtype)
    product = np.dot if a.ndim == b.ndim == 2 else np.matmul
    return [out], [partial(product, a, b, out)]


def _dense(attributes: Attributes, x: Array, weight: Array, bias: Array | None = None) -> Bound:
    """``x @ weight + bias`` for ``[B, K] x [K, N]``, then the fused activation; np.dot starts sooner than matmul."""
    out = np.empty((x.shape[0], weight.shape[1]), x.dtype)
    calls: list[Call] = [partial(np.dot, x, weight, out)]
    if bias is not None:
        calls.append(partial(np.add, out, bias, out))
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
        calls: list[Call] = [partial(ufunc.reduce, x, over, None, out, keep)]
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
    calls, start = [], 0
    for x in operands:
        stop = start + x.shape[axis]
        place: list[slice] = [slice(None)] * out.ndim
        place[axis] = slice(start, stop)
        calls.append(partial(np.copyto, out[tuple(place)], x))
        start = stop
    return [out], calls


def _gather(attributes: Attributes, x: Array, indices: Array) -> Bound:
    axis = attributes.get("axis", 0) % x.ndim
    out = np.empty(x.shape[:axis] + indices.shape + x.shape[axis + 1 :], x.dtype)
    return [out], [partial(np.take, x, indices, axis, out)]


def _select(attributes: Attributes, x: Array) -> Bound:
    """One entry of an axis, the axis dropped: what Gather with one known index means."""
    place: list[Any] = [slice(None)] * x.ndim
    place[attributes["axis"]] = attributes["index"]
    return [x[tuple(place)]], []


# --- views -------------------------------------------------------------------------------------------------


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
    "Expand": _expand,
    "Flatten": _flatten,
    "Gather": _gather,
    "Greater": _binary(np.greater, np.bool_),
    "Identity": _identity,
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
    "Reshape": _reshape,
    "Select": _select,
    "Shape": _shape,
    "Slice": _slice,
    "Softmax": _softmax(log=False),
    "Softplus": _softplus,
    "Split": _split,
    "Sqrt": _unary(np.sqrt),
    "Squeeze": _squeeze,
    "Sub": _binary(np.subtract),
    "Transpose": _transpose,
    "Unsqueeze": _unsqueeze,
    "Where": _where,
    **{name: _activation(name) for name in ACTIVATIONS},
}

#: operands that say what shape things have: they must be known before the first run
STATIC: dict[str, tuple[int, ...]] = {
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
