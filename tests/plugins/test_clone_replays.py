"""Replay files of Kaggle as games to learn from: each decision with the observation before it."""

import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from lanista.codec import Codec
from lanista.errors import LanistaError
from lanista.games.parts import Source, write_part
from lanista.plugins import load_plugins
from lanista.recipe import check_recipe
from lanista.run import Run
from lanista_envs.connectx import codec
from lanista_envs.connectx.env import connectx_spec
from lanista_envs.connectx.replayed import read_game
from lanista_envs.connectx.settings import ConnectXSettings
from lanista_envs.kaggle.replay_files import NO_CHOICE, game_of, player_names

HOST = load_plugins()
REPLAYS = Path(__file__).parents[1] / "envs" / "viewer"
SETTINGS = ConnectXSettings()
SPEC = connectx_spec(SETTINGS)
RECORD = json.loads(gzip.decompress((REPLAYS / "connectx_replay.json.gz").read_bytes()))
PHASE = {
    "name": "clone",
    "kind": "clone",
    "network": {"use": "mlp", "hidden": [16]},
    "epochs": 2,
}


def write(folder, name, record):
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(json.dumps(record))
    return folder / name


def played(columns):
    """A replay of these columns, in the form that the competition writes."""
    board, steps = [0] * 42, []
    for number in range(len(columns) + 1):
        if number:
            column = columns[number - 1]
            row = max(r for r in range(6) if board[r * 7 + column] == 0)
            board[row * 7 + column] = 1 + (number - 1) % 2
        over = number == len(columns)
        seats = []
        for seat in range(2):
            observation = {"mark": seat + 1, "remainingOverageTime": 60}
            if seat == 0:
                observation |= {"board": list(board), "step": number}
            seats.append(
                {
                    "action": columns[number - 1] if number and (number - 1) % 2 == seat else 0,
                    "reward": (1 if (number - 1) % 2 == seat else -1) if over else 0,
                    "observation": observation,
                    "status": "DONE" if over else ("ACTIVE" if number % 2 == seat else "INACTIVE"),
                }
            )
        steps.append(seats)
    return {
        "name": "connectx",
        "configuration": {"rows": 6, "columns": 7, "inarow": 4},
        "info": {"TeamNames": ["ann", "bob"]},
        "steps": steps,
    }


def test_each_decision_has_what_its_seat_saw_before_it():
    game = read_game(REPLAYS / "connectx_replay.json.gz", SETTINGS, SPEC)
    env = HOST.registry.load("envs", "connectx")(1, SETTINGS, 1)
    env.reset(0)
    for decision, (step, seat) in enumerate(zip(game.step, game.seat, strict=True)):
        assert env.acting[0].tolist() == game.acting[step].tolist()
        np.testing.assert_array_equal(game.observation["board"][decision], env.observation["board"][0, seat])
        np.testing.assert_array_equal(game.legal["column"][decision], env.legal["column"][0, seat])
        env.step({"column": np.full((1, 2), game.action["column"][decision])})
    assert env.ended[0]
    np.testing.assert_array_equal(game.outcome, env.outcome[0])
    np.testing.assert_array_equal(game.reward.sum(axis=0), env.outcome[0])


def test_a_replay_is_a_kept_game_in_form(tmp_path):
    game = read_game(write(tmp_path, "a.json", played([0, 1, 0, 1, 0, 1, 0])), SETTINGS, SPEC)
    assert game.players == ("ann", "bob")
    assert game.action["column"].tolist() == [0, 1, 0, 1, 0, 1, 0]
    write_part(tmp_path / "games", Source("connectx", {}, SPEC), 0, [game])


def test_what_seats_share_is_taken_from_the_first_and_nothing_else_of_it():
    record = played([3, 3])
    record["specification"] = {"observation": {"board": {"shared": True}, "mark": {}, "hand": {}}}
    for step in record["steps"]:
        step[0]["observation"]["hand"] = "a secret"
    seen = []

    class Watching(Codec):
        def observe(self, obs, config):
            seen.append(dict(obs))
            return super().observe(obs, config)

    game = game_of(Path("x.json"), record, Watching(codec, "codec"), SPEC)
    assert [sorted(obs) for obs in seen] == [
        ["board", "hand", "mark", "remainingOverageTime", "step"],
        ["board", "mark", "remainingOverageTime", "step"],
    ]
    assert [obs["mark"] for obs in seen] == [1, 2]
    assert game.outcome.tolist() == [-1.0, 1.0]


def test_actions_that_no_choice_gives_are_left_out_and_counted(tmp_path):
    for number, columns in enumerate(([0, 1, 0, 1, 0, 1, 0], [2, 3, 2, 3, 2, 3, 2], [4, 3, 4, 3, 4, 3, 4])):
        record = played(columns)
        if number == 0:
            record["steps"][3][0]["action"] = None
            game = read_game(write(tmp_path / "odd", "odd.json", record), SETTINGS, SPEC)
            assert game.action["column"][2] == NO_CHOICE
        write(tmp_path / "replays", f"{number}.json", record)
    write(tmp_path / "replays", "other.json", {**played([1, 1]), "name": "halite"})
    values = {
        "name": "t",
        "env": "connectx",
        "phases": [{**PHASE, "games": f"replays:{tmp_path / 'replays'}"}],
    }
    Run.create(tmp_path / "run", check_recipe(values, HOST.registry), HOST).play()
    card = json.loads((tmp_path / "run" / "phases" / "clone" / "phase.json").read_text())
    assert (card["games"], card["decisions"], card["forbidden"]) == (3, 21, 1)
    phase = {**PHASE, "games": {"replays": str(tmp_path / "replays" / "?.json")}, "imitate": ["bob"]}
    values["phases"] = [phase]
    Run.create(tmp_path / "bob", check_recipe(values, HOST.registry), HOST).play()
    card = json.loads((tmp_path / "bob" / "phases" / "clone" / "phase.json").read_text())
    assert (card["decisions"], card["forbidden"]) == (9, 0)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "cannot be read as JSON"),
        ("[]", "is no replay of kaggle-environments: it has no steps of seats"),
        (
            json.dumps({**played([1]), "name": "halite"}),
            "none of the 1 replays in .* is of this env's settings",
        ),
        (json.dumps({**played([1]), "steps": played([1])["steps"][:1]}), "none of the 1 replays"),
    ],
)
def test_files_that_are_no_replays_are_told_in_one_sentence(tmp_path, content, message):
    (tmp_path / "bad.json").write_text(content)
    values = {"name": "t", "env": "connectx", "phases": [{**PHASE, "games": f"replays:{tmp_path}"}]}
    run = Run.create(tmp_path / "run", check_recipe(values, HOST.registry), HOST)
    with pytest.raises(LanistaError, match=message):
        run.play()


def test_a_step_that_lacks_what_the_codec_reads_is_told_with_the_file():
    record = played([0, 1])
    del record["steps"][0][0]["observation"]["board"]
    with pytest.raises(LanistaError, match=r"x\.json cannot be shown as connectx.*board"):
        game_of(Path("x.json"), record, Codec(codec, "codec"), SPEC)


def test_teams_are_named_where_the_replay_names_them():
    assert player_names({"info": {"TeamNames": ["a", "b"]}}, 2) == ("a", "b")
    assert player_names({"info": {"TeamNames": ["a"]}}, 2) == player_names({}, 2) == ("seat 0", "seat 1")
