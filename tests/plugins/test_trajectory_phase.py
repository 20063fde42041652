"""The phase `distill` with losses along trajectories: it learns, resumes and refuses."""

import json
from pathlib import Path

import pytest
import torch

from lanista.errors import LanistaError, RecipeError
from lanista.metrics import read_metrics
from lanista.phases import PhaseContext
from lanista.plugins import load_plugins
from lanista.policy import build_policy, load_policy, save_policy
from lanista.recipe import check_recipe
from lanista.run import Run, RunStopped
from lanista.tables import EnvTable
from lanista.testing.practice import offer_practice
from lanista.testing.practice_units import offer_practice_units

HOST = load_plugins()
offer_practice(HOST.registry)
offer_practice_units(HOST.registry)
NETWORKS = {
    "practice": {"use": "mlp", "hidden": [16]},
    "practice_units": {"use": "unit_mlp", "width": 16, "context": 8},
}
STUDENT = {
    "name": "student",
    "kind": "distill",
    "student_share": 1.0,
    "greedy": False,
    "num_games": 32,
    "num_steps": 16,
    "minibatch_size": 128,
    "learning_rate": 0.02,
    "averaging": 0.5,
    "until": {"steps": 10_240},
    "compare_episodes": 8,
    "allowed_loss": 1.0,
    "checkpoint_every": 3,
}


def save_teacher(folder, env):
    """A policy of firm opinions."""
    context = PhaseContext(HOST.registry, EnvTable(use=env), "t", folder, 0, 1, {})
    made = context.make_env(1)
    table = NETWORKS[env]
    options = {name: value for name, value in table.items() if name != "use"}
    torch.manual_seed(4)
    teacher = build_policy(context.card(made, table["use"], {**options, "policy_gain": 4.0}), HOST.registry)
    save_policy(folder, teacher)


def make(folder, env, **changes):
    save_teacher(folder / "teacher", env)
    student = {**STUDENT, "network": NETWORKS[env], "teacher": str(folder / "teacher"), **changes}
    values = {"name": "t", "env": env, "phases": [student]}
    return Run.create(folder / "run", check_recipe(values, HOST.registry), HOST)


@pytest.mark.parametrize("env", ["practice", "practice_units"])
@pytest.mark.parametrize("loss", ["n_distill", "expected_entropy"])
def test_a_student_learns_from_its_own_play_what_its_choices_lead_to(tmp_path, env, loss):
    make(tmp_path, env, losses=[{"loss": loss}]).play()
    rows = read_metrics(tmp_path / "run" / "metrics.jsonl")
    name = f"{loss}_loss"
    assert rows[-1][name] < 0.2 * rows[0][name]
    assert rows[0]["later_cost_spread"] > 0.0
    assert json.loads((tmp_path / "run" / "phases" / "student" / "phase.json").read_text())["agreement"] > 0.8


def test_a_killed_phase_goes_on_bit_for_bit(tmp_path, stop_at):
    short = {"losses": [{"loss": "expected_entropy"}], "until": {"steps": 4_096}}
    make(tmp_path / "whole", "practice", **short).play()
    torn = make(tmp_path / "torn", "practice", **short)
    torn.progress = stop_at(4)
    with pytest.raises(RunStopped):
        torn.play()
    Run.open(tmp_path / "torn" / "run", HOST).play()
    weights = [
        load_policy(tmp_path / name / "run" / "final", HOST.registry).network.state_dict()
        for name in ("whole", "torn")
    ]
    assert all(torch.equal(weight, weights[1][name]) for name, weight in weights[0].items())


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"greedy": True}, "sampled moves"),
        ({"student_share": {"start": 0.5, "end": 1.0}}, "the student's own"),
    ],
)
def test_states_that_the_student_did_not_draw_itself_are_refused(tmp_path, changes, words):
    with pytest.raises(RecipeError, match=words):
        make(tmp_path, "practice", losses=[{"loss": "n_distill"}], **changes).play()


ACTOR = f"npz:{Path(__file__).parents[1] / 'teachers' / 'slim' / 'sac-Pendulum-v1.npz'}"


@pytest.mark.parametrize("kind", ["distill", "train"])
def test_a_loss_of_values_is_refused_where_the_teacher_has_no_critic(tmp_path, kind):
    """An actor alone, out of a file: its values are NaN."""
    phase = {
        "name": "student",
        "network": NETWORKS["practice"],
        "num_games": 8,
        "num_steps": 8,
        "until": {"steps": 64},
    }
    if kind == "distill":
        phase |= {"kind": kind, "teacher": ACTOR, "losses": [{"loss": "mse"}, {"loss": "value"}]}
    else:
        phase |= {"kind": kind, "teacher": {"source": ACTOR, "value_coef": 0.5}}
    values = {"name": "t", "env": "gymnasium:Pendulum-v1", "phases": [phase]}
    with pytest.raises(LanistaError, match=r"has no critic|needs a teacher with a critic") as told:
        Run.create(tmp_path / "run", check_recipe(values, HOST.registry), HOST).play()
    assert "value" in str(told.value)


def test_several_teachers_teach_through_the_phase(tmp_path):
    save_teacher(tmp_path / "one", "practice")
    student = {**STUDENT, "network": NETWORKS["practice"], "student_share": 0.5, "until": {"steps": 1_024}}
    student["teachers"] = [str(tmp_path / "one"), {"source": str(tmp_path / "one"), "weight": 3.0}]
    for combine in ("mean", "value", "best"):
        values = {"name": "t", "env": "practice", "phases": [{**student, "combine": combine}]}
        Run.create(tmp_path / combine, check_recipe(values, HOST.registry), HOST).play()
        rows = read_metrics(tmp_path / combine / "metrics.jsonl")
        assert rows[-1]["kl_loss"] < rows[0]["kl_loss"]
