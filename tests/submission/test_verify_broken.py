"""Archives that are broken in ways that people meet: each is named in one sentence, with its code."""

import json
import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from lanista_submission.verify import verify_archive
from lanista_submission.verify.profile import TargetProfile

from .conftest import GOOD, Pack

HURRIED = {"overage_s": 0.6, "configuration": {"columns": 5, "rows": 4, "inarow": 3, "actTimeout": 0.4}}


@dataclass(frozen=True)
class Broken:
    """An archive, the code of its problem, and words that its sentence must have."""

    name: str
    contents: dict[str, str | bytes]
    code: str
    words: tuple[str, ...]
    profile: dict[str, object] | None = None


def agent(body: str, before: str = "") -> dict[str, str | bytes]:
    """A main.py whose agent has this body; `turn` counts its turns, `good` is a legal column."""
    lines = "\n".join(f"    {line}" for line in body.splitlines())
    return {
        "main.py": f"{before}\nturn = 0\ndef agent(observation, configuration):\n    global turn\n    turn += 1\n"
        f"    good = next(c for c in range(configuration.columns) if observation.board[c] == 0)\n{lines}\n"
    }


SHARED_STATE = """
import tally
def agent(observation, configuration):
    return tally.move(observation)
"""
SHARED_STATE_MODULE = """
marks = set()
def move(observation):
    marks.add(observation.mark)
    assert len(marks) == 1, 'two players'
    return next(column for column in range(5) if observation.board[column] == 0)
"""

PLAYED = [
    Broken(
        "raises in turn 1",
        agent("raise ValueError('no idea')"),
        "raises",
        ("ValueError: no idea", "main.py line 7", "turn 1"),
    ),
    Broken(
        "raises in turn 3",
        agent("return 1 // (3 - turn) * 0 + good"),
        "raises",
        ("ZeroDivisionError", "turn 3"),
    ),
    Broken(
        "raises at import",
        {"main.py": f"raise RuntimeError('too early')\n{GOOD}"},
        "raises_at_import",
        ("RuntimeError: too early", "main.py line 1"),
    ),
    Broken(
        "returns None",
        agent("return None if turn == 2 else good"),
        "returns_none",
        ("turn 2 gave None", "default action 0", "return int(column)"),
    ),
    Broken(
        "returns a float",
        agent("return float(good)"),
        "returns_float",
        ("turn 1 gave the float 0.0 where int is asked",),
    ),
    Broken("returns a bool", agent("return turn < 9"), "returns_bool", ("the bool true where int is asked",)),
    Broken(
        "returns a numpy integer",
        agent("return numpy.int64(good)", "import numpy"),
        "returns_numpy",
        ("a numpy.int64", "cannot send", "return int(column)"),
    ),
    Broken(
        "returns a numpy float",
        agent("return numpy.float64(good)", "import numpy"),
        "returns_numpy",
        ("a numpy.float64",),
    ),
    Broken(
        "returns a list with numpy inside",
        agent("return [numpy.int64(good)]", "import numpy"),
        "returns_numpy",
        ("a numpy.int64 at [0]",),
    ),
    Broken(
        "returns a string",
        agent("return str(good)"),
        "returns_wrong_type",
        ("the str '0' where int is asked",),
    ),
    Broken("returns a set", agent("return {good}"), "returns_wrong_type", ("the set where int is asked",)),
    Broken("column too great", agent("return 99"), "illegal_action", ("turn 1 gave 99", "INVALID")),
    Broken(
        "column below zero",
        agent("return -1"),
        "invalid_action",
        ("turn 1 gave -1", "less than the minimum of 0"),
    ),
    Broken(
        "column full",
        agent("return 0"),
        "illegal_action",
        ("turn 3 gave 0, a move that the game does not allow",),
    ),
    Broken(
        "exits at import",
        {"main.py": "import sys\nsys.exit(3)\n"},
        "exits",
        ("SystemExit with code 3", "when main.py was executed"),
    ),
    Broken(
        "exits in turn 2",
        agent("import sys\nreturn good if turn < 2 else sys.exit()"),
        "exits",
        ("SystemExit", "in turn 2"),
    ),
    Broken("kills itself", agent("import os\nos._exit(7)"), "dies", ("exit code 7", "turn 1")),
    Broken("crashes", agent("import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)"), "dies", ("SIGSEGV",)),
    Broken("takes all memory", agent("return len(bytearray(1 << 40))"), "memory", ("more than 8 GiB",)),
    Broken(
        "hangs",
        agent("while True: pass"),
        "hangs",
        ("turn 1 did not end within 2.0 s", "endless loop"),
        HURRIED,
    ),
    Broken(
        "too slow a turn",
        agent("import time\ntime.sleep(0.75)\nreturn good"),
        "too_slow",
        ("actTimeout 0.4 s and a bank of 0.6 s", "TIMEOUT"),
        HURRIED,
    ),
    Broken(
        "slow import",
        {"main.py": f"import time\ntime.sleep(1.3)\n{GOOD}"},
        "slow_import",
        ("executing main.py took ", "charged to turn 1"),
        HURRIED,
    ),
    Broken(
        "lazy import",
        {**agent("import plans\nreturn plans.choose(good)"), "plans.py": "choose = int\n"},
        "lazy_import",
        ("main.py line 7 imports plans inside a function", "at the top of main.py"),
    ),
    Broken(
        "module that is nowhere",
        {"main.py": f"import planz\n{GOOD}"},
        "missing_package",
        ("main.py line 1 imports planz", "in no list"),
    ),
    Broken(
        "helper after the agent",
        {"main.py": f"{GOOD}\ndef count(board):\n    return sum(board)\n"},
        "last_callable",
        ("count (line", "not agent (line 2)", "move agent to the end"),
    ),
    Broken(
        "class after the agent",
        {"main.py": f"{GOOD}\nclass Settings:\n    depth = 4\n"},
        "last_callable",
        ("the class Settings", "not agent"),
    ),
    Broken(
        "import after the agent",
        {"main.py": f"{GOOD}\nfrom random import choice\n"},
        "last_callable",
        ("choice", "from random", "not agent"),
    ),
    Broken("nothing to call", {"main.py": "depth = 4\n"}, "no_callable", ("nothing that can be called",)),
    Broken(
        "weights beside the current folder",
        {"main.py": f"import numpy\nweights = numpy.load('weights.npy')\n{GOOD}", "weights.npy": b"x"},
        "relative_path",
        ("'weights.npy' relative to the current folder", "__raw_path__"),
    ),
    Broken(
        "weights forgotten",
        {"main.py": f"weights = open('weights.bin')\n{GOOD}"},
        "missing_file",
        ("'weights.bin'", "put the file into the archive"),
    ),
    Broken(
        "module of a newer Python",
        {"main.py": f"import plans\n{GOOD}", "plans.py": "type Plan = int\n"},
        "syntax",
        ("plans.py line 1", "not Python 3.11"),
    ),
    Broken(
        "state shared in one process",
        {"main.py": SHARED_STATE, "tally.py": SHARED_STATE_MODULE},
        "one_process",
        (
            "in a process of its own, but not beside itself",
            "shares the module tally",
            "AssertionError: two players",
        ),
    ),
]


