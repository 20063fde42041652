"""CartPole, MountainCar and Pendulum beside gymnasium's, step for step and float for float."""

import gymnasium
import numpy as np
import pytest

from lanista_envs.cartpole.env import CartPole
from lanista_envs.mountaincar.env import MountainCar
from lanista_envs.pendulum.env import Pendulum

STEPS = 10_000


def walk(env, head, gym_id, num_actions, choose):
    """Play both from the same starts with the same actions; every number of every step is compared."""
    judge = gymnasium.make(gym_id)
    env.reset(7)
    endings = {"terminated": 0, "truncated": 0}

    def start_alike():
        judge.reset()
        judge.unwrapped.state = tuple(env.games.state[:, 0])

    start_alike()
    rng = np.random.default_rng(3)
    total = 0.0
    for _ in range(STEPS):
        action = choose(rng, np.array(judge.unwrapped.state), num_actions)
        observation, reward, terminated, truncated, _ = judge.step(action)
        env.step({head: np.array([[action]])})
        total += reward
        # gymnasium sets both at the limit; here an end by the rules is no truncation
        assert bool(env.terminated[0, 0]) is terminated
        assert bool(env.truncated[0, 0]) is (truncated and not terminated)
        assert bool(env.ended[0]) is (terminated or truncated)
        if terminated or truncated:
            assert np.array_equal(env.final_observation["state"][0, 0], observation)
            assert env.final_facts["reward"][0, 0] == reward
            assert env.facts["reward"][0, 0] == 0.0
            assert env.outcome[0, 0] == total
            endings["terminated" if terminated else "truncated"] += 1
            total = 0.0
            start_alike()
        else:
            assert np.array_equal(env.games.state[:, 0], np.array(judge.unwrapped.state))
            assert np.array_equal(env.observation["state"][0, 0], observation)
            assert env.facts["reward"][0, 0] == reward
            assert env.outcome[0, 0] == 0.0
    return endings


def balance(rng, state, num_actions):
    """A controller that often lasts for 500 steps and sometimes acts at random."""
    if rng.random() < 0.1:
        return int(rng.integers(num_actions))
    return int(0.1 * state[0] + 0.5 * state[1] + 10 * state[2] + 2 * state[3] > 0)


def swing(rng, state, num_actions):
    """Thrust along the velocity, or for whole episodes nearly at random (those run into the limit)."""
    if rng.random() < 0.3:
        return int(rng.integers(num_actions))
    return 2 if state[1] >= 0 else 0


def random_action(rng, state, num_actions):
    return int(rng.integers(num_actions))


def pump(rng, angle, velocity):
    """A torque along the velocity, or a random one, often beyond the bounds."""
    if rng.random() < 0.5:
        return rng.normal(0.0, 2.0, 1).astype(np.float32)
    return np.array([np.sign(velocity) * rng.uniform(0.0, 3.0)], np.float32)


def test_pendulum_walks_with_gymnasium():
    judge, env = gymnasium.make("Pendulum-v1"), Pendulum(1)
    env.reset(7)
    rng = np.random.default_rng(3)
    endings, total = 0, 0.0

    def start_alike():
        judge.reset()
        judge.unwrapped.state = env.games.state[:, 0].copy()

    start_alike()
    for _ in range(STEPS):
        torque = pump(rng, *judge.unwrapped.state)
        observation, reward, terminated, truncated, _ = judge.step(torque)
        env.step({"torque": torque.reshape(1, 1, 1)})
        total += reward
        assert not terminated
        assert not env.terminated[0, 0]
        assert bool(env.truncated[0, 0]) is bool(env.ended[0]) is truncated
        if truncated:
            assert np.array_equal(env.final_observation["state"][0, 0], observation)
            assert env.final_facts["reward"][0, 0] == np.float32(reward)
            assert env.facts["reward"][0, 0] == 0.0
            assert env.outcome[0, 0] == np.float32(total)
            endings, total = endings + 1, 0.0
            start_alike()
        else:
            assert np.array_equal(env.games.state[:, 0], judge.unwrapped.state)
            assert np.array_equal(env.observation["state"][0, 0], observation)
            assert env.facts["reward"][0, 0] == np.float32(reward)
            assert env.outcome[0, 0] == 0.0
    assert endings == STEPS // 200


def test_pendulum_starts_as_gymnasiums_does():
    env = Pendulum(20_000)
    env.reset(0)
    for numbers, reach in zip(env.games.state, (np.pi, 1.0), strict=True):
        counts, _ = np.histogram(numbers, bins=10, range=(-reach, reach))
        assert counts.sum() == numbers.size
        # chi-square with 9 degrees of freedom stays below 27.9 in 999 of 1,000 draws; the draw is fixed
        assert ((counts - numbers.size / 10) ** 2 / (numbers.size / 10)).sum() < 27.9


def test_cartpole_walks_with_gymnasium_when_it_lasts():
    endings = walk(CartPole(1), "push", "CartPole-v1", 2, balance)
    assert endings["truncated"] > 3


def test_cartpole_walks_with_gymnasium_at_random():
    assert walk(CartPole(1), "push", "CartPole-v1", 2, random_action)["terminated"] > 300


def test_mountaincar_walks_with_gymnasium_at_random():
    assert walk(MountainCar(1), "thrust", "MountainCar-v0", 3, random_action)["truncated"] >= 45


def test_mountaincar_walks_with_gymnasium_to_the_goal():
    assert walk(MountainCar(1), "thrust", "MountainCar-v0", 3, swing)["terminated"] > 30


@pytest.mark.parametrize(("make", "low", "high"), [(CartPole, -0.05, 0.05), (MountainCar, -0.6, -0.4)])
def test_starts_fill_gymnasiums_range_evenly(make, low, high):
    env = make(20_000)
    env.reset(0)
    starts = env.games.state[:1] if make is MountainCar else env.games.state
    counts, _ = np.histogram(starts, bins=10, range=(low, high))
    assert counts.sum() == starts.size
    expected = starts.size / 10
    # chi-square with 9 degrees of freedom stays below 27.9 in 999 of 1,000 draws; the draw is fixed
    assert ((counts - expected) ** 2 / expected).sum() < 27.9


def test_starts_differ_between_games_episodes_and_seeds():
    env = CartPole(3)
    env.reset(0)
    starts = [env.games.state.copy()]
    for _ in range(400):
        env.step({"push": np.ones((3, 1), np.int64)})
        if env.ended.any():
            starts.append(env.games.state[:, env.ended].copy())
    env.reset(1)
    starts.append(env.games.state.copy())
    columns = np.concatenate(starts, axis=1)
    assert len(np.unique(columns, axis=1).T) == columns.shape[1] > 20
