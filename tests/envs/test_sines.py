"""Sine and cosine of small angles are the C library's own, to the last bit."""

import math

import numpy as np
import pytest

from lanista.kernels import compile_kernels
from lanista_envs.cartpole import sines


def written(kernels, angle):
    n = len(angle)
    sine, cosine = np.full(n, np.nan), np.full(n, np.nan)
    unsure, places = np.zeros(n, np.bool_), np.zeros(n, np.int64)
    kernels.write_sines(angle, sine, unsure, places)
    kernels.write_cosines(angle, cosine, unsure, places)
    return sine, cosine


@pytest.mark.parametrize("scale", [1e-9, 1e-3, 0.05, 0.21, 0.25, 1.0, 30.0])
def test_every_bit_is_the_librarys(scale):
    angle = np.random.default_rng(1).uniform(-scale, scale, 300_000)
    sine, cosine = written(compile_kernels(sines, label="cartpole"), angle)
    assert np.array_equal(sine, [math.sin(x) for x in angle])
    assert np.array_equal(cosine, [math.cos(x) for x in angle])
    assert np.array_equal(sine, np.sin(angle))
    assert np.array_equal(cosine, np.cos(angle))


def test_special_angles():
    angle = np.array([0.0, -0.0, sines.SMALL, -sines.SMALL, math.pi, 5e-324, 1e-160, 2.0**-27])
    sine, cosine = written(compile_kernels(sines, label="cartpole"), angle)
    assert np.array_equal(sine, [math.sin(x) for x in angle])
    assert np.array_equal(np.signbit(sine), np.signbit(angle))
    assert np.array_equal(cosine, [math.cos(x) for x in angle])


def test_most_angles_need_no_library(monkeypatch):
    """Uncompiled, with a library that counts its calls."""
    calls = []

    class Library:
        sin = staticmethod(lambda x: calls.append(x) or math.sin(x))
        cos = staticmethod(lambda x: calls.append(x) or math.cos(x))

    monkeypatch.setattr(sines, "math", Library)
    written(sines, np.random.default_rng(0).uniform(-0.21, 0.21, 4000))
    assert 0.05 < len(calls) / 8000 < 0.25
