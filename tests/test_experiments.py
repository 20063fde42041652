"""The seed experiments of docs/experiments: equal env steps, the same evaluations, and results that can be made again."""

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from lanista.plugins import load_plugins
from lanista.recipe import check_recipe

HERE = Path(__file__).parents[1] / "docs" / "experiments"
ENVS = ("cartpole", "mountaincar")
#: imported from a folder of scripts, so taken out again
MODULES = ("arms", "kept", "play", "write")


@pytest.fixture
def read_field(monkeypatch):
    monkeypatch.syspath_prepend(str(HERE))
    from arms import read_field

    yield read_field
    for name in MODULES:
        sys.modules.pop(name, None)


@pytest.mark.parametrize("env", ENVS)
def test_every_arm_is_a_recipe_of_the_same_env_steps_and_evaluations(env, read_field):
    field = read_field(env)
    registry = load_plugins(field.plugins).registry
    recipes = {arm: check_recipe(values, registry) for arm, values in field.recipes.items()}
    assert len(recipes) >= 12
    steps = {sum(phase.settings.until.steps for phase in recipe.phases) for recipe in recipes.values()}
    assert len(steps) == 1
    for recipe in recipes.values():
        assert recipe.top.evaluate == recipes["large"].top.evaluate
        for phase in recipe.phases:
            rollout = phase.settings.num_games * phase.settings.num_steps
            assert phase.settings.until.steps % recipe.top.evaluate.every == 0
            assert recipe.top.evaluate.every % rollout == 0
            assert not phase.settings.until.measures


@pytest.mark.parametrize("env", ENVS)
def test_every_question_names_arms_that_there_are_and_every_arm_is_asked_for(env, read_field):
    field = read_field(env)
    asked = {arm for arms in field.questions.values() for arm in arms}
    assert asked == set(field.recipes)


def test_both_envs_answer_the_same_questions(read_field):
    assert read_field("cartpole").questions.keys() == read_field("mountaincar").questions.keys()


@pytest.mark.slow
def test_a_seed_of_two_arms_is_played_kept_and_written(tmp_path):
    """The whole way on arms cut to two evaluations, in a copy of the folder."""
    work = tmp_path / "experiments"
    shutil.copytree(HERE, work, ignore=shutil.ignore_patterns("results", "__pycache__"))
    text = (work / "cartpole.toml").read_text()
    text = (
        text.replace("32_768", "512")
        .replace("16_384", "256")
        .replace("every = 2048, episodes = 50", "every = 256, episodes = 2")
    )
    text = text.replace("num_games = 32", "num_games = 16").replace("num_steps = 32", "num_steps = 16")
    questions = text[text.index("[questions]") :]
    (work / "cartpole.toml").write_text(
        text.replace(questions, '[questions]\nreward = ["large", "shaped_first"]\n')
    )
    assert tomllib.loads((work / "cartpole.toml").read_text())["recipe"]["evaluate"]["every"] == 256
    words = [sys.executable, str(work / "run.py"), "reward", "--env", "cartpole", "--seeds", "2"]
    ended = subprocess.run(
        [*words, "--out", str(tmp_path / "runs")], capture_output=True, text=True, timeout=1000, check=False
    )
    assert ended.returncode == 0, ended.stderr
    table = (work / "results" / "reward-cartpole.md").read_text()
    assert "cartpole, 512 env steps, solved at 475" in table
    assert "| shaped then official reward | 2 |" in table
    picture = work / "results" / "reward-cartpole.png"
    assert picture.read_bytes().startswith(b"\x89PNG")
    picture.unlink()
    again = subprocess.run(
        [*words, "--write-only"], capture_output=True, text=True, timeout=1000, check=False
    )
    assert again.returncode == 0, again.stderr
    assert (work / "results" / "reward-cartpole.md").read_text() == table
    assert picture.is_file()
