"""The scripted Lux players: what they order is accepted, the same whoever asks, and wins; versions stay frozen."""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from lanista.errors import UsageError
from lanista.matches import play_matches
from lanista.plugins import current_host
from lanista.registry import NoSettings
from lanista_envs.connectx.env import ConnectX
from lanista_envs.lux.env import LuxS1
from lanista_envs.lux.games import LuxGames
from lanista_envs.lux.order_strings import pack_orders, read_orders
from lanista_envs.lux.replay import read_replay
from lanista_envs.lux.scripted import planner
from lanista_envs.lux.scripted.habits import PROSPECTOR_V1, WOODLAND_V1
from lanista_envs.lux.scripted.orders import plan_games, plan_seats, plan_strings
from lanista_envs.lux.scripted.players import ProspectorV1, Simple, WoodlandV1
from lanista_envs.lux.scripted.room import make_room
from lanista_envs.lux.settings import LuxS1Settings
from lanista_envs.lux.state import BUILD_CITY, KIND, MOVE, SUBJECT, TARGET, allocate, make_board
from lanista_envs.lux.updates import read_updates

# the players' plans alone compile for a good half minute where nothing is cached
pytestmark = pytest.mark.slow

NAMES = {"lux_woodland_v1": WoodlandV1, "lux_prospector_v1": ProspectorV1, "lux_simple": Simple}


def play(characters, seeds, size, turns=360):
    """The games after so many turns, and a digest of all orders."""
    games = LuxGames(len(seeds), size)
    games.start(seeds)
    digest = hashlib.sha256()
    for _ in range(turns):
        orders = plan_games(characters, games.board, games.state)
        digest.update(orders.rows.tobytes() + orders.offsets.tobytes())
        games.play(orders)
    return games, digest.hexdigest()[:16]


@pytest.mark.parametrize("character", [WOODLAND_V1, PROSPECTOR_V1])
def test_players_beat_the_simple_agent_from_both_seats(character):
    for seat in range(2):
        games, _ = play((character, None) if seat == 0 else (None, character), list(range(12)), 12)
        tiles = games.state.num_tiles
        assert (tiles[:, seat] > tiles[:, 1 - seat]).all()
        assert tiles[:, seat].mean() >= 20


def test_woodland_ends_with_a_dozen_tiles_against_prospector():
    games, _ = play((WOODLAND_V1, PROSPECTOR_V1), list(range(100, 116)), 12)
    tiles = games.state.num_tiles
    assert tiles[:, 0].mean() >= 12
    assert (tiles[:, 0] > tiles[:, 1]).mean() > 0.5


FROZEN = {
    ("woodland", "prospector", 12): "903680400a37f061",
    ("woodland", "simple", 16): "9e0cb55fac5dd807",
    ("prospector", "simple", 24): "7aedf879bb7a4482",
}


@pytest.mark.parametrize("match", FROZEN)
def test_frozen_versions_play_as_they_did(match):
    """Whoever wants other play writes a version 2: later bars are measured against these."""
    characters = {"woodland": WOODLAND_V1, "prospector": PROSPECTOR_V1, "simple": None}
    first, second, size = match
    _, digest = play((characters[first], characters[second]), [3, 4, 5], size)
    assert digest == FROZEN[match]


