"""Order strings and `updates`: numbers as JavaScript reads them, round trips, and what is refused."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lanista_envs.lux.drivers import DRIVERS, Sight, odd_order
from lanista_envs.lux.games import LuxGames
from lanista_envs.lux.order_strings import (
    MOST,
    pack_orders,
    parse_int,
    read_order,
    read_orders,
    unit_slots,
    write_order,
)
from lanista_envs.lux.updates import UpdatesError, quarters, read_updates, size_of, write_updates

CITY = ["rp 0 0", "rp 1 0", "u 0 0 u_1 3 3 0 0 0 0", "c 0 c_1 0 23", "ct 0 c_1 3 3 0", "ccd 3 3 6"]


@pytest.fixture(scope="module")
def played():
    """Twelve games on 12 x 12, each some way into play."""
    games, stream = LuxGames(12, 12), random.Random(1)
    games.start(list(range(12)))
    for turn in range(120):
        seats = []
        for g in range(12):
            for team in range(2):
                active = turn < 10 * g + 5
                texts = DRIVERS["crowd"](g, team, games.board, games.state, stream) if active else []
                seats.append(read_orders(texts, g, team, games.board, games.state))
        if turn == 115:
            break
        games.play(pack_orders(seats))
    return games


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3", 3), ("3abc", 3), ("10.7", 10), ("+7", 7), ("-4", -4), ("0x10", 16), ("0X1F", 31), ("-0x10", -16),
        ("-0.5", 0), ("1e3", 1), ("007", 7), ("\t5", 5), ("\u00a06", 6), ("\ufeff8", 8), ("\u20289", 9), ("", None),
        ("abc", None), ("0x", None), ("0xg", None), ("--2", None), ("+ 3", None), ("NaN", None), (".5", None),
        ("Infinity", None), ("\u0663", None), ("\u200b5", None), ("9" * 500, int("9" * 400)), ("x10", None),
    ],
)  # fmt: skip
def test_integers_are_read_as_javascript_does(text, value):
    assert parse_int(text) == value


@pytest.mark.parametrize(
    "text",
    ["m u_1  n", "m u_1 n ", " m u_1 n", "m u_1", "m u_1 N", "m u_1 ne", "m u_1 ", "M u_1 n", "m u_9 n", "m U_1 n",
     "m u_01 n", "t u_1 u_2 wood", "t u_1 u_2 gold 5", "t u_1 u_2 wood -1", "t u_1 u_2 wood x", "t u_1 u_9 wood 5",
     "bw 3", "bw 12 3", "bw -1 3", "bw 3 3 3", "r a 3", "r 3 ", "bcity", "bcity u_1 u_2", "p", "p u_3", "", " ", "d",
     "dst hello", "bcity\tu_1", "c 3 3"],
)  # fmt: skip
def test_malformed_orders_are_dropped(text, position):
    games = position([*CITY[:3], "u 0 0 u_2 4 3 0 0 0 0", "u 0 1 u_3 7 7 0 0 0 0", *CITY[3:]])
    assert read_order(text, unit_slots(0, 0, games.state), games.board) is None


def test_amounts_have_no_upper_limit(position):
    games = position([*CITY[:3], "u 1 0 u_2 4 3 0 0 0 0", *CITY[3:]])
    order = read_order("t u_2 u_1 coal 99999999999", unit_slots(0, 0, games.state), games.board)
    assert order == (2, 1, 0, MOST)


def test_orders_come_back_from_their_strings(played):
    stream = random.Random(4)
    seen = set()
    for g in range(12):
        for team in range(2):
            sight = Sight(g, team, played.board, played.state)
            for _ in range(300):
                for order in read_orders([odd_order(sight, stream)], g, team, played.board, played.state):
                    text = write_order(order, g, team, played.board, played.state)
                    assert read_orders([text], g, team, played.board, played.state) == [order]
                    seen.add(order[0])
    assert seen == set(range(9))


@given(st.text(max_size=40))
@settings(max_examples=300, deadline=None)
def test_any_text_is_an_order_or_none(text):
    games = LuxGames(1, 6)
    read_updates([*CITY, "D_DONE"], 0, 0, games.board, games.state)
    read_orders(
        [text, f"m u_1 {text}", f"bw {text}", f"t u_1 u_1 wood {text}"], 0, 0, games.board, games.state
    )


def test_quarters_are_written_as_javascript_does():
    assert [quarters(count) for count in (0, 1, 2, 3, 4, 6, 24)] == [
        "0",
        "0.25",
        "0.5",
        "0.75",
        "1",
        "1.5",
        "6",
    ]


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        ([], "the last line must be D_DONE, and nothing is there"),
        (["rp 0 0"], "the last line must be D_DONE, and 'rp 0 0' is there"),
        (["0", "9 12", "D_DONE"], "the lines are those of a board of 9 12, and this one is 12 12"),
        (["x 1", "D_DONE"], "line 'x 1': no line begins like that"),
        ([7, "D_DONE"], "line '7': no line begins like that"),
        (["rp 2 0", "D_DONE"], "line 'rp 2 0': it is malformed"),
        (["rp 0 9999999999", "D_DONE"], "9999999999 is more than 2147483647"),
        (["r wood 1 1 5", "rp 0 0", "D_DONE"], "line 'rp 0 0': it must come before the lines with r"),
        (["r wood 12 1 5", "D_DONE"], "(12, 1) is not on a board of 12 x 12"),
        (["r wood 1 1 0", "D_DONE"], "a tile that is used up is not shown"),
        (["r wood 1 1 5", "r coal 1 1 5", "D_DONE"], "this cell has a resource already"),
        (["u 0 0 u_1 1 1 0.3 0 0 0", "D_DONE"], "it is malformed"),
        (["u 0 0 u_1 1 1 7 0 0 0", "D_DONE"], "7 is more than 6.75"),
        (["u 0 0 u_1 1 1 0 60 60 0", "D_DONE"], "such a unit carries at most 100"),
        (["u 0 0 u_2 1 1 0 0 0 0", "u 0 0 u_1 2 1 0 0 0 0", "D_DONE"], "in the order of their ids"),
        (["u 0 0 u_1 1 1 0 0 0 0", "u 0 1 u_1 2 1 0 0 0 0", "D_DONE"], "there are two units u_1"),
        (["u 0 0 u_1 1 1 0 0 0 0", "u 0 1 u_2 1 1 0 0 0 0", "D_DONE"], "unit u_2 stands where another one"),
        (["u 0 1 u_1 3 3 0 0 0 0", *CITY[3:], "D_DONE"], "unit u_1 stands where another one or the other team's"),
        (["c 0 c_1 0 23", "D_DONE"], "city c_1 has 0 tiles with 0 neighbours and an upkeep of 23"),
        (["c 0 c_1 0 20", "ct 0 c_1 3 3 0", "D_DONE"], "1 tiles with 0 neighbours and an upkeep of 20"),
        (["ct 0 c_1 3 3 0", "D_DONE"], "team 0 has no city c_1"),
        (["c 0 c_1 0 23", "ct 1 c_1 3 3 0", "D_DONE"], "team 1 has no city c_1"),
        (["c 0 c_1 0 23", "ct 0 c_1 3 3 11", "D_DONE"], "11 is more than 10"),
        (["c 0 c_2 0 23", "c 0 c_1 0 23", "D_DONE"], "cities come in the order of their ids"),
        (["r wood 3 3 5", "c 0 c_1 0 23", "ct 0 c_1 3 3 0", "D_DONE"], "this cell is taken already"),
        ([*CITY[:-1], "ccd 3 3 2", "D_DONE"], "a city tile is a road of 6"),
        (["c 0 c_1 0 23", "c 0 c_2 0 23", "ct 0 c_1 3 3 0", "ct 0 c_2 3 4 0", "D_DONE"], "and they would be one"),
    ],
)  # fmt: skip
def test_lines_of_no_game_are_refused_and_leave_the_board_empty(lines, sentence):
    games = LuxGames(1, 12)
    games.start([1])
    with pytest.raises(UpdatesError) as error:
        read_updates(lines, 0, 0, games.board, games.state)
    assert sentence in str(error.value)
    assert "\n" not in str(error.value)
    assert not games.state.resource_kind.any()
    assert not games.state.num_units.any()


def test_a_size_that_is_none_is_refused():
    assert size_of(["0", "12 24"]) == (12, 24)
    with pytest.raises(UpdatesError, match="is the size, such as '12 12', and '0 12' is there"):
        size_of(["0", "0 12"])
    with pytest.raises(UpdatesError, match="and 1 lines is there"):
        size_of(["0"])


WORDS = ("-1", "0", "1", "7", "99", "9999999999", "u_1", "c_2", "")


def mutate(lines, stream):
    """Damage a list of lines in some places."""
    lines = list(lines)
    for _ in range(stream.randrange(1, 4)):
        k = stream.randrange(len(lines))
        if not isinstance(lines[k], str):
            continue
        what = stream.randrange(6)
        if what == 0:
            del lines[k]
        elif what == 1:
            lines.insert(k, stream.choice(lines))
        elif what == 2:
            words = lines[k].split(" ")
            words[stream.randrange(len(words))] = stream.choice(WORDS)
            lines[k] = " ".join(words)
        elif what == 3:
            at = stream.randrange(len(lines[k]) + 1)
            lines[k] = lines[k][:at] + stream.choice(("", " ", "0", "x", "\n", "é")) + lines[k][at + 1 :]
        elif what == 4:
            other = stream.randrange(len(lines))
            lines[k], lines[other] = lines[other], lines[k]
        else:
            lines[k] = stream.choice((None, 5, [], ""))
        if not lines:
            break
    return lines


@pytest.mark.parametrize(
    "count", [1500, pytest.param(10_000, marks=[pytest.mark.slow, pytest.mark.timeout(3600)])]
)
def test_damaged_lines_are_refused_or_shown_again_and_played_on(played, count):
    """Run the long form with NUMBA_BOUNDSCHECK=1, too."""
    stream = random.Random(2 if count == 1500 else 3)
    games, taken, refused = LuxGames(1, 12), 0, []
    shown = [write_updates(g, played.board, played.state) for g in range(12)]
    for _ in range(count):
        lines = mutate(stream.choice(shown), stream)
        try:
            read_updates(lines, 200, 0, games.board, games.state)
        except UpdatesError as error:
            refused.append(str(error))
            continue
        taken += 1
        for _ in range(3):
            texts = [DRIVERS["odd"](0, team, games.board, games.state, stream) for team in range(2)]
            games.play(pack_orders([read_orders(texts[t], 0, t, games.board, games.state) for t in range(2)]))
        write_updates(0, games.board, games.state)
    assert taken > 100
    assert len(refused) > 500
    assert not any("\n" in sentence for sentence in refused)
