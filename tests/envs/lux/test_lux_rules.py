"""Single rules on boards drawn by hand, and what holds for all games: no influence of N, threads or compiling."""

import random

import numpy as np
import pytest

from lanista.errors import UsageError
from lanista_envs.lux import rules, state
from lanista_envs.lux.drivers import DRIVERS
from lanista_envs.lux.games import LuxGames
from lanista_envs.lux.order_strings import pack_orders, read_orders
from lanista_envs.lux.state import Orders
from lanista_envs.lux.updates import read_updates, write_updates

HOME = ["c 0 c_1 100 23", "ct 0 c_1 0 0 0", "ccd 0 0 6"]
FAR = "u 0 1 u_90 11 11 0 100 0 0"


def play(games, own=(), other=()):
    seats = [read_orders(texts, 0, team, games.board, games.state) for team, texts in enumerate((own, other))]
    games.play(pack_orders(seats))
    return write_updates(0, games.board, games.state)


def units(lines):
    return [line for line in lines if line.startswith("u ")]


def test_two_units_may_swap_and_a_ring_may_turn(position):
    games = position(["u 0 0 u_1 3 3 0 0 0 0", "u 0 0 u_2 4 3 0 0 0 0", FAR, *HOME])
    lines = play(games, ["m u_1 e", "m u_2 w"])
    assert units(lines)[:2] == ["u 0 0 u_1 4 3 1 0 0 0", "u 0 0 u_2 3 3 1 0 0 0"]


def test_a_cancelled_move_cancels_those_behind_it(position):
    row = [f"u 0 0 u_{k} {k} 3 0 0 0 0" for k in (1, 2, 3)]
    games = position([*row, "u 0 1 u_80 4 3 0 0 0 0", *HOME])
    lines = play(games, ["m u_1 e", "m u_2 e", "m u_3 e"])
    assert units(lines)[:3] == row
    lines = play(games, ["m u_1 e", "m u_2 e", "m u_3 e"], ["m u_80 s"])
    assert [line.split()[4] for line in units(lines)[:3]] == ["2", "3", "4"]


def test_staying_by_order_is_an_arrival(position):
    games = position(["u 0 0 u_1 3 3 0 0 0 0", "u 0 0 u_2 4 3 0 0 0 0", FAR, *HOME])
    lines = play(games, ["m u_1 c", "m u_2 w"])
    assert units(lines)[:2] == ["u 0 0 u_1 3 3 0 0 0 0", "u 0 0 u_2 4 3 0 0 0 0"]


def test_transfers_pass_on_in_list_order_only(position):
    start = ["u 0 0 u_1 3 3 0 50 0 0", "u 0 0 u_2 4 3 0 0 0 0", "u 0 0 u_3 5 3 0 0 0 0", FAR, *HOME]
    lines = play(position(start), ["t u_2 u_3 wood 50", "t u_1 u_2 wood 50"])
    assert [line.split()[7] for line in units(lines)[:3]] == ["0", "0", "50"]
    start = ["u 0 0 u_1 3 3 0 0 0 0", "u 0 0 u_2 4 3 0 0 0 0", "u 0 0 u_3 5 3 0 50 0 0", FAR, *HOME]
    lines = play(position(start), ["t u_3 u_2 wood 50", "t u_2 u_1 wood 50"])
    assert [line.split()[7] for line in units(lines)[:3]] == ["0", "50", "0"]


def test_zero_asks_destroy_a_nearly_empty_tile(position):
    near = ["u 0 0 u_1 3 2 0 100 0 0", "u 0 0 u_2 3 4 0 100 0 0", "u 0 0 u_3 4 3 0 50 0 0"]
    lines = play(position(["r wood 3 3 2", *near, FAR, *HOME]))
    assert not [line for line in lines if line.startswith("r ")]
    assert units(lines)[:3] == near


def test_a_tile_nobody_has_room_for_is_left_alone(position):
    near = ["u 0 0 u_1 3 2 0 100 0 0", "u 0 0 u_2 3 4 0 100 0 0"]
    lines = play(position(["r wood 3 3 1", *near, FAR, *HOME]))
    assert "r wood 3 3 2" in lines


@pytest.mark.parametrize(
    ("amount", "after"), [(1, 2), (40, 41), (41, 43), (486, 499), (488, 500), (500, 500), (800, 800)]
)
def test_wood_regrows_up_to_500(position, amount, after):
    assert f"r wood 9 9 {after}" in play(position([f"r wood 9 9 {amount}", FAR, *HOME]))


