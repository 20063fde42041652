import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lanista.errors import CheckpointError
from lanista.intervals import wilson
from lanista.league import Payoff
from lanista.matches import Tally


def filled(seats=2):
    payoff = Payoff(seats)
    payoff.record("a", "b", 0, 1, np.array([1.0, 0.0, -2.0, 3.0]))
    payoff.record("b", "a", 0, 1, np.array([1.0]))
    payoff.record("a", "c", 1, 0, np.array([-1.0, -1.0]))
    return payoff


def test_both_directions_and_seats_are_kept():
    payoff = filled()
    assert payoff.tally("a", "b") == Tally(2, 1, 2)
    assert payoff.tally("b", "a") == Tally(2, 1, 2)
    assert payoff.tally("a", "b", seat=0) == Tally(2, 1, 1)
    assert payoff.tally("a", "b", seat=1) == Tally(0, 0, 1)
    assert payoff.tally("c", "a", seat=0) == Tally(2, 0, 0)
    assert payoff.tally("b", "c") == Tally()
    assert payoff.against_all("a") == Tally(2, 1, 4)
    assert set(payoff.pairs()) == {("a", "b"), ("b", "a"), ("a", "c"), ("c", "a")}


def test_games_of_a_member_with_itself_show_the_seat_but_not_in_its_total():
    payoff = Payoff(2)
    payoff.record("me", "me", 0, 1, np.array([1.0, 1.0, -1.0]))
    assert payoff.tally("me", "me", seat=0) == Tally(2, 0, 1)
    assert payoff.tally("me", "me", seat=1) == Tally(1, 0, 2)
    assert payoff.against_all("me") == Tally()


def test_meetings_within_one_game_do_not_make_a_score_surer():
    four = Payoff(4)
    for other in (1, 2, 3):
        four.record("a", "b", 0, other, np.ones(10))
    assert four.tally("a", "b") == Tally(wins=30)
    assert four.interval(four.tally("a", "b")) == wilson(10, 10)


records = st.lists(
    st.tuples(
        st.sampled_from("abc"),
        st.sampled_from("xyz"),
        st.integers(0, 1),
        st.lists(st.integers(-1, 1), max_size=5),
    ),
    max_size=12,
)


def of(rows):
    payoff = Payoff(2)
    for player, opponent, seat, margins in rows:
        payoff.record(player, opponent, seat, 1 - seat, np.array(margins, np.float32))
    return payoff


@given(records, records)
def test_addition_is_counting_all_games_and_json_comes_back(first, second):
    both = of(first) + of(second)
    assert both == of(first + second) == of(second) + of(first)
    assert Payoff.from_json(json.loads(json.dumps(both.to_json()))) == both
    for player, opponent in both.pairs():
        here, there = both.tally(player, opponent), both.tally(opponent, player)
        assert (here.wins, here.draws, here.losses) == (there.losses, there.draws, there.wins)


def test_unequal_tables_are_unequal():
    assert filled() != Payoff(2)
    assert filled() != Payoff(3)
    assert filled() != "a table"
    with pytest.raises(ValueError, match="2 seats and one of 3 cannot be added"):
        _ = filled() + Payoff(3)


@pytest.mark.parametrize(
    "broken",
    [
        {},
        {"seats": 2, "rows": [{"player": "a", "opponent": "b", "wins_draws_losses_by_seat": [[1, 2, 3]]}]},
        {
            "seats": 2,
            "rows": [{"player": "a", "opponent": "b", "wins_draws_losses_by_seat": [[1, 2, -3]] * 2}],
        },
        {"seats": 2, "rows": [{"player": "a"}]},
        {"seats": "two", "rows": []},
    ],
)
def test_a_damaged_table_is_one_sentence(broken):
    with pytest.raises(CheckpointError, match="the league's table of results is damaged"):
        Payoff.from_json(broken)
