"""Lux in the phases: boards of several sizes, self-play against scripted players, held-out maps, and going on after a stop."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
import tomli_w

from lanista.held_out import held_out_settings
from lanista.metrics import read_metrics
from lanista.plugins import load_plugins
from lanista.policy import load_policy
from lanista.recipe import check_recipe
from lanista.run import Run, RunStopped
from lanista_envs.lux.maps import seeds_of

HOST = load_plugins()
ENV = {"use": "lux_s1", "sizes": [8, 10], "observation": "units", "max_turns": 12}
NETWORK = {"use": "unit_mlp", "width": 12, "context": 8}
LEARNER = {"use": "ppo", "num_epochs": 1, "minibatch_size": 128, "learning_rate": 0.01}
CLONE = {
    "name": "copy",
    "kind": "clone",
    "games": {"players": ["lux_woodland_v1"], "num_games": 8},
    "network": NETWORK,
    "epochs": 3,
    "minibatches": 4,
    "minibatch_size": 32,
    "checkpoint_every": 2,
}
TRAIN = {
    "name": "play",
    "kind": "train",
    "num_games": 12,
    "num_steps": 8,
    "learner": LEARNER,
    "reward": {"outcome": 1.0, "city_tiles": 0.1},
    "teacher": {"source": "last-best", "coef": 0.2},
    "until": {
        "steps": 96 * 8,
        "score_at_least": 0.99,
        "opponent": "lux_woodland_v1",
        "episodes": 2,
        "every": 96 * 4,
    },
    "checkpoint_every": 2,
    "league": {
        "opponents": {"latest": 0.25, "pool": 0.25, "bots": 0.5},
        "bots": ["lux_woodland_v1", "lux_simple"],
        "snapshot_every": 96 * 3,
        "pool_slots": 1,
        "redraw_every": 4,
        "gate": {"games": 2, "at_least": 0.5, "confidence": 0.51},
    },
}
STUDENT = {
    "name": "student",
    "kind": "distill",
    "network": {"use": "unit_mlp", "width": 8, "context": 8},
    "num_games": 8,
    "num_steps": 4,
    "buffer": 200,
    "minibatch_size": 64,
    "steps_per_rollout": 2,
    "until": {"steps": 32 * 5},
    "allowed_loss": 1.0,
    "compare_episodes": 2,
    "checkpoint_every": 2,
}
#: what a clock says
UNREPEATABLE = {"sps", "seconds", "cpu_seconds", "first_update"}


def make(folder, *phases, env=ENV, **top):
    values = {"name": "t", "seed": 4, "env": env, "phases": list(phases), **top}
    return Run.create(folder, check_recipe(values, HOST.registry), HOST)


def contents(folder):
    rows = [
        {key: value for key, value in row.items() if key not in UNREPEATABLE and not key.startswith("time/")}
        for row in read_metrics(folder / "metrics.jsonl")
    ]
    files = {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if (path.suffix in {".npz", ".safetensors"} or path.name == "league.json")
        and "checkpoint" not in str(path)
    }
    return rows, files


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lux") / "run"
    make(folder, CLONE, TRAIN, STUDENT).play()
    return folder


def test_a_league_with_scripted_players_learns_on_boards_of_several_sizes(unbroken):
    rows = [row for row in read_metrics(unbroken / "metrics.jsonl") if row["phase"] == "play"]
    assert any("outcome/bots" in row for row in rows)
    assert any("outcome/pool" in row for row in rows)
    measured = [row for row in rows if "score/lux_woodland_v1" in row]
    assert len(measured) == 2
    for row in measured:
        parts = [row[f"by/{size}/score/lux_woodland_v1"] for size in ("8x8", "10x10")]
        assert row["score/lux_woodland_v1"] == pytest.approx(np.mean(parts))
    assert any("by/8x8/outcome" in row and "by/10x10/outcome" in row for row in rows)
    league = json.loads((unbroken / "league" / "league.json").read_text())
    assert {member["name"] for member in league["members"]} >= {"learner", "lux_woodland_v1", "lux_simple"}
    assert league["best"] is not None
    assert len(league["gates"]) >= 2
    bots = [pair for pair in league["payoff"]["rows"] if pair["opponent"] == "lux_simple"]
    assert np.sum([row["wins_draws_losses_by_seat"] for row in bots], axis=(0, 2)).min() > 0  # both seats


@pytest.mark.parametrize(
    "stops",
    [
        pytest.param([1, 3], id="while it clones"),
        pytest.param([7, 4], id="while it plays, before and after gates"),
        pytest.param([14, 3], id="between the last gate and the end of the student's phase"),
    ],
)
def test_a_stop_anywhere_and_a_resume_give_the_same_run(unbroken, tmp_path, stops, stop_at):
    run = make(tmp_path / "torn", CLONE, TRAIN, STUDENT)
    for updates in stops:
        run.progress = stop_at(updates)
        with pytest.raises(RunStopped):
            run.play()
        run = Run.open(tmp_path / "torn", HOST)
    run.play()
    rows, files = contents(tmp_path / "torn")
    wanted_rows, wanted_files = contents(unbroken)
    assert rows == wanted_rows
    assert files == wanted_files


@pytest.mark.parametrize("network", ["unit_mlp", "grid_resnet"])
def test_growing_boards_carry_the_policy_along(tmp_path, network):
    if network == "unit_mlp":
        sizes = [{"size": 8}, {"size": 10}, {"sizes": [8, 10]}]
        env, options = {**ENV, "sizes": []}, NETWORK
    else:
        sizes = [{"sizes": [8]}, {"sizes": [10]}, {"sizes": [10, 8]}]
        env = {**ENV, "observation": "both"}
        options = {"use": "grid_resnet", "channels": 4, "blocks": 1, "squeeze": 2, "hidden": 4}
    small = {"num_games": 4, "num_steps": 4, "learner": LEARNER, "until": {"steps": 32}, "kind": "train"}
    still = {**small, "learner": {**LEARNER, "learning_rate": 1e-12}}
    phases = [
        {**(small if place == 0 else still), "name": str(place), "env": here}
        for place, here in enumerate(sizes)
    ]
    phases[0]["network"] = options
    make(tmp_path / "run", *phases, env=env).play()
    policies = [
        load_policy(tmp_path / "run" / "phases" / str(place) / "policy", HOST.registry) for place in range(3)
    ]
    first = dict(policies[0].network.named_parameters())
    for policy in policies[1:]:
        for name, weights in policy.network.named_parameters():
            assert np.allclose(weights.detach(), first[name].detach(), atol=1e-5), name
    if network == "grid_resnet":
        assert policies[2].card.spec.observation[0].shape[-1] == 10


def test_training_plays_no_held_out_map_and_every_figure_plays_no_other(tmp_path, monkeypatch):
    """Each env of a run with a league, a gate, an until rule and evaluations is watched at every step."""
    from lanista_envs.lux.env import LuxS1

    seen = {}
    show = LuxS1._show

    def watched(env, *phase):
        show(env, *phase)
        seen.setdefault(env.settings.maps, set()).update(env.map_seed.tolist())

    monkeypatch.setattr(LuxS1, "_show", watched)
    evaluate = {"every": 96 * 4, "episodes": 2, "opponent": "lux_simple"}
    make(tmp_path / "run", CLONE, TRAIN, STUDENT, evaluate=evaluate).play()
    assert set(seen) == {"train", "held_out"}
    assert len(seen["train"]) > 50
    assert len(seen["held_out"]) > 10
    assert all(seed in seeds_of("train") for seed in seen["train"])
    assert all(seed in seeds_of("held_out") for seed in seen["held_out"])
    assert held_out_settings(HOST.registry, "lux_s1") == {"maps": "held_out"}
    card = json.loads((tmp_path / "run" / "final" / "policy.json").read_text())
    assert card["env_settings"]["maps"] == "train"


KILLER = """
import os, signal
from lanista import hookimpl

