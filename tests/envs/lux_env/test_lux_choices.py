"""The choices against the rules: what is legal is accepted, what is refused does nothing, orders and choices agree."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lanista_envs.lux import choices, sights, state
from lanista_envs.lux.accept import accept_orders
from lanista_envs.lux.env import LuxS1
from lanista_envs.lux.scratch import allocate_scratch
from lanista_envs.lux.settings import LuxS1Settings

SEEDS = st.integers(0, 2**32 - 1)


def table_of(board, games, seat):
    return sights.see(0, seat, 360, board, games, sights.make_sights(board.width, board.height), 0)[1]


def order_of(table, row, choice, board, games):
    orders = np.zeros((len(table.row), 4), np.int16)
    chosen = np.zeros(len(table.row), np.int64)
    chosen[row] = choice
    choices.write_orders(0, len(chosen), table.row, table.kind, table.slot, chosen, board, games, orders)
    return orders


def accepted(seat, orders, board, games):
    """How many orders of `seat` the rules accept; the games are left as they were."""
    copy = state.Games(*(array.copy() for array in games))
    scratch = allocate_scratch(1, board.width, board.height)
    counts = [0, 0]
    counts[seat] = len(orders)
    offsets = np.array([0, *np.cumsum(counts)])
    accept_orders(0, 1, state.Orders(orders, offsets), board, copy, scratch)
    done = np.count_nonzero(scratch.plan) + scratch.num_builds[0]
    return int(done + (copy.research - games.research).sum())


def does_something(table, row, choice, seat, board, games):
    """What the mask asks for beyond the rules, written out again."""
    slot, cell = table.slot[row], table.cell[row]
    if table.kind[row] == choices.TILE:
        return choice != choices.RESEARCH_HERE or games.research[0, seat] < 200
    if choices.WOOD_NORTH <= choice < choices.BUILD_CITY_HERE:
        return games.unit_cargo[0, seat, slot, (choice - choices.WOOD_NORTH) // 4] > 0
    if choice == choices.PILLAGE_HERE:
        return games.tile_team[0, cell] < 0 and games.road[0, cell] > 0
    return True


@settings(deadline=None, max_examples=60)
@given(seed=SEEDS, width=st.integers(2, 6), height=st.integers(2, 6))
def test_a_choice_is_legal_where_the_rules_accept_it_and_it_does_something(positions, seed, width, height):
    board, games = positions(seed, 1, width, height)
    for seat in range(2):
        table = table_of(board, games, seat)
        for row in range(len(table.row)):
            assert table.legal[row, choices.NOTHING]
            for choice in range(1, choices.NUM_CHOICES):
                exists = choice < choices.UNITS[table.kind[row]][1]
                order = order_of(table, row, choice, board, games)[row] if exists else None
                wanted = (
                    exists
                    and accepted(seat, order[None], board, games) == 1
                    and does_something(table, row, choice, seat, board, games)
                )
                assert table.legal[row, choice] == wanted, (seat, row, choice)
                if wanted:
                    assert choices.read_order(0, seat, order, board, games) == choice


@settings(deadline=None, max_examples=60)
@given(seed=SEEDS, width=st.integers(2, 8), height=st.integers(2, 8))
def test_legal_choices_are_accepted_together_but_for_builds_beyond_the_room(positions, seed, width, height):
    board, games = positions(seed, 1, width, height)
    rng = np.random.default_rng(seed)
    for seat in range(2):
        table = table_of(board, games, seat)
        chosen = np.where(table.legal, rng.random(table.legal.shape), -1.0).argmax(1)
        orders = np.zeros((len(chosen), 4), np.int16)
        choices.write_orders(0, len(chosen), table.row, table.kind, table.slot, chosen, board, games, orders)
        builds = int(((table.kind == choices.TILE) & np.isin(chosen, (1, 2))).sum())
        room = int(games.num_tiles[0, seat] - games.num_units[0, seat])
        surplus = max(0, builds - max(room, 0))
        assert accepted(seat, orders, board, games) == np.count_nonzero(chosen) - surplus


@settings(deadline=None, max_examples=60)
@given(seed=SEEDS)
def test_a_transfer_goes_to_the_unit_with_the_most_room(positions, seed):
    _, games = positions(seed, 1, 4, 4)
    for seat in range(2):
        for cell in range(16):
            count = int(games.num_units[0, seat])
            rooms = [
                choices.room_of(0, seat, u, games) if games.unit_cell[0, seat, u] == cell else 0
                for u in range(count)
            ]
            best = int(np.argmax(rooms)) if count and max(rooms) > 0 else -1
            assert choices.find_receiver(0, seat, cell, games) == best


@settings(deadline=None, max_examples=40)
@given(seed=SEEDS)
def test_every_unit_and_tile_that_may_choose_has_a_row(positions, seed):
    board, games = positions(seed, 1, 6, 6)
    for seat in range(2):
        table = table_of(board, games, seat)
        units = [u for u in range(games.num_units[0, seat]) if games.unit_cooldown[0, seat, u] < 4]
        busy = games.num_units[0, seat] < games.num_tiles[0, seat] or games.research[0, seat] < 200
        tiles = np.flatnonzero(
            (games.tile_team[0, :-1] == seat) & (games.tile_ready[0, :-1] <= games.turn[0])
        )
        assert table.slot[table.kind != choices.TILE].tolist() == units
        assert sorted(table.slot[table.kind == choices.TILE].tolist()) == (tiles.tolist() if busy else [])
        assert (table.row == seat).all()


def test_orders_of_the_rules_become_choices_and_back():
    env = LuxS1(40, LuxS1Settings(max_turns=60))
    env.reset(3)
    rng = np.random.default_rng(0)
    found = 0
    for _ in range(80):
        chosen = np.where(env.unit_legal, rng.random(env.unit_legal.shape), -1.0).argmax(1)
        orders = np.zeros((len(chosen), 4), np.int16)
        choices.write_orders(
            0, len(chosen), env.unit_row, env.unit_kind, env.unit_slot, chosen, env.board, env.games, orders
        )
        again, count = env.choices_of(state.Orders(orders, env.unit_offsets.copy()))
        assert np.array_equal(again, chosen)
        assert count == np.count_nonzero(chosen)
        found += count
        env.step({"orders": chosen})
    assert found > 3000


@pytest.mark.parametrize(
    "order",
    [(-1, 0, 0, 0), (9, 0, 0, 0), (0, 99, 0, 0), (0, 0, 4, 0), (1, 0, 99, 5), (1, 0, 0, 5), (4, 99, 0, 0)],
)
def test_an_order_without_a_choice_is_nothing(order):
    env = LuxS1(1)
    env.reset(0)
    assert choices.read_order(0, 0, np.array(order, np.int16), env.board, env.games) == choices.NOTHING
