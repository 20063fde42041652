"""`lanista lux map` and `lanista lux replay`, by their output and exit codes."""

import copy
import gzip
import json
import random
from pathlib import Path

import pytest

from lanista.cli.app import run_command_line
from lanista.errors import LanistaError
from lanista_envs.lux.drivers import DRIVERS
from lanista_envs.lux.games import LuxGames
from lanista_envs.lux.order_strings import pack_orders, read_orders
from lanista_envs.lux.replay import Recorder, ReplayError, check_replay, command_strings, take_apart
from lanista_envs.lux.updates import write_first_updates


def play_and_record(seed, side, turns, drivers=("keeper", "crowd")):
    """A game between drivers as a replay's JSON."""
    games, stream = LuxGames(1, side), random.Random(seed)
    games.start([seed])
    recorder = Recorder(games, 0, seed, turns)
    while not games.state.over[0]:
        actions = tuple(DRIVERS[drivers[t]](0, t, games.board, games.state, stream) for t in range(2))
        seats = [read_orders(actions[t], 0, t, games.board, games.state) for t in range(2)]
        games.play(pack_orders(seats), max_turns=turns)
        recorder.note(actions)
    return recorder.record()


@pytest.fixture(scope="module")
def replay():
    return play_and_record(5, 12, 90)


def test_map_prints_one_json_line_a_seed(capsys):
    assert run_command_line(["lux", "map", "--seed", "3", "--seed", "4", "--size", "16"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(line["seed"], line["width"], line["height"]) for line in lines] == [(3, 16, 16), (4, 16, 16)]
    games = LuxGames(1, 16)
    games.start([4])
    assert lines[1]["updates"] == write_first_updates(0, games.board, games.state)
    assert lines[1]["updates"][:2] == ["0", "16 16"]


def test_without_a_size_the_seed_chooses(capsys, record):
    chosen = {
        seed: size
        for (seed, side, _), size in zip(record["maps"].tolist(), record["sizes"].tolist(), strict=True)
        if side == 0
    }
    seeds = list(chosen)[:6]
    assert run_command_line(["lux", "map", *[word for seed in seeds for word in ("--seed", str(seed))]]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {line["seed"]: line["width"] for line in lines} == {seed: chosen[seed] for seed in seeds}


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--seed", "1", "--size", "3"], "a Lux board of 3 x 3 was asked for; its sides go from 6 to 120"),
        (["--seed", str(2**53)], "is beyond what the official program tells apart"),
        (["--seed", "2", "--size", "9"], "would put both teams into the same place"),
    ],
)
def test_maps_that_cannot_be_made_are_refused(capsys, words, sentence):
    assert run_command_line(["lux", "map", *words]) == 64
    assert sentence in capsys.readouterr().err


def test_a_recorded_game_is_equal_plain_and_gzipped(capsys, tmp_path, replay):
    plain, packed = tmp_path / "a.json", tmp_path / "b.json.gz"
    plain.write_text(json.dumps(replay))
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    assert len(replay["steps"]) == 91
    assert run_command_line(["lux", "replay", str(plain), str(packed)]) == 0
    assert capsys.readouterr().out == f"{plain}: equal\n{packed}: equal\n"


def test_the_first_turn_and_line_that_differ_are_named(capsys, tmp_path, replay):
    changed = copy.deepcopy(replay)
    lines = changed["steps"][40][0]["observation"]["updates"]
    wrong = lines[0]
    lines[0] = "rp 0 77"
    file = tmp_path / "a.json"
    file.write_text(json.dumps(changed))
    assert run_command_line(["lux", "replay", str(file)]) == 1
    assert capsys.readouterr().out == (
        f"{file}: turn 40, line 1: ours has {wrong!r}, the official program 'rp 0 77'\n"
    )


def test_an_unreadable_file_outweighs_a_difference(capsys, tmp_path, replay):
    changed = copy.deepcopy(replay)
    changed["steps"][1][0]["observation"]["updates"].pop()
    different, broken = tmp_path / "a.json", tmp_path / "b.json"
    different.write_text(json.dumps(changed))
    broken.write_text("{")
    assert run_command_line(["lux", "replay", str(broken), str(different)]) == 2
    seen = capsys.readouterr()
    assert f"{broken} cannot be read as JSON" in seen.err
    assert f"{different}: turn 1, line" in seen.out


def test_a_replay_that_ends_too_early_or_too_late_differs(replay):
    longer = copy.deepcopy(replay)
    longer["steps"].append(longer["steps"][-1])
    assert str(check_replay(take_apart(longer))) == (
        "turn 91, end of the game: ours has 'True', the official program 'False'"
    )
    shorter = copy.deepcopy(replay)
    shorter["configuration"]["episodeSteps"] = 200
    assert check_replay(take_apart(shorter)).field == "end of the game"
    del shorter["configuration"]["episodeSteps"]
    assert check_replay(take_apart(shorter)) is None
    del shorter["steps"][50:]
    assert check_replay(take_apart(shorter)) is None


