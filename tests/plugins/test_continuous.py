"""Real-valued actions through everything that walks over heads: rollouts, learners, leagues, students, exports."""

import json
from pathlib import Path

import gymnasium
import numpy as np
import onnxruntime
import pytest
import torch
from pettingzoo.test import parallel_api_test

from lanista.actions import action_words, agreement, first_actions, random_actions
from lanista.errors import EnvContractError, LanistaError, RecipeError
from lanista.matches import evaluate_returns, play_matches
from lanista.phases import PhaseContext
from lanista.plugins import load_plugins
from lanista.policy import load_policy
from lanista.policy_player import PolicyPlayer
from lanista.recipe import check_recipe
from lanista.run import Run
from lanista.spec import HeadSpec
from lanista.tables import EnvTable
from lanista.testing import check_env
from lanista_envs.gym_view import VectorView
from lanista_envs.pettingzoo import TogetherView
from lanista_submission.export.policy import export_folder

HERE = Path(__file__).parent
PPO = {"use": "ppo", "gamma": 0.9, "num_epochs": 8, "minibatch_size": 256, "learning_rate": 0.01}
AIM = HeadSpec("aim", "gaussian", 2, "a place", low=(-1.0, 0.0), high=(1.0, 4.0))


@pytest.fixture(scope="module")
def host():
    return load_plugins(files=[HERE / "aiming.py"])


@pytest.fixture(scope="module")
def make(host):
    def make(games=4, **settings):
        return host.registry.load("envs", "aiming")(
            games, host.registry.settings("envs", "aiming", settings), 1
        )

    return make


def play(host, folder, *phases, env, **top):
    values = {"name": "t", "env": {"use": "aiming", **env}, "phases": list(phases), **top}
    Run.create(folder, check_recipe(values, host.registry), host).play()
    return folder


def exported(folder, host):
    """The run's final policy as ONNX; torch, onnxruntime and numpy have agreed on it."""
    report = export_folder(folder, None, host.registry, 200)
    assert all(row.within and row.equal == 1.0 for row in report.comparisons)
    return onnxruntime.InferenceSession(report.path)


@pytest.fixture(scope="module")
def trained(host, tmp_path_factory):
    """One seat, real numbers only: PPO, then a student."""
    swing = {
        "name": "learn", "kind": "train", "num_games": 64, "num_steps": 16, "learner": PPO,
        "network": {"use": "mlp", "hidden": [32]}, "until": {"steps": 24_576},
    }  # fmt: skip
    student = {
        "name": "student", "kind": "distill", "network": {"use": "mlp", "hidden": [16]}, "until": {"steps": 12_288},
        "losses": [{"loss": {"use": "kl"}}], "allowed_loss": 1.0, "compare_episodes": 20, "random_opening": 2,
    }  # fmt: skip
    return play(host, tmp_path_factory.mktemp("c") / "run", swing, student, env={})


@pytest.fixture(scope="module")
def league(host, tmp_path_factory):
    """Two seats, a choice and real numbers: self-play with a pool, a random bot, openings, a gate, a teacher."""
    first = {
        "name": "first", "kind": "train", "num_games": 24, "num_steps": 8, "learner": PPO, "random_opening": 2,
        "network": {"use": "mlp", "hidden": [16]}, "until": {"steps": 1_536}, "reward": {"outcome": 1.0},
        "league": {
            "opponents": {"latest": 0.4, "pool": 0.3, "bots": 0.3}, "bots": ["random"], "snapshot_every": 384,
            "gate": {"games": 4},
        },
    }  # fmt: skip
    second = {
        "name": "second", "kind": "train", "num_games": 24, "num_steps": 8, "start": "grow",
        "network": {"use": "mlp", "hidden": [24]}, "until": {"steps": 768}, "reward": {"outcome": 1.0},
        "teacher": {"source": "first", "coef": 0.5}, "learner": {**PPO, "entropy_coef": 0.01},
    }  # fmt: skip
    student = {
        "name": "student", "kind": "distill", "network": {"use": "mlp", "hidden": [8]}, "until": {"steps": 1_024},
        "num_games": 16, "greedy": False, "allowed_loss": 1.0, "compare_episodes": 4, "random_opening": 1,
        "losses": [{"loss": {"use": "reverse_kl"}}, {"loss": {"use": "value"}}],
    }  # fmt: skip
    env = {"seats": 2, "side": True}
    folder = tmp_path_factory.mktemp("l") / "run"
    return play(host, folder, first, second, student, env=env)


