"""The target `local`: any env judges by its own rules, and what is broken is one sentence."""

import json
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

import pytest

from lanista.cli import main
from lanista.errors import UsageError
from lanista.plugins import start_host
from lanista_submission.verify import verify_archive
from lanista_submission.verify.local import limits

from .conftest import BIDS, Pack

TICTACTOE = Path(__file__).parents[2] / "examples" / "tictactoe" / "tictactoe.py"
CARD = {"target": "local", "env": "tictactoe", "env_settings": {}}
FIRST = """
def agent(observation, configuration):
    return observation["legal"]["action"].index(True)
"""


def carded(text: str, **card: object) -> dict[str, str | bytes]:
    return {"main.py": dedent(text), "card.json": json.dumps({**CARD, **card})}


@pytest.fixture
def host():
    return start_host([TICTACTOE])


@pytest.fixture
def bids(tmp_path):
    file = tmp_path / "bids.py"
    file.write_text(dedent(BIDS))
    return start_host([file])


def test_an_archive_plays_in_every_seat_against_itself_and_random(host, pack: Pack):
    report = verify_archive(pack(carded(FIRST)), games=2, jobs=2)
    assert report.ok, report.lines()
    assert report.target == "local"
    assert [(who, seat) for who, seat in report.tallies] == [("itself", 0), ("random", 0), ("random", 1)]
    assert all(tally.games == 2 for tally in report.tallies.values())
    # the first legal cell for both sides: seat 0 has cells 0, 2, 4, 6 after 7 moves, a diagonal
    assert report.tallies["itself", 0].wins == 2
    assert report.judge["env"] == "tictactoe"
    assert report.results.keys() == {"int"}
    assert report.timing.turns > 12
    assert "judge    the rules of env tictactoe" in "\n".join(report.lines())


def test_the_agent_is_told_what_the_docs_say(host, pack: Pack):
    text = """
    def agent(observation, configuration):
        assert observation.keys() == {"observation", "legal", "seat", "step", "remainingOverageTime"}
        assert [len(row) for row in observation["observation"]["board"]] == [9, 9]
        taken = sum(map(sum, observation["observation"]["board"]))
        assert taken == observation["step"] and observation["seat"] == taken % 2
        assert configuration["heads"] == {"action": {"size": 9}} and configuration["seats"] == 2
        assert configuration["parts"] == {"board": {"shape": [2, 9], "dtype": "float32"}}
        assert configuration["__raw_path__"].endswith("main.py") and configuration["actTimeout"] == 1.0
        assert "__file__" not in globals() and __name__ == "builtins"
        return observation["legal"]["action"].index(True)
    """
    report = verify_archive(pack(carded(text)), games=1, jobs=1)
    assert report.ok, report.lines()


def test_seats_decisions_settings_and_players_of_the_env_are_its_own(bids, pack: Pack):
    text = """
    def agent(observation, configuration):
        most = configuration["heads"]["bid"]["size"]
        assert most == configuration["settings"]["most"] == 7
        return {"bid": most - 1, "colour": 1}
    """
    path = pack(carded(text, env="bids", env_settings={"most": 7}))
    report = verify_archive(path, games=1, jobs=1, min_win_rates={"miser": 0.9})
    assert report.ok, report.lines()
    assert list(report.tallies)[1:] == [(who, seat) for who in ("random", "miser") for seat in range(3)]
    assert report.opponents()["miser"].score == 1.0
    assert report.tallies["itself", 0].draws == 1
    assert " all " in "\n".join(report.lines())


def test_every_game_can_be_kept_and_watched(host, pack: Pack, tmp_path):
    report = verify_archive(pack(carded(FIRST)), games=1, jobs=1, keep=tmp_path / "games")
    assert report.ok, report.lines()
    files = sorted((tmp_path / "games").glob("*.json"))
    assert len(files) == 3
    game = json.loads(files[0].read_text())
    assert len(game["frames"]) == len(game["moves"]) + 1 == 8
    assert game["frames"][-1].count("X") == 4
    assert game["result"] == "archive +1, archive -1"
    assert (
        main(["watch", str(files[0]), "--out", str(tmp_path / "game.html"), "--plugin", str(TICTACTOE)]) == 0
    )
    assert (tmp_path / "game.html").stat().st_size > 2000


