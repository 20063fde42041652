from dataclasses import replace

import numpy as np
import pytest
from pydantic import ValidationError

from lanista.errors import LanistaError
from lanista.league import GateSettings, judge_gate
from lanista.matches import MatchResult, seat_orders


def match(margins, seats=2):
    """A match whose games, in equal parts per seat order, ended with these margins for player 0."""
    orders = seat_orders(2, seats)
    seating = np.repeat(orders, len(margins) // len(orders), axis=0)
    outcome = np.where(seating == 0, np.asarray(margins, np.float32)[:, None], np.float32(0))
    return MatchResult(seating, outcome, np.ones(len(margins), np.int64), len(margins))


def test_a_clear_winner_is_promoted_and_says_why():
    verdict = judge_gate(match([1] * 140 + [-1] * 60), GateSettings())
    assert verdict.promoted
    assert verdict.games == 200
    assert verdict.score == 0.7
    assert 0.65 < verdict.low < 0.66
    assert verdict.sentence == (
        "promoted: score 0.700 over 200 games (a draw is half), at least 0.654 with 90% confidence, "
        "asked for 0.55"
    )


def test_a_better_score_alone_is_not_enough():
    verdict = judge_gate(match([1] * 12 + [-1] * 8), GateSettings(at_least=0.55))
    assert verdict.score == 0.6
    assert not verdict.promoted
    assert verdict.sentence.startswith("not promoted: score 0.600 over 20 games")


def test_draws_are_half():
    assert judge_gate(match([0] * 100), GateSettings()).score == 0.5
    assert judge_gate(match([1] * 50 + [0] * 50), GateSettings()).score == 0.75


@pytest.mark.parametrize(("at_least", "truth"), [(0.5, 0.5), (0.55, 0.5), (0.55, 0.55)])
@pytest.mark.parametrize("games", [10, 50, 200])
def test_of_1000_gates_at_most_the_stated_share_promotes_wrongly(at_least, truth, games):
    rng = np.random.default_rng(11)
    settings = GateSettings(games=games // 2, at_least=at_least, confidence=0.9)
    wrong = 0
    for _ in range(1000):
        margins = np.where(rng.random(games) < truth, 1, -1)
        wrong += judge_gate(match(margins), settings).promoted
    assert wrong <= 100


@pytest.mark.parametrize("decided", [0.0, 0.5, 1.0])
def test_maps_that_decide_do_not_let_more_through(decided):
    """Both games of a start go to the same side in a share `decided` of the starts, whatever the seats."""
    rng = np.random.default_rng(13)
    settings = GateSettings(games=50, at_least=0.55, confidence=0.9)
    wrong = 0
    for _ in range(1000):
        won = rng.random((2, 50)) < 0.55
        won[1] = np.where(rng.random(50) < decided, won[0], won[1])
        result = match(np.where(won, 1, -1).reshape(-1))
        result = replace(result, start=np.tile(np.arange(50), 2))
        wrong += judge_gate(result, settings).promoted
    assert wrong <= 115  # 100, and the scatter of a thousand


def test_equal_players_who_often_draw_are_no_likelier_to_pass():
    rng = np.random.default_rng(12)
    settings = GateSettings(at_least=0.5, confidence=0.9)
    drawn = [judge_gate(match(rng.choice([-1, 0, 1], size=100)), settings).promoted for _ in range(1000)]
    assert sum(drawn) <= 100


def test_a_much_better_player_gets_through_nearly_always():
    rng = np.random.default_rng(13)
    passed = [
        judge_gate(match(np.where(rng.random(200) < 0.7, 1, -1)), GateSettings()).promoted for _ in range(300)
    ]
    assert np.mean(passed) > 0.95


def test_seats_must_be_played_equally_often():
    whole = match([1, 1, -1, -1])
    lame = MatchResult(whole.seating[:3], whole.outcome[:3], whole.steps[:3], 3)
    with pytest.raises(
        LanistaError, match=r"the newcomer \[2, 1\] times in the seats; play every seat equally"
    ):
        judge_gate(lame, GateSettings())


def test_meetings_within_a_game_of_four_are_one_game():
    verdict = judge_gate(match([1] * 40, seats=4), GateSettings())
    assert verdict.games == 40


@pytest.mark.parametrize("wrong", [{"at_least": 0.4}, {"confidence": 0.5}, {"games": 0}, {"margin": 1}])
def test_settings_are_checked(wrong):
    with pytest.raises(ValidationError, match=next(iter(wrong))):
        GateSettings(**wrong)
