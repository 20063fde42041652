"""Working memory of the scripted players, a row for each block of seats that one thread plans. Portable.

Nothing in it lasts: a seat's plan starts from the game's state alone.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

#: seats that one thread plans together
SEATS = 16

# Bits of `Room.claim`: nobody may step here this turn; a worker of ours gathers here; one builds here.
BLOCKED, GATHERED, BUILT = 1, 2, 4
# What `Room.total` counts: workers, workers' places to gather, own city tiles, fuel that all cities lack together,
# fuel that the workers are trusted to bring until morning, fuel on the map that may
# be gathered now, and all fuel on it; fuel that may yet be promised to new tiles for all nights to come.
WORKERS, PLACES, TILES, LACK, HOPE, STOCK, FUTURE, CREDIT = 0, 1, 2, 3, 4, 5, 6, 7


class Room(NamedTuple):
    """Working memory for D blocks on boards of C cells; C is nowhere, as in `state`."""

    #: ``[D, C + 1]`` int32: points and cargo a turn for a worker that gathers on the cell
    worth: npt.NDArray[np.int32]
    rate: npt.NDArray[np.int32]
    #: ``[D, C + 1]`` int32: fuel a turn for a city whose tile is on the cell, with a worker in it
    fuel: npt.NDArray[np.int32]
    #: ``[D, C + 1]`` int32: points for a city tile on the cell, 0 where none can or should be
    site: npt.NDArray[np.int32]
    #: ``[D, C + 1]`` int8: bits BLOCKED, GATHERED, BUILT
    claim: npt.NDArray[np.int8]
    #: ``[D, C + 1]`` int16: steps from where the last walk started, -1 if it cannot be reached
    steps: npt.NDArray[np.int16]
    #: ``[D, C + 1]`` int8: first direction of the way there
    way: npt.NDArray[np.int8]
    #: ``[D, C + 1]`` int16: steps from the nearest own city tile or unit, -1 if there is no way
    away: npt.NDArray[np.int16]
    #: ``[D, C + 1]`` int16: cells in the order in which the walk reached them
    reached: npt.NDArray[np.int16]
    #: ``[D, C]`` int32: fuel that each city (by slot) lacks for the night to come; less than 0: can spare
    lacks: npt.NDArray[np.int32]
    #: ``[D, C]`` int32: the same for all nights to come
    wants: npt.NDArray[np.int32]
    #: ``[D, 8]`` int32: WORKERS, PLACES, TILES, LACK, HOPE, STOCK
    total: npt.NDArray[np.int32]


def make_room(num_seats: int, cells: int) -> Room:
    """Working memory for `num_seats`."""
    blocks = (num_seats + SEATS - 1) // SEATS
    return Room(
        worth=np.zeros((blocks, cells + 1), np.int32),
        rate=np.zeros((blocks, cells + 1), np.int32),
        fuel=np.zeros((blocks, cells + 1), np.int32),
        site=np.zeros((blocks, cells + 1), np.int32),
        claim=np.zeros((blocks, cells + 1), np.int8),
        steps=np.zeros((blocks, cells + 1), np.int16),
        way=np.zeros((blocks, cells + 1), np.int8),
        away=np.zeros((blocks, cells + 1), np.int16),
        reached=np.zeros((blocks, cells + 1), np.int16),
        lacks=np.zeros((blocks, cells), np.int32),
        wants=np.zeros((blocks, cells), np.int32),
        total=np.zeros((blocks, 8), np.int32),
    )
