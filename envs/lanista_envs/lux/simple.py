"""The official `simple_agent` as a kernel, move for move: the floor that scripted players are held against.

Its workers go to the nearest resource that they may gather and, once full, to the nearest city tile; its city
tiles do nothing. Source: kaggle-environments 1.33.2, `lux_ai_2021/test_agents/python/simple_agent.py`. Portable.
"""

import numpy as np
import numpy.typing as npt

from .state import (
    CAPACITY,
    CENTER,
    COAL,
    EAST,
    MOVE,
    NO_RESOURCE,
    NORTH,
    RESEARCH_NEEDED,
    SOUTH,
    URANIUM,
    WEST,
    WORKER,
    Board,
    Games,
)


def way_to(cell: int, goal: int, width: int) -> int:
    """The official `direction_to`: the first of n, e, s, w that brings the goal nearer, else the center."""
    y, x = divmod(cell, width)
    goal_y, goal_x = divmod(goal, width)
    if goal_y < y:
        return NORTH
    if goal_x > x:
        return EAST
    if goal_y > y:
        return SOUTH
    if goal_x < x:
        return WEST
    return CENTER


def simple_orders(g: int, team: int, board: Board, games: Games, rows: npt.NDArray[np.int16]) -> int:
    """Write the orders of one seat into `rows` (``[.., 4]``) and give their number."""
    width = board.width
    cells = width * board.height
    count = 0
    for u in range(games.num_units[g, team]):
        if games.unit_kind[g, team, u] != WORKER or games.unit_cooldown[g, team, u] >= 4:
            continue
        cell = int(games.unit_cell[g, team, u])
        y, x = divmod(cell, width)
        cargo = games.unit_cargo[g, team, u]
        goal = -1
        nearest = cells
        if int(cargo[0]) + int(cargo[1]) + int(cargo[2]) < CAPACITY[WORKER]:
            for other in range(cells):
                kind = games.resource_kind[g, other]
                if (
                    kind == NO_RESOURCE
                    or (kind == COAL and games.research[g, team] < RESEARCH_NEEDED[1])
                    or (kind == URANIUM and games.research[g, team] < RESEARCH_NEEDED[2])
                ):
                    continue
                away = abs(other // width - y) + abs(other % width - x)
                if away < nearest:
                    nearest = away
                    goal = other
        else:
            for city in range(games.num_cities[g]):
                if games.city_team[g, city] != team:
                    continue
                other = int(games.city_first[g, city])
                while other >= 0:
                    away = abs(other // width - y) + abs(other % width - x)
                    if away < nearest:
                        nearest = away
                        goal = other
                    other = int(games.tile_next[g, other])
        if goal >= 0:
            rows[count, 0] = MOVE
            rows[count, 1] = u
            rows[count, 2] = way_to(cell, goal, width)
            rows[count, 3] = 0
            count += 1
    return count


def simple_seats(
    which: npt.NDArray[np.int64],
    teams: npt.NDArray[np.int64],
    board: Board,
    games: Games,
    rows: npt.NDArray[np.int16],
    counts: npt.NDArray[np.int64],
) -> None:
    """Plan for the seats ``(which[k], teams[k])``: orders into ``rows[k]``, their number into ``counts[k]``."""
    for k in range(which.shape[0]):
        counts[k] = 0
        if not games.over[which[k]]:
            counts[k] = simple_orders(which[k], teams[k], board, games, rows[k])