@pytest.mark.parametrize("character", [WOODLAND_V1, PROSPECTOR_V1, None])
def test_all_orders_of_a_seat_are_accepted(character):
    """Each order names a unit or tile that may act, once; a move leaves the board or enters enemy tiles never."""
    games = LuxGames(4, 16)
    games.start([1, 2, 3, 4])
    state, cells = games.state, 256
    for _ in range(200):
        orders = plan_games((character, character), games.board, state)
        for seat in range(8):
            g, team = divmod(seat, 2)
            rows = orders.rows[orders.offsets[seat] : orders.offsets[seat + 1]]
            for unit_orders, subjects in ((True, state.num_units[g, team]), (False, cells)):
                mine = rows[(rows[:, KIND] <= 5) == unit_orders]
                assert len(set(mine[:, SUBJECT].tolist())) == len(mine)
                assert (mine[:, SUBJECT] >= 0).all()
                assert (mine[:, SUBJECT] < subjects).all()
            for kind, subject, target, _ in rows.tolist():
                if kind > BUILD_CITY:
                    assert state.tile_team[g, subject] == team
                    assert state.tile_ready[g, subject] <= state.turn[g]
                    continue
                assert state.unit_cooldown[g, team, subject] < 4
                cell = state.unit_cell[g, team, subject]
                if kind == MOVE:
                    to = games.board.near[cell, target]
                    assert to < cells
                    # The simple agent does not look where it goes.
                    assert character is None or state.tile_team[g, to] != 1 - team
                else:
                    assert kind == BUILD_CITY
                    assert state.unit_cargo[g, team, subject].sum() >= 100
                    assert state.tile_team[g, cell] < 0
                    assert state.resource_kind[g, cell] == 0
        games.play(orders)


def test_two_units_of_a_seat_never_make_for_one_cell():
    games = LuxGames(6, 12)
    games.start(range(6))
    state = games.state
    for _ in range(250):
        orders = plan_games((WOODLAND_V1, PROSPECTOR_V1), games.board, state)
        for seat in range(12):
            g, team = divmod(seat, 2)
            rows = orders.rows[orders.offsets[seat] : orders.offsets[seat + 1]]
            moves = rows[rows[:, KIND] == MOVE]
            goals = games.board.near[state.unit_cell[g, team, moves[:, SUBJECT]], moves[:, TARGET]]
            outside = goals[state.tile_team[g, goals] < 0].tolist()
            assert len(set(outside)) == len(outside)
        games.play(orders)


def test_a_plan_depends_on_its_own_game_alone():
    games, _ = play((WOODLAND_V1, PROSPECTOR_V1), list(range(20)), 12, turns=90)
    which, teams = np.array([19, 3, 7, 3]), np.array([1, 0, 1, 1])
    for character in (WOODLAND_V1, PROSPECTOR_V1, None):
        rows, counts = plan_seats(character, which, teams, games.board, games.state)
        for k in range(4):
            alone, count = plan_seats(character, which[k : k + 1], teams[k : k + 1], games.board, games.state)
            assert counts[k] == count[0]
            assert (rows[k, : counts[k]] == alone[0, : count[0]]).all()


def test_uncompiled_planner_gives_the_same_orders():
    games, _ = play((WOODLAND_V1, PROSPECTOR_V1), [8, 9], 12, turns=70)
    for character in (WOODLAND_V1, PROSPECTOR_V1):
        for team in range(2):
            which, teams = np.arange(2), np.full(2, team)
            rows, counts = plan_seats(character, which, teams, games.board, games.state)
            plain, plain_counts = np.zeros((2, 300, 4), np.int16), np.zeros(2, np.int64)
            room = make_room(2, 144)
            planner.plan_seats(which, teams, character, games.board, games.state, room, plain, plain_counts)
            assert (plain_counts == counts).all()
            for k in range(2):
                assert (plain[k, : counts[k]] == rows[k, : counts[k]]).all()


def test_lux_simple_orders_what_the_official_agent_ordered():
    """The recorded game is of kaggle-environments' own `simple_agent`, in seat 0."""
    replay = read_replay(Path(__file__).parents[1] / "viewer" / "lux_replay.json.gz")
    board, games = make_board(12, 12), allocate(1, 12, 12)
    for turn, (ordered, _) in enumerate(replay.actions):
        read_updates(replay.updates[turn], turn, 0, board, games)
        assert plan_strings(None, 0, 0, board, games) == ordered
    assert sum(len(ordered) for ordered, _ in replay.actions) > 20


