"""What a team has, counted once a turn: for the facts that an env reports and for what a seat sees. Portable."""

import numpy as np
import numpy.typing as npt

from .state import CART, CYCLE, DAY, FUEL_VALUE, Games

#: what is counted for each team; FUEL to HUNGRY_TILES are sums over its cities, WOOD_CARRIED to CARGO over its units
CITY_TILES, CITIES, UNITS, WORKERS, CARTS, RESEARCHED = 0, 1, 2, 3, 4, 5
FUEL, UPKEEP_DUE, HUNGRY_TILES = 6, 7, 8
WOOD_CARRIED, COAL_CARRIED, URANIUM_CARRIED, CARGO = 9, 10, 11, 12
NUM_TALLIES = 13

Tally = npt.NDArray[np.int64]


def nights_due(turn: int) -> int:
    """Night turns until the next morning: what is left of this night, or the coming one by day."""
    return min(CYCLE - turn % CYCLE, CYCLE - DAY)


def nights_left(turn: int, max_turns: int) -> int:
    """Night turns until the game ends."""
    night = CYCLE - DAY
    before = turn // CYCLE * night + max(turn % CYCLE - DAY, 0)
    whole = max_turns // CYCLE * night + max(max_turns % CYCLE - DAY, 0)
    return max(whole - before, 0)


def is_hungry(fuel: int, upkeep: int, due: int) -> bool:
    """Will a city vanish before the morning, if nobody brings fuel?"""
    return bool(int(fuel) < int(upkeep) * due)


def count_teams(g: int, games: Games, tally: Tally) -> None:
    """Fill ``tally[2, NUM_TALLIES]`` for game g."""
    due = nights_due(int(games.turn[g]))
    tally[:] = 0
    for team in range(2):
        tally[team, CITY_TILES] = games.num_tiles[g, team]
        tally[team, UNITS] = games.num_units[g, team]
        tally[team, RESEARCHED] = games.research[g, team]
        for u in range(games.num_units[g, team]):
            if games.unit_kind[g, team, u] == CART:
                tally[team, CARTS] += 1
            for resource in range(3):
                load = int(games.unit_cargo[g, team, u, resource])
                tally[team, WOOD_CARRIED + resource] += load
                tally[team, CARGO] += load * FUEL_VALUE[resource]
        tally[team, WORKERS] = tally[team, UNITS] - tally[team, CARTS]
    for city in range(games.num_cities[g]):
        team = games.city_team[g, city]
        tally[team, CITIES] += 1
        tally[team, FUEL] += games.city_fuel[g, city]
        tally[team, UPKEEP_DUE] += games.city_upkeep[g, city]
        if is_hungry(games.city_fuel[g, city], games.city_upkeep[g, city], due):
            tally[team, HUNGRY_TILES] += games.city_size[g, city]
