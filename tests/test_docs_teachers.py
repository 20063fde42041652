"""docs/teachers.md: its code runs, its recipe is one, and it speaks of every source and every setting."""

import re
import tomllib
from pathlib import Path

from lanista.plugins import load_plugins
from lanista.recipe import check_recipe

PAGE = (Path(__file__).parent.parent / "docs" / "teachers.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(python|toml)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def test_the_code_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (code,) = [block for kind, block in BLOCKS if kind == "python"]
    exec(compile(code, "docs/teachers.md", "exec"), {})


def test_the_recipe_is_one():
    (block,) = [tomllib.loads(block) for kind, block in BLOCKS if kind == "toml"]
    check_recipe({"name": "page", "env": "cartpole", **block}, load_plugins(strangers=False).registry)


def test_every_source_stands_there_with_its_settings():
    registry = load_plugins(strangers=False).registry
    rows = {
        row[0]: row for row in re.findall(r"^\| `(\w+:)[A-Z.a-z]*` \|[^|]*\| (.*) \|$", PAGE, re.MULTILINE)
    }
    assert sorted(rows) == registry.names("teachers")
    for name, (_, text) in rows.items():
        entry = next(entry for entry in registry.entries() if (entry.kind, entry.name) == ("teachers", name))
        told = set(re.findall(r"`(\w+)`", text))
        assert told == set(entry.settings.model_fields) - {entry.traits["rest"]}