@hookimpl
def update_finished(run, phase, update, metrics):
    if str(update) == os.environ.get("KILL_AT"):
        os.kill(os.getpid(), signal.Signals[os.environ["KILL_BY"]])
"""


def lanista(*words, cwd, **environment):
    env = {**os.environ, "OMP_NUM_THREADS": "1", **environment}
    command = [sys.executable, "-m", "lanista", *words]
    return subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, timeout=600, check=False)


@pytest.fixture(scope="module")
def killed_work(tmp_path_factory):
    folder = tmp_path_factory.mktemp("kills")
    recipe = {"name": "t", "seed": 4, "env": ENV, "phases": [CLONE, TRAIN, STUDENT]}
    (folder / "t.toml").write_text(tomli_w.dumps(recipe))
    (folder / "killer.py").write_text(KILLER)
    ended = lanista("run", "t.toml", "--plugin", "killer.py", "--out", "unbroken", cwd=folder)
    assert ended.returncode == 0, ended.stderr
    return folder


@pytest.mark.slow
@pytest.mark.parametrize(
    "kills",
    [
        [("1", "SIGKILL"), ("3", "SIGINT")],
        [("6", "SIGKILL"), ("9", "SIGKILL"), ("12", "SIGINT")],
        [("10", "SIGINT"), ("14", "SIGKILL"), ("16", "SIGKILL")],
    ],
    ids=["while it clones", "while it plays in the league", "around the change to the student"],
)
def test_a_killed_run_ends_as_the_unbroken_one(killed_work, kills):
    name = f"killed-{kills[0][0]}"
    words = ["run", "t.toml", "--plugin", "killer.py", "--out", name]
    for update, signal in kills:
        ended = lanista(*words, cwd=killed_work, KILL_AT=update, KILL_BY=signal)
        assert ended.returncode == (-9 if signal == "SIGKILL" else 130), ended.stderr
        words = ["resume", name]
    ended = lanista(*words, cwd=killed_work)
    assert ended.returncode == 0, ended.stderr
    assert contents(killed_work / name) == contents(killed_work / "unbroken")
