"""Finding, making and mending the judging environment, and playing games in it."""

import json
import os
import sys
import time
import venv
from pathlib import Path

import pytest

from lanista.errors import LanistaError
from lanista.judge import STAMP, Judge, NoJudgeError, find_judge, judge_folder
from lanista_submission.judge import (
    GameJob,
    GameResult,
    Player,
    create_judge,
    creation,
    kaggle_command,
    pinned_version,
    pins,
    play_games,
)

from .conftest import GOOD


class StandIn:
    """Takes the place of venv and pip: makes an environment that says it holds what was asked for."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.commands: list[list[str]] = []
        self.broken = False
        monkeypatch.setattr(creation, "_run", self.run)

    def run(self, command: list[str], what: str, advice: str) -> None:
        self.commands.append(command)
        if command[1:3] == ["-m", "venv"]:
            venv.create(command[3], with_pip=False)
            return
        if self.broken:
            raise LanistaError(f"{what} (ERROR: no network); {advice}")
        site = next((Path(command[0]).parent.parent / "lib").glob("python*")) / "site-packages"
        for package in [f"kaggle_environments-{pinned_version()}"] if "-r" in command else command[-1:]:
            if "-r" in command:
                (site / f"{package}.dist-info").mkdir()
                metadata = f"Metadata-Version: 2.1\nName: kaggle-environments\nVersion: {pinned_version()}\n"
                (site / f"{package}.dist-info" / "METADATA").write_text(metadata)
            else:
                (site / f"{package}.py").write_text("")


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> StandIn:
    monkeypatch.setenv("LANISTA_JUDGE", str(tmp_path / "judge"))
    return StandIn(monkeypatch)


def test_it_is_made_once_and_then_is_there(stand_in: StandIn, tmp_path: Path) -> None:
    said: list[str] = []
    judge = create_judge(say=said.append)
    assert judge.kaggle_environments == pinned_version() == "1.33.2"
    assert judge.python == tmp_path / "judge" / "bin" / "python"
    assert said[-1].startswith("the judging environment is ready: ")
    pip = stand_in.commands[1]
    assert pip[:4] == [str(judge.python), "-m", "pip", "install"]
    assert "--no-deps" in pip
    stand_in.commands.clear()
    assert create_judge(say=said.append) == judge
    assert said[-1] == f"the judging environment is there: {tmp_path / 'judge'}"
    assert stand_in.commands == [], "what is there needs no network"


def test_a_half_made_one_is_named_and_made_anew(stand_in: StandIn, tmp_path: Path) -> None:
    stand_in.broken = True
    with pytest.raises(LanistaError, match=r"pip could not install .*check the network and pip's settings"):
        create_judge(say=lambda line: None)
    with pytest.raises(NoJudgeError, match=r"was only half made; make it with `lanista doctor --fix`"):
        find_judge()
    (tmp_path / "judge" / "leftover").write_text("x")
    stand_in.broken = False
    said: list[str] = []
    assert create_judge(say=said.append).kaggle_environments == "1.33.2"
    assert said[0] == f"{tmp_path / 'judge'} was only half made: making it anew"
    assert not (tmp_path / "judge" / "leftover").exists()


def test_one_for_other_versions_is_made_anew(stand_in: StandIn, tmp_path: Path) -> None:
    create_judge(say=lambda line: None)
    stamp = tmp_path / "judge" / STAMP
    stamp.write_text(json.dumps({**json.loads(stamp.read_text()), "constraints": "another"}))
    said: list[str] = []
    create_judge(say=said.append)
    assert said[0].endswith("was made for other versions: making it anew")


def test_extra_packages_are_installed_once(stand_in: StandIn) -> None:
    said: list[str] = []
    create_judge(("polars",), say=said.append)
    assert said[-1] == "installing polars into the judging environment"
    assert stand_in.commands[-1][-3:] == ["-c", str(pins.constraints_file()), "polars"]
    count = len(stand_in.commands)
    create_judge(("polars",), say=said.append)
    assert said[-1] == "polars is in the judging environment"
    assert len(stand_in.commands) == count


@pytest.mark.parametrize(
    ("platform", "settings", "told"),
    [
        ("linux", "global.timeout='60'", True),
        ("linux", ":env:.extra-index-url='https://mirror.example/whl/cpu'", False),
        ("darwin", "", False),
    ],
)
def test_torch_is_announced_where_pip_may_take_its_cuda_build(
    platform: str,
    settings: str,
    told: bool,
    stand_in: StandIn,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    create_judge(say=lambda line: None)
    python = tmp_path / "python"
    python.write_text(f"#!/bin/sh\ncat <<'END'\n{settings}\nEND\n")
    python.chmod(0o755)
    monkeypatch.setattr(sys, "platform", platform)
    assert creation.may_take_cuda(python) is told
    monkeypatch.setattr(creation, "may_take_cuda", lambda python: told)
    said: list[str] = []
    create_judge(("torch",), say=said.append)
    warned = [
        line
        for line in said
        if "CUDA build, a download of gigabytes; for the CPU build (0.4 GB) stop" in line
    ]
    assert len(warned) == int(told)
    assert all(line.endswith("--torch-backend=cpu torch") for line in warned)


def test_somebody_elses_folder_is_left_alone(stand_in: StandIn, tmp_path: Path) -> None:
    folder = tmp_path / "judge"
    folder.mkdir()
    (folder / "thesis.txt").write_text("years of work")
    with pytest.raises(LanistaError, match=r"lanista did not make it, so it is left alone"):
        create_judge(say=lambda line: None)
    assert (folder / "thesis.txt").read_text() == "years of work"
    assert stand_in.commands == []


def test_somebody_elses_environment_is_used(stand_in: StandIn, tmp_path: Path) -> None:
    create_judge(say=lambda line: None)
    (tmp_path / "judge" / STAMP).unlink()
    said: list[str] = []
    assert create_judge(say=said.append).kaggle_environments == "1.33.2"
    assert said == [
        f"the judging environment is there: {tmp_path / 'judge'} (not made by lanista, left as it is)"
    ]


def test_it_is_looked_for_where_the_variable_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("LANISTA_JUDGE", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert judge_folder().name == "judge"
    assert judge_folder().parent.name == "lanista"
    for named in (tmp_path / "one", tmp_path / "one" / "bin" / "python"):
        named.parent.mkdir(parents=True, exist_ok=True)
        if named.name == "python":
            named.write_text("")
        monkeypatch.setenv("LANISTA_JUDGE", str(named))
        assert judge_folder() == tmp_path / "one"
    monkeypatch.setenv("LANISTA_JUDGE", str(tmp_path / "nowhere"))
    with pytest.raises(
        NoJudgeError, match=r"no judging environment in .*nowhere \(LANISTA_JUDGE names it\); make it"
    ):
        find_judge()
    assert NoJudgeError.exit_code == 2


def test_a_python_that_is_no_judge_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    script = tmp_path / "python"
    script.write_text("#!/bin/sh\necho broken >&2\nexit 3\n")
    script.chmod(0o755)
    monkeypatch.setenv("LANISTA_JUDGE", str(script))
    with pytest.raises(NoJudgeError, match=r"python of the judging environment does not run \(broken\)"):
        find_judge()
    monkeypatch.setenv("LANISTA_JUDGE", sys.executable)
    with pytest.raises(NoJudgeError, match="has no kaggle-environments"):
        find_judge()


def test_the_platforms_python_is_preferred(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    old, shim = tmp_path / "old" / "python3.11", tmp_path / "shim" / "python3.11"
    for path, text in ((old, 'echo \'{"python": "3.11.13"}\''), (shim, "echo no such version >&2; exit 127")):
        path.parent.mkdir()
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)
    monkeypatch.setattr(sys, "version_info", (3, 13, 0))
    monkeypatch.setenv("PATH", str(old.parent))
    assert creation.choose_python() == old
    monkeypatch.setenv("PATH", str(shim.parent))
    assert creation.choose_python() == Path(sys.executable)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert creation.choose_python() == Path(sys.executable)
    assert Judge(old, "3.11.13", "1.33.2", frozenset()).is_platform_python
    assert not Judge(old, "3.12.1", "1.33.2", frozenset()).is_platform_python


def test_games_are_played_in_parallel_and_come_back_in_order(judge: Judge, tmp_path: Path) -> None:
    main = tmp_path / "main.py"
    main.write_text(GOOD)
    small = {"columns": 4, "rows": 4, "inarow": 3}
    players = (Player(main=str(main)), Player(agent="random"))
    jobs = [GameJob("connectx", players, configuration=small, seed=seed) for seed in (1, 2, 1)]
    results = play_games(kaggle_command(judge), jobs, 2)
    assert [result.index for result in results] == [0, 1, 2]
    assert results[0].record["moves"] == results[2].record["moves"], "the judge's own agents follow the seed"
    assert all(result.record["statuses"] == ["DONE", "DONE"] for result in results)
    limits = results[0].record["seats"]["0"]["limits"]
    if hasattr(os, "sched_getaffinity"):
        assert limits["cores"] == 1
    taken: list[GameResult] = []

    def stop_at_once(result: GameResult) -> bool:
        taken.append(result)
        return False

    assert len(play_games(kaggle_command(judge), jobs, 1, took=stop_at_once)) == len(taken) == 1


PROBE = """
import os, resource, sys
def agent(observation, configuration):
    assert os.environ.keys() <= {"PATH", "HOME", "TMPDIR", "TEMP", "LANG", "LC_CTYPE"}, sorted(os.environ)
    assert os.listdir(".") == [] and not any(folder in ("", ".", os.getcwd()) for folder in sys.path)
    assert os.path.dirname(configuration["__raw_path__"]) not in sys.path
    assert len(os.sched_getaffinity(0)) == 1 and resource.getrlimit(resource.RLIMIT_AS)[0] == 1 << 32
    assert "lanista" not in sys.modules
    return 0
