"""City tiles: how they join cities, how cities vanish, how tiles build units. Portable."""

import numpy as np

from .scratch import Scratch
from .state import (
    BUILD_WORKER,
    CART,
    LOST_TILES,
    MAX_ROAD,
    NEW_TILES,
    NEW_UNITS,
    UPKEEP,
    UPKEEP_SAVED,
    WORKER,
    Board,
    Games,
    Number,
)


def found_tile(g: int, team: Number, cell: Number, board: Board, games: Games) -> None:
    """Put a city tile of `team` on `cell`: a city of its own, or joined to the first one found beside it.

    The other cities beside it are absorbed in the order n, e, s, w: their tiles are appended, their fuel is
    added, their ids vanish.
    """
    near, tile_team, tile_city, tile_near = board.near, games.tile_team, games.tile_city, games.tile_near
    beside = 0
    city = -1
    for side in range(4):
        other = near[cell, side]
        if tile_team[g, other] == team:
            tile_near[g, other] += 1
            beside += 1
            if city < 0:
                city = tile_city[g, other]
    games.tile_next[g, cell] = -1
    if city < 0:
        city = games.num_cities[g]
        games.num_cities[g] += 1
        games.last_city_id[g] += 1
        games.city_id[g, city] = games.last_city_id[g]
        games.city_team[g, city] = team
        games.city_fuel[g, city] = 0
        games.city_upkeep[g, city] = UPKEEP
        games.city_size[g, city] = 1
        games.city_first[g, city] = cell
    else:
        games.tile_next[g, games.city_last[g, city]] = cell
        # The tile itself saves once for each neighbour, and so does each neighbour.
        games.city_upkeep[g, city] += UPKEEP - 2 * UPKEEP_SAVED * beside
        games.city_size[g, city] += 1
    games.city_last[g, city] = cell
    tile_team[g, cell] = team
    tile_city[g, cell] = city
    tile_near[g, cell] = beside
    games.tile_ready[g, cell] = 0
    games.road[g, cell] = MAX_ROAD
    games.num_tiles[g, team] += 1
    games.flows[g, team, NEW_TILES] += 1
    absorbed = 0
    if beside > 1:
        for side in range(4):
            other = near[cell, side]
            if tile_team[g, other] == team and tile_city[g, other] != city:
                absorb_city(g, city, tile_city[g, other], games)
                absorbed += 1
    if absorbed > 0:
        close_ranks(g, games)


def absorb_city(g: int, city: int, other: int, games: Games) -> None:
    """Append city `other` to `city` and leave it with no tile; `close_ranks` must follow."""
    cell = games.city_first[g, other]
    games.tile_next[g, games.city_last[g, city]] = cell
    games.city_last[g, city] = games.city_last[g, other]
    while cell >= 0:
        games.tile_city[g, cell] = city
        cell = games.tile_next[g, cell]
    games.city_fuel[g, city] += games.city_fuel[g, other]
    games.city_upkeep[g, city] += games.city_upkeep[g, other]
    games.city_size[g, city] += games.city_size[g, other]
    games.city_size[g, other] = 0


def raze_city(g: int, city: int, games: Games) -> None:
    """Take a city's tiles and roads off the map and leave it with no tile; `close_ranks` must follow."""
    team = games.city_team[g, city]
    cell = games.city_first[g, city]
    while cell >= 0:
        after = games.tile_next[g, cell]
        games.tile_team[g, cell] = -1
        games.tile_city[g, cell] = -1
        games.tile_ready[g, cell] = 0
        games.tile_near[g, cell] = 0
        games.tile_next[g, cell] = -1
        games.road[g, cell] = 0
        cell = after
    games.num_tiles[g, team] -= games.city_size[g, city]
    games.flows[g, team, LOST_TILES] += games.city_size[g, city]
    games.city_size[g, city] = 0


def close_ranks(g: int, games: Games) -> None:
    """Drop the cities without a tile; those behind them move up."""
    kept = 0
    for city in range(games.num_cities[g]):
        if games.city_size[g, city] == 0:
            continue
        if kept < city:
            games.city_id[g, kept] = games.city_id[g, city]
            games.city_team[g, kept] = games.city_team[g, city]
            games.city_fuel[g, kept] = games.city_fuel[g, city]
            games.city_upkeep[g, kept] = games.city_upkeep[g, city]
            games.city_size[g, kept] = games.city_size[g, city]
            games.city_first[g, kept] = games.city_first[g, city]
            games.city_last[g, kept] = games.city_last[g, city]
            cell = games.city_first[g, kept]
            while cell >= 0:
                games.tile_city[g, cell] = kept
                cell = games.tile_next[g, cell]
        kept += 1
    games.num_cities[g] = kept


def create_unit(g: int, team: Number, kind: Number, cell: Number, games: Games) -> None:
    """Append a unit to its team's list."""
    u = games.num_units[g, team]
    games.num_units[g, team] = u + 1
    games.last_unit_id[g] += 1
    games.unit_id[g, team, u] = games.last_unit_id[g]
    games.unit_kind[g, team, u] = kind
    games.unit_cell[g, team, u] = cell
    games.unit_cooldown[g, team, u] = 0
    for resource in range(3):
        games.unit_cargo[g, team, u, resource] = 0


def build_unit(g: int, cell: Number, games: Games, scratch: Scratch) -> None:
    """Let the tile on `cell` build what it was ordered to."""
    team = np.int64(games.tile_team[g, cell])
    kind = WORKER if scratch.building[g, cell] == BUILD_WORKER else CART
    scratch.building[g, cell] = 0
    create_unit(g, team, kind, cell, games)
    games.flows[g, team, NEW_UNITS] += 1


def act_cities(first: int, last: int, games: Games, scratch: Scratch) -> None:
    """Build units, city by city and tile by tile, for the games first..last-1."""
    num_builds, builder, building = scratch.num_builds, scratch.builder, scratch.building
    num_cities, city_first, tile_next = games.num_cities, games.city_first, games.tile_next
    for g in range(first, last):
        builds = num_builds[g]
        if builds == 1:
            build_unit(g, np.int64(builder[g, 0]), games, scratch)
        elif builds > 1:
            # Ids follow the order of cities and tiles, not that of the orders.
            for city in range(num_cities[g]):
                cell = np.int64(city_first[g, city])
                while cell >= 0:
                    if building[g, cell] != 0:
                        build_unit(g, cell, games, scratch)
                        builds -= 1
                    cell = np.int64(tile_next[g, cell])
                if builds == 0:
                    break
