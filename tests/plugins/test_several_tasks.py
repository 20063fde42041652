"""One student of several tasks: what its parts share, what they keep, and how the phase reports, resumes and fails."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from lanista.errors import LanistaError, RecipeError
from lanista.matches import evaluate_returns
from lanista.metrics import read_metrics
from lanista.phases import PhaseContext
from lanista.plugins import load_plugins
from lanista.policy import load_policy
from lanista.policy_player import PolicyPlayer
from lanista.recipe import check_recipe
from lanista.run import Run
from lanista.tables import EnvTable
from lanista_plugins.phases.shared_student import num_shared, shared_student

HOST = load_plugins()
SLIM = Path(__file__).parents[1] / "teachers" / "slim"
CARTPOLE = {
    "name": "pole",
    "env": "gymnasium:CartPole-v1",
    "teacher": f"npz:{SLIM / 'dqn-CartPole-v1.npz'}",
}
PENDULUM = {
    "name": "swing",
    "env": "gymnasium:Pendulum-v1",
    "teacher": {"source": f"npz:{SLIM / 'sac-Pendulum-v1.npz'}"},
}
PHASE = {
    "name": "student",
    "kind": "distill_tasks",
    "network": {"use": "mlp", "hidden": [32, 32]},
    "num_games": 8,
    "num_steps": 50,
    "steps_per_rollout": 60,
    "minibatch_size": 256,
    "student_share": {"start": 0.0, "end": 1.0},
    "until": {"steps": 16_000},
    "compare_episodes": 10,
    "allowed_loss": 0.2,
    "tasks": [CARTPOLE, PENDULUM],
}


def recipe(phase: dict, env: str = "gymnasium:CartPole-v1"):
    return check_recipe({"name": "t", "env": env, "phases": [phase]}, HOST.registry)


def play(folder: Path, phase: dict, env: str = "gymnasium:CartPole-v1") -> Path:
    Run.create(folder, recipe(phase, env), HOST).play()
    return folder


@pytest.fixture(scope="module")
def taught(tmp_path_factory) -> Path:
    """Taught for a moment: what is there, and not how well it plays."""
    moment = {"until": {"steps": 1_600}, "steps_per_rollout": 20, "compare_episodes": 4, "allowed_loss": 1.0}
    return play(tmp_path_factory.mktemp("tasks") / "run", {**PHASE, **moment})


def test_each_task_is_reported_beside_its_own_teacher(taught):
    told = json.loads((taught / "phases" / "student" / "phase.json").read_text())
    assert set(told["tasks"]) == {"pole", "swing"}
    for figures in told["tasks"].values():
        assert figures["share_low"] <= figures["share"] <= figures["share_high"]
        assert figures["games"] == 4
    assert told["shared_parameters"] == 32 * 32 + 32
    rows = read_metrics(taught / "metrics.jsonl")
    assert {"pole/kl_loss", "swing/mse_loss", "pole/agreement"} <= set().union(*rows)


def test_every_part_is_an_ordinary_policy_of_its_env_with_one_and_the_same_trunk(taught):
    parts = {
        name: load_policy(taught / "tasks" / "student" / name, HOST.registry) for name in ("pole", "swing")
    }
    one, other = (dict(part.network.named_parameters()) for part in parts.values())
    assert torch.equal(one["trunk.layers.1.weight"], other["trunk.layers.1.weight"])
    assert one["trunk.layers.0.weight"].shape == (32, 4)
    assert other["trunk.layers.0.weight"].shape == (32, 3)
    context = PhaseContext(HOST.registry, EnvTable(use="gymnasium:Pendulum-v1"), "t", taught, 0, 1, {})
    env = context.make_env(2)
    returns = evaluate_returns(env, PolicyPlayer(parts["swing"], 0, greedy=True), 2, 5)
    env.close()
    assert np.isfinite(returns).all()


def test_the_run_hands_on_the_part_of_its_own_env(taught):
    final = load_policy(taught / "final", HOST.registry)
    assert final.card.env == "gymnasium:CartPole-v1"
    part = load_policy(taught / "tasks" / "student" / "pole", HOST.registry)
    for name, weight in final.network.state_dict().items():
        assert torch.equal(weight, part.network.state_dict()[name])


def test_a_stopped_phase_goes_on_bit_for_bit(tmp_path):
    small = {
        **PHASE,
        "num_games": 4,
        "until": {"steps": 1_600},
        "checkpoint_every": 2,
        "steps_per_rollout": 10,
        "allowed_loss": 1.0,
        "compare_episodes": 2,
    }
    straight = play(tmp_path / "straight", small)
    stopped = Run.create(tmp_path / "stopped", recipe(small), HOST)
    updates = []

    class Stop:
        def updated(self, phase, row):
            updates.append(row)
            if len(updates) == 3:  # one update after the checkpoint
                raise KeyboardInterrupt

        def __getattr__(self, name):
            return lambda *args, **kwargs: None

    stopped.progress = Stop()
    with pytest.raises(KeyboardInterrupt):
        stopped.play()
    Run.open(tmp_path / "stopped", HOST).play()
    for name in ("pole", "swing"):
        first, second = (
            load_policy(run / "tasks" / "student" / name, HOST.registry)
            for run in (straight, tmp_path / "stopped")
        )
        for key, weight in first.network.state_dict().items():
            assert torch.equal(weight, second.network.state_dict()[key]), key


def test_a_task_that_falls_short_fails_the_phase_by_name(tmp_path):
    wrong = {
        **PHASE,
        "learning_rate": 1e-6,
        "until": {"steps": 800},
        "compare_episodes": 4,
        "allowed_loss": 0.05,
    }
    with pytest.raises(
        LanistaError, match=r"task 'pole': the student lost .*; task 'swing': the student lost"
    ):
        play(tmp_path / "run", wrong)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"tasks": [CARTPOLE, {**CARTPOLE}]}, "two tasks have one name"),
        ({"tasks": [CARTPOLE]}, "at least 2"),
        ({"until": {"steps": 9, "return_at_least": 3.0}}, "share_at_least"),
        ({"tasks": [CARTPOLE, {**PENDULUM, "teacher": "npz:nothing.npz"}]}, "nothing.npz"),
        ({"network": {"use": "mlp", "hidden": [32]}}, "share no weights"),
        ({"tasks": [CARTPOLE, {**PENDULUM, "teacher": CARTPOLE["teacher"]}]}, "does not fit env"),
    ],
)  # fmt: skip
def test_a_recipe_that_cannot_work_is_refused_in_a_sentence(tmp_path, change, words):
    with pytest.raises(LanistaError, match=words) as told:
        play(tmp_path / "run", {**PHASE, **change})
    assert "\n" not in str(told.value)


def test_the_runs_env_must_be_one_of_the_tasks(tmp_path):
    with pytest.raises(RecipeError, match="none of the tasks"):
        play(tmp_path / "run", PHASE, env="gymnasium:Acrobot-v1")


@pytest.mark.slow
def test_the_phase_ends_when_the_goal_is_reached_in_every_task_at_once(tmp_path):
    ends = {**PHASE, "until": {"steps": 48_000, "share_at_least": 0.9, "episodes": 10, "every": 4_000}}
    told = play(tmp_path / "run", ends)
    rows = [row for row in read_metrics(told / "metrics.jsonl") if "share" in row]
    assert rows
    assert rows[-1]["share"] == min(rows[-1]["pole/share"], rows[-1]["swing/share"])
    if rows[-1]["step"] < 48_000:
        assert min(rows[-1]["pole/share_low"], rows[-1]["swing/share_low"]) >= 0.9


def cards(hidden=(16, 16), **changes):
    found = []
    for use in ("cartpole", "mountaincar"):
        context = PhaseContext(HOST.registry, EnvTable(use=use), "t", Path("nowhere"), 0, 1, {})
        env = context.make_env(1)
        found.append(context.card(env, "mlp", {"hidden": list(hidden), **changes}))
        env.close()
    return found


def test_tasks_that_see_the_same_share_the_input_layer_too():
    one, _ = cards()
    twins = shared_student([one, replace(one, name="again")], ("outputs",), HOST.registry, 0)
    first, second = (dict(policy.network.named_parameters()) for policy in twins)
    assert first["trunk.layers.0.weight"] is second["trunk.layers.0.weight"]
    assert first["outputs.layer.weight"] is not second["outputs.layer.weight"]


def test_equal_shapes_of_unlike_observations_are_not_shared():
    one, other = cards()
    (part,) = other.spec.observation
    alike = replace(
        other,
        spec=replace(other.spec, observation=(replace(part, shape=(4,), center=(0.0,), spread=(1.0,)),)),
    )
    pair = shared_student([one, alike], ("outputs",), HOST.registry, 0)
    first, second = (dict(policy.network.named_parameters()) for policy in pair)
    assert first["trunk.layers.0.weight"].shape == second["trunk.layers.0.weight"].shape
    assert first["trunk.layers.0.weight"] is not second["trunk.layers.0.weight"]
    assert first["trunk.layers.1.weight"] is second["trunk.layers.1.weight"]
    assert num_shared(pair) == 16 * 16 + 16


def test_a_step_of_both_tasks_is_the_step_of_their_mean():
    """Against torch's own gradient of the mean of the two losses."""
    from lanista.schedules import Schedule
    from lanista.tables import DistillerTable
    from lanista_plugins.phases.fitting import Fitting, Losses
    from lanista_plugins.phases.labelled import LabelledBatch
    from lanista_plugins.phases.settings import LossSettings
    from lanista_plugins.phases.shared_student import SharedStudent

    policies = shared_student(cards(), ("outputs",), HOST.registry, 0)
    losses = Losses(
        [LossSettings(loss=DistillerTable(use="kl"), coef=Schedule(start=1.0, end=1.0))], HOST.registry
    )
    fitting = Fitting(SharedStudent(policies), losses, 0.0)
    parts = []
    for policy in policies:
        (part,), (head,) = policy.card.spec.observation, policy.card.spec.heads
        draws = torch.Generator().manual_seed(1)
        batch = LabelledBatch(
            {part.name: torch.randn(6, *part.shape, generator=draws)}, {},
            {head.name: torch.randn(6, head.size, generator=draws)}, torch.zeros(6),
        )  # fmt: skip
        parts.append((policy, batch))
    weights = list(fitting.network.parameters())
    total = sum(
        policy.heads[head].kl(batch.logits[head], policy.network(batch.observation).logits[head], None).mean()
        / 2
        for policy, batch in parts
        for head in policy.heads
    )
    expected = torch.autograd.grad(total, weights, allow_unused=True, materialize_grads=True)
    before = [weight.detach().clone() for weight in weights]
    fitting.step(parts, 0.0, 1e-3)
    for weight, gradient in zip(weights, expected, strict=True):
        torch.testing.assert_close(weight.grad, gradient, atol=1e-7, rtol=1e-4)
    assert any(not np.array_equal(weight.detach(), old) for weight, old in zip(weights, before, strict=True))
