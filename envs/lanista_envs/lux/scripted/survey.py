"""What a seat sees before it decides: the worth of every cell, what its cities lack, who stands in the way. Portable."""

from ..state import (
    COAL,
    COLLECT_RATE,
    CYCLE,
    DAY,
    FUEL_VALUE,
    MAX_TURNS,
    NO_RESOURCE,
    RESEARCH_NEEDED,
    UNIT_UPKEEP,
    URANIUM,
    WOOD,
    WORKER,
    Board,
    Games,
)
from .habits import Habits
from .room import BLOCKED, CREDIT, FUTURE, HOPE, LACK, PLACES, STOCK, TILES, WORKERS, Room


def nights_left(turn: int) -> int:
    """Night turns from this turn on until the next morning."""
    return min(CYCLE - DAY, CYCLE - turn % CYCLE)


def nights_to_end(turn: int) -> int:
    """Night turns from this turn on until the end of the game."""
    days = (MAX_TURNS - turn) // CYCLE * (CYCLE - DAY)
    return days if turn % CYCLE == 0 else days + nights_left(turn)


def value_cells(g: int, team: int, b: int, habits: Habits, board: Board, games: Games, room: Room) -> None:
    """Fill `worth`, `rate`, `fuel` and `site`, and count places to gather."""
    near, tile_team = board.near, games.tile_team
    kinds, amounts, kinds_near = games.resource_kind, games.resource_amount, games.kinds_near
    worth, rate, fuel, site = room.worth, room.rate, room.fuel, room.site
    research = games.research[g, team]
    homeless = games.num_tiles[g, team] == 0
    places = 0
    stock = 0
    future = 0
    for cell in range(near.shape[0] - 1):
        points = 0
        cargo = 0
        heat = 0
        wood = 0
        ore = 0
        if kinds_near[g, cell] != 0:
            for d in range(5):
                other = near[cell, d]
                kind = kinds[g, other]
                if kind == NO_RESOURCE:
                    continue
                if kind == WOOD:
                    take = COLLECT_RATE[0]
                    wood += 1
                    gain = take * habits.worth_wood
                    points += gain * habits.thin // 100 if amounts[g, other] < habits.thin_wood else gain
                    heat += take * FUEL_VALUE[0]
                    cargo += take
                elif kind == COAL and research >= RESEARCH_NEEDED[1]:
                    ore += 1
                    points += COLLECT_RATE[1] * habits.worth_coal
                    heat += COLLECT_RATE[1] * FUEL_VALUE[1]
                    cargo += COLLECT_RATE[1]
                elif kind == URANIUM and research >= RESEARCH_NEEDED[2]:
                    ore += 1
                    points += COLLECT_RATE[2] * habits.worth_uranium
                    heat += COLLECT_RATE[2] * FUEL_VALUE[2]
                    cargo += COLLECT_RATE[2]
        worth[b, cell] = points
        rate[b, cell] = cargo
        fuel[b, cell] = heat
        kind = kinds[g, cell]
        if kind != NO_RESOURCE and 0 <= room.away[b, cell] <= habits.far:
            future += amounts[g, cell] * FUEL_VALUE[kind - 1]
        if (
            kind != NO_RESOURCE
            and research >= RESEARCH_NEEDED[kind - 1]
            and 0 <= room.away[b, cell] <= habits.reach
        ):
            stock += amounts[g, cell] * FUEL_VALUE[kind - 1]
        if points > 0 and tile_team[g, cell] != 1 - team:
            places += 1
        points = 0
        if tile_team[g, cell] < 0 and kinds[g, cell] == NO_RESOURCE:
            for d in range(4):
                if tile_team[g, near[cell, d]] == team:
                    points += habits.beside_home
            points += wood * habits.beside_wood + ore * habits.beside_ore
            if homeless:
                points += 100
        site[b, cell] = points
    room.total[b, PLACES] = places
    room.total[b, STOCK] = stock
    room.total[b, FUTURE] = future


def heat_of(g: int, team: int, u: int, games: Games) -> int:
    """Fuel in a unit's cargo."""
    cargo = games.unit_cargo[g, team, u]
    return int(cargo[0]) * FUEL_VALUE[0] + int(cargo[1]) * FUEL_VALUE[1] + int(cargo[2]) * FUEL_VALUE[2]


def count_needs(g: int, team: int, b: int, habits: Habits, games: Games, room: Room) -> None:
    """Fill `lacks` and the totals of a team."""
    turn = games.turn[g]
    nights = nights_left(turn)
    # On the last day there is no second night to think of.
    spare = habits.reserve if turn < 320 else 0
    ever = nights_to_end(turn)
    lack = 0
    debt = 0
    for city in range(games.num_cities[g]):
        if games.city_team[g, city] == team:
            need = games.city_upkeep[g, city] * nights
            room.lacks[b, city] = need + need * spare // 100 - games.city_fuel[g, city]
            lack += max(room.lacks[b, city], 0)
            room.wants[b, city] = games.city_upkeep[g, city] * ever - games.city_fuel[g, city]
            debt += room.wants[b, city]
    room.total[b, LACK] = lack
    room.total[b, TILES] = games.num_tiles[g, team]
    workers = 0
    for u in range(games.num_units[g, team]):
        debt -= heat_of(g, team, u, games)
        if games.unit_kind[g, team, u] == WORKER:
            workers += 1
    room.total[b, WORKERS] = workers
    room.total[b, CREDIT] = room.total[b, FUTURE] * habits.inheritance // 100 - debt
    # At night a way takes twice as long. By the time that it matters there will be one worker more.
    hope = habits.income * min(workers + 1, room.total[b, PLACES]) * (CYCLE - turn % CYCLE - nights // 2)
    room.total[b, HOPE] = min(hope, room.total[b, STOCK] * habits.share // 100)


def mark_bodies(g: int, team: int, b: int, games: Games, room: Room) -> None:
    """Block the cells outside cities whose unit will still be there: ours that cannot move, theirs that gather."""
    claim, tile_team = room.claim, games.tile_team
    claim[b] = 0
    for side in range(2):
        for u in range(games.num_units[g, side]):
            cell = games.unit_cell[g, side, u]
            if tile_team[g, cell] >= 0:
                continue
            if games.unit_cooldown[g, side, u] >= 4 or (side != team and games.kinds_near[g, cell] != 0):
                claim[b, cell] = BLOCKED


def walking_time(turn: int, steps: int) -> int:
    """Turns that a worker needs for so many steps off the road: two a step by day, four by night."""
    left = DAY - turn % CYCLE
    if left <= 0:
        return 4 * steps
    by_day = min(steps, (left + 1) // 2)
    return 2 * by_day + 4 * (steps - by_day)


def night_fuel(turn: int, duration: int) -> int:
    """Fuel that a worker burns outside cities during the next `duration` turns."""
    t = turn % CYCLE
    return UNIT_UPKEEP[WORKER] * max(0, min(t + duration, CYCLE) - max(t, DAY))
