"""The phase kinds through the run loop, as a recipe has them."""

import json
import shutil
from pathlib import Path

import pytest
import torch

from lanista.errors import LanistaError, RecipeError
from lanista.metrics import read_metrics
from lanista.plugins import load_plugins
from lanista.policy import load_policy, save_policy
from lanista.recipe import check_recipe
from lanista.report.charts import charts_of
from lanista.report.folder import read_run
from lanista.run import Run

HOST = load_plugins()
PPO = {
    "use": "ppo",
    "gamma": 0.98,
    "gae_lambda": 0.9,
    "num_epochs": 8,
    "minibatch_size": 256,
    "learning_rate": 0.01,
}
SMALL = {
    "name": "small",
    "kind": "train",
    "num_games": 32,
    "network": {"use": "mlp", "hidden": [32]},
    "learner": PPO,
    "until": {"steps": 40_000, "return_at_least": 195, "episodes": 20, "every": 2048},
}
STUDENT = {
    "name": "student",
    "kind": "distill",
    "network": {"use": "mlp", "hidden": [16]},
    "num_games": 32,
    "until": {"steps": 32_768},
    "compare_episodes": 20,
}


def play(folder: Path, *phases: dict, env: str = "cartpole", **top) -> Path:
    values = {"name": "t", "env": {"use": env}, "phases": list(phases), **top}
    run = Run.create(folder, check_recipe(values, HOST.registry), HOST)
    run.play()
    return folder


def card(folder: Path, phase: str) -> dict:
    return json.loads((folder / "phases" / phase / "phase.json").read_text())


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Path:
    settings = {**SMALL, "until": {**SMALL["until"], "return_at_least": 475, "episodes": 100}}
    return play(tmp_path_factory.mktemp("trained") / "run", settings, loggers=["tensorboard"])


def test_training_solves_cartpole_and_says_how_it_chose(trained: Path) -> None:
    told = card(trained, "small")
    assert told["until"] == "rule met"
    assert told["chosen"].startswith("best by measure (")
    assert told["measured"] >= 475
    rows = read_metrics(trained / "metrics.jsonl")
    assert rows[-1]["greedy_return"] >= 475
    assert {"entropy", "approx_kl", "reward/reward", "sps", "time/env", "return"} <= set(rows[3])


def test_tensorboard_gets_every_figure(trained: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(trained / "tensorboard" / "small"))
    events.Reload()
    rows = read_metrics(trained / "metrics.jsonl")
    assert [int(event.step) for event in events.Scalars("entropy")] == [row["step"] for row in rows]


def test_a_student_plays_as_its_teacher_does(tmp_path: Path, trained: Path) -> None:
    folder = play(tmp_path / "run", {**STUDENT, "teacher": str(trained)})
    told = card(folder, "student")
    assert told["agreement"] > 0.85
    assert told["student"] >= 0.95 * told["teacher"]
    assert told["student_parameters"] < told["teacher_parameters"]
    assert told["student_low"] <= told["student"] <= told["student_high"]


def test_teacher_and_student_alike_agree_wholly(trained: Path) -> None:
    from lanista.phases import PhaseContext
    from lanista.tables import EnvTable
    from lanista_plugins.phases.compare import compare_policies

    policy = load_policy(trained / "final", HOST.registry)
    context = PhaseContext(HOST.registry, EnvTable(use="cartpole"), "c", Path(), 0, 1, {})
    found = compare_policies(context.make_env, policy, policy, 10, 3)
    assert found.agreement == 1.0
    assert found.kl == 0.0
    assert found.student == found.teacher
    assert found.problem(0.0, 1.0) is None


