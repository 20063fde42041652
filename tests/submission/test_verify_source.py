"""What is read from the source alone: imports and how sure they are, and what looks like the agent."""

import ast
from pathlib import Path

import pytest

from lanista_submission.verify.card import card_target
from lanista_submission.verify.faults import Context, wrong_callable
from lanista_submission.verify.imports import archive_modules, reached_imports
from lanista_submission.verify.profile import own_profiles, platform_packages
from lanista_submission.verify.source import read_source

from .conftest import GOOD


def lay(folder: Path, **files: str) -> tuple[str, ...]:
    for name, text in files.items():
        path = folder / (name.replace("__", "/") + ".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tuple(path.relative_to(folder).as_posix() for path in folder.rglob("*.py"))


def sureness(folder: Path, **files: str) -> dict[str, tuple[str, bool, bool]]:
    lay(folder, **files)
    found = reached_imports(folder, ast.parse((folder / "main.py").read_text()))
    return {item.module: (item.file, item.sure, item.lazy) for item in found}


def test_an_import_is_sure_only_where_it_is_always_executed(tmp_path: Path) -> None:
    text = """
import a
with open('x') as f:
    import b
class C:
    import c
try:
    import d
finally:
    import e
try:
    import f1
except (ValueError, ImportError):
    import f2
try:
    import g
except ValueError:
    pass
if a:
    import h
def agent(obs):
    import i
"""
    found = sureness(tmp_path, main=text)
    assert {name for name, (_, sure, _) in found.items() if sure} == {"a", "b", "c", "d", "e", "g"}
    assert {name for name, (_, _, lazy) in found.items() if lazy} == {"i"}
    assert set(found) == {"a", "b", "c", "d", "e", "f1", "f2", "g", "h", "i"}


def test_modules_of_the_archive_are_followed(tmp_path: Path) -> None:
    (tmp_path / "pack").mkdir()
    (tmp_path / "pack" / "__init__.py").write_text("from . import deep\nfrom .deep import other\n")
    (tmp_path / "pack" / "deep.py").write_text("import scipy\nfrom .. import nothing\n")
    (tmp_path / "unused.py").write_text("import numba\n")
    found = sureness(tmp_path, main="from pack.deep import x\nimport main\n")
    assert found["scipy"] == ("pack/deep.py", True, False)
    assert "numba" not in found
    assert archive_modules(["main.py", "pack/deep.py", "a/b/c.py", "w.npz", "fast.cpython-311-x.so", "d/x.json"]) == {
        "pack", "a", "fast",
    }  # fmt: skip


@pytest.mark.parametrize(
    "use",
    [
        "try:\n    here = __file__\nexcept NameError:\n    here = '.'\n",
        "here = __file__ if '__file__' in globals() else '.'\n",
        "def folder():\n    return __file__\n",
    ],
)
def test_a_guarded_dunder_file_is_a_suspect_only(use: str, tmp_path: Path) -> None:
    names = lay(tmp_path, main=use + GOOD)
    source = read_source(tmp_path, names, platform_packages())
    assert [(problem.code, problem.weight) for problem in source.suspects] == [("dunder_file", "warning")]


def test_a_late_import_of_what_was_imported_before_is_no_suspect(tmp_path: Path) -> None:
    late = "def agent(obs):\n    import plans.inner\n    return 0\n"
    names = lay(tmp_path, main=late, plans__inner="")
    assert [problem.code for problem in read_source(tmp_path, names, platform_packages()).suspects] == [
        "lazy_import"
    ]
    names = lay(tmp_path, main=f"import plans\n{late}")
    assert read_source(tmp_path, names, platform_packages()).suspects == []


def blamed(folder: Path, text: str, picked: dict[str, object], failed: bool = True) -> bool:
    names = lay(folder, main=text)
    source = read_source(folder, names, platform_packages())
    context = Context(own_profiles()["kaggle:connectx"], platform_packages(), source, names)
    return wrong_callable(context, {"line": None, "module": None, **picked}, failed) is not None


def test_the_agent_is_told_from_a_helper(tmp_path: Path) -> None:
    helper = "def count(board):\n    return 0\n"
    observing = "def encode(obs):\n    return obs\n"
    function = {"kind": "function"}
    assert blamed(tmp_path, GOOD + helper, {"name": "count", **function})
    assert not blamed(tmp_path, helper + GOOD, {"name": "agent", **function})
    # an agent from a module of the archive, beside a helper that takes an observation
    assert not blamed(
        tmp_path, observing + "from play import agent\n", {"name": "agent", "module": "play", **function}
    )
    assert not blamed(
        tmp_path, observing + "class Agent: ...\nmy = Agent()\n", {"name": "Agent", "kind": "object"}
    )
    assert not blamed(tmp_path, helper, {"name": "count", **function})
    # something that plays without a fault may be meant, unless it is a class or comes from elsewhere
    assert not blamed(tmp_path, GOOD + helper, {"name": "count", **function}, failed=False)
    assert blamed(
        tmp_path, GOOD + "class Settings: ...\n", {"name": "Settings", "kind": "class"}, failed=False
    )
    # a name that is bound again keeps its first place
    assert not blamed(tmp_path, GOOD + helper + "del count\n", {"name": "agent", **function})


def test_a_card_is_found_at_most_one_folder_deep(tmp_path: Path) -> None:
    texts = {
        "a/card.json": '{"target": "kaggle:deep"}',
        "b/c/card.json": '{"target": "no"}',
        "card.json": "[]",
    }
    for name, text in texts.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    assert card_target(tmp_path, tuple(texts)) == "kaggle:deep"
    assert card_target(tmp_path, ("b/c/card.json",)) is None
    (tmp_path / "card.json").write_bytes(b"\xff\xfe")
    assert card_target(tmp_path, ("card.json",)) is None


def test_what_the_platform_has_is_dated_and_holds_no_contradiction() -> None:
    packages = platform_packages()
    assert packages.date == "2026-08"
    assert not set(packages.present) & set(packages.absent)
    assert {"torch", "scipy", "pandas", "polars", "numpy"} <= set(packages.present)
    assert {"onnxruntime", "numba", "sklearn", "tensorflow", "xgboost", "lightgbm", "lanista"} <= set(
        packages.absent
    )
    profile = own_profiles()["kaggle:connectx"]
    assert profile.opponents == ("random", "negamax")
    assert profile.packed.value == 100 << 20
    assert all(
        limit.source and limit.date
        for limit in (profile.packed, profile.unpacked, profile.files, profile.memory)
    )
