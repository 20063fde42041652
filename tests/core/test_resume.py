"""A run that is killed and resumed ends as the run that was not: weights, league, metrics."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from lanista.cli import main
from lanista.metrics import read_metrics

RECIPE = """
name = "t"
seed = 5
env = "connectx"
evaluate = { every = 500, episodes = 4, opponent = "random" }

[[phases]]
name = "small"
kind = "train"
num_games = 24
num_steps = 8
network = { use = "mlp", hidden = [16] }
learner = { use = "ppo", minibatch_size = 64, learning_rate = { start = 0.01, end = 0.0 } }
reward = { outcome = 1.0 }
until = { steps = 2400 }
checkpoint_every = 3

[phases.league]
opponents = { latest = 0.4, pool = 0.4, bots = 0.2 }
bots = ["random"]
snapshot_every = 400
redraw_every = 5
gate = { games = 4 }

[[phases]]
name = "large"
kind = "train"
num_games = 24
num_steps = 8
network = { use = "mlp", hidden = [24] }
start = "grow"
reward = { outcome = 1.0 }
teacher = { source = "small", coef = 0.5 }
until = { steps = 1200 }
checkpoint_every = 2

[phases.league]
opponents = { latest = 0.5, pool = 0.5 }
matchmaker = "uniform"
snapshot_every = 400

[[phases]]
name = "student"
kind = "distill"
network = { use = "mlp", hidden = [8] }
num_games = 16
num_steps = 8
buffer = 512
minibatch_size = 64
until = { steps = 1024 }
allowed_loss = 1.0
compare_episodes = 2
checkpoint_every = 3
"""

KILLER = """
import os, signal
from lanista import hookimpl

@hookimpl
def update_finished(run, phase, update, metrics):
    if str(update) == os.environ.get("KILL_AT"):
        os.kill(os.getpid(), signal.Signals[os.environ["KILL_BY"]])
"""

#: what a clock says
UNREPEATABLE = {"sps", "seconds", "cpu_seconds", "first_update"}
FINAL = ("final/weights.safetensors", "final/policy.json", "league/league.json")


def lanista(*words: str, **environment: str) -> tuple[int, str]:
    """Call it in a process of its own; give the exit code and what it said on stderr."""
    env = {**os.environ, "OMP_NUM_THREADS": "1", **environment}
    command = [sys.executable, "-m", "lanista", *words]
    ended = subprocess.run(command, env=env, capture_output=True, text=True, timeout=1000, check=False)
    return ended.returncode, ended.stderr


def outcome(folder: Path) -> dict:
    files = {name: (folder / name).read_bytes() for name in FINAL}
    rows = [
        {key: value for key, value in row.items() if key not in UNREPEATABLE and not key.startswith("time/")}
        for row in read_metrics(folder / "metrics.jsonl")
    ]
    cards = {}
    for phase in ("small", "large", "student"):
        card = json.loads((folder / "phases" / phase / "phase.json").read_text())
        cards[phase] = {key: value for key, value in card.items() if "latency" not in key}
    return {"files": files, "rows": rows, "cards": cards}


@pytest.fixture(scope="module")
def work(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("resume")
    (folder / "t.toml").write_text(RECIPE)
    (folder / "killer.py").write_text(KILLER)
    return folder


@pytest.fixture(scope="module")
def unbroken(work: Path) -> dict:
    assert main(run(work, "unbroken")) == 0
    return outcome(work / "unbroken")


def run(work: Path, name: str) -> list[str]:
    """The words that play the recipe in the folder of that name."""
    return ["run", str(work / "t.toml"), "--plugin", str(work / "killer.py"), "--out", str(work / name)]


@pytest.mark.slow
def test_a_run_killed_in_its_first_phase_ends_as_the_unbroken_one(work: Path, unbroken: dict) -> None:
    code, said = lanista(*run(work, "killed"), KILL_AT="7", KILL_BY="SIGKILL")
    assert code == -9, said
    code, said = lanista("resume", str(work / "killed"))
    assert code == 0, said
    assert outcome(work / "killed") == unbroken


def test_a_run_stopped_and_killed_later_ends_as_the_unbroken_one(work, unbroken, monkeypatch, capsys) -> None:
    """Stopped here, gone on with in another process, killed there and brought to its end here."""
    folder = work / "stopped"
    monkeypatch.setenv("KILL_AT", "14")
    monkeypatch.setenv("KILL_BY", "SIGINT")
    assert main(run(work, "stopped")) == 130
    assert f"lanista resume {folder}" in capsys.readouterr().err
    code, said = lanista("resume", str(folder), KILL_AT="24", KILL_BY="SIGKILL")
    assert code == -9, said
    monkeypatch.delenv("KILL_AT")
    assert main(["resume", str(folder)]) == 0
    got = outcome(folder)
    assert got["rows"] == unbroken["rows"]
    assert got["cards"] == unbroken["cards"]
    assert got["files"] == unbroken["files"]


def test_the_unbroken_run_did_what_the_test_is_about(unbroken: dict) -> None:
    league = json.loads(unbroken["files"]["league/league.json"])
    assert len(league["gates"]) >= 4
    assert len([member for member in league["members"] if member["kind"] == "snapshot"]) >= 6
    assert {row["phase"] for row in unbroken["rows"]} == {"small", "large", "student"}


@pytest.mark.slow
def test_another_seed_gives_another_run(work: Path, unbroken: dict) -> None:
    assert main([*run(work, "other"), "--seed", "6"]) == 0
    assert outcome(work / "other")["files"][FINAL[0]] != unbroken["files"][FINAL[0]]


def test_a_run_folder_is_complete(work: Path, unbroken: dict) -> None:
    folder = work / "unbroken"
    record = json.loads((folder / "run.json").read_text())
    assert {"lanista", "python", "torch", "numpy", "seed", "num_threads", "plugins", "git"} <= set(record)
    assert (folder / "plugins" / "killer.py").read_text() == KILLER
    assert any(plugin["name"] == "killer.py" and plugin["sha256"] for plugin in record["plugins"])
    assert 'use = "ppo"' in (folder / "recipe.toml").read_text()


def test_a_used_folder_and_a_folder_without_a_run_are_refused(work, unbroken, monkeypatch, capsys) -> None:
    monkeypatch.chdir(work)
    assert main(["run", "t.toml", "--out", "unbroken"]) == 64
    assert "holds a run already" in capsys.readouterr().err
    (work / "empty").mkdir()
    assert main(["resume", "empty"]) == 1
    assert "recipe.toml is missing" in capsys.readouterr().err
