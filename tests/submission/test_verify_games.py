"""Whole games with archives that are right, and what the report and the command line say of them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from lanista.errors import UsageError
from lanista.intervals import wilson
from lanista.plugins import Registry
from lanista_submission.commands import verify as command
from lanista_submission.verify import Report, verify_archive
from lanista_submission.verify.profile import TargetProfile
from lanista_submission.verify.tally import Tally, Together

from .conftest import GOOD, Pack

RANDOM_MOVES = """
import random
def agent(observation, configuration):
    return random.choice([c for c in range(configuration.columns) if observation.board[c] == 0])
"""
#: uses everything that the platform gives: a helper module found at import, a file beside it, __raw_path__
WHOLE = {
    "main.py": """
import os
from plan_of_mine import order
def agent(observation, configuration):
    assert os.path.basename(configuration["__raw_path__"]) == "main.py"
    assert os.path.exists(os.path.join(order.folder, "main.py"))
    assert not os.path.exists("main.py"), "the current folder is another one"
    assert observation.remainingOverageTime <= 60 and isinstance(observation["board"], list)
    board = observation.board
    observation.board = None
    observation["mark"] = 9
    return next(column for column in order(configuration.columns) if board[column] == 0)
""",
    "plan_of_mine/__init__.py": """
import json, os
def order(columns):
    return sorted(range(columns), key=lambda column: abs(column - columns // 2))
order.folder = os.path.dirname(os.path.dirname(__file__))
with open(os.path.join(os.path.dirname(__file__), "card.json")) as file:
    assert json.load(file)["target"] == "kaggle:connectx"
""",
    "plan_of_mine/card.json": '{"target": "kaggle:connectx"}',
}

pytestmark = pytest.mark.usefixtures("judge")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, judge: object) -> tuple[Report, Path]:
    """One verification that several tests look at: 2 games a pairing, all replays kept."""
    import tarfile

    folder = tmp_path_factory.mktemp("whole")
    for name, text in WHOLE.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    archive = folder / "submission.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        for name in WHOLE:
            tar.add(folder / name, name)
    profile = small(TargetProfile.model_validate(_connectx()))
    return verify_archive(archive, games=2, keep=folder / "replays", profile=profile), folder


def _connectx() -> dict[str, object]:
    from lanista_submission.verify.profile import own_profiles

    return own_profiles()["kaggle:connectx"].model_dump()


def small(profile: TargetProfile) -> TargetProfile:
    board = {"columns": 5, "rows": 4, "inarow": 3}
    return profile.model_copy(update={"opponents": ("random",), "configuration": board})


def test_a_good_archive_passes_in_every_seat(whole: tuple[Report, Path]) -> None:
    report, _ = whole
    assert report.problems == []
    assert report.ok
    assert report.exit_code == 0
    # 2 against itself, 2 x 2 against random, 1 in one process
    assert report.played == 7
    assert [(t.opponent, t.seat, t.games) for t in report.tallies.values()] == [
        ("itself", 0, 2), ("random", 0, 2), ("random", 1, 2),
    ]  # fmt: skip
    assert list(report.results) == ["int"]
    assert report.results["int"] == report.timing.turns
    assert report.agent == "function agent, main.py line 4"
    assert report.limits["memory"] in (8 << 30, None)
    assert report.timing.overage_left_s == 60.0
    assert 0.0 < report.timing.import_s < report.timing.worst_turn_s < 2.0


def test_two_games_without_chance_count_as_one(whole: tuple[Report, Path]) -> None:
    tally = whole[0].tallies["itself", 0]
    assert (tally.games, tally.telling) == (2, 1)
    assert tally.interval == wilson(tally.score, 1)
    assert any("all 2 the same game: counted as one" in line for line in whole[0].lines())


def test_the_json_form_has_the_contract_and_only_plain_values(whole: tuple[Report, Path]) -> None:
    told = json.loads(json.dumps(whole[0].to_json(), allow_nan=False))
    assert list(told)[:4] == ["ok", "problems", "games", "timing"]
    assert told["ok"] is True
    assert told["problems"] == []
    assert told["games"]["played"] == 7
    assert told["games"]["opponents"]["random"]["games"] == 4
    assert told["size"]["files"] == 3
    assert told["judge"]["platform_python"].startswith("3.11.")


def test_the_report_says_what_the_issue_of_a_draw_is_and_under_which_limits(
    whole: tuple[Report, Path],
) -> None:
    text = "\n".join(whole[0].lines())
    for words in (
        "a draw is half a win",
        "intervals are Wilson's",
        "charged to turn 1",
        "overage  60.00 s of 60 s",
        "one core",
        "GiB of memory",
        "kaggle-environments 1.33.2",
        "results: int x",
        "ok: no technical fault",
    ):
        assert words in text


def test_all_replays_are_kept_where_they_are_asked_for(whole: tuple[Report, Path]) -> None:
    report, folder = whole
    replays = sorted(path.name for path in (folder / "replays").iterdir())
    assert len(replays) == 6
    replay = json.loads((folder / "replays" / replays[0]).read_text())
    assert replay["configuration"]["columns"] == 5
    assert report.replay is None


def test_another_archive_is_met_in_both_seats(pack: Pack, small_profile: TargetProfile) -> None:
    profile = small_profile.model_copy(update={"opponents": ()})
    own = pack({"main.py": f"import moves\n{GOOD}", "moves.py": "number = 1\n"}, "own.tar.gz")
    other = pack({"main.py": f"import moves\n{GOOD}", "moves.py": "number = 2\n"}, "other.tar.gz")
    report = verify_archive(own, against=other, games=2, profile=profile, min_win_rates={"other": 0.0})
    assert report.ok
    assert report.opponents()["other"].games == 4
    # the same player twice, without chance: two games that tell something, won by the first seat or by the second
    assert "not enough games to tell which archive is better (50.0%, 9.5% to 90.5%)" in report.lines()
    assert [problem.code for problem in report.warnings] == ["shared_module"]
    assert "used that one's module moves" in report.warnings[0].message


def test_the_comparison_says_who_is_better_once_it_is_sure() -> None:
    def verdict(wins: int, losses: int) -> str:
        report = Report("own.tar.gz")
        report.tallies["other", 0] = Tally("other", 0, wins, 0, losses, {"one", "two"})
        return next(line for line in report.lines() if "archive is" in line)

    assert verdict(6, 4) == "not enough games to tell which archive is better (60.0%, 31.3% to 83.2%)"
    assert verdict(60, 40).startswith("this archive is better than the other (60.0%, 50.2% to 69.1%)")
    assert verdict(4, 16).startswith("this archive is worse than the other (20.0%")


def test_a_broken_opponent_is_no_fault_of_the_archive(
    pack: Pack, small_profile: TargetProfile, tmp_path: Path
) -> None:
    profile = small_profile.model_copy(update={"opponents": ()})
    other = pack("def agent(observation):\n    raise KeyError('mark')\n", "other.tar.gz")
    report = verify_archive(pack(GOOD), against=other, games=1, profile=profile)
    assert [problem.code for problem in report.grave] == ["opponent_failed"]
    assert (
        "not this archive but its opponent failed (its status was ERROR: KeyError: 'mark')"
        in report.grave[0].message
    )
    assert report.exit_code == 2
    assert not report.ok
    zipped = tmp_path / "other.zip"
    zipped.write_bytes(b"PK\x03\x04")
    with pytest.raises(UsageError, match=r"--against .*other.zip: the file is a zip"):
        verify_archive(pack(GOOD), against=zipped, games=1, profile=profile)


NOISY = f"""
import os, sys, time
time.sleep(0.5)
{GOOD.replace("def agent", "def choose")}
def agent(observation, configuration):
    print("x" * 20_000)
    os.write(1, b"y" * 20_000)
    path = os.path.join(os.path.dirname(configuration["__raw_path__"]), "log.txt")
    if observation.mark not in observation.board:
        assert not os.path.exists(path), "every game begins with the archive as it was packed"
    else:
        open(path, "w").write("seen")
    return choose(observation, configuration)
if __name__ == "__main__":
    print(agent)
"""


def test_what_is_no_fault_but_worth_knowing_is_said(pack: Pack, small_profile: TargetProfile) -> None:
    profile = small_profile.model_copy(
        update={"opponents": (), "configuration": {**small_profile.configuration, "actTimeout": 0.25}}
    )
    report = verify_archive(pack(NOISY), games=2, profile=profile)
    assert report.ok, report.lines()
    notes = {problem.code: problem.message for problem in report.warnings}
    assert sorted(notes) == ["dunder_name", "prints_much", "slow_import", "uses_overage", "writes"]
    assert "10,000 characters or more" in notes["prints_much"]
    assert "the agent changed 'log.txt' in its own folder" in notes["writes"]
    assert "'builtins' on the platform" in notes["dunder_name"]
    assert "more than the 0.25 s of turn 1" in notes["slow_import"]
    assert all(line.startswith("note: ") for line in report.lines() if "10,000 characters" in line)


def test_a_missed_bar_and_wrong_bars(pack: Pack, small_profile: TargetProfile) -> None:
    archive = pack(RANDOM_MOVES)
    # two cells, two players, two in a row: always a draw
    drawn = small_profile.model_copy(update={"configuration": {"columns": 2, "rows": 1, "inarow": 2}})
    report = verify_archive(archive, games=1, profile=drawn, min_win_rates={"random": 0.5, "itself": 0.51})
    assert [problem.code for problem in report.problems] == ["min_win_rate"]
    assert "against itself is 50.0% (5.5% to 94.5%) in 1 game, below the 51.0%" in report.problems[0].message
    assert (report.ok, report.exit_code) == (False, 1)
    assert any(line.startswith("MISSED (min_win_rate): the score against itself") for line in report.lines())
    with pytest.raises(
        UsageError, match=r"--min-win-rate names 'randm', which is no opponent; did you mean 'random'\?"
    ):
        verify_archive(archive, profile=small_profile, min_win_rates={"randm": 0.5})
    with pytest.raises(UsageError, match=r"must lie between 0 and 1; write random=0\.8 for 80 %"):
        verify_archive(archive, profile=small_profile, min_win_rates={"random": 80.0})
    with pytest.raises(UsageError, match="write --games 10"):
        verify_archive(archive, games=0)
    with pytest.raises(UsageError, match="write --jobs 1"):
        verify_archive(archive, jobs=0)


def test_tallies_count_a_draw_as_half_a_win() -> None:
    tally = Tally("random", 0)
    for own, other in ((1, -1), (0, 0), (0, 0), (-1, 1)):
        tally.add(own, other, f"{own}{other}")
    assert (tally.wins, tally.draws, tally.losses, tally.score) == (1, 2, 1, 0.5)
    assert tally.interval == wilson(2.0, 4)
    other = Tally("random", 1)
    other.add(1, -1, "x")
    assert Together([tally, other]).score == pytest.approx(0.6)
    assert Together([tally, other]).interval == wilson(3.0, 5)


def test_the_target_comes_from_the_option_then_the_card(pack: Pack, registry: Registry) -> None:
    for slip, meant in [
        ("kagle:connectx", "no plugin offers target 'kagle:connectx'; did you mean 'kaggle:connectx'"),
        ("kaggle:conectx", "kaggle-environments has no environment 'conectx'; did you mean 'connectx'"),
    ]:
        archive = pack({"main.py": "x = 1\n", "card.json": f'{{"target": "{slip}"}}'})
        with pytest.raises(UsageError, match=meant):
            verify_archive(archive, registry=registry)
    assert verify_archive(archive, target="kaggle:connectx", games=1).grave[0].code == "no_callable"
    odd = pack({"main.py": "x = (", "card.json": "[1, 2"})
    assert verify_archive(odd, registry=registry).target == "kaggle:connectx"


def test_without_a_judge_nothing_is_judged(
    pack: Pack, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("LANISTA_JUDGE", str(tmp_path / "none"))
    report = verify_archive(pack(GOOD))
    assert [problem.code for problem in report.grave] == ["no_judge"]
    assert report.exit_code == 2
    message = report.grave[0].message
    assert message.startswith("not judged: there is no judging environment in")
    assert message.endswith("make it with `lanista doctor --fix`")


def run(*words: str) -> tuple[int, str, str]:
    app = typer.Typer()
    command.attach(app)
    result = CliRunner().invoke(app, list(words))
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        return getattr(result.exception, "exit_code", 70), result.stdout, str(result.exception)
    return result.exit_code, result.stdout, result.stderr


def test_the_command_prints_one_json_document(pack: Pack, tmp_path: Path) -> None:
    archive = pack("def agent(observation):\n    return 1.5\n")
    code, out, _ = run(str(archive), "--json", "--games", "1")
    told = json.loads(out)
    assert (code, told["ok"]) == (1, False)
    assert [problem["code"] for problem in told["problems"]] == ["returns_float"]
    assert Path(told["replay"]).name == "submission-faulty-game.json"
    code, out, told_error = run(str(tmp_path / "none.tar.gz"), "--json")
    assert code == 64
    assert "there is no file" in told_error
    assert json.loads(out)["problems"][0]["code"] == "usage"
    code, out, told_error = run(str(archive), "--min-win-rate", "random")
    assert (code, out) == (64, "")
    assert "--min-win-rate takes OPPONENT=P, found 'random'; write negamax=0.8 for 80 %" in told_error


def test_verify_and_doctor_work_without_torch_and_numba(pack: Pack, tmp_path: Path) -> None:
    blocked = "torch", "numba", "onnx", "onnxruntime", "scipy"
    script = f"""
import sys
class Block:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {blocked}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Block())
from lanista.cli import main
code = main(["verify", {str(pack("def agent(o):" + chr(10) + "    return None"))!r}, "--games", "1"])
assert main(["doctor"]) == 0
assert not [name for name in {blocked} if name in sys.modules]
sys.exit(code)
"""
    result = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ},
        check=False,
    )
    assert result.returncode == 1, result.stderr
    assert "FAULT (returns_none): against itself: turn 1 gave None" in result.stdout


@pytest.mark.submission
def test_the_official_board_with_negamax(pack: Pack) -> None:
    report = verify_archive(pack(GOOD), games=2)
    assert report.ok
    assert [(t.opponent, t.seat, t.games) for t in report.tallies.values()] == [
        ("itself", 0, 2), ("random", 0, 2), ("random", 1, 2), ("negamax", 0, 2), ("negamax", 1, 2),
    ]  # fmt: skip