def test_threads_do_not_share_working_memory():
    alone = play((WOODLAND_V1, PROSPECTOR_V1), [5], 12)[1]
    with ThreadPoolExecutor(4) as pool:
        runs = [pool.submit(play, (WOODLAND_V1, PROSPECTOR_V1), [5], 12) for _ in range(8)]
    assert {run.result()[1] for run in runs} == {alone}


def test_strings_mean_the_same_orders():
    games, _ = play((WOODLAND_V1, PROSPECTOR_V1), [5], 12, turns=60)
    state = games.state
    orders = plan_games((WOODLAND_V1, PROSPECTOR_V1), games.board, state)
    seats = [
        read_orders(plan_strings(character, 0, team, games.board, state), 0, team, games.board, state)
        for team, character in enumerate((WOODLAND_V1, PROSPECTOR_V1))
    ]
    again = pack_orders(seats)
    assert (again.rows == orders.rows).all()
    assert (again.offsets == orders.offsets).all()


@pytest.mark.parametrize("name", NAMES)
def test_registered_player_plays_the_env_as_the_engine(name):
    """In the env, whose games are those of their map seeds, a player's choices come to what its orders do."""
    entry = current_host().registry.get("players", name)
    assert entry.traits["envs"] == ("lux_s1",)
    env = LuxS1(3, LuxS1Settings(observation="units"))
    env.reset(5)
    player = current_host().registry.load("players", name)(env.spec, NoSettings(), 0)
    assert type(player) is NAMES[name]
    games = LuxGames(3, 12)
    games.start(env.map_seed)
    every, seats = np.repeat(np.arange(3), 2), np.tile(np.arange(2), 3)
    for _ in range(120):
        games.play(plan_games((player.character, player.character), games.board, games.state))
        chosen = player.act(env, every, seats)
        assert chosen["orders"].shape == env.unit_row.shape
        env.step(chosen)
        for mine, theirs in zip(env.games, games.state, strict=True):
            if not games.state.over.any():
                assert (mine[..., :1] == theirs[..., :1]).all()
        assert (env.games.num_tiles == games.state.num_tiles).all() or games.state.over.any()
        assert (env.games.unit_cargo == games.state.unit_cargo).all() or games.state.over.any()


def test_players_meet_in_matches_and_every_game_counts_once():
    def make(num_games):
        return LuxS1(num_games, LuxS1Settings(observation="units", max_turns=80))

    spec = make(1).spec
    result = play_matches(make, (WoodlandV1(spec), Simple(spec)), 3, 0)
    mine = result.outcome[np.arange(6), (result.seating == 0).argmax(axis=1)]
    assert result.seating.tolist() == [[0, 1]] * 3 + [[1, 0]] * 3
    assert mine.tolist() == [1.0] * 6
    assert result.distinct_games == 6


def test_rows_of_some_seats_come_in_the_order_asked():
    env = LuxS1(4, LuxS1Settings(observation="units"))
    env.reset(1)
    player = WoodlandV1(env.spec)
    for _ in range(60):
        env.step(player.act(env, np.repeat(np.arange(4), 2), np.tile(np.arange(2), 4)))
    whole = player.act(env, np.repeat(np.arange(4), 2), np.tile(np.arange(2), 4))["orders"]
    part = player.act(env, np.array([3, 0]), np.array([1, 0]))["orders"]
    first = whole[env.unit_offsets[7] : env.unit_offsets[8]]
    second = whole[env.unit_offsets[0] : env.unit_offsets[1]]
    assert (part == np.concatenate([first, second])).all()
    assert player.state() == {}
    player.load_state({})


def test_other_envs_are_refused():
    env = ConnectX(1)
    with pytest.raises(UsageError, match="player lux_woodland_v1 cannot play connectx; it knows lux_s1 only"):
        WoodlandV1(env.spec)
    lux = LuxS1(1, LuxS1Settings(observation="units"))
    with pytest.raises(UsageError, match="player lux_simple was given ConnectX; it plays LuxS1 only"):
        Simple(lux.spec).act(env, np.array([0]), np.array([0]))
