"""Envs of the family `gymnasium:`: gymnasium's own transitions, spaces of every kind, ends of both kinds."""

import importlib.util
import sys

import gymnasium
import numpy as np
import pytest

from lanista.errors import LanistaError, UsageError
from lanista.plugins import load_plugins
from lanista.seeds import derive_seed
from lanista.testing import check_env
from lanista_envs.inward.gymnasium_env import GymnasiumEnv
from lanista_envs.inward.settings import GymnasiumSettings

from .own_envs import Everything, Many, Odd


@pytest.fixture(scope="module")
def registry():
    return load_plugins().registry


@pytest.fixture(scope="module", autouse=True)
def own_ids():
    gymnasium.register("LanistaTests/Everything-v0", Everything, max_episode_steps=5)
    gymnasium.register("LanistaTests/Odd-v0", Odd)
    gymnasium.register("LanistaTests/Many-v0", Many)
    yield
    for name in ("Everything", "Odd", "Many"):
        del gymnasium.registry[f"LanistaTests/{name}-v0"]


@pytest.fixture
def make(registry):
    made = []

    def build(name, num_games=2, **table):
        env = registry.load("envs", name)(num_games, registry.settings("envs", name, table), 1)
        made.append(env)
        return env

    yield build
    for env in made:
        env.close()


@pytest.mark.parametrize(
    ("name", "table"),
    [
        ("gymnasium:CartPole-v1", {}),
        ("gymnasium:Pendulum-v1", {"max_steps": 20}),
        ("gymnasium:FrozenLake-v1", {"kwargs": {"is_slippery": True}}),
        ("gymnasium:LanistaTests/Everything-v0", {}),
    ],
)
def test_the_contract_holds(registry, name, table):
    check_env(registry.load("envs", name), registry.settings("envs", name, table), games=3, steps=60)


@pytest.mark.slow
def test_the_contract_holds_in_processes_of_their_own(registry):
    name = "gymnasium:Acrobot-v1"
    settings = registry.settings("envs", name, {"workers": 2, "max_steps": 20})
    check_env(registry.load("envs", name), settings, games=3, steps=30)


def test_every_step_is_that_of_gymnasium_with_the_same_seed(make):
    env = make("gymnasium:CartPole-v1", 3)
    env.reset(4)
    own = [gymnasium.make("CartPole-v1") for _ in range(3)]
    episode = [0, 0, 0]
    seen = [one.reset(seed=derive_seed(4, "gymnasium", game, 0) % 2**31)[0] for game, one in enumerate(own)]
    rng = np.random.default_rng(0)
    for _ in range(60):
        assert np.array_equal(env.observation["observation"][:, 0], np.stack(seen).astype(np.float32))
        action = rng.integers(2, size=(3, 1))
        env.step({"action": action})
        for game, one in enumerate(own):
            last, _, terminated, _, _ = one.step(int(action[game, 0]))
            seen[game] = last
            assert env.ended[game] == env.terminated[game, 0] == terminated
            if terminated:
                assert np.array_equal(env.final_observation["observation"][game, 0], last.astype(np.float32))
                episode[game] += 1
                seen[game] = one.reset(seed=derive_seed(4, "gymnasium", game, episode[game]) % 2**31)[0]
    assert min(episode) >= 1


def test_every_kind_of_space_is_a_part(make):
    env = make("gymnasium:LanistaTests/Everything-v0", 1)
    parts = {part.name: (part.shape, part.dtype) for part in env.spec.observation}
    assert parts == {
        "box": ((2,), "float32"),
        "image": ((3, 8, 9), "uint8"),
        "count": ((1,), "int32"),
        "choice": ((3,), "uint8"),
        "pair.0": ((5,), "uint8"),
        "pair.1": ((2,), "uint8"),
    }
    spec = {part.name: part for part in env.spec.observation}
    assert (spec["box"].center, spec["box"].spread) == ((0.0,), (2.0,))
    assert (spec["image"].center, spec["image"].spread) == ((127.5,), (127.5,))
    env.reset(0)
    env.step({"action": np.array([[2]])})
    seen = {name: array[0, 0].ravel().tolist()[:5] for name, array in env.observation.items()}
    assert seen["box"] == [1.0, -2.0]
    assert set(seen["image"]) == {1}
    assert seen["count"] == [100_001]
    assert seen["choice"] == [0, 1, 0]
    assert seen["pair.0"] == [0, 1, 0, 1, 0]
    assert seen["pair.1"] == [1, 0]
    assert env.facts["reward"].tolist() == [[7.0]]


def test_a_mask_on_the_side_is_the_mask_of_the_action(make):
    env = make("gymnasium:LanistaTests/Everything-v0", 2)
    env.reset(0)
    for step in range(12):
        time = env.observation["box"][:, 0, 0].astype(int)
        for game in range(2):
            assert np.flatnonzero(~env.legal["action"][game, 0]).tolist() == [time[game] % 3], step
        env.step({"action": env.legal["action"].argmax(axis=2)})


