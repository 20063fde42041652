"""The order of official games, their resumption and what their records mean, on an arena without a platform."""

import pytest

from lanista.contenders import Contender
from lanista.errors import UsageError
from lanista.game_log import GameLog
from lanista.official import (
    Guest,
    configuration_of,
    faults_of,
    game_of,
    play_official,
    result_of,
    schedule,
    worst_turn_of,
)
from lanista.plugins import current_host


class Pretended:
    """Guest 0 wins, unless the seed is odd: then its process dies."""

    seats = 2
    rules = {"game": "pretended"}  # noqa: RUF012

    def __init__(self):
        self.played = []
        self.stop_after = None

    def play(self, games, workers, took):
        for place, game in enumerate(games):
            if self.stop_after == len(self.played):
                raise KeyboardInterrupt
            self.played.append(game)
            fails = game.seed % 2 == 1
            took(
                place,
                {
                    "rewards": [
                        (None if fails else 30_000) if guest == 0 else 7 + guest for guest in game.seating
                    ],
                    "statuses": ["DONE"] * 2,
                    "faults": [
                        {"kind": "timeout", "text": "slow"} if guest == 0 and fails else None
                        for guest in game.seating
                    ],
                    "worst_turn_s": [0.5 if guest == 0 else None for guest in game.seating],
                    "steps": 5,
                    "moves": str(game.seed),
                },
            )


GUESTS = [Guest("ours", "a"), Guest("b", "b"), Guest("c", "c")]


def played(arena, log, pairs=((0, 1), (0, 2)), games=2):
    return play_official(arena, GUESTS, pairs, games, 10, 1, log, lambda *told: None)


def test_every_start_is_played_in_every_seat_order():
    games = list(schedule(2, 2, 5))
    assert [(game.seating, game.seed) for game in games] == [
        ((0, 1), 5),
        ((1, 0), 5),
        ((0, 1), 6),
        ((1, 0), 6),
    ]
    four = list(schedule(4, 1, 0))
    assert sorted(game.seating.index(0) for game in four) == [0, 1, 2, 3]
    assert all(game.seating.count(1) == 3 for game in four)


def test_records_become_results_in_which_who_failed_comes_last():
    records = played(Pretended(), GameLog(None))
    result = result_of(records[0], 2)
    tally = result.tally(0, 1)
    assert (tally.wins, tally.draws, tally.losses) == (2, 0, 2)
    assert [result.tally(0, 1, seat).games for seat in range(2)] == [2, 2]
    assert faults_of(records[0], 0, 2) == {"counts": {"timeout": 2}, "first": {"timeout": "slow"}}
    assert faults_of(records[0], 1, 2) == {"counts": {}, "first": {}}
    assert worst_turn_of(records[0], 0, 2) == 0.5
    assert worst_turn_of(records[0], 1, 2) is None


@pytest.mark.parametrize("stop", range(8))
def test_a_stopped_evaluation_goes_on_and_plays_no_game_twice(tmp_path, stop):
    path = tmp_path / "games.jsonl"
    first = Pretended()
    first.stop_after = stop
    with pytest.raises(KeyboardInterrupt):
        played(first, GameLog(path))
    second = Pretended()
    records = played(second, GameLog(path))
    assert len(first.played) == stop
    assert len(second.played) == 8 - stop
    assert records == played(Pretended(), GameLog(None))
    third = Pretended()
    assert played(third, GameLog(path)) == records
    assert third.played == []


def test_more_games_of_other_agents_are_added_to_the_file(tmp_path):
    path = tmp_path / "games.jsonl"
    played(Pretended(), GameLog(path), pairs=((0, 1),))
    more = Pretended()
    played(more, GameLog(path), pairs=((0, 1), (0, 2)), games=3)
    assert len(more.played) == 2 + 6
    assert len(path.read_text().splitlines()) == 12


def test_two_agents_of_the_same_content_share_their_games():
    guests = [GUESTS[0], Guest("one", "same"), Guest("two", "same")]
    arena = Pretended()
    records = play_official(arena, guests, [(0, 1), (0, 2)], 1, 0, 1, GameLog(None), lambda *told: None)
    assert len(arena.played) == 2
    assert records[0] == records[1]


def test_settings_of_an_env_become_the_platforms_configuration():
    registry = current_host().registry
    assert game_of("lux_s1", registry) == "lux_ai_2021"
    assert game_of("kaggle:hungry_geese", registry) == "hungry_geese"
    wanted = {"width": 24, "height": 24, "episodeSteps": 361}
    assert configuration_of("lux_s1", {"size": 24}, registry) == wanted
    assert configuration_of("connectx", {}, registry) == {"rows": 6, "columns": 7, "inarow": 4}
    with pytest.raises(UsageError, match="env 'cartpole' is none"):
        game_of("cartpole", registry)


def test_an_entry_plays_no_game_of_our_own(tmp_path):
    contender = Contender("entry", entry=tmp_path / "main.py")
    with pytest.raises(UsageError, match="plays games of kaggle-environments only"):
        contender.player(current_host().registry, None, 0, False)
