"""Phases on a game with units: learning, keeping games, teaching from play and from kept games, and going on."""

import json

import numpy as np
import pytest
import torch

from lanista.metrics import read_metrics
from lanista.plugins import load_plugins
from lanista.policy import PolicyOutput
from lanista.recipe import check_recipe
from lanista.run import Run, RunStopped
from lanista.spec import UNITS
from lanista.testing.practice_units import offer_practice_units
from lanista.units import UnitTable
from lanista_plugins.phases.labelled import LabelledRows


def rows_of(rng, count):
    """Random rows of a made-up env with units, and a teacher's word on them."""
    counts = torch.from_numpy(rng.integers(0, 5, count))
    offsets = torch.cat([torch.zeros(1, dtype=torch.int64), counts.cumsum(0)])
    row = torch.repeat_interleave(torch.arange(count), counts)
    number = torch.from_numpy(rng.random((len(row), 2)).astype(np.float32))
    table = UnitTable(offsets, row, row * 7, row % 2, number > 0.3, {"number": number})
    mark = counts + torch.from_numpy(rng.random(count))
    said = PolicyOutput({"say": 2.0 * number}, mark.to(torch.float32))
    return {"mark": mark, UNITS: table}, {"say": table}, said


@pytest.mark.parametrize("sizes", [(7, 5, 30, 9, 9, 9, 40), (3, 3, 3), (200, 1)])
def test_memory_gives_rows_with_their_own_units_whatever_was_overwritten(sizes):
    rng = np.random.default_rng(0)
    rows, everything = LabelledRows(50), []
    for size in sizes:
        observation, legal, said = rows_of(rng, size)
        rows.add(observation, legal, said)
        everything += [(observation["mark"][b], observation[UNITS][b : b + 1]) for b in range(size)]
    known = {float(mark): table for mark, table in everything[-50:]}
    twin = LabelledRows(50)
    twin.load_state({name: array.copy() for name, array in rows.state().items()})
    more = rows_of(rng, 20)
    for memory in (rows, twin):
        for times in range(2):
            batch = memory.draw(64, torch.Generator().manual_seed(1))
            table = batch.observation[UNITS]
            assert batch.legal["say"] is table
            for place, mark in enumerate(batch.observation["mark"].tolist()):
                wanted, found = known[mark].arrays(), table[place : place + 1].arrays()
                for name, array in wanted.items():
                    np.testing.assert_array_equal(found[name], array)
            torch.testing.assert_close(batch.logits["say"], 2.0 * table.observation["number"])
            if times == 0 and memory is twin:
                memory.add(*more)
                known |= {float(mark): more[0][UNITS][b : b + 1] for b, mark in enumerate(more[0]["mark"])}


HOST = load_plugins()
offer_practice_units(HOST.registry)
LEAGUE = {"opponents": {"latest": 0.4, "pool": 0.3, "bots": 0.3}, "bots": ["random"], "snapshot_every": 2000}
PLAY = {
    "name": "play",
    "kind": "train",
    "num_games": 32,
    "num_steps": 16,
    "random_opening": 3,
    "network": {"use": "unit_mlp", "width": 32, "context": 16},
    "learner": {"use": "ppo", "learning_rate": 0.005, "minibatch_size": 256},
    "reward": {"reward": 1.0},
    "until": {"steps": 8192},
    "checkpoint_every": 6,
}
STUDENT = {
    "name": "student",
    "kind": "distill",
    "network": {"use": "unit_mlp", "width": 24, "context": 16, "attention_heads": 1},
    "num_games": 32,
    "num_steps": 8,
    "buffer": 1500,
    "minibatch_size": 128,
    "steps_per_rollout": 8,
    "learning_rate": 0.003,
    "until": {"steps": 5120},
    "compare_episodes": 8,
    "checkpoint_every": 6,
}