def test_a_teacher_with_shuffled_choices_fails_the_stage(tmp_path: Path, trained: Path) -> None:
    """Logits rolled by one action: the student learns them well and plays badly, and the comparison says so."""
    from lanista.phases import PhaseContext
    from lanista.tables import EnvTable
    from lanista_plugins.phases.compare import compare_policies

    good, shuffled = (load_policy(trained / "final", HOST.registry) for _ in range(2))
    weights = shuffled.network.state_dict()
    last = [name for name in weights if name.startswith("outputs")]
    for name in last:
        weights[name][:2] = weights[name][:2].flip(0)
    shuffled.network.load_state_dict(weights)
    save_policy(tmp_path / "shuffled", shuffled)
    few = {"steps": 16_384}
    student = {**STUDENT, "teacher": str(tmp_path / "shuffled"), "allowed_loss": 1.0, "until": few}
    folder = play(tmp_path / "run", student)
    student = load_policy(folder / "final", HOST.registry)
    context = PhaseContext(HOST.registry, EnvTable(use="cartpole"), "c", Path(), 0, 1, {})
    found = compare_policies(context.make_env, student, good, 20, 3)
    assert found.agreement < 0.6
    assert "lost" in found.problem(0.05, 0.0)
    assert "agree with its teacher's by" in found.problem(1.0, 0.9)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"until": {"steps": 512}, "learning_rate": 0.0}, "the student did not move"),
        ({"until": {"steps": 512}, "steps_per_rollout": 1}, "the student lost"),
        ({"until": {"steps": 512}, "allowed_loss": 1.0, "min_agreement": 1.0}, "asked are 100.0%"),
    ],
)
def test_a_student_that_fell_short_fails_the_run(
    tmp_path: Path, trained: Path, changes: dict, sentence: str
) -> None:
    with pytest.raises(LanistaError, match=sentence):
        play(tmp_path / "run", {**STUDENT, "teacher": str(trained), **changes})


def test_growth_keeps_the_function_and_a_teacher_steadies_a_fresh_start(tmp_path: Path) -> None:
    few = {"steps": 1024}
    folder = play(
        tmp_path / "run",
        {**SMALL, "until": few},
        {
            "name": "grown",
            "kind": "train",
            "network": {"use": "mlp", "hidden": [48], "residual_blocks": 1},
            "start": "grow",
            "num_games": 32,
            "learner": {"use": "ppo", "learning_rate": 0.0},
            "until": few,
        },
        {
            "name": "taught",
            "kind": "train",
            "network": {"use": "mlp", "hidden": [64]},
            "num_games": 32,
            "teacher": {"source": "small", "coef": {"start": 1.0, "end": 0.0}, "value_coef": 0.5},
            "until": few,
        },
    )
    small, grown = (
        load_policy(folder / "phases" / name / "policy", HOST.registry) for name in ("small", "grown")
    )
    states = {"state": torch.randn(64, 1, 4).squeeze(1)}
    with torch.no_grad():
        ours, theirs = small.network(states), grown.network(states)
    assert torch.allclose(
        ours.logits["push"] if "push" in ours.logits else next(iter(ours.logits.values())),
        next(iter(theirs.logits.values())),
        atol=1e-5,
    )
    assert torch.allclose(ours.value, theirs.value, atol=1e-5)
    assert grown.num_parameters > small.num_parameters
    taught = [row for row in read_metrics(folder / "metrics.jsonl") if row["phase"] == "taught"]
    assert taught[0]["teacher_coef"] == 1.0
    assert taught[0]["teacher_divergence"] > 0.0


def test_a_phase_goes_on_from_the_policy_of_another_run(tmp_path: Path, trained: Path) -> None:
    still = {"learner": {"use": "ppo", "learning_rate": 0.0}, "until": {"steps": 1024}}
    phases = (
        {**SMALL, **still},
        {**SMALL, **still, "name": "on", "network": None, "warm_start": str(trained)},
        {**SMALL, **still, "name": "back", "network": None, "warm_start": "small"},
    )
    cleaned = ({key: value for key, value in phase.items() if value is not None} for phase in phases)
    folder = play(tmp_path / "run", *cleaned)
    weights = [
        load_policy(place, HOST.registry).network.state_dict()
        for place in (
            trained / "final",
            *(folder / "phases" / name / "policy" for name in ("on", "small", "back")),
        )
    ]
    for one, other in (weights[:2], weights[2:]):
        assert one.keys() == other.keys()
        assert all(torch.equal(one[name], other[name]) for name in one)


