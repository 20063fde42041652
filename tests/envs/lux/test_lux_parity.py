"""A few games against the official program itself, where it can be run."""

import pytest

from lanista_envs.lux import official as official_module
from lanista_envs.lux.games import LuxGames
from lanista_envs.lux.official import NoOfficialError, Official, find_program
from lanista_envs.lux.order_strings import RESEARCH
from lanista_envs.lux.parity import compare_lines, compare_state, play_match


@pytest.mark.parametrize(
    ("side", "drivers", "turns"),
    [(12, ("keeper", "odd"), 361), (16, ("crowd", "keeper"), 200), (32, ("odd", "crowd"), 100),
     (10, ("legal", "odd"), 361)],
)  # fmt: skip
def test_games_are_equal_in_both(official, side, drivers, turns):
    match = play_match(official, LuxGames(1, side), 77, drivers, turns)
    assert match.difference is None, str(match)
    assert match.turns == turns or match.seen[-1].finished


def test_a_difference_is_named_by_turn_and_field(official):
    games = LuxGames(1, 12)
    games.start([3])
    seen = official.start(3, 12, 12)
    assert compare_state(games, seen, 0) is None
    games.state.research[0, 1] = 7
    assert str(compare_state(games, seen, 0)) == (
        "turn 0, line 4: ours has 'rp 1 7', the official program 'rp 1 0'"
    )
    games.state.research[0, 1] = 0
    games.state.last_city_id[0] = 9
    assert str(compare_state(games, seen, 4)).startswith("turn 4, line 1: ")
    assert str(compare_state(games, seen, 0)) == (
        "turn 0, globalCityIDCount: ours has '9', the official program '2'"
    )
    assert compare_lines(5, ["a"], ["a", "b"]).ours == "no more lines"
    assert RESEARCH == 8


def test_without_node_one_sentence_says_so(monkeypatch, tmp_path):
    monkeypatch.setattr(official_module.shutil, "which", lambda name: None)
    with pytest.raises(NoOfficialError, match=r"needs node, and there is none in PATH; install Node\.js 20"):
        Official(tmp_path)


def test_a_python_without_the_program_is_named():
    import sys

    with pytest.raises(
        NoOfficialError, match=r"has no official Lux program, looked for .*; run lanista doctor --fix"
    ):
        find_program(sys.executable)