def make(folder, *phases, seats=2):
    values = {"name": "t", "env": {"use": "practice_units", "seats": seats}, "phases": list(phases)}
    return Run.create(folder, check_recipe(values, HOST.registry), HOST)


@pytest.fixture(scope="module")
def played(tmp_path_factory):
    folder = tmp_path_factory.mktemp("played") / "run"
    make(folder, {**PLAY, "league": LEAGUE, "keep_games": 60}, STUDENT).play()
    return folder


def test_units_are_learnt_in_a_league_and_taught_to_a_student(played):
    rows = read_metrics(played / "metrics.jsonl")
    learnt = [row["reward/reward"] for row in rows if row["phase"] == "play"]
    assert max(learnt) > 0.65 > 0.5 > learnt[0]
    card = json.loads((played / "phases" / "student" / "phase.json").read_text())
    assert card["agreement"] > 0.9
    assert card["student_high"] > 0.5 > card["kl"]


def test_a_student_of_kept_games_learns_its_units(played, tmp_path):
    teacher = str(played / "phases" / "play" / "policy")
    games = str(played / "games" / "play")
    student = {**STUDENT, "teacher": teacher, "states": {"games": games, "share": 1.0}, "allowed_loss": 1.0}
    make(tmp_path / "run", student).play()
    rows = read_metrics(tmp_path / "run" / "metrics.jsonl")
    assert rows[-1]["agreement"] > 0.9


@pytest.mark.parametrize(
    "losses", [[{"loss": {"use": "kl"}}], [{"loss": {"use": "mse"}}, {"loss": {"use": "value"}}]]
)
def test_a_teacher_with_units_is_a_term_of_a_learners_loss(played, tmp_path, losses):
    source = str(played / "phases" / "play" / "policy")
    teacher = {"source": source, "coef": 1.0, "loss": losses[0]["loss"]}
    phase = {**PLAY, "teacher": teacher, "until": {"steps": 2048}}
    make(tmp_path / "run", phase).play()
    figures = [row["teacher_divergence"] for row in read_metrics(tmp_path / "run" / "metrics.jsonl")]
    assert figures[-1] < figures[0]


def test_a_scripted_player_teaches_its_units_choices(tmp_path):
    student = {**STUDENT, "teacher": "player:teller", "until": {"steps": 4096}, "allowed_loss": 1.0}
    make(tmp_path / "run", student).play()
    rows = read_metrics(tmp_path / "run" / "metrics.jsonl")
    assert rows[0]["agreement"] < rows[-1]["agreement"] > 0.95


def test_a_scripted_player_sits_in_the_league(tmp_path):
    league = {**LEAGUE, "opponents": {"bots": 1.0}, "bots": ["teller"]}
    make(tmp_path / "run", {**PLAY, "league": league, "until": {"steps": 2048}}).play()
    rows = read_metrics(tmp_path / "run" / "metrics.jsonl")
    met = [row["outcome/bots"] for row in rows if "outcome/bots" in row]
    assert met
    assert max(met) < 0


def test_a_stop_and_a_resume_give_the_same_files(tmp_path, stop_at, arrays_of):
    short = {**PLAY, "league": LEAGUE, "keep_games": 30, "until": {"steps": 3072}, "checkpoint_every": 2}
    student = {
        **STUDENT,
        "until": {"steps": 1280},
        "allowed_loss": 1.0,
        "compare_episodes": 2,
        "checkpoint_every": 2,
    }
    make(tmp_path / "whole", short, student).play()
    run = make(tmp_path / "torn", short, student)
    run.progress = stop_at(3)
    with pytest.raises(RunStopped):
        run.play()
    again = Run.open(tmp_path / "torn", HOST)
    again.progress = stop_at(7)
    with pytest.raises(RunStopped):
        again.play()
    Run.open(tmp_path / "torn", HOST).play()
    whole = arrays_of(tmp_path / "whole")
    assert arrays_of(tmp_path / "torn") == whole
    assert any(name.startswith("games") for name in whole)
