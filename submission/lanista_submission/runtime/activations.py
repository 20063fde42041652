"""Activations of the runtime: the calls that fill `out` from `x`. Portable: numpy and stdlib only.

`out` may be `x` itself; whatever else a formula needs is allocated here, once a batch size.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]
Call = Callable[[], Any]


def relu_calls(x: Array, out: Array) -> list[Call]:
    """max(x, 0)."""
    # A zero of the same shape where that is small: numpy need not stretch it at every call.
    zero = np.zeros(x.shape if x.size <= 1 << 14 else (), x.dtype)
    return [partial(np.maximum, x, zero, out=out)]


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
        partial(np.maximum, inner, np.zeros((), x.dtype), out=inner),
        partial(np.minimum, inner, one, out=inner),
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


def activated(attributes: dict[str, Any], out: Array) -> list[Call]:
    """The calls of the activation that the plan fused into a step, in place on the step's own output."""
    name = attributes.get("activation")
    return ACTIVATIONS[name](out, out) if name else []
