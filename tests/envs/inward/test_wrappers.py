"""Wrappers by their bare names, and what they do to an observation."""

import importlib.util

import gymnasium
import numpy as np
import pytest

from lanista.errors import LanistaError, UsageError
from lanista.plugins import load_plugins
from lanista_envs.inward.wrappers import TimeFeatureWrapper, ZeroContactForces


@pytest.fixture(scope="module")
def registry():
    return load_plugins(strangers=False).registry


def build(registry, name, **table):
    return registry.load("envs", name)(1, registry.settings("envs", name, table), 1)


def test_the_time_feature_falls_from_one_to_nought_at_the_limit(registry):
    env = build(registry, "gymnasium:Pendulum-v1", max_steps=4, wrappers=["TimeFeatureWrapper"])
    assert env.spec.observation[0].shape == (4,)
    env.reset(0)
    seen = [float(env.observation["observation"][0, 0, -1])]
    for _ in range(4):
        env.step({"action": np.zeros((1, 1, 1), np.float32)})
        shown = env.final_observation if env.ended[0] else env.observation
        seen.append(float(shown["observation"][0, 0, -1]))
    assert seen == [1.0, 0.75, 0.5, 0.25, 0.0]
    assert float(env.observation["observation"][0, 0, -1]) == 1.0  # the next episode begins


def test_the_time_feature_stands_still_in_test_mode_and_has_a_limit_of_its_own():
    bare = gymnasium.make("CartPole-v1").unwrapped
    bare.spec = None
    still, own = TimeFeatureWrapper(bare, test_mode=True), TimeFeatureWrapper(bare, max_steps=10)
    for env, left in ((still, 1.0), (own, 0.9)):
        env.reset(seed=0)
        assert env.step(0)[0][-1] == pytest.approx(left)
        assert env.observation_space.contains(env.step(0)[0])


def test_contact_forces_are_nought_whether_the_env_shows_them_or_not():
    env = ZeroContactForces(gymnasium.make("CartPole-v1"), kept=3, zeros=2)
    first, _ = env.reset(seed=0)
    assert env.observation_space.shape == first.shape == (5,)
    assert (first[3:] == 0).all()
    assert (first[:3] != 0).all()
    with pytest.raises(UsageError, match="kept = 27, and the env shows 4 numbers"):
        ZeroContactForces(gymnasium.make("CartPole-v1"))


def test_a_bare_name_is_ours_or_one_of_gymnasium(registry):
    env = build(registry, "gymnasium:CartPole-v1", wrappers=["TimeAwareObservation", "FlattenObservation"])
    assert env.spec.observation[0].shape == (5,)


@pytest.mark.parametrize(
    ("wrapper", "sentence"),
    [
        (
            "TimeFeatureWraper",
            "wrapper TimeFeatureWraper is neither ours nor .* did you mean 'TimeFeatureWrapper'",
        ),
        ({"use": "TimeFeatureWrapper", "kwargs": {"steps": 3}}, "cannot be laid around the env: TypeError"),
        ("no_such_thing:Wrapper", "cannot be imported: ModuleNotFoundError"),
    ],
)
def test_a_wrapper_that_cannot_be_had_is_one_sentence(registry, wrapper, sentence):
    with pytest.raises(LanistaError, match=sentence) as caught:
        build(registry, "gymnasium:CartPole-v1", wrappers=[wrapper])
    assert "\n" not in str(caught.value)


def test_a_wrapper_of_rows_refuses_pictures(registry):
    with pytest.raises(UsageError, match="one row of numbers"):
        build(registry, "gymnasium:FrozenLake-v1", wrappers=["TimeFeatureWrapper"])


@pytest.mark.skipif(
    not importlib.util.find_spec("pybullet_envs_gymnasium"), reason="the extra bullet is not installed"
)
def test_an_env_of_pybullet_is_found_by_its_bare_id_and_prints_nothing(registry, capfd):
    env = build(registry, "gymnasium:AntBulletEnv-v0", wrappers=["TimeFeatureWrapper"])
    env.reset(0)
    assert env.spec.observation[0].shape == (29,)
    env.close()
    assert capfd.readouterr().out == ""


@pytest.mark.skipif(not importlib.util.find_spec("mujoco"), reason="the extra mujoco is not installed")
def test_an_old_version_of_an_env_is_no_fault(registry):
    env = build(
        registry, "gymnasium:Ant-v4", kwargs={"use_contact_forces": True}, wrappers=["ZeroContactForces"]
    )
    env.reset(0)
    assert env.spec.observation[0].shape == (111,)
    assert (env.observation["observation"][0, 0, 27:] == 0).all()
    env.close()
