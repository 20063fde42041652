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
    Games,
)

from .clock import night_fuel, nights_left, nights_to_end, walking_time
from .habits import Habits
from .room import BEST_CAMP, BEST_SITE, BLOCKED, BUILT, CREDIT, GATHERED, HOPE, LACK, RATES, Sight
from .survey import heat_of
from .walk import end_of_ring, set_out

#: points of a gathering place are compared in fractions of this
SCALE = 100
#: turns for which gathering on a city tile is counted
CAMP_TURNS = 10
#: points that a rich city adds to a site beside it, at most
MOST_RICH = 100


def find_site(turn: int, team: int, habits: Habits, sight: Sight) -> int:
    """The best cell to build on that a loaded worker can reach, -1 if no more tiles can be borne.

    A tile can be borne if the fuel within reach lasts for it to the end of the game, and if the cities beside it can
    spare the fuel of the coming night, or the workers will bring it.
    """
    near, site, claim = sight.near, sight.site, sight.claim
    nights = nights_left(turn)
    ever = nights_to_end(turn)
    clock = turn % CYCLE
    left = int(sight.total[HOPE]) - int(sight.total[LACK])
    credit = int(sight.total[CREDIT])
    best = -1
    most = 0
    d = 0
    first = 0
    last = 1
    while last > first:
        in_time = clock + walking_time(turn, d) + habits.curfew <= DAY
        for k in range(first, last):
            cell = sight.reached[k]
            if site[cell] < habits.build_least or (k > 0 and claim[cell] & BUILT != 0):
                continue
            beside = 0
            city = -1
            spare = 0
            richest = 0
            for side in range(4):
                other = near[cell, side]
                if sight.tile_team[other] == team:
                    beside += 1
                    surplus = -int(sight.lacks[sight.tile_city[other]])
                    richest = max(richest, surplus)
                    if sight.tile_city[other] != city:
                        city = sight.tile_city[other]
                        spare += surplus
            upkeep = UPKEEP - 2 * UPKEEP_SAVED * beside
            points = int(site[cell]) - habits.step_cost * d + min(richest * habits.rich // 100, MOST_RICH)
            if (best >= 0 and points <= most) or credit < upkeep * ever:
                continue
            if spare >= upkeep * nights or (in_time and upkeep * nights <= left):
                most = points
                best = cell
        d += 1
        if best >= 0 and int(sight.total[BEST_SITE]) + MOST_RICH - habits.step_cost * d <= most:
            break
        first = last
        last = end_of_ring(d, team, True, sight)
    return best


def is_any_hungry(g: int, team: int, games: Games, sight: Sight) -> bool:
    """Does any city of the team lack fuel for the night to come, or for all nights?"""
    for city in range(games.num_cities[g]):
        if games.city_team[g, city] == team and (sight.lacks[city] > 0 or sight.wants[city] > 0):
            return True
    return False


def find_hungry(load: int, team: int, sight: Sight) -> int:
    """The own city tile where `load` of fuel does most for the way to it, -1 if no city lacks any."""
    best = -1
    most = 0
    d = 0
    first = 0
    last = 1
    while last > first:
        for k in range(first, last):
            cell = sight.reached[k]
            if sight.tile_team[cell] != team:
                continue
            city = sight.tile_city[cell]
            lack, want = int(sight.lacks[city]), int(sight.wants[city])
            if lack <= 0 and want <= 0:
                continue
            relief = 4 * min(load, max(lack, 0)) + min(load, max(want, 0))
            points = relief * SCALE // (2 * d + 2)
            if points > most:
                most = points
                best = cell
        d += 1
        if 5 * load * SCALE // (2 * d + 2) <= most:
            break
        first = last
        last = end_of_ring(d, team, False, sight)
    return best


def is_hope_left(
    most: int, time: int, space: int, camp: int, abroad: bool, habits: Habits, sight: Sight
) -> bool:
    """Can any place to which the way takes `time` or longer have more than `most` points?"""
    if most == 0:
        return sight.total[BEST_CAMP] > 0 or (abroad and sight.total[RATES] > 0)
    if int(sight.total[BEST_CAMP]) * camp * CAMP_TURNS // (time + habits.patience + CAMP_TURNS) > most:
        return True
    if abroad:
        for k in range(sight.total[RATES]):
            fill = (space + int(sight.rates[k, 0]) - 1) // int(sight.rates[k, 0])
            if int(sight.rates[k, 1]) * SCALE * fill // (time + habits.patience + fill) > most:
                return True
    return False


def find_place(turn: int, space: int, fuel: int, team: int, habits: Habits, sight: Sight) -> int:
    """The cell where a worker with `space` and `fuel` gathers most points a turn, -1 if there is none."""
    camp = habits.camp_hungry if sight.total[LACK] > sight.total[HOPE] else habits.camp
    best = -1
    most = 0
    d = 0
    first = 0
    last = 1
    time = 0
    abroad = space > 0
    while last > first:
        for k in range(first, last):
            cell = sight.reached[k]
            worth = int(sight.worth[cell])
            if worth == 0 or sight.claim[cell] & GATHERED != 0:
                continue
            if sight.tile_team[cell] == team:
                # Wood is not burnt for nights that are far away.
                city = sight.tile_city[cell]
                if sight.lacks[city] <= 0 and (
                    sight.wants[city] <= 0 or sight.kinds_near[cell] & (1 << WOOD) != 0
                ):
                    continue
                points = worth * camp * CAMP_TURNS // (time + habits.patience + CAMP_TURNS)
            elif abroad:
                fill = (space + int(sight.rate[cell]) - 1) // int(sight.rate[cell])
                longer = habits.carry if sight.site[cell] < habits.build_least else 0
                points = worth * SCALE * fill // (time + longer + habits.patience + fill)
            else:
                continue
            if points > most:
                most = points
                best = cell
        d += 1
        time = walking_time(turn, d)
        abroad = space > 0 and night_fuel(turn, time) <= fuel
        if not is_hope_left(most, time, space, camp, abroad, habits, sight):
            break
        first = last
        last = end_of_ring(d, team, False, sight)
    return best


def choose_goal(
    g: int,
    cell: int,
    wood: int,
    coal: int,
    uranium: int,
    team: int,
    habits: Habits,
    games: Games,
    sight: Sight,
) -> int:
    """Where a worker on `cell` with this cargo is to go, -1 for nowhere; claims the goal, and books what it brings."""
    turn = int(games.turn[g])
    load = wood + coal + uranium
    space = CAPACITY[WORKER] - load
    if load >= CITY_COST:
        set_out(cell, sight)
        goal = find_site(turn, team, habits, sight)
        if goal >= 0:
            sight.claim[goal] |= BUILT
            sight.total[CREDIT] -= UPKEEP * nights_to_end(turn) // 2
            return goal
    set_out(cell, sight)
    fuel = heat_of(wood, coal, uranium)
    home = find_hungry(fuel, team, sight) if load > 0 and is_any_hungry(g, team, games, sight) else -1
    late = False
    if home >= 0 and sight.lacks[sight.tile_city[home]] > 0:
        clock = turn % CYCLE
        late = clock < DAY and clock + walking_time(turn, int(sight.steps[home])) + habits.dusk >= DAY
    goal = -1
    if home < 0 or (space >= habits.enough and not (late and load >= habits.enough)):
        goal = find_place(turn, space, fuel, team, habits, sight)
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
