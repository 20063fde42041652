"""Kaggle's replays of Lux as games to learn from: what was seen is what the codec shows, what was done is what was ordered."""

from pathlib import Path

import numpy as np
import pytest

from lanista.games.parts import Source, write_part
from lanista_envs.kaggle.replay_files import ReplayFileError, read_record
from lanista_envs.lux import codec
from lanista_envs.lux.choices import TILE
from lanista_envs.lux.replay import ReplayError, command_strings
from lanista_envs.lux.replayed import read_game
from lanista_envs.lux.settings import LuxS1Settings
from lanista_envs.lux.spec import lux_spec
from lanista_envs.lux.state import MAX_TURNS

FILE = Path(__file__).parents[1] / "viewer" / "lux_replay.json.gz"
SETTINGS = LuxS1Settings(size=12, observation="both")
SPEC = lux_spec(SETTINGS)


@pytest.fixture(scope="module")
def game():
    return read_game(FILE, SETTINGS, SPEC)


@pytest.mark.slow
@pytest.mark.parametrize("turn", [0, 1, 37, 200, MAX_TURNS - 1])
@pytest.mark.parametrize("seat", [0, 1])
def test_a_decision_has_what_the_codec_shows_before_it_and_the_choices_that_were_ordered(game, turn, seat):
    record = read_record(FILE)
    before, after = record["steps"][turn], record["steps"][turn + 1]
    obs = {**before[0]["observation"], "player": seat, "step": turn}
    arrays, legal = codec.observe(obs, record["configuration"])
    decision = 2 * turn + seat
    units = slice(*game.units["offsets"][decision : decision + 2].tolist())
    for part in SPEC.observation:
        np.testing.assert_array_equal(game.observation[part.name][decision], arrays[part.name])
    for part in SPEC.unit_observation:
        np.testing.assert_array_equal(game.units[f"observation.{part.name}"][units], arrays[part.name])
    np.testing.assert_array_equal(game.units["legal"][units], legal["orders"])
    chosen = game.action["orders"][units]
    assert legal["orders"][np.arange(len(chosen)), chosen].all()
    said = set(codec.act(chosen, obs, record["configuration"]))
    ordered = set(command_strings(after[seat]["action"]))
    # The rules dropped what was ordered beyond that; this game has no transfers, whose amounts may differ.
    assert said <= ordered


@pytest.mark.slow
def test_the_whole_game_is_a_kept_game_in_form_and_has_its_outcome(game, tmp_path):
    assert len(game.seat) == 2 * MAX_TURNS
    rewards = [seat["reward"] for seat in read_record(FILE)["steps"][-1]]
    assert game.outcome.tolist() == [np.sign(rewards[0] - rewards[1]), np.sign(rewards[1] - rewards[0])]
    moved = (game.action["orders"] != 0)[game.units["kind"] != TILE].mean()
    assert moved > 0.2
    write_part(tmp_path, Source("lux_s1", {}, SPEC), 0, [game])


@pytest.mark.parametrize("settings", [LuxS1Settings(size=16), LuxS1Settings(size=12, max_turns=100)])
def test_games_of_other_boards_and_lengths_are_passed_over(settings):
    assert read_game(FILE, settings, lux_spec(settings)) is None


def test_files_that_are_no_replays_are_told(tmp_path):
    bad = tmp_path / "bad.json"
    bad.write_text("{}")
    with pytest.raises(ReplayFileError, match="it has no steps of seats"):
        read_game(bad, SETTINGS, SPEC)
    bad.write_text('{"name": "lux_ai_2021", "configuration": {}, "steps": [[{}, {}]]}')
    with pytest.raises(ReplayError, match="has no updates in seat 0's observation"):
        read_game(bad, SETTINGS, SPEC)
    bad.write_text('{"name": "connectx", "steps": [[{}, {}]]}')
    assert read_game(bad, SETTINGS, SPEC) is None
