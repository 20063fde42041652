"""Portable modules are copied without being run, and may import nothing that a bundle lacks."""

import sys

import pytest

from lanista_submission.bundle.portable import portable_sources
from lanista_submission.errors import PackError

NUMBER = 0


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Write a package whose very import raises; give its name."""

    def write(**modules):
        global NUMBER
        NUMBER += 1
        name = f"portable_game_{NUMBER}"
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise RuntimeError('imported')")
        for stem, text in modules.items():
            (tmp_path / name / f"{stem}.py").write_text(text)
        return name

    monkeypatch.syspath_prepend(tmp_path)
    return write


def test_sources_are_found_without_importing(package):
    codec = "import json\nimport numpy as np\nfrom collections import abc\nfrom . import rules\nfrom .rules import x\n"
    name = package(codec=codec, rules="x = 1\n")
    sources = portable_sources(f"{name}.codec", [f"{name}.rules"], ["play"])
    assert sources == {"codec.py": codec.encode(), "rules.py": b"x = 1\n"}
    assert name not in sys.modules


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("import numba", "numba"),
        ("import os, torch.nn", "torch.nn"),
        ("from lanista_envs.connectx import rules", "lanista_envs.connectx"),
        ("from . import env", r"\.env"),
        ("from .env import Game", r"\.env"),
        ("from .. import rules", r"\.\.rules"),
        ("def late():\n    import pydantic", "pydantic"),
    ],
)
def test_imports_that_a_bundle_does_not_hold_are_refused(package, line, found):
    name = package(codec=line + "\n", rules="")
    with pytest.raises(
        PackError, match=rf"portable module {name}.codec imports {found}, which a bundle does not hold"
    ):
        portable_sources(f"{name}.codec", [f"{name}.rules"], [])


def test_newer_syntax_is_refused(package):
    name = package(codec="type Board = list[int]\n")
    with pytest.raises(PackError, match=rf"{name}.codec is not Python 3.11: .*\(line 1\)"):
        portable_sources(f"{name}.codec", [], [])


def test_missing_files_clashes_and_scattered_packages_are_refused(package):
    name = package(codec="", play="")
    with pytest.raises(PackError, match=f"portable module {name}.rules has no source file under"):
        portable_sources(f"{name}.codec", [f"{name}.rules"], [])
    with pytest.raises(
        PackError, match=r"portable module nowhere.codec has no source file under any installed package"
    ):
        portable_sources("nowhere.codec", [], [])
    with pytest.raises(
        PackError, match="portable module 'play' has a name that the bundle uses itself; rename it"
    ):
        portable_sources(f"{name}.codec", [f"{name}.play"], ["play"])
    with pytest.raises(
        PackError, match=r"must lie in one package so that `from . import ...` goes on working"
    ):
        portable_sources(f"{name}.codec", ["other.rules"], [])
