"""Working memory of the scripted players, and what a seat sees while it plans. Portable.

Nothing in it lasts: a seat's plan starts from the game's state alone.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from lanista_envs.lux.state import Board, Games

#: seats that one thread plans together, in the same working memory
SEATS = 16

# Bits of `Sight.claim`: nobody may step here this turn; a worker of ours gathers here; one builds here.
BLOCKED, GATHERED, BUILT = 1, 2, 4
# What `Sight.total` holds: workers; cells from which they can gather; own city tiles; fuel that all cities lack
# together; fuel that the workers are trusted to bring until morning; fuel on the map that they may gather now, and
# all fuel that they can get at; fuel that may yet be promised to new tiles, for all nights to come.
WORKERS, PLACES, TILES, LACK, HOPE, STOCK, FUTURE, CREDIT = 0, 1, 2, 3, 4, 5, 6, 7
NUM_TOTALS = 8


class Room(NamedTuple):
    """Working memory for D blocks of seats; the fields are those of `Sight` that a seat fills itself."""

    worth: npt.NDArray[np.int32]
    rate: npt.NDArray[np.int32]
    fuel: npt.NDArray[np.int32]
    site: npt.NDArray[np.int32]
    claim: npt.NDArray[np.int8]
    steps: npt.NDArray[np.int16]
    way: npt.NDArray[np.int8]
    away: npt.NDArray[np.int16]
    reached: npt.NDArray[np.int16]
    lacks: npt.NDArray[np.int32]
    wants: npt.NDArray[np.int32]
    total: npt.NDArray[np.int32]


class Sight(NamedTuple):
    """One seat of one game: rows of the state, which are only read, and of the room. C is nowhere, as in `state`."""

    near: npt.NDArray[np.int16]
    tile_team: npt.NDArray[np.int8]
    tile_city: npt.NDArray[np.int16]
    kinds_near: npt.NDArray[np.int8]
    #: ``[C + 1]`` int32: points and cargo a turn for a worker that gathers on the cell
    worth: npt.NDArray[np.int32]
    rate: npt.NDArray[np.int32]
    #: ``[C + 1]`` int32: fuel a turn for a city whose tile is on the cell, with a worker in it
    fuel: npt.NDArray[np.int32]
    #: ``[C + 1]`` int32: points for a city tile on the cell, 0 where none can be
    site: npt.NDArray[np.int32]
    #: ``[C + 1]`` int8: bits BLOCKED, GATHERED, BUILT
    claim: npt.NDArray[np.int8]
    #: ``[C + 1]`` int16: steps from where the last walk started, -1 if it cannot be reached
    steps: npt.NDArray[np.int16]
    #: ``[C + 1]`` int8: first direction of the way there
    way: npt.NDArray[np.int8]
    #: ``[C + 1]`` int16: steps from the nearest own city tile or unit, -1 if there is no way
    away: npt.NDArray[np.int16]
    #: ``[C + 1]`` int16: cells in the order in which a walk reached them
    reached: npt.NDArray[np.int16]
    #: ``[C]`` int32: fuel that each own city (by slot) lacks for the night to come, and for all nights to come; less
    #: than 0: can spare
    lacks: npt.NDArray[np.int32]
    wants: npt.NDArray[np.int32]
    #: ``[NUM_TOTALS]`` int32: WORKERS, PLACES, ...
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
        total=np.zeros((blocks, NUM_TOTALS), np.int32),
    )


def open_sight(g: int, b: int, board: Board, games: Games, room: Room) -> Sight:
    """What a seat of game g sees, with the working memory of block b."""
    return Sight(
        board.near, games.tile_team[g], games.tile_city[g], games.kinds_near[g],
        room.worth[b], room.rate[b], room.fuel[b], room.site[b], room.claim[b], room.steps[b], room.way[b],
        room.away[b], room.reached[b], room.lacks[b], room.wants[b], room.total[b],
    )  # fmt: skip
