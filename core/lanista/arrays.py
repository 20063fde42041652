"""The shape letters that every docstring uses, and the array types behind them.

T  steps of a rollout               B  rows that act (ragged over N x S)
N  games stepped in lock-step       U  acting units (a flat table over all games)
S  seats of a game                  A  actions of a head
C, H, W  planes of a board          R  rows of a rollout's flat table: R = N * S
"""

from typing import Any

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
AnyArray = npt.NDArray[Any]

__all__ = ["AnyArray", "BoolArray", "FloatArray", "IntArray"]