def test_a_warm_start_that_would_be_left_unused_is_refused(tmp_path: Path, trained: Path) -> None:
    other = {**SMALL, "warm_start": str(trained), "network": {"use": "mlp", "hidden": [5]}}
    for phase in (other, {**SMALL, "warm_start": str(trained), "start": "fresh"}):
        with pytest.raises(RecipeError, match="would be left unused, for the network begins afresh"):
            play(tmp_path / "run", phase)
        shutil.rmtree(tmp_path / "run")


def test_a_policy_of_another_game_is_no_warm_start(tmp_path: Path, trained: Path) -> None:
    with pytest.raises(RecipeError, match="was made for another observation or other heads than mountaincar"):
        play(tmp_path / "run", {**SMALL, "warm_start": str(trained)}, env="mountaincar")


@pytest.mark.parametrize(
    ("phases", "sentence"),
    [
        (({**SMALL, "warm_start": "nobody"},), "'nobody' is neither an earlier phase"),
        (({**SMALL, "network": None},), "must name its network"),
        (({**SMALL, "start": "grow"},), "needs a phase before it"),
        (({**SMALL, "teacher": {}},), "no phase before it"),
        (({**SMALL, "teacher": {"source": "nobody"}},), "neither an earlier phase"),
        (({**SMALL, "reward": {"angel": 1.0}},), "has no fact 'angel'"),
        (({**STUDENT, "teacher": "nobody"},), "neither an earlier phase"),
    ],
)
def test_what_a_phase_cannot_do_is_one_sentence(tmp_path: Path, phases: tuple, sentence: str) -> None:
    cleaned = tuple({key: value for key, value in phase.items() if value is not None} for phase in phases)
    with pytest.raises(RecipeError, match=sentence):
        play(tmp_path / "run", *cleaned)


def test_a_teacher_of_another_game_is_refused(tmp_path: Path, trained: Path) -> None:
    with pytest.raises(RecipeError, match="made for another observation"):
        play(tmp_path / "run", {**STUDENT, "teacher": str(trained)}, env="mountaincar")


def test_a_score_against_a_player_ends_a_phase(tmp_path: Path) -> None:
    folder = play(
        tmp_path / "run",
        {
            "name": "a",
            "kind": "train",
            "num_games": 64,
            "num_steps": 16,
            "network": {"use": "mlp", "hidden": [32]},
            "learner": {"use": "ppo", "learning_rate": 0.003},
            "reward": {"outcome": 1.0},
            "until": {
                "steps": 100_000, "opponent": "random", "score_at_least": 0.6, "every": 4096, "episodes": 40,
            },
        },
        env="connectx",
    )  # fmt: skip
    told = card(folder, "a")
    assert told["until"] == "rule met"
    assert told["steps"] < 100_000


def test_watched_facts_are_logged_whether_they_are_rewarded_or_not(tmp_path: Path) -> None:
    tiny = {**SMALL, "num_steps": 8, "until": {"steps": 512}, "reward": {"outcome": 1.0}, "watch": ["reward"]}
    run = play(tmp_path / "run", tiny)
    rows = read_metrics(run / "metrics.jsonl")
    assert [row["fact/reward"] for row in rows] == [1.0, 1.0]
    assert "Facts" in [chart.title for chart in charts_of(read_run(run))]


def test_a_watched_fact_that_the_env_has_not_is_refused_with_those_that_it_has(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"'rewad', which is no fact of cartpole; there are: "):
        play(tmp_path / "run", {**SMALL, "watch": ["rewad"]})
