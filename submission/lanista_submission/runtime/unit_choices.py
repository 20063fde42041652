"""What a seat's units choose, one after another in the order of their table. Portable: numpy alone.

Choices that only one unit of a cell may take are closed to the units behind one that has taken it, unless that leaves
them nothing: the very rule by which the policy was trained (lanista's head ``units``).
"""

import random
from collections.abc import Sequence
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]


def choose_units(
    scores: Array,
    legal: Array,
    cell: Array,
    kind: Array,
    exclusive: Sequence[Sequence[int]],
    rng: random.Random | None,
) -> Array:
    """Give ``[U]`` int64: each unit's most probable open choice (of equals the first), or one drawn by `rng`.

    `scores` are ``[U, A]`` logits, `exclusive` the choices of each kind that one unit of a cell may take.
    """
    open_to = legal & np.isfinite(scores)
    # What cannot be compared is no score: the first legal choice is left.
    values = np.where(open_to, scores.astype(np.float64), -np.inf)
    choices: Array = values.argmax(axis=1)
    choices[~open_to.any(axis=1)] = legal[~open_to.any(axis=1)].argmax(axis=1)
    once = [frozenset(choice) for choice in exclusive] or None
    shared = set() if once is None else _shared(cell)
    if rng is None and not shared:
        return choices
    taken: dict[int, set[int]] = {}
    for unit in range(len(choices)):
        place, own = int(cell[unit]), frozenset() if once is None else once[int(kind[unit])]
        row = values[unit]
        closed = taken.get(place, set()) & own if place in shared else set()
        if closed:
            narrowed = row.copy()
            narrowed[list(closed)] = -np.inf
            row = narrowed if np.isfinite(narrowed).any() else row
        if np.isfinite(row).any():
            choices[unit] = int(row.argmax()) if rng is None else _draw(row, rng)
        if place in shared and int(choices[unit]) in own:
            taken.setdefault(place, set()).add(int(choices[unit]))
    return choices


def _shared(cell: Array) -> set[int]:
    """The cells of more than one unit."""
    places, counts = np.unique(cell, return_counts=True)
    return set(places[counts > 1].tolist())


def _draw(row: Array, rng: random.Random) -> int:
    """Draw by the softmax of `row`, in float64; -inf is never met."""
    rising = np.exp(row - row.max()).cumsum()
    return min(int(np.searchsorted(rising, rng.random() * rising[-1], side="right")), len(rising) - 1)
