"""Working memory of the kernels: what a step must remember between its phases, and room to count in. Portable.

Nothing here is state: `plan`, `building`, `arrivals` and `head` are zeros between steps, the rest is leftover that
nobody reads. Rows are games for what lives from one phase to the next; for what a phase needs for one game at a
time they are blocks of games that one thread plays.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

#: games that one thread plays together
BLOCK = 16


class Scratch(NamedTuple):
    """Working memory for N games of C cells in D blocks."""

    #: ``[N, 2, C]`` int32, by unit: 0 no order; v > 0 the order in row v - 1; v < 0 a move to cell -v - 1
    plan: npt.NDArray[np.int32]
    #: ``[N]`` int32: moves in `mover`
    num_moves: npt.NDArray[np.int32]
    #: ``[N, 2 C]`` int32: units with an accepted move, ``team * C + slot``
    mover: npt.NDArray[np.int32]
    #: ``[N, 2 C]`` int16: the cells that they move to
    move_to: npt.NDArray[np.int16]
    #: ``[N]`` int32: tiles in `builder`
    num_builds: npt.NDArray[np.int32]
    #: ``[N, C]`` int16: cells of the city tiles that build a unit
    builder: npt.NDArray[np.int16]
    #: ``[N, C + 1]`` int8: what the tile builds (an order's kind), 0 nothing
    building: npt.NDArray[np.int8]

    #: ``[D, C + 1]`` int16: moves into a cell, -1 once they are cancelled
    arrivals: npt.NDArray[np.int16]
    #: ``[D, C + 1]`` int32: the last of the moves (places in `mover`) or requests for a cell, plus 1
    head: npt.NDArray[np.int32]
    #: ``[D, 10 C]`` int32: the next one for the same cell, plus 1
    link: npt.NDArray[np.int32]
    #: ``[D, C + 1]`` int16: cells yet to be looked at
    stack: npt.NDArray[np.int16]
    #: ``[D, 2 C]`` int32: workers beside a resource, ``team * C + slot``
    gatherer: npt.NDArray[np.int32]
    #: ``[D, 10 C]``: requests for a resource tile: from which cell, how much, for whom (a worker as in
    #: `gatherer`, or the city on a cell as ``-1 - cell``)
    ask_from: npt.NDArray[np.int16]
    ask_amount: npt.NDArray[np.int16]
    ask_who: npt.NDArray[np.int32]


def count_blocks(num_games: int) -> int:
    """How many blocks `num_games` fill, the last perhaps in part."""
    return (num_games + BLOCK - 1) // BLOCK


def allocate_scratch(num_games: int, width: int, height: int) -> Scratch:
    """Working memory for `num_games`."""
    n, cells, blocks = num_games, width * height, count_blocks(num_games)
    return Scratch(
        plan=np.zeros((n, 2, cells), np.int32),
        num_moves=np.zeros(n, np.int32),
        mover=np.zeros((n, 2 * cells), np.int32),
        move_to=np.zeros((n, 2 * cells), np.int16),
        num_builds=np.zeros(n, np.int32),
        builder=np.zeros((n, cells), np.int16),
        building=np.zeros((n, cells + 1), np.int8),
        arrivals=np.zeros((blocks, cells + 1), np.int16),
        head=np.zeros((blocks, cells + 1), np.int32),
        link=np.zeros((blocks, 10 * cells), np.int32),
        stack=np.zeros((blocks, cells + 1), np.int16),
        gatherer=np.zeros((blocks, 2 * cells), np.int32),
        ask_from=np.zeros((blocks, 10 * cells), np.int16),
        ask_amount=np.zeros((blocks, 10 * cells), np.int16),
        ask_who=np.zeros((blocks, 10 * cells), np.int32),
    )
