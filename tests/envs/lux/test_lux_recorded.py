"""The rules against recorded games and maps of the official program, every turn and field."""

import json
import zlib

import numpy as np
import pytest

from lanista.errors import UsageError
from lanista_envs.lux.games import LuxGames
from lanista_envs.lux.mapgen import chosen_size
from lanista_envs.lux.official import EPISODE_STEPS
from lanista_envs.lux.order_strings import pack_orders, read_orders
from lanista_envs.lux.updates import read_updates, write_first_updates, write_updates

#: (seed, side) of recorded maps on which both teams start in one cell
SHARED_STARTS = {(6, 13), (12, 13), (18, 13), (19, 13)}


def checksums(fields, updates, counts):
    """One number a field, as record_lux_games.py makes them."""
    lines = {name: [] for name in fields}
    for line in updates:
        lines.get(line.split(" ", 1)[0], lines["rp"]).append(line)
    texts = ["\n".join(lines[name]) for name in fields[:7]] + [str(int(count)) for count in counts]
    return [zlib.crc32(text.encode()) for text in texts]


def shown(games, turn):
    """What our state looks like in an observation, and what stands beside it."""
    state = games.state
    write = write_updates if turn else write_first_updates
    counts = (state.last_unit_id[0], state.last_city_id[0], state.over[0])
    return write(0, games.board, state), counts


def recorded_games(record):
    """(seed, side, actions by turn, checksums by turn) of each game."""
    actions = json.loads(record["actions"].tobytes())
    sums = record["checksums"]
    start = 0
    for number, (seed, side, turns) in enumerate(record["games"].tolist()):
        first = start - number  # a game has one observation more than it has turns
        yield seed, side, actions[first : first + turns], sums[start : start + turns + 1]
        start += turns + 1
    assert start == len(sums)


def test_recorded_games_come_out_the_same_turn_by_turn(record):
    fields = record["fields"].tolist()
    games_by_side, played, orders = {}, 0, 0
    for seed, side, actions, sums in recorded_games(record):
        games = games_by_side.setdefault(side, LuxGames(1, side))
        games.start([seed])
        for turn in range(len(sums)):
            if turn:
                seats = [read_orders(actions[turn - 1][t], 0, t, games.board, games.state) for t in range(2)]
                games.play(pack_orders(seats), max_turns=EPISODE_STEPS)
                orders += sum(map(len, seats))
            differing = np.flatnonzero(np.array(checksums(fields, *shown(games, turn))) != sums[turn])
            assert not len(differing), (
                f"seed {seed}, side {side}: turn {turn} differs in {fields[differing[0]]}"
            )
        played += 1
    assert played == 38
    assert orders > 50_000


def test_recorded_maps_come_out_the_same_to_the_cell(record):
    games_by_side = {}
    for (seed, side, total), size in zip(record["maps"].tolist(), record["sizes"].tolist(), strict=True):
        assert size == (side or chosen_size(seed))
        games = games_by_side.setdefault(size, LuxGames(1, size))
        if (seed, side) in SHARED_STARTS:
            with pytest.raises(UsageError, match="would put both teams into the same place"):
                games.start([seed])
            continue
        games.start([seed])
        lines = write_first_updates(0, games.board, games.state)
        assert zlib.crc32("\n".join(lines).encode()) == total, f"map of seed {seed} on {size}"
    assert len(record["maps"]) == 590


@pytest.mark.parametrize("number", [0, 7, 20, 31])
def test_a_state_read_from_its_lines_is_the_state_itself(record, number):
    seed, side, actions, _ = list(recorded_games(record))[number]
    games, copy = LuxGames(1, side), LuxGames(1, side)
    games.start([seed])
    for turn, pair in enumerate(actions):
        seats = [read_orders(pair[t], 0, t, games.board, games.state) for t in range(2)]
        games.play(pack_orders(seats), max_turns=EPISODE_STEPS)
        if turn % 10 != number % 10:
            continue
        state, other = games.state, copy.state
        lines = write_updates(0, games.board, state)
        read_updates(
            lines, turn + 1, 0, copy.board, other, int(state.last_unit_id[0]), int(state.last_city_id[0])
        )
        assert write_updates(0, copy.board, other) == lines
        for name in ("turn", "research", "num_units", "num_tiles", "num_cities", "resource_kind", "resource_amount",
                     "kinds_near", "road", "tile_team", "tile_city", "tile_near", "tile_next", "last_unit_id",
                     "last_city_id", "num_growing"):  # fmt: skip
            np.testing.assert_array_equal(getattr(state, name), getattr(other, name), err_msg=name)
        cities = int(state.num_cities[0])
        for name in (
            "city_id",
            "city_team",
            "city_fuel",
            "city_upkeep",
            "city_size",
            "city_first",
            "city_last",
        ):
            np.testing.assert_array_equal(
                getattr(state, name)[0, :cities], getattr(other, name)[0, :cities], err_msg=name
            )
        for team in range(2):
            units = int(state.num_units[0, team])
            for name in ("unit_id", "unit_kind", "unit_cell", "unit_cooldown", "unit_cargo"):
                ours, theirs = getattr(state, name)[0, team, :units], getattr(other, name)[0, team, :units]
                np.testing.assert_array_equal(ours, theirs, err_msg=name)
        assert sorted(state.growing[0, : state.num_growing[0]]) == sorted(
            other.growing[0, : other.num_growing[0]]
        )
