"""What the tests of the Lux env share: positions drawn at random, far richer than those that weak players reach."""

import numpy as np
import pytest

from lanista_envs.lux import state
from lanista_envs.lux.cities import create_unit, found_tile
from lanista_envs.lux.collect import survey
from lanista_envs.lux.state import clear_game


def fill_game(g, board, games, rng):
    """Make game g a position with resources, cities, stacked and loaded units, roads, any research and any hour."""
    cells = board.width * board.height
    clear_game(g, games)
    games.turn[g] = rng.integers(0, 360)
    games.research[g] = rng.choice([0, 49, 50, 120, 199, 200, 231], 2)
    kinds = rng.choice(4, cells, p=[0.7, 0.15, 0.1, 0.05])
    games.resource_kind[g, :cells] = kinds
    games.resource_amount[g, :cells] = np.where(kinds > 0, rng.choice([1, 7, 300, 499, 500, 800], cells), 0)
    games.road[g, :cells] = np.where(rng.random(cells) < 0.3, rng.integers(0, 25, cells), 0)
    free = rng.permutation(np.flatnonzero(kinds == 0))
    for cell in free[: int(rng.integers(0, max(1, cells // 4)))].tolist():
        found_tile(g, int(rng.integers(2)), cell, board, games)
        games.tile_ready[g, cell] = games.turn[g] + rng.integers(-3, 9)
    games.city_fuel[g, : games.num_cities[g]] = rng.choice([0, 22, 23, 229, 230, 5000], games.num_cities[g])
    taken = set()
    for team in rng.integers(0, 2, int(rng.integers(0, max(1, cells // 3)))).tolist():
        cell = int(rng.integers(cells))
        if games.tile_team[g, cell] == 1 - team or (games.tile_team[g, cell] < 0 and cell in taken):
            continue
        taken.add(cell)
        kind = int(rng.random() < 0.3)
        create_unit(g, team, kind, cell, games)
        u = games.num_units[g, team] - 1
        games.unit_cooldown[g, team, u] = rng.choice([0, 3, 4, 12])
        shares = rng.dirichlet([1, 1, 1]) * rng.choice([0, 0.5, 1])
        games.unit_cargo[g, team, u] = np.floor(shares * state.CAPACITY[kind])
        if rng.random() < 0.3:
            games.unit_cargo[g, team, u] = [state.CAPACITY[kind], 0, 0]
    survey(g, board, games)
    games.flows[g] = rng.integers(0, 50, games.flows[g].shape)


@pytest.fixture(scope="session")
def positions():
    """``positions(seed, count, width, height)``: (board, games) with `count` random positions."""

    def make(seed, count, width, height):
        rng = np.random.default_rng(seed)
        board, games = state.make_board(width, height), state.allocate(count, width, height)
        for g in range(count):
            fill_game(g, board, games, rng)
        return board, games

    return make


@pytest.fixture(scope="session")
def show():
    """``show(env, games)``: let an env show positions, through its own saved state."""

    def put(env, games):
        env.reset(0)
        saved = env.save()
        for name, array in zip(games._fields, games, strict=True):
            saved[f"games.{name}"] = array
        env.load(saved)

    return put
