"""Actions as arrays, by what a head's spec declares; no policy and no head plugin is asked here.

A head's action is one of A choices (int64, behind a mask of legal ones) or, where the spec gives bounds, A real
numbers inside them (float32, no mask). Nothing else in lanista needs to know which of the two it has before it.
"""

import numpy as np
import numpy.typing as npt

from lanista.arrays import AnyArray, BoolArray, FloatArray, IntArray
from lanista.env import VecEnv
from lanista.spec import EnvSpec, HeadSpec


def blank_actions(spec: EnvSpec, *leading: int) -> dict[str, AnyArray]:
    """An array of zeros for every head, ``[*leading]`` or, of real numbers, ``[*leading, A]``."""
    return {head.name: np.zeros((*leading, *head.action_shape), head.action_dtype) for head in spec.heads}


def first_actions(head: HeadSpec, legal: BoolArray | None, rows: int) -> AnyArray:
    """A valid action for each of `rows` rows: the first legal choice, or the middle of the bounds."""
    if head.continuous:
        return random_actions(head, None, np.full((rows, head.size), 0.5))
    first: AnyArray = np.zeros(rows, np.int64) if legal is None else legal.argmax(axis=-1)
    return first


def random_actions(head: HeadSpec, legal: BoolArray | None, uniform: AnyArray) -> AnyArray:
    """Turn numbers from [0, 1), ``[..., A]``, into actions that are uniform over the legal choices or the bounds."""
    if not head.continuous:
        chosen: AnyArray = (uniform if legal is None else np.where(legal, uniform, -1.0)).argmax(axis=-1)
        return chosen
    low, high = bounds(head)
    drawn: FloatArray = (low + (high.astype(np.float64) - low) * uniform).astype(np.float32)
    return np.clip(drawn, low, high)


def bounds(head: HeadSpec) -> tuple[FloatArray, FloatArray]:
    """The lowest and the highest of each of the A numbers of a continuous head."""
    return np.array(head.low, np.float32), np.array(head.high, np.float32)


def units_of_rows(env: VecEnv, rows: IntArray) -> BoolArray:
    """``[U]``: which units of the env's table are those of the rows ``game * S + seat``, which rise."""
    asked = np.zeros(len(env.unit_offsets) - 1, np.bool_)
    asked[rows] = True
    picked: BoolArray = asked[env.unit_row]
    return picked


def agreement(head: HeadSpec, first: AnyArray, second: AnyArray) -> FloatArray:
    """How far two players' actions agree, ``[B]`` in 0..1.

    Of choices 1 for the same and 0 for another; of real numbers 1 less the mean distance in shares of the range.
    """
    if not head.continuous:
        shared: FloatArray = np.equal(first, second).astype(np.float32)
        return shared
    low, high = bounds(head)
    distance = np.abs(first.astype(np.float64) - second) / (high.astype(np.float64) - low)
    nearness: FloatArray = (1.0 - distance.mean(axis=-1)).astype(np.float32)
    return nearness


def action_words(head: HeadSpec, action: AnyArray) -> npt.NDArray[np.uint64]:
    """Actions as whole numbers above 0, ``[..., 1]`` or ``[..., A]``: other actions, other numbers."""
    if head.continuous:
        return np.ascontiguousarray(action, np.float32).view(np.uint32).astype(np.uint64) + np.uint64(1)
    return (action[..., None] + 1).astype(np.uint64)
