"""The end of a turn: deposits, the night's upkeep, cooldowns, regrowth, the end of the game. Portable."""

from .cities import close_ranks, raze_city
from .state import (
    COAL,
    FUEL_BURNT,
    FUEL_STORED,
    FUEL_VALUE,
    LOST_UNITS,
    UNIT_UPKEEP,
    URANIUM,
    WOOD,
    WOOD_CAP,
    Games,
    is_night,
)

#: cell of a unit that the night has taken, until `bury_units` has closed the gap
LOST = -1


def store_cargo(first: int, last: int, games: Games) -> None:
    """Turn the cargo of units on city tiles into fuel of those cities."""
    num_units, unit_cell, unit_cargo = games.num_units, games.unit_cell, games.unit_cargo
    tile_city, city_fuel, flows, over = games.tile_city, games.city_fuel, games.flows, games.over
    for g in range(first, last):
        if over[g]:
            continue
        for team in range(2):
            for u in range(num_units[g, team]):
                city = tile_city[g, unit_cell[g, team, u]]
                if city < 0:
                    continue
                fuel = 0
                for resource in range(3):
                    fuel += int(unit_cargo[g, team, u, resource]) * FUEL_VALUE[resource]
                    unit_cargo[g, team, u, resource] = 0
                city_fuel[g, city] += fuel
                flows[g, team, FUEL_STORED] += fuel


def burn_in_cities(first: int, last: int, games: Games) -> None:
    """By night cities pay for their turn, or vanish."""
    over, turn, num_cities, flows = games.over, games.turn, games.num_cities, games.flows
    city_fuel, city_upkeep, city_team = games.city_fuel, games.city_upkeep, games.city_team
    for g in range(first, last):
        if over[g] or not is_night(turn[g]):
            continue
        razed = 0
        for city in range(num_cities[g]):
            if city_fuel[g, city] < city_upkeep[g, city]:
                raze_city(g, city, games)
                razed += 1
            else:
                city_fuel[g, city] -= city_upkeep[g, city]
                flows[g, city_team[g, city], FUEL_BURNT] += city_upkeep[g, city]
        if razed > 0:
            close_ranks(g, games)


def burn_in_units(first: int, last: int, games: Games) -> None:
    """By night units outside cities burn whole pieces of wood, then coal, then uranium, or are lost."""
    over, turn, num_units = games.over, games.turn, games.num_units
    unit_cell, unit_kind, unit_cargo = games.unit_cell, games.unit_kind, games.unit_cargo
    tile_team = games.tile_team
    for g in range(first, last):
        if over[g] or not is_night(turn[g]):
            continue
        for team in range(2):
            lost = 0
            for u in range(num_units[g, team]):
                if tile_team[g, unit_cell[g, team, u]] == team:
                    continue
                need = UNIT_UPKEEP[unit_kind[g, team, u]]
                for resource in range(3):
                    if need > 0:
                        value = FUEL_VALUE[resource]
                        burnt = min(int(unit_cargo[g, team, u, resource]), (need + value - 1) // value)
                        unit_cargo[g, team, u, resource] -= burnt
                        need -= burnt * value
                if need > 0:
                    unit_cell[g, team, u] = LOST
                    lost += 1
            if lost > 0:
                bury_units(g, team, games)


def bury_units(g: int, team: int, games: Games) -> None:
    """Drop the units that are lost; those behind them move up."""
    kept = 0
    for u in range(games.num_units[g, team]):
        if games.unit_cell[g, team, u] == LOST:
            continue
        if kept < u:
            games.unit_id[g, team, kept] = games.unit_id[g, team, u]
            games.unit_kind[g, team, kept] = games.unit_kind[g, team, u]
            games.unit_cell[g, team, kept] = games.unit_cell[g, team, u]
            games.unit_cooldown[g, team, kept] = games.unit_cooldown[g, team, u]
            for resource in range(3):
                games.unit_cargo[g, team, kept, resource] = games.unit_cargo[g, team, u, resource]
        kept += 1
    games.flows[g, team, LOST_UNITS] += games.num_units[g, team] - kept
    games.num_units[g, team] = kept


def cool_units(first: int, last: int, games: Games) -> None:
    """Let units cool down, by one and by the road under them."""
    over, num_units, road = games.over, games.num_units, games.road
    unit_cell, unit_cooldown = games.unit_cell, games.unit_cooldown
    for g in range(first, last):
        if over[g]:
            continue
        for team in range(2):
            for u in range(num_units[g, team]):
                cooldown = unit_cooldown[g, team, u] - road[g, unit_cell[g, team, u]] - 4
                unit_cooldown[g, team, u] = max(cooldown, 0)


def end_turns(first: int, last: int, max_turns: int, games: Games) -> None:
    """Wood regrows; the game ends at its last turn, or when a team has neither unit nor city tile."""
    resource_kind, resource_amount = games.resource_kind, games.resource_amount
    growing, num_growing, over, turn = games.growing, games.num_growing, games.over, games.turn
    num_units, num_tiles = games.num_units, games.num_tiles
    for g in range(first, last):
        if over[g]:
            continue
        kept = 0
        for k in range(num_growing[g]):
            cell = growing[g, k]
            if resource_kind[g, cell] == WOOD:
                # In integers what the official program does in doubles: min(ceil(1.025 a), 500).
                amount = (41 * int(resource_amount[g, cell]) + 39) // 40
                resource_amount[g, cell] = min(amount, WOOD_CAP)
                if amount < WOOD_CAP:
                    growing[g, kept] = cell
                    kept += 1
        num_growing[g] = kept
        over[g] = (
            turn[g] == max_turns - 1
            or num_units[g, 0] + num_tiles[g, 0] == 0
            or num_units[g, 1] + num_tiles[g, 1] == 0
        )
        turn[g] += 1


assert COAL - WOOD == 1
assert URANIUM - WOOD == 2
