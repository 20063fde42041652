"""The words through which the threads of a call find their pieces of it; see `pieces`. Portable."""

import numpy as np
import numpy.typing as npt

#: places of the words, each in a cache line of its own: the call's number, its phase, its pieces and those of
#: them that are left; how many are done; whether helpers are asked to go
WORK, DONE, LEAVE = 0, 8, 16
NUM_WORDS = 24
#: a call has at most so many pieces
MOST_PIECES = (1 << 14) - 1
#: what is done for a piece of the games of an env: a turn is played and shown, games are shown, rows are written
PLAY, SHOW, ROWS = 0, 1, 2

#: ``[NUM_WORDS]`` int64
Control = npt.NDArray[np.int64]


def make_control() -> Control:
    """Words for calls that are yet to come."""
    return np.zeros(NUM_WORDS, np.int64)