def test_an_end_by_the_rules_at_the_limit_is_no_truncation(make):
    env = make("gymnasium:LanistaTests/Everything-v0", 1, kwargs={"both_at": 2})
    env.reset(0)
    action = {"action": np.array([[0]])}
    env.step(action)
    env.step(action)
    assert (env.ended[0], env.terminated[0, 0], env.truncated[0, 0]) == (True, True, False)
    assert env.outcome[0, 0] == 10.0
    cut = make("gymnasium:LanistaTests/Everything-v0", 1, max_steps=2)
    assert cut.spec.max_steps == 2
    cut.reset(0)
    cut.step(action)
    cut.step(action)
    assert (cut.terminated[0, 0], cut.truncated[0, 0]) == (False, True)
    assert cut.final_observation["box"][0, 0, 0] == 2.0
    assert cut.observation["box"][0, 0, 0] == 0.0


def test_several_choices_are_several_heads(make):
    env = make("gymnasium:LanistaTests/Many-v0", 2)
    assert [(head.name, head.size) for head in env.spec.heads] == [("action_0", 2), ("action_1", 3)]
    env.reset(0)
    env.step({"action_0": np.array([[1], [0]]), "action_1": np.array([[2], [1]])})
    assert env.outcome[:, 0].tolist() == [12.0, 1.0]


def test_real_numbers_are_a_gaussian_head_with_the_env_s_bounds(make):
    env = make("gymnasium:Pendulum-v1", 2)
    (head,) = env.spec.heads
    assert (head.kind, head.low, head.high, head.size) == ("gaussian", (-2.0,), (2.0,), 1)
    assert env.legal == {}
    env.reset(0)
    env.step({"action": np.zeros((2, 1, 1), np.float32)})
    assert (env.facts["reward"] < 0).all()


def test_wrappers_are_laid_around_each_env(make):
    wrapped = [{"use": "gymnasium.wrappers:TimeAwareObservation"}, "gymnasium.wrappers:FlattenObservation"]
    env = make("gymnasium:CartPole-v1", 1, wrappers=wrapped)
    assert env.spec.observation[0].shape == (5,)


def test_a_game_is_drawn_by_the_env_and_without_colours(make):
    env = make("gymnasium:LanistaTests/Everything-v0", 1)
    env.reset(0)
    assert env.render(0) == "[step] 0"
    assert make("gymnasium:CartPole-v1", 1).render(0).startswith("observation: [")


@pytest.mark.parametrize(
    ("name", "table", "sentence"),
    [
        ("gymnasium:CartPoel-v1", {}, "gymnasium does not know 'CartPoel-v1' .*CartPole"),
        ("gymnasium:no_such_module:It-v0", {}, "No module named 'no_such_module'"),
        (
            "gymnasium:CartPole-v1",
            {"kwargs": {"gravity": 2}},
            "cannot be made: .*unexpected keyword argument",
        ),
        (
            "gymnasium:CartPole-v1",
            {"wrappers": ["gymnasium.wrappers:Flat"]},
            "wrapper gymnasium.wrappers:Flat cannot be",
        ),
        (
            "gymnasium:LanistaTests/Odd-v0",
            {},
            "observation 'observation' is a Text, which has no fixed size; wrap",
        ),
    ],
)
def test_what_cannot_be_had_is_one_sentence(make, name, table, sentence):
    with pytest.raises(LanistaError, match=sentence) as caught:
        make(name, **table)
    assert "\n" not in str(caught.value)


def test_what_is_missing_names_the_extra_that_brings_it(make, monkeypatch):
    # None in sys.modules is how an import is made to fail where the package is there
    for name in ("Box2D", "gymnasium.envs.box2d.lunar_lander", "gymnasium.envs.box2d"):
        monkeypatch.setitem(sys.modules, name, None if name == "Box2D" else sys.modules.get(name))
        if sys.modules[name] is None and name != "Box2D":
            monkeypatch.delitem(sys.modules, name)
    with pytest.raises(
        LanistaError, match=r"LunarLander-v3 cannot be made: .*; pip install 'lanista\[box2d\]'"
    ):
        make("gymnasium:LunarLander-v3")


def test_an_action_out_of_range_is_named(make):
    env = make("gymnasium:CartPole-v1", 2)
    env.reset(0)
    with pytest.raises(UsageError, match="action action of game 1 is 2; give a number from 0 to 1"):
        env.step({"action": np.array([[0], [2]])})


@pytest.mark.skipif(importlib.util.find_spec("mujoco") is None, reason="mujoco is not installed")
def test_a_version_that_moved_away_is_answered_with_the_one_that_stayed():
    with pytest.raises(LanistaError, match="-v4 instead"):
        GymnasiumEnv(1, GymnasiumSettings(id="Hopper-v3"))
