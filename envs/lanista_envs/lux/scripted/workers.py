"""What a worker does: build, bring its load home, or gather. Portable.

1. A full worker builds a city tile if its cities can bear one more: where it stands, or on the best site near.
2. Who has fuel that a city lacks brings it home when full, or when dusk is near.
3. All others gather where points a turn are most, the way there counted; on a city tile what is gathered
   becomes fuel at once.

A worker that cannot act this turn claims its goal all the same, so that nobody else runs for it.
"""

from ..state import (
    BUILD_CITY,
    CAPACITY,
    CENTER,
    CITY_COST,
    CYCLE,
    DAY,
    MAX_TURNS,
    MOVE,
    NO_RESOURCE,
    UPKEEP,
    UPKEEP_SAVED,
    WOOD,
    WORKER,
    Board,
    Games,
)
from .habits import Habits
from .room import BLOCKED, BUILT, CREDIT, GATHERED, HOPE, LACK, Room
from .survey import heat_of, night_fuel, nights_left, nights_to_end, walking_time
from .walk import walk

#: points of a gathering place are compared in fractions of this
SCALE = 100
#: turns for which gathering on a city tile is counted
CAMP_TURNS = 10


def find_spare(
    cell: int, g: int, team: int, b: int, habits: Habits, board: Board, games: Games, room: Room
) -> int:
    """Points for a site beside a city that has fuel to spare."""
    most = 0
    for d in range(4):
        other = board.near[cell, d]
        if games.tile_team[g, other] == team:
            most = max(most, -room.lacks[b, games.tile_city[g, other]])
    return min(most * habits.rich // 100, 100)


def can_bear(
    cell: int, steps: int, g: int, team: int, b: int, habits: Habits, board: Board, games: Games, room: Room
) -> bool:
    """Could a city tile on `cell` be fed until morning?"""
    turn = games.turn[g]
    nights = nights_left(turn)
    city = -1
    beside = 0
    spare = 0
    for d in range(4):
        other = board.near[cell, d]
        if games.tile_team[g, other] == team:
            beside += 1
            if games.tile_city[g, other] != city:
                city = games.tile_city[g, other]
                spare -= room.lacks[b, city]
    extra = (UPKEEP - 2 * UPKEEP_SAVED * beside) * nights
    if room.total[b, CREDIT] < (UPKEEP - 2 * UPKEEP_SAVED * beside) * nights_to_end(turn):
        return False
    if spare >= extra:
        return True
    return (
        turn % CYCLE + walking_time(turn, steps) + habits.curfew <= DAY
        and room.total[b, LACK] + extra <= room.total[b, HOPE]
    )


def find_site(
    count: int, g: int, team: int, b: int, habits: Habits, board: Board, games: Games, room: Room
) -> int:
    """The best cell to build on among those that a walk has reached, -1 if none is good enough."""
    best = -1
    most = -10000
    for k in range(count):
        cell = room.reached[b, k]
        points = room.site[b, cell] - habits.step_cost * room.steps[b, cell]
        if room.site[b, cell] < habits.build_least:
            continue
        points += find_spare(cell, g, team, b, habits, board, games, room)
        if (
            points > most
            and (k == 0 or room.claim[b, cell] & BUILT == 0)
            and can_bear(cell, room.steps[b, cell], g, team, b, habits, board, games, room)
        ):
            most = points
            best = cell
    return best


def find_hungry(count: int, load: int, g: int, team: int, b: int, games: Games, room: Room) -> int:
    """The own city tile where `load` of fuel does most for the way to it, -1 if no city lacks any."""
    best = -1
    most = 0
    for k in range(count):
        cell = room.reached[b, k]
        if games.tile_team[g, cell] != team:
            continue
        want = room.wants[b, games.tile_city[g, cell]]
        lack = room.lacks[b, games.tile_city[g, cell]]
        if lack <= 0 and want <= 0:
            continue
        points = (
            (4 * min(load, max(lack, 0)) + min(load, max(want, 0))) * SCALE // (2 * room.steps[b, cell] + 2)
        )
        if points > most:
            most = points
            best = cell
    return best


def find_place(
    count: int, u: int, space: int, g: int, team: int, b: int, habits: Habits, games: Games, room: Room
) -> int:
    """The cell where gathering is worth most, -1 if there is none."""
    turn = games.turn[g]
    fuel = heat_of(g, team, u, games)
    pressed = room.total[b, LACK] > room.total[b, HOPE]
    best = -1
    most = 0
    for k in range(count):
        cell = room.reached[b, k]
        worth = room.worth[b, cell]
        if worth == 0 or room.claim[b, cell] & GATHERED != 0:
            continue
        time = walking_time(turn, room.steps[b, cell])
        if games.tile_team[g, cell] == team:
            city = games.tile_city[g, cell]
            if room.lacks[b, city] <= 0 and (
                room.wants[b, city] <= 0 or games.kinds_near[g, cell] & (1 << WOOD) != 0
            ):
                continue
            share = habits.camp_hungry if pressed else habits.camp
            points = worth * share * CAMP_TURNS // (time + habits.patience + CAMP_TURNS)
        elif space > 0 and night_fuel(turn, time) <= fuel:
            fill = (space + room.rate[b, cell] - 1) // room.rate[b, cell]
            if room.site[b, cell] < habits.build_least:
                time += habits.carry
            points = worth * SCALE * fill // (time + habits.patience + fill)
        else:
            continue
        if points > most:
            most = points
            best = cell
    return best


def plan_worker(
    u: int,
    g: int,
    team: int,
    b: int,
    habits: Habits,
    board: Board,
    games: Games,
    room: Room,
    row: int,
    rows: object,
) -> int:
    """Decide for one worker; write its order, if it gets one, into `rows[row]` and give how many were written."""
    cargo = games.unit_cargo[g, team, u]
    cell = int(games.unit_cell[g, team, u])
    load = int(cargo[0]) + int(cargo[1]) + int(cargo[2])
    space = CAPACITY[WORKER] - load
    ready = games.unit_cooldown[g, team, u] < 4
    turn = int(games.turn[g])
    goal = -1
    if load >= CITY_COST:
        count = walk(cell, g, team, b, True, board, games, room)
        goal = find_site(count, g, team, b, habits, board, games, room)
        if goal >= 0:
            room.claim[b, goal] |= BUILT
            room.total[b, CREDIT] -= UPKEEP * nights_to_end(turn) // 2
            if goal == cell:
                room.claim[b, cell] |= BLOCKED
                if ready:
                    rows[row, 0] = BUILD_CITY
                    rows[row, 1] = u
                    rows[row, 2] = 0
                    rows[row, 3] = 0
                    return 1
                return 0
    if goal < 0:
        count = walk(cell, g, team, b, False, board, games, room)
        fuel = heat_of(g, team, u, games)
        home = find_hungry(count, fuel, g, team, b, games, room) if load > 0 else -1
        late = False
        if home >= 0 and room.lacks[b, games.tile_city[g, home]] > 0:
            clock = turn % CYCLE
            late = clock < DAY and clock + walking_time(turn, room.steps[b, home]) + habits.dusk >= DAY
        if home < 0 or (space >= habits.enough and not (late and load >= habits.enough)):
            goal = find_place(count, u, space, g, team, b, habits, games, room)
        if goal >= 0:
            room.claim[b, goal] |= GATHERED
            if games.tile_team[g, goal] == team:
                left = min(CYCLE - turn % CYCLE, MAX_TURNS - turn)
                room.lacks[b, games.tile_city[g, goal]] -= room.fuel[b, goal] * left // 2
        elif home >= 0:
            goal = home
            room.lacks[b, games.tile_city[g, home]] -= fuel
            room.wants[b, games.tile_city[g, home]] -= fuel
    if not ready:
        return 0
    if goal < 0 or goal == cell:
        if games.tile_team[g, cell] < 0:
            room.claim[b, cell] |= BLOCKED
        return 0
    direction = room.way[b, goal]
    to = board.near[cell, direction]
    if games.tile_team[g, to] < 0:
        room.claim[b, to] |= BLOCKED
    rows[row, 0] = MOVE
    rows[row, 1] = u
    rows[row, 2] = direction
    rows[row, 3] = 0
    return 1
