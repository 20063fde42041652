"""What a seat sees before it decides: the worth of cells, what cities lack, who stands in the way. Portable."""

from lanista_envs.lux.state import (
    CAPACITY,
    COLLECT_RATE,
    CYCLE,
    FUEL_VALUE,
    MAX_TURNS,
    NO_RESOURCE,
    RESEARCH_NEEDED,
    WOOD,
    WORKER,
    Games,
)

from .clock import nights_left, nights_to_end
from .habits import Habits
from .room import BLOCKED, BUILT, CREDIT, FUTURE, HOPE, LACK, PLACES, STOCK, TILES, WORKERS, Sight


def value_cells(g: int, team: int, habits: Habits, games: Games, sight: Sight) -> None:
    """Fill `worth`, `rate`, `fuel` and `site`; count places to gather and the fuel within reach."""
    near, tile_team = sight.near, sight.tile_team
    kinds, amounts = games.resource_kind[g], games.resource_amount[g]
    research = games.research[g, team]
    known = 1 + int(research >= RESEARCH_NEEDED[1]) + int(research >= RESEARCH_NEEDED[2])
    homeless = games.num_tiles[g, team] == 0
    prices = (habits.worth_wood, habits.worth_coal, habits.worth_uranium)
    places = 0
    stock = 0
    future = 0
    for cell in range(near.shape[0] - 1):
        points = 0
        cargo = 0
        heat = 0
        around = 0
        if sight.kinds_near[cell] != 0:
            kind = kinds[cell]
            distance = sight.away[cell]
            if kind != NO_RESOURCE and distance >= 0:
                amount = int(amounts[cell]) * FUEL_VALUE[kind - 1]
                if distance <= habits.far:
                    future += amount
                if kind <= known and distance <= habits.reach:
                    stock += amount
            for d in range(5):
                other = near[cell, d]
                kind = kinds[other]
                if kind == NO_RESOURCE or kind > known:
                    continue
                take = COLLECT_RATE[kind - 1]
                gain = take * prices[kind - 1]
                if kind == WOOD:
                    around += habits.beside_wood
                    if amounts[other] < habits.thin_wood:
                        gain = gain * habits.thin // 100
                else:
                    around += habits.beside_ore
                points += gain
                heat += take * FUEL_VALUE[kind - 1]
                cargo += take
            if points > 0 and tile_team[cell] != 1 - team:
                places += 1
        sight.worth[cell] = points
        sight.rate[cell] = cargo
        sight.fuel[cell] = heat
        if tile_team[cell] >= 0 or kinds[cell] != NO_RESOURCE:
            sight.site[cell] = 0
            continue
        for d in range(4):
            if tile_team[near[cell, d]] == team:
                around += habits.beside_home
        sight.site[cell] = around + (100 if homeless else 0)
    sight.total[PLACES] = places
    sight.total[STOCK] = stock
    sight.total[FUTURE] = future


def heat_of(wood: int, coal: int, uranium: int) -> int:
    """Fuel in a cargo."""
    return wood * FUEL_VALUE[0] + coal * FUEL_VALUE[1] + uranium * FUEL_VALUE[2]


def count_needs(g: int, team: int, habits: Habits, games: Games, sight: Sight) -> None:
    """Fill `lacks`, `wants` and the totals that follow from them."""
    turn = int(games.turn[g])
    nights = nights_left(turn)
    ever = nights_to_end(turn)
    # On the last day there is no second night to think of.
    spare = habits.reserve if turn < MAX_TURNS - CYCLE else 0
    lack = 0
    debt = 0
    for city in range(games.num_cities[g]):
        if games.city_team[g, city] == team:
            upkeep, stored = int(games.city_upkeep[g, city]), int(games.city_fuel[g, city])
            need = upkeep * nights
            sight.lacks[city] = need + need * spare // 100 - stored
            sight.wants[city] = upkeep * ever - stored
            lack += max(int(sight.lacks[city]), 0)
            debt += int(sight.wants[city])
    workers = 0
    for u in range(games.num_units[g, team]):
        cargo = games.unit_cargo[g, team, u]
        debt -= heat_of(int(cargo[0]), int(cargo[1]), int(cargo[2]))
        if games.unit_kind[g, team, u] == WORKER:
            workers += 1
    total = sight.total
    total[WORKERS] = workers
    total[TILES] = games.num_tiles[g, team]
    total[LACK] = lack
    # At night a way takes twice as long. By the time that it matters there will be one worker more.
    hope = habits.income * min(workers + 1, int(total[PLACES])) * (CYCLE - turn % CYCLE - nights // 2)
    total[HOPE] = min(hope, int(total[STOCK]) * habits.share // 100)
    total[CREDIT] = int(total[FUTURE]) * habits.inheritance // 100 - debt


def mark_bodies(g: int, team: int, habits: Habits, games: Games, sight: Sight) -> None:
    """Block the cells outside cities whose unit will still be there, and claim sites for those who stand on them."""
    claim, tile_team = sight.claim, sight.tile_team
    claim[:] = 0
    for side in range(2):
        for u in range(games.num_units[g, side]):
            cell = games.unit_cell[g, side, u]
            if tile_team[cell] >= 0:
                continue
            if games.unit_cooldown[g, side, u] >= 4 or (side != team and sight.kinds_near[cell] != 0):
                claim[cell] |= BLOCKED
            if side == team:
                cargo = games.unit_cargo[g, team, u]
                if sight.worth[cell] > 0 and int(cargo[0]) + int(cargo[1]) + int(cargo[2]) < CAPACITY[WORKER]:
                    claim[cell] |= BLOCKED
                if sight.site[cell] >= habits.build_least:
                    claim[cell] |= BUILT