@pytest.mark.parametrize("settings", [{}, {"side": True}, {"seats": 2, "side": True}])
def test_an_env_of_real_numbers_keeps_the_contract(host, settings):
    registry = host.registry
    check_env(registry.load("envs", "aiming"), registry.settings("envs", "aiming", settings), steps=40)


def test_ppo_learns_to_give_the_right_numbers(host, trained, make):
    policy = load_policy(trained / "phases" / "learn" / "policy", host.registry)
    assert policy.card.heads["aim"].items() >= {"use": "gaussian", "init_std": 0.6}.items()
    guessed = evaluate_returns(make(64), host.registry.load("players", "random")(make().spec, None, 0), 64, 1)
    learnt = evaluate_returns(make(64), PolicyPlayer(policy, 0, greedy=True), 64, 1)
    assert guessed.mean() < -2.0
    assert learnt.mean() > -0.05


def test_a_student_is_taught_and_compared(trained):
    card = json.loads((trained / "phases" / "student" / "phase.json").read_text())
    assert card["agreement"] > 0.95
    assert card["kl"] < 1.0
    assert card["student"] > -0.2


def test_the_exported_graph_gives_the_action_and_its_distribution(host, trained):
    policy = load_policy(trained / "final", host.registry)
    session = exported(trained, host)
    assert [entry.name for entry in session.get_inputs()] == ["shown"]
    assert [entry.name for entry in session.get_outputs()] == ["action_aim", "mean_aim", "std_aim", "value"]
    shown = np.random.default_rng(0).uniform(-1, 1, (32, 2)).astype(np.float32)
    action, mean, std, value = session.run(None, {"shown": shown})
    greedy, _, values = policy.act({"shown": torch.from_numpy(shown)}, {}, None)
    np.testing.assert_allclose(action, greedy["aim"].numpy(), atol=1e-4)
    np.testing.assert_allclose(value, values.numpy(), atol=1e-4)
    np.testing.assert_allclose(np.tanh(mean) * [1, 2] + [0, 2], action, atol=1e-4)
    assert (std > 0).all()
    drawn = np.stack([
        policy.act({"shown": torch.from_numpy(shown)}, {}, torch.Generator().manual_seed(i))[0]["aim"].numpy()
        for i in range(400)
    ])  # fmt: skip
    noise = np.random.default_rng(1).standard_normal((400, 32, 2))
    sampled = np.tanh(mean + std * noise) * [1, 2] + [0, 2]
    np.testing.assert_allclose(drawn.mean(axis=0), sampled.mean(axis=0), atol=0.15)


def test_mixed_heads_play_learn_and_leave_together(host, league, make):
    policy = load_policy(league / "final", host.registry)
    assert list(policy.heads) == ["side", "aim"]
    session = exported(league, host)
    assert [entry.name for entry in session.get_inputs()] == ["shown", "legal_side"]
    names = [entry.name for entry in session.get_outputs()]
    assert names == ["logits_side", "action_aim", "mean_aim", "std_aim", "value"]
    player = PolicyPlayer(policy, 0, greedy=True, random_share=0.5)
    random = host.registry.load("players", "random")(make(seats=2, side=True).spec, None, 0)
    result = play_matches(lambda n: make(n, seats=2, side=True), [player, random], 6, seed=1, max_slots=5)
    assert result.num_games == result.distinct_games == 12
    rows = [json.loads(line) for line in (league / "metrics.jsonl").read_text().splitlines()]
    assert all(np.isfinite(row["entropy"]) for row in rows if "entropy" in row)


