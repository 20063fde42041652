"""Units act one after another, team 0 before team 1, each team in the order of its list. Portable."""

import numpy as np

from .cities import found_tile
from .scratch import Scratch
from .state import (
    AMOUNT,
    BUILD_CITY,
    CAPACITY,
    CART,
    CART_ROAD,
    CITY_COST,
    KIND,
    MAX_ROAD,
    PILLAGE,
    PILLAGED_ROAD,
    TARGET,
    TRANSFER_WOOD,
    UNIT_COOLDOWN,
    WORKER,
    Board,
    Games,
    Orders,
    is_night,
)


def pay_for_tile(g: int, team: int, u: int, games: Games) -> None:
    """Spend 100 cargo, wood first, then coal, then uranium."""
    due = CITY_COST
    for resource in range(3):
        paid = min(due, int(games.unit_cargo[g, team, u, resource]))
        games.unit_cargo[g, team, u, resource] -= paid
        due -= paid


def act_units(first: int, last: int, orders: Orders, board: Board, games: Games, scratch: Scratch) -> None:
    """Carry out and clear `plan` for the games first..last-1; carts leave roads."""
    rows, plan = orders.rows, scratch.plan
    num_units, unit_kind, unit_cell = games.num_units, games.unit_kind, games.unit_cell
    unit_cooldown, unit_cargo = games.unit_cooldown, games.unit_cargo
    tile_team, road, over, turn = games.tile_team, games.road, games.over, games.turn
    for g in range(first, last):
        if over[g]:
            continue
        times = 2 if is_night(turn[g]) else 1
        for team in range(2):
            for u in range(num_units[g, team]):
                todo = plan[g, team, u]
                kind = unit_kind[g, team, u]
                if todo == 0 and kind == WORKER:
                    continue
                cell = np.int64(unit_cell[g, team, u])
                tired = False
                if todo < 0:
                    tired = -1 - todo != cell
                    cell = -1 - np.int64(todo)
                    unit_cell[g, team, u] = cell
                elif todo > 0:
                    order = rows[todo - 1, KIND]
                    if order == BUILD_CITY:
                        if kind == WORKER:
                            found_tile(g, team, cell, board, games)
                            pay_for_tile(g, team, u, games)
                            tired = True
                    elif order == PILLAGE:
                        if kind == WORKER:
                            if tile_team[g, cell] < 0:
                                road[g, cell] = max(road[g, cell] - PILLAGED_ROAD, 0)
                            tired = True
                    else:
                        resource = order - TRANSFER_WOOD
                        to = rows[todo - 1, TARGET]
                        free = (
                            CAPACITY[unit_kind[g, team, to]]
                            - unit_cargo[g, team, to, 0]
                            - unit_cargo[g, team, to, 1]
                            - unit_cargo[g, team, to, 2]
                        )
                        amount = min(
                            int(rows[todo - 1, AMOUNT]), int(unit_cargo[g, team, u, resource]), int(free)
                        )
                        unit_cargo[g, team, u, resource] -= amount
                        unit_cargo[g, team, to, resource] += amount
                        tired = True
                plan[g, team, u] = 0
                if tired:
                    unit_cooldown[g, team, u] += UNIT_COOLDOWN[kind] * times
                if kind == CART and tile_team[g, cell] < 0:
                    road[g, cell] = min(road[g, cell] + CART_ROAD, MAX_ROAD)
