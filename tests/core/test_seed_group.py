"""`lanista run --seeds`: child processes, what is missing, what fails."""

import json
from pathlib import Path

import pytest

from lanista.cli import main
from lanista.errors import UsageError
from lanista.plugins import load_plugins
from lanista.recipe import check_recipe, read_recipe
from lanista.run import Run
from lanista.seed_group import SeedGroup

RECIPE = """
name = "t"
env = "cartpole"
evaluate = { every = 256, episodes = 4 }

[[phases]]
name = "p"
kind = "train"
num_games = 16
num_steps = 16
network = { use = "mlp", hidden = [8] }
learner = { use = "ppo", minibatch_size = 128 }
until = { steps = 512 }
checkpoint_every = 1
"""

KILLER = """
import os, pathlib, signal
from lanista import hookimpl

@hookimpl
def update_finished(run, phase, update, metrics):
    if run.seed == 4 and pathlib.Path({flag!r}).exists():
        os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def work(tmp_path: Path) -> Path:
    (tmp_path / "t.toml").write_text(RECIPE)
    (tmp_path / "killer.py").write_text(KILLER.format(flag=str(tmp_path / "kill")))
    return tmp_path


def lay_out(work: Path, *seeds: int, text: str = RECIPE) -> SeedGroup:
    (work / "t.toml").write_text(text)
    host = load_plugins()
    recipe = check_recipe(read_recipe(str(work / "t.toml"), host.registry), host.registry)
    return SeedGroup.lay_out(work / "group", recipe, host, seeds)


def test_seeds_are_played_and_a_killed_one_is_named_and_made_up_for(work, monkeypatch, capfd):
    monkeypatch.chdir(work)
    words = [
        "run",
        "t.toml",
        "--seeds",
        "2",
        "--seed",
        "3",
        "--jobs",
        "2",
        "--plugin",
        "killer.py",
        "--out",
        "g",
    ]
    (work / "kill").touch()
    assert main(words) == 1
    told, complaint = capfd.readouterr()
    assert "seed-4 failed: it was ended by signal 9 (all it said: g/logs/seed-4.log)" in complaint
    assert json.loads((work / "g" / "group.json").read_text())["exit_codes"] == {"3": 0, "4": -9}
    assert (work / "g" / "seed-3" / "final" / "policy.json").is_file()
    assert "note: g has 1 seed" in told

    (work / "kill").unlink()
    assert main(["resume", "g"]) == 0
    told, complaint = capfd.readouterr()
    assert "1 of 2 seeds are there already" in complaint
    assert "cartpole, 512 env steps" in told

    host = load_plugins([work / "killer.py"])
    values = {**read_recipe(str(work / "t.toml"), host.registry), "seed": 4}
    Run.create(work / "alone", check_recipe(values, host.registry), host).play()
    weights = Path("final", "weights.safetensors")
    assert (work / "g" / "seed-4" / weights).read_bytes() == (work / "alone" / weights).read_bytes()
    assert (work / "g" / "seed-4" / weights).read_bytes() != (work / "g" / "seed-3" / weights).read_bytes()


def test_a_group_can_be_given_more_seeds(work):
    assert lay_out(work, 0, 1).missing == [0, 1]
    group = SeedGroup.open(work / "group")
    group.codes[0] = 0
    group._write()
    assert lay_out(work, 0, 1, 2, 3).missing == [1, 2, 3]


def test_another_recipe_does_not_get_into_the_group(work):
    lay_out(work, 0)
    with pytest.raises(UsageError, match="holds seeds of another recipe"):
        lay_out(work, 0, 1, text=RECIPE.replace("512", "768"))


def test_a_seed_of_the_recipe_itself_is_no_other_recipe(work):
    lay_out(work, 0)
    assert lay_out(work, 7, text=f"seed = 7\n{RECIPE}").missing == [0, 7]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["run", "t.toml", "--jobs", "2"], "--jobs says how many seeds are played at once; give --seeds too"),
        (
            ["run", "t.toml", "--out", "group"],
            "group holds a group of seeds; go on with `lanista resume group`",
        ),
        (["run", "t.toml", "--seeds", "2", "--out", "single"], "single holds a single run"),
        (["run", "t.toml", "--seeds", "0"], "--seeds"),
        (["resume", "damaged"], "group.json cannot be read"),
    ],
)
def test_what_makes_no_sense_is_one_sentence(work, words, sentence, monkeypatch, capsys):
    monkeypatch.chdir(work)
    lay_out(work, 0)
    for name, file in (("single", "recipe.toml"), ("damaged", "group.json")):
        (work / name).mkdir()
        (work / name / file).write_text("{}")
    assert main(words) in (1, 64)
    err = capsys.readouterr().err
    assert sentence in err
    assert len(err.splitlines()) == 1
