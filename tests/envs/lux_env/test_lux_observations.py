"""What seats see: compiled and plain code agree to the bit, and numbers mean what they say."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lanista_envs.lux import clusters, nearest, overview, planes, sights, state, tally, unit_rows
from lanista_envs.lux.env import LuxS1
from lanista_envs.lux.settings import LuxS1Settings

SEEDS = st.integers(0, 2**32 - 1)


@pytest.fixture(scope="module")
def envs():
    """One env a size, since building is dear."""
    built = {}

    def get(size):
        if size not in built:
            built[size] = LuxS1(3, LuxS1Settings(size=size, observation="both"))
        return built[size]

    return get


@settings(deadline=None, max_examples=25)
@given(seed=SEEDS, size=st.sampled_from([8, 9, 11]))
def test_compiled_and_plain_code_see_the_same_to_the_bit(envs, positions, show, seed, size):
    env = envs(size)
    board, games = positions(seed, 3, size, size)
    show(env, games)
    work = sights.make_sights(size, size)
    for g in range(3):
        for seat in range(2):
            knows, table = sights.see(g, seat, 360, board, games, work, unit_rows.NUM_FEATURES)
            shown = np.zeros((planes.NUM_PLANES, size * size), np.uint8)
            planes.write_planes(g, seat, board, games, shown)
            first, last = env.unit_offsets[2 * g + seat : 2 * g + seat + 2]
            pairs = [
                (env.observation["globals"][g, seat], knows),
                (env.observation["planes"][g, seat].reshape(shown.shape), shown),
                (env.unit_row[first:last], table.row), (env.unit_cell[first:last], table.cell),
                (env.unit_kind[first:last], table.kind), (env.unit_slot[first:last], table.slot),
                (env.unit_legal[first:last], table.legal),
                (env.unit_observation["features"][first:last], table.features),
                (env.unit_observation["window"][first:last].reshape(last - first, 200), table.windows.view(np.int8)),
            ]  # fmt: skip
            for compiled, plain in pairs:
                assert compiled.dtype == plain.dtype
                assert compiled.tobytes() == plain.tobytes()


@settings(deadline=None, max_examples=40)
@given(seed=SEEDS, width=st.integers(1, 7), height=st.integers(1, 7))
def test_the_nearest_is_found_for_every_cell(positions, seed, width, height):
    board, games = positions(seed, 1, width, height)
    lanes = sights.make_sights(width, height).lanes
    nearest.find_nearest(0, board, games, lanes)
    kind, team = games.resource_kind[0, :-1], games.tile_team[0, :-1]
    free = (kind == 0) & (team < 0)
    due = tally.nights_due(int(games.turn[0]))
    sources = {nearest.WOOD_LANE: kind == 1, nearest.COAL_LANE: kind == 2, nearest.URANIUM_LANE: kind == 3,
               nearest.FREE: free}  # fmt: skip
    for t in range(2):
        needed = np.array([0, 0, 50, 200])[kind]
        open_ = (kind > 0) & (games.research[0, t] >= needed)
        beside_open, beside_home = np.zeros_like(open_), np.zeros_like(open_)
        hungry, units = np.zeros_like(open_), np.zeros_like(open_)
        for cell in range(width * height):
            around = [c for c in board.near[cell, :4].tolist() if c < width * height]
            beside_open[cell] = free[cell] and open_[around].any()
            beside_home[cell] = free[cell] and (team[around] == t).any()
            if team[cell] == t:
                city = games.tile_city[0, cell]
                hungry[cell] = games.city_fuel[0, city] < games.city_upkeep[0, city] * due
        units[games.unit_cell[0, t, : games.num_units[0, t]]] = True
        sources |= {
            nearest.OPEN + t: open_, nearest.TILES + t: team == t, nearest.UNITS + t: units,
            nearest.HUNGRY + t: hungry, nearest.HOME_SITES + t: beside_home, nearest.CAMP_SITES + t: beside_open,
        }  # fmt: skip
    assert len(sources) == nearest.NUM_LANES
    for lane, mask in sources.items():
        places = np.argwhere(mask.reshape(height, width))
        for y in range(height):
            for x in range(width):
                found = int(lanes[y, x, lane])
                if len(places) == 0:
                    assert found >= nearest.NONE
                    continue
                away = np.abs(places - (y, x)).sum(1)
                goal = places[int(away.argmin())]
                assert found // nearest.STEP == away.min()
                assert nearest.cell_of(found, width) == goal[0] * width + goal[1]


@settings(deadline=None, max_examples=40)
@given(seed=SEEDS, width=st.integers(1, 7), height=st.integers(1, 7))
def test_clusters_are_connected_and_counted(positions, seed, width, height):
    board, games = positions(seed, 1, width, height)
    work = sights.make_sights(width, height)
    count = clusters.find_clusters(0, board, games, work.labels, work.numbers, work.stack)
    kind = games.resource_kind[0, :-1].reshape(height, width)
    labels = work.labels[:-1].reshape(height, width)
    assert ((labels >= 0) == (kind > 0)).all()
    assert work.labels[-1] == -1
    # Labels agree on neighbours of a kind (corners included), and each label is one piece: grow it from a cell.
    for label in range(count):
        cells = np.argwhere(labels == label)
        piece = {tuple(cells[0])}
        while True:
            more = {
                (y + dy, x + dx) for y, x in piece for dy in (-1, 0, 1) for dx in (-1, 0, 1)
                if 0 <= y + dy < height and 0 <= x + dx < width and kind[y + dy, x + dx] == kind[y, x]
            }  # fmt: skip
            if more == piece:
                break
            piece = more
        assert piece == {tuple(cell) for cell in cells}
        inside = labels.reshape(-1) == label
        numbers = work.numbers[label]
        assert numbers[clusters.TILES] == inside.sum()
        assert numbers[clusters.AMOUNT] == games.resource_amount[0, :-1][inside].sum()
        for team in range(2):
            at = games.unit_cell[0, team, : games.num_units[0, team]].tolist()
            holds = sum(work.labels[c] == label for cell in at for c in board.near[cell].tolist())
            assert numbers[clusters.UNIT_HOLDS + team] == holds
            at = np.flatnonzero(games.tile_team[0, :-1] == team).tolist()
            holds = sum(work.labels[c] == label for cell in at for c in board.near[cell, :4].tolist())
            assert numbers[clusters.TILE_HOLDS + team] == holds


@settings(deadline=None, max_examples=30)
@given(seed=SEEDS)
def test_both_ways_to_the_second_seats_planes_agree(positions, seed):
    board, games = positions(seed, 1, 6, 5)
    first, second, turned = np.ones((3, planes.NUM_PLANES, 30), np.uint8)
    planes.write_planes(0, 0, board, games, first)
    planes.write_planes(0, 1, board, games, second)
    planes.turn_planes(first, turned)
    assert np.array_equal(second, turned)


@settings(deadline=None, max_examples=30)
@given(seed=SEEDS)
def test_counts_are_the_states(positions, seed):
    _, games = positions(seed, 1, 7, 7)
    counted = np.zeros((2, tally.NUM_TALLIES), np.int64)
    tally.count_teams(0, games, counted)
    for team in range(2):
        own = games.city_team[0, : games.num_cities[0]] == team
        cargo = games.unit_cargo[0, team, : games.num_units[0, team]].astype(int).sum(0)
        kinds = games.unit_kind[0, team, : games.num_units[0, team]]
        fuel, upkeep, size = (
            a[0, : games.num_cities[0]][own] for a in (games.city_fuel, games.city_upkeep, games.city_size)
        )
        due = tally.nights_due(int(games.turn[0]))
        assert counted[team].tolist() == [
            games.num_tiles[0, team], own.sum(), len(kinds), (kinds == 0).sum(), (kinds == 1).sum(),
            games.research[0, team], fuel.sum(), upkeep.sum(), size[fuel < upkeep * due].sum(), *cargo,
            cargo @ state.FUEL_VALUE,
        ]  # fmt: skip


def test_nights_are_counted_as_the_rules_count_them():
    nights = [turn for turn in range(360) if state.is_night(turn)]
    for turn in range(360):
        assert tally.nights_left(turn, 360) == sum(night >= turn for night in nights)
        assert tally.nights_left(turn, 75) == sum(75 > night >= turn for night in nights)
        morning = (turn // 40 + 1) * 40
        assert tally.nights_due(turn) == sum(turn <= night < morning for night in nights)


def by_name(env, row):
    game, seat = divmod(int(env.unit_row[row]), 2)
    seen = dict(zip(unit_rows.FEATURES, env.unit_observation["features"][row].tolist(), strict=True))
    return seen | dict(zip(overview.GLOBALS, env.observation["globals"][game, seat].tolist(), strict=True))


def test_a_row_says_what_a_worker_sees(envs, show):
    """A board drawn by hand: a worker with 60 wood and 1 coal on (3, 3), wood north of it, a city to the east."""
    board, games = state.make_board(8, 8), state.allocate(3, 8, 8)
    from lanista_envs.lux.cities import create_unit, found_tile
    from lanista_envs.lux.collect import survey

    for g in range(3):
        games.turn[g] = 33
        for cell, kind, amount in ((2 * 8 + 3, 1, 250), (1 * 8 + 2, 1, 150), (7 * 8 + 0, 2, 400)):
            games.resource_kind[g, cell], games.resource_amount[g, cell] = kind, amount
        found_tile(g, 0, 3 * 8 + 5, board, games)
        games.city_fuel[g, 0] = 100
        found_tile(g, 1, 0, board, games)
        create_unit(g, 0, 0, 3 * 8 + 3, games)
        games.unit_cargo[g, 0, 0] = [60, 1, 0]
        create_unit(g, 1, 1, 4 * 8 + 3, games)
        survey(g, board, games)
    env = envs(8)
    show(env, games)
    assert env.unit_kind[env.unit_row == 0].tolist() == [0, 2]
    seen = by_name(env, 0)
    expected = {
        "worker": 1, "cart": 0, "city tile": 0, "wood / capacity": 0.6, "coal / capacity": 0.01, "room / capacity": 0.39,
        "root of the cargo's fuel / 64": 70**0.5 / 64, "stands on a city tile": 0, "stands on a free cell": 1,
        "wood cells in reach / 5": 0.2, "open coal cells in reach / 5": 0,
        "cargo's fuel against the night outside, at most 2": 2, "own city tiles beside / 4": 0,
        "other's units beside / 4": 0.25, "x, -1 to 1": -1 / 7, "y, -1 to 1": -1 / 7,
        "the city's fuel against the night, at most 2": 100 / 161, "it starves": 1,
        "root of the fuel it lacks for the night / 64": 61**0.5 / 64, "upkeep a tile / 23": 1,
        "root of its cells / 4": 2**0.5 / 4, "root of its amount / 64": 20 / 64, "wood": 1, "coal": 0,
        "own units at it n / (n + 4)": 0.2, "other's units at it n / (n + 4)": 0,
        "wood: 1 / (1 + steps)": 0.5, "wood: steps south / 16": -1 / 16, "coal: steps east / 16": -3 / 16,
        "coal: steps south / 16": 4 / 16, "a resource that may be collected: 1 / (1 + steps)": 0.5,
        "own city tile: 1 / (1 + steps)": 1 / 3, "own city tile: steps east / 16": 2 / 16,
        "other's unit: steps south / 16": 1 / 16, "own starving city: 1 / (1 + steps)": 1 / 3,
        "uranium: 1 / (1 + steps)": 0, "a free cell beside an own city: steps east / 16": 1 / 16,
        "night now": 1, "night turns until the morning / 10": 0.7, "turn / turns of a game": 33 / 360,
        "own research / 200": 0, "own share of city tiles": 0.5,
    }  # fmt: skip
    assert {name: seen[name] for name in expected} == pytest.approx(expected, abs=1e-6)
    seen = env.unit_observation["window"][0].tolist()
    assert seen[12] == [0, 0, 0, 0, 2, 3, 1, 1]  # itself, in the middle, with 61 of cargo
    assert seen[6] == [62, 0, 0, 0, 0, 0, 0, 0]  # the wood to the north
    assert seen[14] == [0, 0, 24, 1, 0, 0, 0, 0]  # its city, two steps to the east, and the road below it
    assert seen[18] == [0, 0, 0, 0, -1, 0, 1, 1]  # the other's cart to the south


def test_planes_of_a_board_drawn_by_hand(envs, show):
    board, games = state.make_board(8, 8), state.allocate(3, 8, 8)
    from lanista_envs.lux.cities import create_unit, found_tile

    for g in range(3):
        games.turn[g] = 5
        games.research[g] = [60, 0]
        games.resource_kind[g, 9], games.resource_amount[g, 9] = 2, 401
        games.road[g, 20] = 13
        found_tile(g, 0, 3, board, games)
        found_tile(g, 0, 4, board, games)
        games.city_fuel[g, 0] = 90
        games.tile_ready[g, 4] = 12
        create_unit(g, 1, 1, 20, games)
        games.unit_cargo[g, 1, 0] = [250, 0, 40]
        games.unit_cooldown[g, 1, 0] = 6
        create_unit(g, 0, 0, 3, games)
        create_unit(g, 0, 0, 3, games)
    env = envs(8)
    show(env, games)
    assert len(planes.PLANES) == planes.NUM_PLANES == env.observation["planes"].shape[2]
    for seat, own in ((0, "own"), (1, "other")):
        other = {"own": "other", "other": "own"}[own]
        shown = dict(zip(planes.PLANES, env.observation["planes"][0, seat].reshape(-1, 64), strict=True))
        expected = {
            "coal / 400": {9: 100}, "wood / 500": {}, "road / 6": {20: 52, 3: 96, 4: 96},
            "a resource that own may collect" if seat == 0 else "the same of other": {9: 100},
            "the same of other" if seat == 0 else "a resource that own may collect": {},
            f"{own} city tiles": {3: 100, 4: 100}, f"{other} city tiles": {},
            f"{own} cities' fuel in night turns / 10": {3: 25, 4: 25}, f"{own} city tiles' cooldown / 10": {4: 70},
            f"{own} workers / 2": {3: 100}, f"{other} carts / 2": {20: 50}, f"{own} units that may act / 2": {3: 100},
            f"{other} units that may act / 2": {}, f"{other} units' cooldown in turns": {20: 150},
            f"{other} wood carried / 100": {20: 107}, f"{other} uranium carried / 100": {20: 40},
        }  # fmt: skip
        for name, cells in expected.items():
            assert {int(c): int(shown[name][c]) for c in np.flatnonzero(shown[name])} == cells, (seat, name)
