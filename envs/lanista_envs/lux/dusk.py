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
    Board,
    Games,
    is_night,
)


def settle_units(first: int, last: int, board: Board, games: Games) -> None:
    """Turn cargo on city tiles into fuel, let the night take its toll, and let units cool down."""
    num_units, unit_cell, unit_cargo = games.num_units, games.unit_cell, games.unit_cargo
    unit_cooldown, road, tile_team = games.unit_cooldown, games.road, games.tile_team
    for g in range(first, last):
        if games.over[g]:
            continue
        night = is_night(games.turn[g])
        for team in range(2):
            for u in range(num_units[g, team]):
                cell = unit_cell[g, team, u]
                if tile_team[g, cell] == team:
                    deposit(g, team, u, cell, games)
                if not night:
                    unit_cooldown[g, team, u] = max(unit_cooldown[g, team, u] - road[g, cell] - 4, 0)
        if night:
            burn_in_cities(g, board, games)
            burn_in_units(g, 0, games)
            burn_in_units(g, 1, games)


def deposit(g: int, team: int, u: int, cell: int, games: Games) -> None:
    """Turn the whole cargo of a unit into fuel of the city that it stands in."""
    cargo = games.unit_cargo
    if cargo[g, team, u, 0] == 0 and cargo[g, team, u, 1] == 0 and cargo[g, team, u, 2] == 0:
        return
    fuel = 0
    for resource in range(3):
        fuel += int(cargo[g, team, u, resource]) * FUEL_VALUE[resource]
        cargo[g, team, u, resource] = 0
    games.city_fuel[g, games.tile_city[g, cell]] += fuel
    games.flows[g, team, FUEL_STORED] += fuel


def burn_in_cities(g: int, board: Board, games: Games) -> None:
    """Cities pay for their night turn, or vanish."""
    razed = 0
    for city in range(games.num_cities[g]):
        upkeep = games.city_upkeep[g, city]
        if games.city_fuel[g, city] < upkeep:
            raze_city(g, city, board, games)
            razed += 1
        else:
            games.city_fuel[g, city] -= upkeep
            games.flows[g, games.city_team[g, city], FUEL_BURNT] += upkeep
    if razed > 0:
        close_ranks(g, games)


def burn_in_units(g: int, team: int, games: Games) -> None:
    """Units outside cities burn their cargo, or are lost; those behind them move up, and all cool down."""
    kept = 0
    for u in range(games.num_units[g, team]):
        cell = games.unit_cell[g, team, u]
        if games.tile_team[g, cell] != team and not survive_outside(g, team, u, games):
            continue
        cooldown = max(games.unit_cooldown[g, team, u] - games.road[g, cell] - 4, 0)
        games.unit_cooldown[g, team, kept] = cooldown
        if kept < u:
            games.unit_id[g, team, kept] = games.unit_id[g, team, u]
            games.unit_kind[g, team, kept] = games.unit_kind[g, team, u]
            games.unit_cell[g, team, kept] = cell
            for resource in range(3):
                games.unit_cargo[g, team, kept, resource] = games.unit_cargo[g, team, u, resource]
        kept += 1
    games.flows[g, team, LOST_UNITS] += games.num_units[g, team] - kept
    games.num_units[g, team] = kept


def survive_outside(g: int, team: int, u: int, games: Games) -> bool:
    """Burn whole pieces of wood, then coal, then uranium; False if they are not enough."""
    need = UNIT_UPKEEP[games.unit_kind[g, team, u]]
    for resource in range(3):
        if need > 0:
            value = FUEL_VALUE[resource]
            burnt = min(int(games.unit_cargo[g, team, u, resource]), (need + value - 1) // value)
            games.unit_cargo[g, team, u, resource] -= burnt
            need -= burnt * value
    return need <= 0


def end_turns(first: int, last: int, max_turns: int, games: Games) -> None:
    """Wood regrows; the game ends at its last turn, or when a team has neither unit nor city tile."""
    resource_kind, resource_amount = games.resource_kind, games.resource_amount
    cells = resource_kind.shape[1] - 1
    for g in range(first, last):
        if games.over[g]:
            continue
        for cell in range(cells):
            amount = int(resource_amount[g, cell])
            if resource_kind[g, cell] == WOOD and amount < WOOD_CAP:
                # In integers what the official program does in doubles: min(ceil(1.025 a), 500).
                resource_amount[g, cell] = min((41 * amount + 39) // 40, WOOD_CAP)
        games.over[g] = (
            games.turn[g] == max_turns - 1
            or games.num_units[g, 0] + games.num_tiles[g, 0] == 0
            or games.num_units[g, 1] + games.num_tiles[g, 1] == 0
        )
        games.turn[g] += 1


assert COAL - WOOD == 1
assert URANIUM - WOOD == 2
