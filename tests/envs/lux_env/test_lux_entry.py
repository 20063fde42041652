"""What an archive for Lux sees and says: the same as the env, from the official lines alone; conflicts settled."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lanista_envs.lux import codec, order_strings, settling, updates
from lanista_envs.lux.choices import CART_HERE, MOVE_NORTH, NOTHING, TILE, WORKER_HERE
from lanista_envs.lux.env import LuxS1
from lanista_envs.lux.settings import LuxS1Settings

CONFIG = {"episodeSteps": 361}
SEEDS = st.integers(0, 2**32 - 1)
EVERYTHING = {codec.PLANES, codec.KNOWS, codec.FEATURES, codec.WINDOW}


def observation_of(games, board, g, seat):
    lines = updates.write_updates(g, board, games)
    turn = int(games.turn[g])
    if turn == 0:
        lines = ["0", f"{board.width} {board.height}", *lines]
    return {
        "updates": lines,
        "step": turn,
        "player": seat,
        "width": board.width,
        "height": board.height,
        "remainingOverageTime": 60.0,
    }


@pytest.mark.parametrize("size", [8, 12, 16, 32])
def test_official_lines_give_what_the_env_shows_to_the_bit(positions, show, size):
    codec.prepare(EVERYTHING)
    count = 4
    env = LuxS1(count, LuxS1Settings(size=size, observation="both"))
    board, games = positions(size, count, size, size)
    show(env, games)
    for g in range(count):
        for seat in range(2):
            arrays, legal = codec.observe(observation_of(games, board, g, seat), CONFIG)
            mine = env.unit_row == 2 * g + seat
            pairs = [(arrays[name], part[g, seat]) for name, part in env.observation.items()]
            pairs += [(arrays[name], part[mine]) for name, part in env.unit_observation.items()]
            pairs += [(arrays["unit_cell"], env.unit_cell[mine]), (arrays["unit_kind"], env.unit_kind[mine])]
            pairs += [(legal["orders"], env.unit_legal[mine])]
            for found, wanted in pairs:
                assert found.dtype == wanted.dtype
                assert found.shape == wanted.shape
                assert found.tobytes() == np.ascontiguousarray(wanted).tobytes()
            assert arrays["unit_row"].tolist() == [0] * int(mine.sum())


def test_what_no_network_reads_is_not_computed(positions):
    board, games = positions(0, 1, 12, 12)
    codec.prepare({codec.KNOWS, codec.PLANES})
    assert set(codec.observe(observation_of(games, board, 0, 0), CONFIG)[0]) >= {"planes", "globals"}
    assert "features" not in codec.observe(observation_of(games, board, 0, 0), CONFIG)[0]
    codec.prepare({codec.KNOWS, codec.FEATURES})
    assert "planes" not in codec.observe(observation_of(games, board, 0, 0), CONFIG)[0]


@settings(deadline=None, max_examples=60)
@given(seed=SEEDS, side=st.integers(6, 12), seat=st.integers(0, 1))
def test_orders_say_what_was_chosen_and_settled_units_do_not_meet(positions, seed, side, seat):
    codec.prepare({codec.KNOWS})
    board, games = positions(seed, 1, side, side)
    obs = observation_of(games, board, 0, seat)
    _, legal = codec.observe(obs, CONFIG)
    desk = codec._desks[side, side]
    table, own = desk.table, desk.games
    rng = np.random.default_rng(seed)
    scores = rng.normal(size=legal["orders"].shape).astype(np.float32)
    chosen = np.where(legal["orders"], scores, -np.inf).argmax(axis=1).astype(np.int64)
    before = chosen.copy()
    settled = codec.settle(scores, chosen, obs, CONFIG)
    assert chosen.tolist() == before.tolist()
    assert legal["orders"][np.arange(len(settled)), settled].all()
    # The same again changes nothing.
    assert codec.settle(scores, settled, obs, CONFIG).tolist() == settled.tolist()
    tiles = table.kind == TILE
    builds = tiles & ((settled == WORKER_HERE) | (settled == CART_HERE))
    assert builds.sum() <= max(0, own.num_tiles[0, seat] - own.num_units[0, seat])
    moving = ~tiles & (settled >= MOVE_NORTH) & (settled <= settling.MOVE_WEST)
    slots = table.slot[moving]
    targets = board.near[own.unit_cell[0, seat, slots], settled[moving] - MOVE_NORTH]
    outside = targets[own.tile_team[0, targets] < 0]
    assert len(np.unique(outside)) == len(outside)
    staying = np.setdiff1d(np.arange(own.num_units[0, seat]), slots)
    assert not np.isin(outside, own.unit_cell[0, seat, staying]).any()
    # Whoever was changed goes another way, stays, or studies: nothing that costs more takes the place.
    changed = settled[settled != before]
    assert ((changed == NOTHING) | (changed <= settling.MOVE_WEST)).all()
    texts = codec.act(settled, obs, CONFIG)
    assert all(isinstance(text, str) for text in texts)
    assert len(order_strings.read_orders(texts, 0, seat, board, games)) == len(texts)
    assert len(texts) == int((settled != NOTHING).sum())


def test_the_one_that_wants_it_most_goes_and_the_other_takes_its_next_best_move():
    env = LuxS1(1, LuxS1Settings(size=12))
    env.reset(0)
    games, board = env.games, env.board
    # Two workers on either side of a free cell outside cities.
    free = (games.resource_kind[0, :-1] == 0) & (games.tile_team[0, :-1] < 0)
    cells = free.reshape(12, 12)
    y, x = next(
        (y, x) for y in range(1, 11) for x in range(1, 11) if cells[y - 1 : y + 2, x - 1 : x + 2].all()
    )
    games.num_units[0] = [2, 0]
    games.unit_cell[0, 0, :2] = [y * 12 + x - 1, y * 12 + x + 1]
    games.unit_cooldown[0, 0, :2] = 0
    games.unit_kind[0, 0, :2] = 0
    kinds, slots = np.zeros(2, np.int64), np.arange(2)
    legal = np.zeros((2, 19), np.bool_)
    legal[:, :5] = True
    scores = np.full((2, 19), -9.0, np.float32)
    scores[0, [NOTHING, MOVE_NORTH + 1]] = [0.0, 1.0]  # east, a little
    scores[1, [NOTHING, MOVE_NORTH, MOVE_NORTH + 3]] = [0.0, 2.0, 5.0]  # west, much; else north
    choices = np.array([MOVE_NORTH + 1, MOVE_NORTH + 3])
    settled = settling.settle_choices(0, 0, kinds, slots, legal, scores, choices, board, games)
    assert settled.tolist() == [NOTHING, MOVE_NORTH + 3]
    scores[0, MOVE_NORTH + 1] = 9.0
    settled = settling.settle_choices(0, 0, kinds, slots, legal, scores, choices, board, games)
    assert settled.tolist() == [MOVE_NORTH + 1, MOVE_NORTH]
    # Nobody goes where one stays that has still to rest.
    games.num_units[0, 0] = 3
    games.unit_cell[0, 0, 2], games.unit_cooldown[0, 0, 2] = y * 12 + x, 8
    settled = settling.settle_choices(0, 0, kinds, slots, legal, scores, choices, board, games)
    assert settled.tolist() == [NOTHING, MOVE_NORTH]


def test_an_observation_that_is_no_game_is_refused():
    with pytest.raises(updates.UpdatesError):
        codec.observe({"updates": ["0", "12 12", "nonsense"], "step": 0, "player": 0}, CONFIG)
