"""The orders of one turn for any number of seats, from the state alone. Portable.

For each seat: survey the board (`survey`), let city tiles build workers and study, then decide for the workers
(`workers`), those first that were there first.
"""

import numpy as np
import numpy.typing as npt

from ..state import (
    BUILD_WORKER,
    CAPACITY,
    MAX_TURNS,
    NO_RESOURCE,
    RESEARCH,
    RESEARCH_NEEDED,
    WORKER,
    Board,
    Games,
)
from .habits import Habits
from .room import BLOCKED, BUILT, PLACES, SEATS, TILES, WORKERS, Room
from .survey import count_needs, mark_bodies, value_cells
from .walk import spread
from .workers import plan_worker

prange = range  # a parallel build puts numba's in its place


def plan_tiles(
    g: int, team: int, b: int, habits: Habits, games: Games, room: Room, rows: npt.NDArray[np.int16]
) -> int:
    """City tiles build workers while there is work for them, else study; give the number of orders."""
    written = 0
    units = int(games.num_units[g, team])
    wanted = room.total[b, PLACES] * habits.crew // 100
    research = int(games.research[g, team])
    last = games.turn[g] >= MAX_TURNS - 3
    for city in range(games.num_cities[g]):
        if games.city_team[g, city] != team:
            continue
        cell = int(games.city_first[g, city])
        while cell >= 0:
            if games.tile_ready[g, cell] <= games.turn[g]:
                kind = -1
                busy = units >= habits.study_crew and research < habits.study_until
                if units < room.total[b, TILES] and (last or (units < wanted and not busy)):
                    kind = BUILD_WORKER
                    units += 1
                elif research < RESEARCH_NEEDED[2]:
                    kind = RESEARCH
                    research += 1
                if kind >= 0:
                    rows[written, 0] = kind
                    rows[written, 1] = cell
                    rows[written, 2] = 0
                    rows[written, 3] = 0
                    written += 1
            cell = int(games.tile_next[g, cell])
    return written


def plan_seat(
    g: int,
    team: int,
    b: int,
    habits: Habits,
    board: Board,
    games: Games,
    room: Room,
    rows: npt.NDArray[np.int16],
) -> int:
    """Write the orders of one seat into `rows` (``[units + tiles, 4]``); give their number."""
    spread(g, team, b, board, games, room)
    value_cells(g, team, b, habits, board, games, room)
    count_needs(g, team, b, habits, games, room)
    mark_bodies(g, team, b, games, room)
    written = plan_tiles(g, team, b, habits, games, room, rows)
    for u in range(games.num_units[g, team]):
        cell = games.unit_cell[g, team, u]
        if games.tile_team[g, cell] < 0 and room.worth[b, cell] > 0:
            cargo = games.unit_cargo[g, team, u]
            if int(cargo[0]) + int(cargo[1]) + int(cargo[2]) < CAPACITY[WORKER]:
                room.claim[b, cell] |= BLOCKED
        if room.site[b, cell] >= habits.build_least:
            room.claim[b, cell] |= BUILT
    for u in range(games.num_units[g, team]):
        if games.unit_kind[g, team, u] == WORKER:
            written += plan_worker(u, g, team, b, habits, board, games, room, written, rows)
    return written


def plan_seats(
    which: npt.NDArray[np.int64],
    teams: npt.NDArray[np.int64],
    habits: Habits,
    board: Board,
    games: Games,
    room: Room,
    rows: npt.NDArray[np.int16],
    counts: npt.NDArray[np.int64],
) -> None:
    """Plan for the seats ``(which[k], teams[k])``, ``[M]``: orders into ``rows[k]`` (``[M, R, 4]``), their number
    into ``counts[k]``. Games that are over get none.
    """  # noqa: D205 - one sentence says it all
    num = which.shape[0]
    for b in prange((num + SEATS - 1) // SEATS):
        for k in range(b * SEATS, min(num, (b + 1) * SEATS)):
            counts[k] = 0
            if not games.over[which[k]]:
                counts[k] = plan_seat(which[k], teams[k], b, habits, board, games, room, rows[k])
