"""Rows of numbers in another order, as plain loops that numba compiles. Portable."""

import numpy as np

from lanista.arrays import AnyArray, IntArray


def move_rows(source: AnyArray, element: IntArray, order: IntArray, out: AnyArray) -> None:
    """Fill `out` (``[R, K]``): number k of row r is number ``order[element[r], k]`` of the row."""
    for row in range(source.shape[0]):
        own = order[element[row]]
        for k in range(source.shape[1]):
            out[row, k] = source[row, own[k]]


def shift_rows(
    source: AnyArray, element: IntArray, order: IntArray, sign: AnyArray, shift: AnyArray, out: AnyArray
) -> None:
    """As `move_rows`, each number times ``sign`` plus ``shift`` (both ``[G, K]`` float64, by its new place)."""
    for row in range(source.shape[0]):
        g = element[row]
        for k in range(source.shape[1]):
            out[row, k] = sign[g, k] * np.float64(source[row, order[g, k]]) + shift[g, k]


def rename_choices(action: IntArray, element: IntArray, choices: IntArray, out: IntArray) -> None:
    """Fill `out` (``[R]``): choice a of row r is called ``choices[element[r], a]``; -1, no choice, stays."""
    for row in range(action.shape[0]):
        out[row] = choices[element[row], action[row]] if action[row] >= 0 else action[row]