def test_the_fiftieth_research_point_opens_coal_at_once(position):
    start = ["rp 0 49", "rp 1 0", "r coal 3 3 100", "u 0 0 u_1 3 2 0 0 0 0", FAR, *HOME]
    assert units(play(position(start)))[0] == "u 0 0 u_1 3 2 0 0 0 0"
    lines = play(position(start), ["r 0 0"])
    assert lines[0] == "rp 0 50"
    assert units(lines)[0] == "u 0 0 u_1 3 2 0 0 5 0"
    assert "ct 0 c_1 0 0 9" in lines


def test_a_new_tile_joins_the_first_neighbour_and_absorbs_the_others(position):
    cities = [(1, 5, 4), (2, 6, 5), (3, 5, 6)]
    start = [
        "u 0 0 u_1 5 5 0 60 40 0", FAR, *(f"c 0 c_{k} {100 * k} 23" for k, _, _ in cities),
        *(f"ct 0 c_{k} {x} {y} 0" for k, x, y in cities), *(f"ccd {x} {y} 6" for _, x, y in cities),
    ]  # fmt: skip
    lines = play(position(start), ["bcity u_1"])
    assert [line for line in lines if line.startswith("c ")] == ["c 0 c_1 600 62"]
    assert [line for line in lines if line.startswith("ct ")] == [
        "ct 0 c_1 5 4 0", "ct 0 c_1 5 5 0", "ct 0 c_1 6 5 0", "ct 0 c_1 5 6 0",
    ]  # fmt: skip
    assert units(lines)[0] == "u 0 0 u_1 5 5 0 0 0 0"


def test_by_night_equal_fuel_survives_and_one_less_does_not(position):
    start = ["u 0 0 u_1 0 0 0 0 0 0", "u 0 0 u_2 9 9 0 3 1 0", FAR]
    for fuel, alive in ((23, True), (22, False)):
        lines = play(position([*start, f"c 0 c_1 {fuel} 23", "ct 0 c_1 0 0 0", "ccd 0 0 6"], turn=30))
        assert ("c 0 c_1 0 23" in lines) == alive
        assert [line.split()[3] for line in units(lines)] == ["u_1"] * alive + ["u_2", "u_90"]
        assert "u 0 0 u_2 9 9 0 0 0 0" in lines  # 3 wood and one whole coal


def test_builds_take_ids_in_the_order_of_cities(position):
    start = [
        "u 0 0 u_1 9 9 0 0 0 0", "u 0 1 u_2 8 8 0 0 0 0", "c 0 c_1 99 36", "c 1 c_2 99 36", "ct 0 c_1 1 1 0",
        "ct 0 c_1 1 2 0", "ct 1 c_2 5 5 0", "ct 1 c_2 5 6 0", "ccd 1 1 6", "ccd 5 5 6", "ccd 1 2 6", "ccd 5 6 6",
    ]  # fmt: skip
    lines = play(position(start), ["bc 1 2", "bw 1 1"], ["bw 5 6", "bw 5 5"])
    assert units(lines) == [start[0], "u 1 0 u_3 1 2 0 0 0 0", start[1], "u 0 1 u_4 5 6 0 0 0 0"]


def test_a_cart_makes_a_road_and_a_worker_pillages_it(position):
    games = position(["u 1 0 u_1 4 4 0 0 0 0", "u 0 0 u_2 8 8 0 0 0 0", FAR, *HOME, "ccd 8 8 1"])
    lines = play(games, ["m u_1 e", "p u_2"])
    assert "ccd 5 4 0.75" in lines
    assert "ccd 8 8 0.5" in lines
    assert units(lines)[:2] == ["u 1 0 u_1 5 4 1.25 0 0 0", "u 0 0 u_2 8 8 0.5 0 0 0"]


def test_the_game_ends_when_a_team_has_nothing_and_then_stands_still(position):
    games = position(["u 0 1 u_2 8 8 0 0 0 0", *HOME], turn=30)
    lines = play(games)
    assert games.state.over[0]
    assert games.state.turn[0] == 31
    assert play(games, ["r 0 0"]) == lines
    games = position([FAR, *HOME], turn=358)
    play(games)
    assert not games.state.over[0]
    play(games)
    assert games.state.over[0]


def test_flows_tell_what_the_step_did(position):
    games = position(["r wood 3 3 800", "u 0 0 u_1 3 2 0 0 0 0", "u 0 0 u_2 0 0 0 7 2 0", FAR, *HOME])
    play(games, ["r 0 0"])
    flows = games.state.flows[0, 0]
    assert flows[state.GOT_WOOD] == 20
    assert flows[state.FUEL_STORED] == 27
    assert not games.state.flows[0, 1].any()


def record_orders(num_games, turns, side=12):
    games, stream = LuxGames(num_games, side), random.Random(9)
    games.start(list(range(num_games)))
    taken = []
    for _ in range(turns):
        seats = [
            read_orders(
                DRIVERS["crowd"](g, t, games.board, games.state, stream), g, t, games.board, games.state
            )
            for g in range(num_games)
            for t in range(2)
        ]
        taken.append(seats)
        games.play(pack_orders(seats))
    return games, taken


