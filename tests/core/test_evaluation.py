"""The recipe's `evaluate`: at regular env steps over all phases, and invisible to the training."""

from pathlib import Path

import pytest

from lanista.errors import RecipeError
from lanista.metrics import read_metrics
from lanista.plugins import load_plugins
from lanista.recipe import check_recipe
from lanista.run import Run

TRAIN = {
    "name": "small",
    "kind": "train",
    "num_games": 16,
    "num_steps": 16,
    "network": {"use": "mlp", "hidden": [8]},
    "learner": {"use": "ppo", "minibatch_size": 128, "learning_rate": 0.01},
    "until": {"steps": 1024},
}
STUDENT = {
    "name": "student",
    "kind": "distill",
    "network": {"use": "mlp", "hidden": [4]},
    "num_games": 16,
    "num_steps": 8,
    "buffer": 512,
    "minibatch_size": 64,
    "until": {"steps": 512},
    "allowed_loss": 1.0,
    "compare_episodes": 4,
}
#: what a clock says
CLOCK = {"sps", "seconds", "cpu_seconds"}


def play(folder: Path, *phases: dict, plugins: tuple = (), **top) -> Path:
    host = load_plugins(plugins)
    values = {"name": "t", "env": {"use": "cartpole"}, "phases": list(phases), **top}
    Run.create(folder, check_recipe(values, host.registry), host).play()
    return folder


def test_evaluations_lie_on_equal_steps_and_leave_the_training_alone(tmp_path):
    """Two phases with updates of 256 and 128 env steps, evaluated every 300: after the update that gets there."""
    evaluate = {"every": 300, "episodes": 5}
    with_it = play(tmp_path / "with", TRAIN, STUDENT, evaluate=evaluate)
    without = play(tmp_path / "without", TRAIN, STUDENT)
    rows, bare = (read_metrics(folder / "metrics.jsonl") for folder in (with_it, without))
    assert [row["step"] for row in rows if "evaluated_return" in row] == [512, 768, 1024, 1280, 1536]
    assert not any("evaluated_return" in row for row in bare)
    assert all(
        row["evaluated_return_min"] <= row["evaluated_return"] for row in rows if "evaluated_return" in row
    )

    def told(row: dict) -> dict:
        return {
            name: value
            for name, value in row.items()
            if name not in CLOCK and not name.startswith(("time/", "evaluated"))
        }

    assert [told(row) for row in rows] == [told(row) for row in bare]
    for name in ("small", "student"):
        weights = Path("phases", name, "policy", "weights.safetensors")
        assert (with_it / weights).read_bytes() == (without / weights).read_bytes()


def test_every_update_says_how_long_it_took(tmp_path):
    rows = read_metrics(play(tmp_path / "run", TRAIN, STUDENT) / "metrics.jsonl")
    assert all(row["seconds"] > 0 and row["cpu_seconds"] > 0 for row in rows)
    assert [row["phase"] for row in rows if "first_update" in row] == ["small", "student"]


def test_a_game_of_two_is_scored_against_a_player(tmp_path):
    folder = play(
        tmp_path / "run",
        {**TRAIN, "until": {"steps": 512}},
        env={"use": "connectx"},
        evaluate={"every": 256, "episodes": 3, "opponent": "random"},
    )
    scores = [row["evaluated_score"] for row in read_metrics(folder / "metrics.jsonl")]
    assert len(scores) == 2
    assert all(0 <= score <= 1 for score in scores)


BARE_PHASE = """
import lanista
from pydantic import BaseModel, ConfigDict

class Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

class Bare:
    progress, finished, steps = 0.0, False, 0
    def __init__(self, context, settings): ...
    def start(self): ...
    def update(self):
        self.steps += 512
        return {}
    def close(self): ...

@lanista.hookimpl
def register_phases(register):
    register("bare", ":Bare", settings=Settings, summary="shows no policy")
"""


@pytest.mark.parametrize(
    ("top", "sentence"),
    [
        (
            {"evaluate": {"every": 256, "opponent": "random"}},
            "cartpole has one seat .* take opponent = 'random' out",
        ),
        ({"evaluate": {"every": 256}, "env": {"use": "connectx"}}, "connectx has 2 seats; name a player"),
        (
            {"evaluate": {"every": 256, "opponent": "rendom"}, "env": {"use": "connectx"}},
            "did you mean 'random'",
        ),
        ({"evaluate": {"every": 0}}, "evaluate.every = 0 must be greater than or equal to 1"),
        ({"evaluate": {"evry": 256}}, "did you mean 'every'"),
    ],
)
def test_what_cannot_be_evaluated_is_one_sentence(tmp_path, top, sentence):
    with pytest.raises(RecipeError, match=sentence):
        play(tmp_path / "run", TRAIN, **top)


def test_a_phase_kind_that_shows_no_policy_is_named(tmp_path, make_file):
    file = make_file("bare.py", BARE_PHASE)
    with pytest.raises(RecipeError, match="phases of kind 'bare' do not show the policy"):
        play(tmp_path / "run", {"name": "p", "kind": "bare"}, plugins=(file,), evaluate={"every": 256})


def test_a_phase_on_other_observations_than_the_runs_is_named(tmp_path):
    phase = {**TRAIN, "env": {"rows": 5, "columns": 6, "inarow": 3}}
    with pytest.raises(RecipeError, match="phase 'small' trains on another observation"):
        play(
            tmp_path / "run",
            phase,
            env={"use": "connectx"},
            evaluate={"every": 256, "opponent": "random"},
        )