@pytest.mark.parametrize(
    ("path", "value", "sentence"),
    [
        (("name",), "connectx", "its name is 'connectx'"),
        (("configuration",), 3, "it has no configuration, or no steps"),
        (("configuration", "seed"), "7", "its seed is '7', which must be an integer below 2**53"),
        (("configuration", "seed"), True, "its seed is 'True'"),
        (("configuration", "episodeSteps"), 1, "its episodeSteps is '1', which must be an integer from 2 on"),
        (("steps",), [], "it has no configuration, or no steps"),
        (("steps", 3), [{}], "step 3 is not a list of two seats"),
        (("steps", 3, 0), {}, "step 3 has no updates in seat 0's observation"),
        (("steps", 0, 0, "observation", "updates"), ["0"], "and 1 lines is there"),
    ],
)
def test_what_is_no_replay_is_refused_in_one_sentence(replay, path, value, sentence):
    broken = copy.deepcopy(replay)
    place = broken
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    with pytest.raises(ReplayError) as error:
        take_apart(broken)
    assert sentence in str(error.value)


@pytest.mark.parametrize("change", [{"seed": None}, {"mapType": "debug"}])
def test_a_map_that_no_seed_made_is_taken_from_the_first_step(replay, change):
    unseeded = copy.deepcopy(replay)
    unseeded["configuration"] |= change
    assert check_replay(take_apart(unseeded)) is None
    unseeded["steps"][30][0]["observation"]["updates"].pop()
    assert check_replay(take_apart(unseeded)).turn == 30
    unseeded["steps"][0][0]["observation"]["updates"].insert(2, "rp 0 0")
    unseeded["steps"][0][0]["observation"]["updates"][2] = "x"
    with pytest.raises(ReplayError, match="its step 0 shows no game: line 'x': no line begins like that"):
        check_replay(take_apart(unseeded))


def test_an_official_game_is_written_down_as_kaggle_did():
    """The steps to the last field, and the same keys beside them; the specification is left out."""
    file = Path(__file__).parents[1] / "viewer" / "lux_replay.json.gz"
    theirs = json.loads(gzip.decompress(file.read_bytes()))
    configuration = theirs["configuration"]
    games = LuxGames(1, configuration["width"], configuration["height"])
    games.start([configuration["seed"]])
    max_turns = configuration["episodeSteps"] - 1
    recorder = Recorder(games, 0, configuration["seed"], max_turns)
    for step in theirs["steps"][1:]:
        actions = tuple(command_strings(seat["action"]) for seat in step)
        seats = [read_orders(actions[t], 0, t, games.board, games.state) for t in range(2)]
        games.play(pack_orders(seats), max_turns=max_turns)
        recorder.note(actions)
    ours = recorder.record()
    for step in theirs["steps"]:
        for seat in step:
            seat["observation"]["remainingOverageTime"] = 60
    assert ours["steps"] == theirs["steps"]
    assert ours["rewards"] == theirs["rewards"]
    assert ours["statuses"] == theirs["statuses"]
    assert set(theirs) - set(ours) <= {"specification", "module_version"}
    assert set(configuration) - {"parameters"} <= set(ours["configuration"])
    for key in ("name", "title", "version", "schema_version"):
        assert ours[key] == theirs[key]


def damaged(record, stream):
    """A copy of a replay's JSON with some of its values replaced, dropped or doubled."""
    record = copy.deepcopy(record)
    for _ in range(stream.randrange(1, 4)):
        place = record
        while True:
            keys = list(place) if isinstance(place, dict) else list(range(len(place)))
            key = stream.choice(keys)
            inner = place[key]
            if not isinstance(inner, dict | list) or not inner or stream.random() < 0.1:
                break
            place = inner
        luck = stream.random()
        if luck < 0.3:
            del place[key]
        elif luck < 0.4 and isinstance(place, list):
            place.insert(key, inner)
        else:
            place[key] = stream.choice(
                (None, -1, 0, 3, 1.5, 10**30, "", "x", "9 9", "6 6", [], {}, [1], "D_DONE", True)
            )
        if not record:
            break
    return record


def play_damaged(record, count, seed):
    """Play damaged replays; give how many were refused, and how many differ."""
    stream, refused, different = random.Random(seed), 0, 0
    for _ in range(count):
        try:
            different += check_replay(take_apart(damaged(record, stream))) is not None
        except LanistaError as error:
            refused += "\n" not in str(error)
    return refused, different


@pytest.mark.parametrize(
    ("count", "seed"),
    [(400, 1), pytest.param(10_000, 2, marks=[pytest.mark.slow, pytest.mark.timeout(3600)])],
)
def test_damaged_replays_are_refused_or_differ_or_play_the_same(count, seed):
    """Run the long form with NUMBA_BOUNDSCHECK=1, too."""
    refused, different = play_damaged(play_and_record(8, 8, 12), count, seed)
    assert refused > count // 8
    assert different > 0


def test_actions_are_taken_as_the_competition_takes_them():
    assert command_strings(["m u_1 n", 3, None]) == ["m u_1 n"]
    assert command_strings({"submission": ["r 1 1"], "thoughts": "x"}) == ["r 1 1"]
    assert command_strings({"other": ["r 1 1"]}) == command_strings(None) == command_strings("m u_1 n") == []
