"""What scripted players order, for benchmarks, recordings and the official program: state in, compact orders out."""

import threading
from collections.abc import Sequence
from functools import cache
from types import SimpleNamespace

import numpy as np
import numpy.typing as npt

from lanista.kernels import compile_kernels
from lanista_envs.lux import simple
from lanista_envs.lux.order_strings import write_order
from lanista_envs.lux.scripted import clock, packing, planner, survey, walk, workers
from lanista_envs.lux.scripted.habits import Habits
from lanista_envs.lux.scripted.room import Room, make_room
from lanista_envs.lux.state import ORDER_COLUMNS, Board, Games, Orders

#: a character, or None for the official `simple_agent`
Character = Habits | None


@cache
def kernels() -> SimpleNamespace:
    """The compiled planner."""
    return compile_kernels(
        planner,
        packing,
        simple,
        label="lux_players",
        entries=("plan_seats", "simple_seats", "pack_seats", "pick_rows"),
        borrowing=(clock, planner, simple, survey, walk, workers),
    )


#: working memory, by size; each thread has its own, since kernels let go of Python's lock
_rooms = threading.local()


def _room(num_seats: int, cells: int) -> Room:
    rooms: dict[str, Room] = _rooms.__dict__
    size = f"{num_seats} {cells}"
    if size not in rooms:
        rooms[size] = make_room(num_seats, cells)
    return rooms[size]


def plan_seats(
    character: Character,
    which: npt.NDArray[np.int64],
    teams: npt.NDArray[np.int64],
    board: Board,
    games: Games,
) -> tuple[npt.NDArray[np.int16], npt.NDArray[np.int64]]:
    """The orders of the seats ``(which[k], teams[k])``: ``[M, R, 4]``, and how many of the R rows count, ``[M]``."""
    most = (games.num_units[which, teams] + games.num_tiles[which, teams]).max(initial=0)
    rows = np.empty((len(which), int(most), ORDER_COLUMNS), np.int16)
    counts = np.zeros(len(which), np.int64)
    if character is None:
        kernels().simple_seats(which, teams, board, games, rows, counts)
    else:
        # Rounded up, so that a few rooms serve all numbers of seats.
        room = _room(1 << max(len(which) - 1, 0).bit_length(), board.width * board.height)
        kernels().plan_seats(which, teams, character, board, games, room, rows, counts)
    return rows, counts


def plan_games(characters: Sequence[Character], board: Board, games: Games) -> Orders:
    """The orders of all games for one turn: ``characters[0]`` plays seat 0 of each game, ``characters[1]`` seat 1."""
    which = np.arange(games.turn.shape[0])
    plans = [
        plan_seats(character, which, np.full(len(which), team), board, games)
        for team, character in enumerate(characters)
    ]
    offsets = np.zeros(2 * len(which) + 1, np.int64)
    np.cumsum(np.stack([counts for _, counts in plans], axis=1).reshape(-1), out=offsets[1:])
    packed = np.empty((offsets[-1], ORDER_COLUMNS), np.int16)
    for team, (rows, _) in enumerate(plans):
        kernels().pack_seats(which, np.full(len(which), team), rows, offsets, packed)
    return Orders(packed, offsets)


def plan_strings(character: Character, g: int, team: int, board: Board, games: Games) -> list[str]:
    """The official action strings of one seat."""
    rows, counts = plan_seats(character, np.array([g]), np.array([team]), board, games)
    return [write_order(order, g, team, board, games) for order in rows[0, : counts[0]].tolist()]
