"""Which orders are accepted: all of team 0 as given, then all of team 1, against the start of the turn. Portable.

An order that the rules refuse is dropped and costs nothing; the first accepted order of an actor counts. An
accepted order of a city tile makes it wait at once, which is what refuses a second one.
"""

from .scratch import Scratch
from .state import (
    AMOUNT,
    BUILD_CITY,
    BUILD_WORKER,
    CENTER,
    CITY_COST,
    KIND,
    MOVE,
    NO_RESOURCE,
    NUM_ORDER_KINDS,
    PILLAGE,
    RESEARCH,
    SUBJECT,
    TARGET,
    TILE_COOLDOWN,
    Board,
    Games,
    Orders,
)


def accept_orders(
    first: int, last: int, orders: Orders, board: Board, games: Games, scratch: Scratch
) -> None:
    """Fill `plan`, `mover`, `builder` and `building` for the games first..last-1, and research."""
    rows, offsets, near = orders.rows, orders.offsets, board.near
    over, num_units, num_tiles = games.over, games.num_units, games.num_tiles
    unit_cell, unit_cooldown, unit_cargo = games.unit_cell, games.unit_cooldown, games.unit_cargo
    tile_team, tile_ready = games.tile_team, games.tile_ready
    resource_kind, research = games.resource_kind, games.research
    plan, mover, move_to = scratch.plan, scratch.mover, scratch.move_to
    builder, building = scratch.builder, scratch.building
    cells = near.shape[0] - 1
    for g in range(first, last):
        scratch.num_moves[g] = 0
        scratch.num_builds[g] = 0
        if over[g]:
            continue
        turn = games.turn[g]
        moves = 0
        all_builds = 0
        for team in range(2):
            builds = 0
            for row in range(offsets[2 * g + team], offsets[2 * g + team + 1]):
                kind, subject, target = int(rows[row, KIND]), int(rows[row, SUBJECT]), int(rows[row, TARGET])
                if kind < 0 or kind >= NUM_ORDER_KINDS or subject < 0:
                    continue
                if kind >= BUILD_WORKER:
                    if subject >= cells or tile_team[g, subject] != team or tile_ready[g, subject] > turn:
                        continue
                    if kind == RESEARCH:
                        research[g, team] += 1
                    else:
                        if num_units[g, team] + builds >= num_tiles[g, team]:
                            continue
                        builds += 1
                        builder[g, all_builds] = subject
                        building[g, subject] = kind
                        all_builds += 1
                    tile_ready[g, subject] = turn + TILE_COOLDOWN
                    continue
                if (
                    subject >= num_units[g, team]
                    or plan[g, team, subject] != 0
                    or unit_cooldown[g, team, subject] >= 4
                ):
                    continue
                cell = unit_cell[g, team, subject]
                if kind == MOVE:
                    if target < 0 or target > CENTER:
                        continue
                    to = near[cell, target]
                    if to == cells or tile_team[g, to] == 1 - team:
                        continue
                    plan[g, team, subject] = -1 - to
                    move_to[g, moves] = to
                    mover[g, moves] = team * cells + subject
                    moves += 1
                    continue
                if kind == BUILD_CITY:
                    if tile_team[g, cell] >= 0 or resource_kind[g, cell] != NO_RESOURCE:
                        continue
                    load = (
                        unit_cargo[g, team, subject, 0]
                        + unit_cargo[g, team, subject, 1]
                        + unit_cargo[g, team, subject, 2]
                    )
                    if load < CITY_COST:
                        continue
                elif kind != PILLAGE:
                    if (
                        target < 0
                        or target >= num_units[g, team]
                        or target == subject
                        or rows[row, AMOUNT] < 0
                    ):
                        continue
                    other = unit_cell[g, team, target]
                    if (
                        other != cell
                        and other != near[cell, 0]
                        and other != near[cell, 1]
                        and other != near[cell, 2]
                        and other != near[cell, 3]
                    ):
                        continue
                plan[g, team, subject] = row + 1
        scratch.num_moves[g] = moves
        scratch.num_builds[g] = all_builds