def test_another_archive_is_played_in_both_seats(host, pack: Pack):
    last = FIRST.replace("index(True)", "__len__() - 1 - observation['legal']['action'][::-1].index(True)")
    report = verify_archive(pack(carded(FIRST)), against=pack(last, "other.tar.gz"), games=1, jobs=1)
    assert report.ok, report.lines()
    assert report.opponents()["other"].games == 2


def test_a_game_for_one_seat_is_reported_by_its_score(pack: Pack):
    text = "def agent(observation, configuration):\n    return 0\n"
    report = verify_archive(pack(carded(text, env="cartpole")), games=2, jobs=1)
    assert report.ok, report.lines()
    assert len(report.scores) == 2
    assert min(report.scores) > 5
    assert "score    mean " in "\n".join(report.lines())
    with pytest.raises(UsageError, match="cartpole is a game for one seat, which has no opponents"):
        verify_archive(pack(carded(text, env="cartpole")), min_win_rates={"random": 0.5})


@dataclass(frozen=True)
class Broken:
    name: str
    body: str
    code: str
    words: tuple[str, ...]
    before: str = ""


BROKEN = [
    Broken("raises", "raise ValueError('no idea')", "raises", ("ValueError: no idea", "main.py line 3", "turn 1")),
    Broken("raises at import", "return 0", "raises_at_import", ("RuntimeError: early", "main.py line 1"), "raise RuntimeError('early')"),
    Broken("hangs", "while True: pass", "hangs", ("turn 1 did not end within", "endless loop")),
    Broken("too slow", "import time; time.sleep(0.9); return good", "too_slow", ("time was up",)),
    Broken("exits", "import sys; sys.exit(3)", "exits", ("SystemExit", "code 3")),
    Broken("dies", "import os; os._exit(4)", "dies", ("exit code 4",)),
    Broken("None", "good", "returns_none", ("gave None, which is no action in JSON and loses the game", "return int(action)")),
    Broken("a text", "return str(good)", "returns_wrong_type", ("the str", "int is asked")),
    Broken("a float", "return float(good)", "returns_float", ("the float",)),
    Broken("a truth value", "return True", "returns_bool", ("the bool",)),
    Broken("a numpy scalar", "return np.int64(good)", "returns_numpy", ("a numpy.int64, which is no action in JSON",), "import numpy as np"),
    Broken("a list", "return [good]", "returns_wrong_type", ("the list",)),
    Broken("out of range", "return 9", "invalid_action", ("gave 9", "a whole number from 0 to 8 is asked for as action")),
    Broken("negative", "return -1", "invalid_action", ("gave -1",)),
    Broken("taken", "return 4", "illegal_action", ("gave 4, a move that the game does not allow there",)),
    Broken("late import", "import near; return good", "lazy_import", ("imports near inside a function",)),
    Broken("no package", "import nowhere_at_all; return good", "missing_package", ("nowhere_at_all",)),
]  # fmt: skip


#: these are played in the default tier: one of each way to fail
QUICK = {"raises", "hangs", "a numpy scalar", "out of range", "None"}


@pytest.mark.parametrize(
    "broken",
    [
        pytest.param(broken, id=broken.name, marks=[] if broken.name in QUICK else pytest.mark.slow)
        for broken in BROKEN
    ],
)
def test_what_is_broken_is_named_in_one_sentence(broken: Broken, host, pack: Pack):
    lines = f"{broken.before}\ndef agent(observation, configuration):\n    "
    body = broken.body.replace("good", "observation['legal']['action'].index(True)")
    contents = carded(lines + body) | ({"near.py": ""} if broken.name == "late import" else {})
    hurried = limits().model_copy(update={"overage_s": 0.5, "configuration": {"actTimeout": 0.3}})
    report = verify_archive(pack(contents), profile=hurried, games=1, jobs=1)
    assert report.exit_code == 1
    (problem,) = report.grave
    assert problem.code == broken.code, problem.message
    assert "\n" not in problem.message
    for word in broken.words:
        assert word in problem.message
    if report.replay is not None:
        replay = json.loads(Path(report.replay).read_text())
        assert replay["env"] == "tictactoe"
        assert set(replay["statuses"]) & {"ERROR", "INVALID", "TIMEOUT"}


