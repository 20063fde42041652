"""What a worker does: build, bring its load home, or gather. Portable.

1. A full worker builds a city tile if its team can bear one more: where it stands, or on the best site near.
2. Who has fuel that a city lacks brings it home when full, or when dusk is near.
3. All others gather where points a turn are most, the way there counted; on a city tile what is gathered
   becomes fuel at once.

A worker that cannot act this turn claims its goal all the same, so that nobody else runs for it.
"""

from lanista_envs.lux.state import (
    CAPACITY,
    CITY_COST,
    CYCLE,
    DAY,
    MAX_TURNS,
    UPKEEP,
    UPKEEP_SAVED,
    WOOD,
    WORKER,
)

from .clock import night_fuel, nights_left, nights_to_end, walking_time
from .habits import Habits
from .room import BLOCKED, BUILT, CREDIT, GATHERED, HOPE, LACK, Sight
from .survey import heat_of
from .walk import walk

#: points of a gathering place are compared in fractions of this
SCALE = 100
#: turns for which gathering on a city tile is counted
CAMP_TURNS = 10
#: points that a rich city adds to a site beside it, at most
MOST_RICH = 100


def find_site(count: int, turn: int, team: int, habits: Habits, sight: Sight) -> int:
    """The best cell to build on among those that a walk has reached, -1 if no more tiles can be borne.

    A tile can be borne if the fuel within reach lasts for it to the end of the game, and if the cities beside it can
    spare the fuel of the coming night, or the workers will bring it.
    """
    near, site, steps, claim = sight.near, sight.site, sight.steps, sight.claim
    nights = nights_left(turn)
    ever = nights_to_end(turn)
    clock = turn % CYCLE
    left = int(sight.total[HOPE]) - int(sight.total[LACK])
    credit = int(sight.total[CREDIT])
    best = -1
    most = 0
    for k in range(count):
        cell = sight.reached[k]
        if site[cell] < habits.build_least or (k > 0 and claim[cell] & BUILT != 0):
            continue
        beside = 0
        city = -1
        spare = 0
        richest = 0
        for d in range(4):
            other = near[cell, d]
            if sight.tile_team[other] == team:
                beside += 1
                surplus = -int(sight.lacks[sight.tile_city[other]])
                richest = max(richest, surplus)
                if sight.tile_city[other] != city:
                    city = sight.tile_city[other]
                    spare += surplus
        upkeep = UPKEEP - 2 * UPKEEP_SAVED * beside
        away = int(steps[cell])
        points = int(site[cell]) - habits.step_cost * away + min(richest * habits.rich // 100, MOST_RICH)
        if (best >= 0 and points <= most) or credit < upkeep * ever:
            continue
        in_time = clock + walking_time(turn, away) + habits.curfew <= DAY
        if spare >= upkeep * nights or (in_time and upkeep * nights <= left):
            most = points
            best = cell
    return best


def find_hungry(count: int, load: int, team: int, sight: Sight) -> int:
    """The own city tile where `load` of fuel does most for the way to it, -1 if no city lacks any."""
    best = -1
    most = 0
    for k in range(count):
        cell = sight.reached[k]
        if sight.tile_team[cell] != team:
            continue
        city = sight.tile_city[cell]
        lack, want = int(sight.lacks[city]), int(sight.wants[city])
        if lack <= 0 and want <= 0:
            continue
        relief = 4 * min(load, max(lack, 0)) + min(load, max(want, 0))
        points = relief * SCALE // (2 * int(sight.steps[cell]) + 2)
        if points > most:
            most = points
            best = cell
    return best


def find_place(count: int, turn: int, space: int, fuel: int, team: int, habits: Habits, sight: Sight) -> int:
    """The cell where a worker with `space` and `fuel` gathers most points a turn, -1 if there is none."""
    camp = habits.camp_hungry if sight.total[LACK] > sight.total[HOPE] else habits.camp
    best = -1
    most = 0
    for k in range(count):
        cell = sight.reached[k]
        worth = int(sight.worth[cell])
        if worth == 0 or sight.claim[cell] & GATHERED != 0:
            continue
        time = walking_time(turn, int(sight.steps[cell]))
        if sight.tile_team[cell] == team:
            # Wood is not burnt for nights that are far away.
            city = sight.tile_city[cell]
            if sight.lacks[city] <= 0 and (
                sight.wants[city] <= 0 or sight.kinds_near[cell] & (1 << WOOD) != 0
            ):
                continue
            points = worth * camp * CAMP_TURNS // (time + habits.patience + CAMP_TURNS)
        elif space > 0 and night_fuel(turn, time) <= fuel:
            fill = (space + int(sight.rate[cell]) - 1) // int(sight.rate[cell])
            if sight.site[cell] < habits.build_least:
                time += habits.carry
            points = worth * SCALE * fill // (time + habits.patience + fill)
        else:
            continue
        if points > most:
            most = points
            best = cell
    return best


def choose_goal(
    cell: int, wood: int, coal: int, uranium: int, turn: int, team: int, habits: Habits, sight: Sight
) -> int:
    """Where a worker on `cell` with this cargo is to go, -1 for nowhere; claims the goal, and books what it brings."""
    load = wood + coal + uranium
    space = CAPACITY[WORKER] - load
    if load >= CITY_COST:
        count = walk(cell, team, True, sight)
        goal = find_site(count, turn, team, habits, sight)
        if goal >= 0:
            sight.claim[goal] |= BUILT
            sight.total[CREDIT] -= UPKEEP * nights_to_end(turn) // 2
            return goal
    count = walk(cell, team, False, sight)
    fuel = heat_of(wood, coal, uranium)
    home = find_hungry(count, fuel, team, sight) if load > 0 else -1
    late = False
    if home >= 0 and sight.lacks[sight.tile_city[home]] > 0:
        clock = turn % CYCLE
        late = clock < DAY and clock + walking_time(turn, int(sight.steps[home])) + habits.dusk >= DAY
    goal = -1
    if home < 0 or (space >= habits.enough and not (late and load >= habits.enough)):
        goal = find_place(count, turn, space, fuel, team, habits, sight)
    if goal >= 0:
        sight.claim[goal] |= GATHERED
        if sight.tile_team[goal] == team:
            left = min(CYCLE - turn % CYCLE, MAX_TURNS - turn)
            sight.lacks[sight.tile_city[goal]] -= sight.fuel[goal] * left // 2
    elif home >= 0:
        goal = home
        sight.lacks[sight.tile_city[home]] -= fuel
        sight.wants[sight.tile_city[home]] -= fuel
    return goal


def claim_step(cell: int, goal: int, sight: Sight) -> int:
    """The first direction from `cell` to `goal`, -1 to stay; nobody else may step there this turn."""
    to = cell
    direction = -1
    if goal >= 0 and goal != cell:
        direction = int(sight.way[goal])
        to = int(sight.near[cell, direction])
    if sight.tile_team[to] < 0:
        sight.claim[to] |= BLOCKED
    return direction