"""


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="limits are Linux's")
def test_a_seat_is_confined_and_sees_nothing_of_this_machine(
    judge: Judge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KAGGLE_KEY", "secret")
    main = tmp_path / "main.py"
    main.write_text(PROBE)
    job = GameJob("connectx", (Player(main=str(main)), Player(agent="random")), memory=1 << 32)
    record = play_games(kaggle_command(judge), [job], 1)[0].record
    assert record["seats"]["0"]["fault"] is None


def test_nothing_is_left_behind(judge: Judge, tmp_path: Path) -> None:
    main, mark = tmp_path / "main.py", tmp_path / "mark"
    main.write_text(
        "import subprocess, sys\n"
        "def agent(observation, configuration):\n"
        f"    child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        f"    open({str(mark)!r}, 'w').write(str(child.pid))\n"
        "    return None\n"
    )
    play_games(
        kaggle_command(judge), [GameJob("connectx", (Player(main=str(main)), Player(agent="random")))], 1
    )
    child = int(mark.read_text())
    for _ in range(100):  # the kernel takes a moment to end it
        if not _alive(child):
            break
        time.sleep(0.05)
    assert not _alive(child)


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.slow
def test_the_real_one_can_be_made(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LANISTA_JUDGE", str(tmp_path / "judge"))
    said: list[str] = []
    judge = create_judge(say=said.append)
    assert judge.kaggle_environments == pinned_version()
    main = tmp_path / "main.py"
    main.write_text(GOOD)
    result = play_games(
        kaggle_command(judge), [GameJob("connectx", (Player(main=str(main)), Player(agent="random")))], 1
    )[0]
    assert result.record["statuses"] == ["DONE", "DONE"]
