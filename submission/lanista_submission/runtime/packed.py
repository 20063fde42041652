"""Weights that a plan keeps as int8. Portable: numpy and the standard library only.

A packed weight is int8 ``q`` with a scale for each entry of one axis (the layer's outputs), and for a first layer
that the scaling of the inputs was folded into also a factor for each input: ``w = q * scale [* rows]``. It is
written out in float32 when the plan is read: the file is smaller, a pass costs the same.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from .activations import Array


def spread_scale(scale: Array, axis: int, ndim: int) -> Array:
    """``[K]`` along `axis` of an array with `ndim` axes."""
    return scale.reshape([-1 if place == axis else 1 for place in range(ndim)])


def unpacked(plan: Mapping[str, Any], weights: Mapping[str, Array]) -> dict[str, Array]:
    """The constants of a plan, the packed ones in float32; scales and factors themselves are left out."""
    packed: Mapping[str, Any] = plan.get("packed", {})
    extra = {name for entry in packed.values() for name in (entry["scale"], entry["rows"])}
    found = {name: array for name, array in weights.items() if name not in extra}
    for name, entry in packed.items():
        q = weights[name]
        full = q.astype(np.float32) * spread_scale(weights[entry["scale"]], entry["axis"], q.ndim)
        found[name] = full * weights[entry["rows"]][:, None] if entry["rows"] else full
    return found