@pytest.mark.parametrize("case", PLAYED, ids=lambda case: case.name)
@pytest.mark.usefixtures("judge")
def test_a_broken_archive_is_named_by_its_games(
    case: Broken, pack: Pack, small_profile: TargetProfile
) -> None:
    profile = small_profile.model_copy(update=case.profile or {})
    report = verify_archive(pack(case.contents), games=1, jobs=1, profile=profile)
    assert [problem.code for problem in report.grave] == [case.code], report.lines()
    message = report.grave[0].message
    for words in case.words:
        assert words in message
    assert "\n" not in message
    assert not report.ok
    assert report.exit_code == 1
    assert report.replay is not None
    assert json.loads(Path(report.replay).read_text())["name"] == "connectx"


STATIC = [
    Broken(
        "__file__",
        {"main.py": f"import os\nhere = os.path.dirname(__file__)\n{GOOD}"},
        "dunder_file",
        ("main.py line 2 uses __file__", "empty globals", "__raw_path__"),
    ),
    Broken(
        "syntax error", {"main.py": f"{GOOD}\nif True\n"}, "syntax", ("main.py line 7", "not Python 3.11")
    ),
    Broken(
        "newer syntax",
        {"main.py": f"type Column = int\n{GOOD}"},
        "syntax",
        ("main.py line 1", "not Python 3.11"),
    ),
    Broken("not UTF-8", {"main.py": b"# caf\xe9\n" + GOOD.encode()}, "not_utf8", ("save it as UTF-8",)),
    Broken("byte order mark", {"main.py": b"\xef\xbb\xbf" + GOOD.encode()}, "syntax", ("main.py line 1",)),
    Broken("null byte", {"main.py": b"x = 1\x00\n" + GOOD.encode()}, "syntax", ("null byte",)),
    Broken(
        "onnxruntime",
        {"main.py": f"import onnxruntime as ort\n{GOOD}"},
        "missing_package",
        ("main.py line 1 imports onnxruntime", "2026-08"),
    ),
    Broken(
        "numba in a module",
        {"main.py": f"from plans import good\n{GOOD}", "plans.py": "import os\nfrom numba import njit\n"},
        "missing_package",
        ("plans.py line 2 imports numba",),
    ),
    Broken("lanista", {"main.py": f"import lanista.policy\n{GOOD}"}, "missing_package", ("imports lanista",)),
]


@pytest.mark.parametrize("case", STATIC, ids=lambda case: case.name)
def test_a_broken_archive_is_named_without_playing(
    case: Broken, pack: Pack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LANISTA_JUDGE", "/nowhere")  # proves that no game was needed
    report = verify_archive(pack(case.contents))
    assert [problem.code for problem in report.grave] == [case.code]
    for words in case.words:
        assert words in report.grave[0].message
    assert report.exit_code == 1
    assert report.played == 0


@pytest.mark.usefixtures("judge")
def test_a_vendored_or_guarded_package_is_no_fault(pack: Pack, small_profile: TargetProfile) -> None:
    guarded = "try:\n    import onnxruntime\nexcept ImportError:\n    onnxruntime = None\n"
    contents = {"main.py": f"import numba\n{guarded}{GOOD}", "numba/__init__.py": "njit = int\n"}
    report = verify_archive(pack(contents), games=1, profile=small_profile)
    assert report.ok
    assert [problem.code for problem in report.warnings] == ["missing_package"]
    assert "line 3 imports onnxruntime" in report.warnings[0].message


@pytest.mark.usefixtures("judge")
@pytest.mark.parametrize(
    "statement", ["import torch", "import torch.nn as nn", "from scipy.special import expit"]
)
def test_a_package_that_only_the_judge_lacks_is_not_judged(statement: str, pack: Pack, judge: object) -> None:
    package = re.split(r"[ .]", statement)[1]
    if package in judge.packages:  # type: ignore[attr-defined]
        pytest.skip(f"this judging environment has {package}")
    report = verify_archive(pack(f"{statement}\n{GOOD}"), games=1)
    assert [problem.code for problem in report.grave] == ["package_not_here"]
    assert f"install it with `lanista doctor --fix --with {package}`" in report.grave[0].message
    assert "not judged" in report.grave[0].message
    assert report.exit_code == 2
    assert not report.ok