def test_an_archive_without_anything_to_call_is_named(host, pack: Pack):
    report = verify_archive(pack(carded("move = 3\n")), games=1)
    assert [problem.code for problem in report.grave] == ["no_callable"]


def test_a_helper_after_the_agent_is_found_out(host, pack: Pack):
    report = verify_archive(pack(carded(f"{FIRST}\ndef scale(number):\n    return number / 0\n")), games=1)
    assert [problem.code for problem in report.grave] == ["last_callable"]


def test_numpy_numbers_inside_a_dictionary_are_found(bids, pack: Pack):
    text = "import numpy as np\ndef agent(observation):\n    return {'bid': np.int64(1), 'colour': 1}\n"
    report = verify_archive(pack(carded(text, env="bids")), games=1)
    (problem,) = report.grave
    assert problem.code == "returns_numpy"
    assert "turn 1 gave a numpy.int64 at ['bid']" in problem.message


def test_an_env_that_nobody_offers_is_not_judged_and_the_cure_is_named(pack: Pack):
    start_host()
    report = verify_archive(pack(carded(FIRST)), games=1)
    assert report.exit_code == 2
    assert "no plugin offers env 'tictactoe'" in report.grave[0].message
    assert "--plugin FILE.py" in report.grave[0].message


def test_the_copy_in_the_run_folder_is_pointed_at(pack: Pack, tmp_path):
    start_host()
    (tmp_path / "run" / "plugins").mkdir(parents=True)
    (tmp_path / "run" / "exported").mkdir()
    kept = tmp_path / "run" / "plugins" / "tictactoe.py"
    kept.write_bytes(TICTACTOE.read_bytes())
    archive = pack(carded(FIRST)).rename(tmp_path / "run" / "exported" / "submission.tar.gz")
    report = verify_archive(archive, games=1)
    assert f"--plugin {kept}" in report.grave[0].message


def test_an_opponent_that_does_not_exist_is_wrong_usage(host, pack: Pack):
    with pytest.raises(UsageError, match=r"names 'randm', which is no opponent; did you mean 'random'\?"):
        verify_archive(pack(carded(FIRST)), min_win_rates={"randm": 0.5})
    with pytest.raises(UsageError, match="'connectx_negamax', a player that does not play tictactoe"):
        verify_archive(pack(carded(FIRST)), min_win_rates={"connectx_negamax": 0.5})


def test_an_env_whose_rules_raise_is_no_fault_of_the_archive(tmp_path, pack: Pack):
    file = tmp_path / "broken.py"
    file.write_text(TICTACTOE.read_text().replace("seat, self.turn = ", "1 / 0; seat, self.turn = "))
    start_host([file])
    report = verify_archive(pack(carded(FIRST)), games=1, jobs=1)
    assert report.exit_code == 2
    assert "ZeroDivisionError" in report.grave[0].message


def test_a_missed_win_rate_is_reported_with_its_interval(host, pack: Pack):
    report = verify_archive(
        pack(carded(FIRST)), games=1, jobs=2, min_win_rates={"itself": 1.0, "random": 1.0}
    )
    assert report.exit_code in (0, 1)
    assert all(problem.code == "min_win_rate" for problem in report.grave)


def test_the_command_judges_a_bare_file_for_an_env(tmp_path, capsys):
    (tmp_path / "main.py").write_text(FIRST)
    words = [
        "verify",
        str(tmp_path / "main.py"),
        "--target",
        "local",
        "--games",
        "1",
        "--plugin",
        str(TICTACTOE),
    ]
    assert main([*words, "--env", "tictactoe", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["target"] == "local"
    assert told["games"]["played"] == 3
    assert main(words) == 2
    assert "write --env NAME" in capsys.readouterr().out