def assert_same(first, second, rows=slice(None)):
    for name in first._fields:
        np.testing.assert_array_equal(getattr(first, name)[rows], getattr(second, name), err_msg=name)


def test_a_game_depends_neither_on_the_others_nor_on_threads():
    games, taken = record_orders(40, 80)
    threaded = LuxGames(40, 12, num_threads=2)
    threaded.start(list(range(40)))
    alone = LuxGames(1, 12)
    alone.start([21])
    for seats in taken:
        threaded.play(pack_orders(seats))
        alone.play(pack_orders(seats[42:44]))
    assert_same(games.state, threaded.state)
    assert_same(games.state, alone.state, slice(21, 22))


def test_plain_python_plays_and_generates_the_same():
    games, taken = record_orders(2, 60, side=8)
    plain = LuxGames(2, 8)
    faults = np.zeros(2, np.int64)
    rules.start_games(0, 2, np.arange(2), np.arange(2), faults, plain.board, plain.state)
    for seats in taken:
        rules.play_turn(0, 1, pack_orders(seats), state.MAX_TURNS, plain.board, plain.state, plain._scratch)
    assert_same(games.state, plain.state)


def test_a_restart_leaves_nothing_of_the_game_before():
    games, _ = record_orders(3, 50)
    games.start([7], which=[1])
    fresh = LuxGames(1, 12)
    fresh.start([7])
    assert_same(games.state, fresh.state, slice(1, 2))
    assert games.state.turn.tolist() == [50, 0, 50]


def arbitrary_orders(stream, num_games, cells):
    counts = stream.integers(0, 30, 2 * num_games)
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    total = int(offsets[-1])
    wild = stream.integers(-32768, 32768, (total, 4))
    mild = np.stack([stream.integers(-1, 10, total), stream.integers(-1, cells + 1, total),
                     stream.integers(-1, 7, total), stream.integers(-1, 120, total)], axis=1)  # fmt: skip
    units_ = mild % [9, 4, 5, 200]
    rows = np.where(
        stream.random((total, 1)) < 0.1, wild, np.where(stream.random((total, 1)) < 0.5, mild, units_)
    )
    return Orders(rows.astype(np.int16), offsets)


@pytest.mark.parametrize(
    ("num_games", "batches", "turns"),
    [(64, 1, 200), pytest.param(250, 40, 360, marks=[pytest.mark.slow, pytest.mark.timeout(3600)])],
)
def test_arbitrary_order_arrays_leave_a_state_that_can_be_shown_and_read(num_games, batches, turns):
    """The long form plays 10,000 games; run it with NUMBA_BOUNDSCHECK=1, too."""
    stream = np.random.default_rng(3)
    for batch in range(batches):
        side = (12, 8, 16, 6, 32)[batch % 5]
        games, copy = LuxGames(num_games, side), LuxGames(1, side)
        games.start(list(range(batch * num_games, (batch + 1) * num_games)))
        for _ in range(turns):
            games.play(arbitrary_orders(stream, num_games, side * side))
        for g in range(num_games):
            lines = write_updates(g, games.board, games.state)
            read_updates(lines, int(games.state.turn[g]), 0, copy.board, copy.state)
            assert write_updates(0, copy.board, copy.state) == lines
        for name in ("plan", "building", "arrivals", "head"):
            assert not getattr(games._scratch, name).any(), name


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: LuxGames(0, 12), "asked for 0 games; ask for 1 or more"),
        (lambda: LuxGames(1, 12, 30), "more than twice as long as they are wide"),
        (lambda: LuxGames(2, 12).start([1]), "2 games are to be started with 1 seeds"),
        (lambda: LuxGames(1, 12).start([1], which=[1]), "they count from 0 to 0"),
        (lambda: LuxGames(1, 12).play(Orders(np.zeros((1, 3), np.int16), np.zeros(3, np.int64))),
         r"give \[K, 4\] int16"),
        (lambda: LuxGames(1, 12).play(Orders(np.zeros((1, 4), np.int16), np.zeros(2, np.int64))), r"give \[3\] int64"),
        (lambda: LuxGames(1, 12).play(Orders(np.zeros((1, 4), np.int16), np.array([0, 2, 1]))), "they must rise"),
        (lambda: LuxGames(1, 12).play(Orders(np.zeros((1, 4), np.int16), np.array([0, 1, 2]))), "for 1 rows"),
    ],
)  # fmt: skip
def test_wrong_arguments_are_refused_in_one_sentence(call, sentence):
    with pytest.raises(UsageError, match=sentence):
        call()
