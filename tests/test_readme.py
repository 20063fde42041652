"""The README's promises: its plugin runs, its commands exist."""

import json
import re
from pathlib import Path

import pytest

from lanista.cli import main

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_ten_line_shaper_runs_and_is_kept_with_the_run(tmp_path, monkeypatch, capsys):
    (code,) = re.findall(r"^```python\n(.*?)^```$", README, flags=re.MULTILINE | re.DOTALL)
    assert len([line for line in code.splitlines() if line.strip()]) <= 10
    monkeypatch.chdir(tmp_path)
    (tmp_path / "speed.py").write_text(code)
    changes = [
        "phases.0.shapers=['speed']",
        "phases.0.until={steps=512}",
        "phases.0.num_games=8",
        "phases.1.until={steps=256}",
    ]
    words = [word for change in changes for word in ("--set", change)]
    assert main(["run", "mountaincar", "--plugin", "speed.py", "--out", "out", *words]) == 0, (
        capsys.readouterr().err
    )
    assert (tmp_path / "out" / "plugins" / "speed.py").read_text() == code
    rows = [json.loads(line) for line in (tmp_path / "out" / "metrics.jsonl").read_text().splitlines()]
    assert "reward/speed" in rows[0]
    assert {name for row in rows for name in row if not documented(name)} == set()


def documented(figure: str) -> bool:
    """Whether docs/metrics.md explains a figure; `<part>` there stands for any name."""
    page = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
    names = re.findall(r"`([^`]+)`", page)
    assert len(names) >= 30
    return any(re.fullmatch(re.sub(r"<\w+>", r"[\\w:.-]+", name), figure) for name in names)


@pytest.mark.parametrize(
    "name", ["run", "resume", "eval", "league", "export", "pack", "verify", "recipes", "plugins", "doctor"]
)
def test_every_command_of_the_table_exists(name, capsys):
    assert f"`lanista {name}" in README
    assert main([name, "--help"]) == 0
    assert "Usage: lanista" in capsys.readouterr().out


def test_the_commands_without_make_are_those_of_the_makefile():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8").replace("$(BIN)", ".venv/bin")
    block = re.search(r"without make, it is these lines:\n\n```console\n(.*?)```", README, flags=re.DOTALL)
    assert block is not None
    lines = [line.removeprefix("$ ").partition("   #")[0].strip() for line in block[1].splitlines()]
    assert len(lines) == 6
    for line in lines[1:]:
        words = line.replace("run connectx --out runs/demo", "").split()
        assert any(all(word in row for word in words) for row in makefile.splitlines()), line


def test_two_commands_do_the_set_up():
    assert re.search(r"^\$ make demo .*\n\$ make test ", README, flags=re.MULTILINE)