def test_a_recipe_may_name_another_family_and_is_held_to_it(host, tmp_path):
    phase = {
        "name": "p", "kind": "train", "num_games": 4, "num_steps": 4, "network": {"use": "mlp", "hidden": [4]},
        "until": {"steps": 16},
    }  # fmt: skip
    heads = {"aim": {"use": "gaussian", "init_std": 0.25}}
    folder = play(host, tmp_path / "run", phase, env={}, heads=heads)
    assert load_policy(folder / "final", host.registry).card.heads["aim"].items() >= heads["aim"].items()
    assert "init_std = 0.25" in (folder / "recipe.toml").read_text()
    with pytest.raises(RecipeError, match="heads: env aiming has no head 'aims'"):
        play(host, tmp_path / "no", phase, env={}, heads={"aims": {"use": "gaussian"}})
    with pytest.raises(RecipeError, match=r"heads\.aim: .*init_std"):
        play(host, tmp_path / "no", phase, env={}, heads={"aim": {"use": "gaussian", "init_std": 0}})
    with pytest.raises(
        LanistaError, match="head 'aim' has bounds, so its actions are real numbers; categorical"
    ):
        play(host, tmp_path / "no2", phase, env={}, heads={"aim": {"use": "categorical"}})
    taught = {**phase, "teacher": {"source": str(folder)}}
    with pytest.raises(
        RecipeError, match=r"head 'aim' of the teacher is .*0\.25.* divergence has a meaning within one"
    ):
        play(host, tmp_path / "no3", taught, env={})


def test_gymnasium_and_pettingzoo_see_boxes(make):
    view = VectorView(make(3))
    assert view.single_action_space == gymnasium.spaces.Box(
        np.array([-1, 0], np.float32), np.array([1, 4], np.float32)
    )
    view.reset(seed=0)
    _, rewards, *_ = view.step(view.action_space.sample())
    assert rewards.shape == (3,)
    both = VectorView(make(3, side=True))
    assert set(both.single_action_space.spaces) == {"side", "aim"}
    both.reset(seed=0)
    both.step({"side": np.zeros(3, int), "aim": np.zeros((3, 2), np.float32)})
    parallel_api_test(TogetherView(make(1, seats=2)), num_cycles=20)


@pytest.mark.parametrize("fault", ["legal", "low"])
def test_faults_of_an_env_of_real_numbers_are_named(host, fault):
    factory = host.registry.load("envs", "aiming")

    def broken(games, settings, threads):
        env = factory(games, settings, threads)
        if fault == "legal":
            env.legal["aim"] = np.ones((games, 1, 2), bool)
        else:
            object.__setattr__(env.spec.heads[0], "low", (-1.0,))
        return env

    sentence = {
        "legal": r"legal\['aim'\] is not declared in the spec",
        "low": "spec.heads 'aim': low has 1 numbers; give one for each of the 2 real numbers",
    }
    with pytest.raises(EnvContractError, match=sentence[fault]):
        check_env(broken)


def test_actions_that_need_no_policy_lie_within_the_bounds():
    uniform = np.array([[0.0, 0.0], [0.5, 0.5], [1.0 - 2**-53, 1.0 - 2**-53]])
    drawn = random_actions(AIM, None, uniform)
    assert drawn.dtype == np.float32
    assert drawn.tolist() == [[-1.0, 0.0], [0.0, 2.0], [1.0, 4.0]]
    assert first_actions(AIM, None, 2).tolist() == [[0.0, 2.0], [0.0, 2.0]]
    np.testing.assert_allclose(agreement(AIM, drawn, drawn[[0, 0, 0]]), [1.0, 0.5, 0.0])
    words = action_words(AIM, drawn)
    assert words.shape == (3, 2)
    assert (words > 0).all()
    assert len(np.unique(words[:, 0])) == 3


def test_a_phase_that_was_saved_goes_on_bit_for_bit(host, tmp_path):
    table = {
        "num_games": 8, "num_steps": 6, "learner": PPO, "network": {"use": "mlp", "hidden": [8]}, "random_opening": 2,
        "until": {"steps": 10_000},
    }  # fmt: skip

    def start():
        env = EnvTable(use="aiming", side=True)
        context = PhaseContext(host.registry, env, "p", tmp_path, 3, 1, {})
        phase = host.registry.load("phases", "train")(
            context, host.registry.settings("phases", "train", table)
        )
        phase.start()
        return phase

    one, two = start(), start()
    for _ in range(3):
        one.update()
    two.load_state(one.state())
    for _ in range(3):
        rows = [
            {name: value for name, value in phase.update().items() if not name.startswith("time/")}
            for phase in (one, two)
        ]
        assert rows[0] == rows[1]
    for phase in (one, two):
        phase.close()
    weights = [phase.policy.network.state_dict() for phase in (one, two)]
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])
