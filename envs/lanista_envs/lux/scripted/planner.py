"""The orders of one turn for any number of seats, from the state alone. Portable.

For each seat: survey the board (`survey`), let city tiles build workers and study, then decide for the workers
(`workers`), those first that were there first.
"""

import numpy as np
import numpy.typing as npt

from lanista_envs.lux.state import (
    AMOUNT,
    BUILD_CITY,
    BUILD_WORKER,
    CITY_COST,
    KIND,
    MAX_TURNS,
    MOVE,
    RESEARCH,
    RESEARCH_NEEDED,
    SUBJECT,
    TARGET,
    WORKER,
    Board,
    Games,
)

from .habits import Habits
from .room import BUILT, PLACES, SEATS, TILES, Room, Sight, open_sight
from .survey import count_needs, mark_bodies, value_cells
from .walk import spread
from .workers import choose_goal, claim_step

prange = range  # a parallel build puts numba's in its place

Rows = npt.NDArray[np.int16]
#: turns before the end from which on every unit counts, wanted or not: units decide between equal cities
LAST_TURNS = 3


def write_row(rows: Rows, row: int, kind: int, subject: int, target: int) -> None:
    """Write one order; none of these has an amount."""
    rows[row, KIND] = kind
    rows[row, SUBJECT] = subject
    rows[row, TARGET] = target
    rows[row, AMOUNT] = 0


def plan_tiles(g: int, team: int, habits: Habits, games: Games, sight: Sight, rows: Rows) -> int:
    """City tiles build workers while there is work for them, else study; give the number of orders."""
    written = 0
    turn = games.turn[g]
    units = int(games.num_units[g, team])
    wanted = int(sight.total[PLACES]) * habits.crew // 100
    research = int(games.research[g, team])
    last = turn >= MAX_TURNS - LAST_TURNS
    for city in range(games.num_cities[g]):
        if games.city_team[g, city] != team:
            continue
        cell = int(games.city_first[g, city])
        while cell >= 0:
            if games.tile_ready[g, cell] <= turn:
                busy = units >= habits.study_crew and research < habits.study_until
                if units < sight.total[TILES] and (last or (units < wanted and not busy)):
                    write_row(rows, written, BUILD_WORKER, cell, 0)
                    units += 1
                    written += 1
                elif research < RESEARCH_NEEDED[2]:
                    write_row(rows, written, RESEARCH, cell, 0)
                    research += 1
                    written += 1
            cell = int(games.tile_next[g, cell])
    return written


def plan_seat(
    g: int, team: int, b: int, habits: Habits, board: Board, games: Games, room: Room, rows: Rows
) -> int:
    """Write the orders of one seat into `rows` (``[units + tiles, 4]``); give their number."""
    sight = open_sight(g, b, board, games, room)
    spread(g, team, games, sight)
    value_cells(g, team, habits, games, sight)
    count_needs(g, team, habits, games, sight)
    mark_bodies(g, team, habits, games, sight)
    written = plan_tiles(g, team, habits, games, sight, rows)
    turn = int(games.turn[g])
    for u in range(games.num_units[g, team]):
        if games.unit_kind[g, team, u] != WORKER:
            continue
        cell = int(games.unit_cell[g, team, u])
        cargo = games.unit_cargo[g, team, u]
        wood, coal, uranium = int(cargo[0]), int(cargo[1]), int(cargo[2])
        goal = choose_goal(cell, wood, coal, uranium, turn, team, habits, sight)
        if games.unit_cooldown[g, team, u] >= 4:
            continue
        direction = claim_step(cell, goal, sight)
        if direction >= 0:
            write_row(rows, written, MOVE, u, direction)
            written += 1
        elif goal == cell and wood + coal + uranium >= CITY_COST and sight.claim[cell] & BUILT != 0:
            write_row(rows, written, BUILD_CITY, u, 0)
            written += 1
    return written


def plan_seats(
    which: npt.NDArray[np.int64],
    teams: npt.NDArray[np.int64],
    habits: Habits,
    board: Board,
    games: Games,
    room: Room,
    rows: Rows,
    counts: npt.NDArray[np.int64],
) -> None:
    """Plan for the seats ``(which[k], teams[k])``: orders into ``rows[k]``, their number into ``counts[k]``.

    `rows` is ``[M, R, 4]`` with room for a seat's units and tiles, `counts` ``[M]``; games that are over get none.
    """
    num = which.shape[0]
    for b in prange((num + SEATS - 1) // SEATS):
        for k in range(b * SEATS, min(num, (b + 1) * SEATS)):
            counts[k] = 0
            if not games.over[which[k]]:
                counts[k] = plan_seat(which[k], teams[k], b, habits, board, games, room, rows[k])
