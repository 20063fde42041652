"""docs/adapters.md, block by block: files are written where the page says, recipes are checked, code runs."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from lanista.judge import NoJudgeError, find_judge
from lanista.plugins import load_plugins
from lanista.recipe import check_recipe, read_recipe
from lanista.run import Run
from lanista.testing import check_env

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "adapters.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(?:python|toml)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
#: file name -> text of the blocks that begin with one
FILES = {match[1]: block for block in BLOCKS if (match := re.match(r"# (\w+\.(?:py|toml))\n", block))}
RECIPES = sorted(name for name in FILES if name.endswith(".toml"))


@pytest.fixture
def page(tmp_path):
    """A folder with the page's files."""
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def test_the_page_has_what_it_speaks_of():
    assert sorted(FILES) == ["acrobot.toml", "four.toml", "four_codec.py", "squares.py", "tictactoe.toml"]
    assert len(BLOCKS) == 6
    commands = re.findall(r"^    lanista run (\S+)", PAGE, re.MULTILINE)
    assert sorted(commands) == RECIPES


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_is_sound(page, name):
    registry = load_plugins().registry
    recipe = check_recipe(read_recipe(str(page / name), registry), registry)
    assert recipe.top.name == tomllib.loads(FILES[name])["name"]


def test_the_code_that_stands_alone_runs():
    (code,) = [block for block in BLOCKS if block not in FILES.values()]
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr


def test_the_family_of_one_s_own_takes_what_follows_its_name(page):
    registry = load_plugins([page / "squares.py"]).registry
    assert registry.settings("envs", "square:8", {}).side == 8


@pytest.mark.submission
def test_the_codec_plays_the_game_that_it_was_written_for(page):
    try:
        find_judge()
    except NoJudgeError as error:
        pytest.skip(str(error))
    registry = load_plugins().registry
    table = {"codec": str(page / "four_codec.py"), "configuration": {"rows": 3, "columns": 3, "inarow": 3}}
    settings = registry.settings("envs", "kaggle:connectx", {**table, "num_workers": 1})
    check_env(registry.load("envs", "kaggle:connectx"), settings, games=2, steps=20)


@pytest.mark.slow
@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_runs(page, name, tmp_path, monkeypatch):
    monkeypatch.chdir(page)
    host = load_plugins()
    values = read_recipe(name, host.registry)
    values["phases"][0]["until"]["steps"] = 2_000
    values.pop("verify", None)
    run = Run.create(tmp_path / "run", check_recipe(values, host.registry), host)
    assert (run.play() / "policy.json").is_file()
