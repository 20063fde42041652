import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lanista_agents.returns import gae


def chains(reward, value, learn, terminated, truncated, final_value, bootstrap_value, gamma, gae_lambda):
    """The definition, decision by decision, forwards in time and with no shared sums."""
    steps, rows = reward.shape
    advantage = np.zeros((steps, rows))

    def delta(t, r):
        """The temporal difference of the decision at t, and the next decision of the same game or None."""
        total = 0.0
        for i in range(steps - t):
            total += gamma**i * reward[t + i, r]
            if terminated[t + i, r]:
                return total - value[t, r], None, 0
            if truncated[t + i, r]:
                return total + gamma ** (i + 1) * final_value[t + i, r] - value[t, r], None, 0
            if t + i + 1 < steps and learn[t + i + 1, r]:
                return total + gamma ** (i + 1) * value[t + i + 1, r] - value[t, r], t + i + 1, i + 1
        return total + gamma ** (steps - t) * bootstrap_value[r] - value[t, r], None, 0

    for r in range(rows):
        for t in range(steps):
            at, weight = t if learn[t, r] else None, 1.0
            while at is not None:
                error, later, gap = delta(at, r)
                advantage[t, r] += weight * error
                weight *= gamma**gap * gae_lambda
                at = later
    return advantage, np.where(learn, advantage + value, 0.0)


@settings(deadline=None, max_examples=80)
@given(
    st.integers(0, 2**32 - 1), st.integers(1, 9), st.integers(1, 4),
    st.floats(0.5, 1.0), st.floats(0.0, 1.0), st.floats(0.1, 1.0), st.floats(0.0, 0.5),
)  # fmt: skip
def test_gae_is_its_definition(seed, steps, rows, gamma, gae_lambda, deciding, ending):
    rng = np.random.default_rng(seed)
    shape = (steps, rows)
    terminated = rng.random(shape) < ending
    truncated = (rng.random(shape) < ending) & ~terminated
    arguments = {
        "reward": rng.standard_normal(shape).astype(np.float32),
        "value": rng.standard_normal(shape).astype(np.float32),
        "learn": rng.random(shape) < deciding,
        "terminated": terminated,
        "truncated": truncated,
        "final_value": np.where(truncated, rng.standard_normal(shape), 0.0).astype(np.float32),
        "bootstrap_value": rng.standard_normal(rows).astype(np.float32),
        "gamma": gamma,
        "gae_lambda": gae_lambda,
    }
    advantage, return_ = gae(**arguments)
    expected_advantage, expected_return = chains(**arguments)
    assert advantage.dtype == return_.dtype == np.float32
    np.testing.assert_allclose(advantage, expected_advantage, atol=1e-5, rtol=1e-5)
    np.testing.assert_allclose(return_, expected_return, atol=1e-5, rtol=1e-5)


def column(*, reward, learn=None, value=None, terminated=(), truncated=(), final_value=0.0, bootstrap=0.0):
    """The arguments of a rollout with one row; ends are named by their steps."""
    steps = len(reward)
    ends = dict.fromkeys(terminated, True), dict.fromkeys(truncated, True)
    return {
        "reward": np.array(reward, np.float32)[:, None],
        "value": np.array(value if value is not None else [0.0] * steps, np.float32)[:, None],
        "learn": np.array(learn if learn is not None else [True] * steps)[:, None],
        "terminated": np.array([[ends[0].get(t, False)] for t in range(steps)]),
        "truncated": np.array([[ends[1].get(t, False)] for t in range(steps)]),
        "final_value": np.array([[final_value if ends[1].get(t) else 0.0] for t in range(steps)], np.float32),
        "bootstrap_value": np.array([bootstrap], np.float32),
    }


def test_by_hand_one_step_targets():
    given_ = column(reward=[1, 2, 3], value=[10, 20, 30], bootstrap=40)
    advantage, return_ = gae(**given_, gamma=0.5, gae_lambda=0.0)
    assert advantage[:, 0].tolist() == [1 + 10 - 10, 2 + 15 - 20, 3 + 20 - 30]
    assert return_[:, 0].tolist() == [11, 17, 23]


def test_by_hand_full_returns():
    _, return_ = gae(**column(reward=[1, 2, 4], value=[5, 6, 7], bootstrap=8), gamma=0.5, gae_lambda=1.0)
    assert return_[:, 0].tolist() == [1 + 1 + 1 + 1, 2 + 2 + 2, 4 + 4]


def test_no_value_crosses_a_termination():
    given_ = column(reward=[1, 1, 1], value=[3, 3, 3], terminated=[1], bootstrap=100)
    _, return_ = gae(**given_, gamma=1.0, gae_lambda=1.0)
    assert return_[:, 0].tolist() == [2, 1, 101]


def test_a_truncation_ends_with_the_last_observations_value():
    given_ = column(reward=[1, 1, 1], value=[3, 3, 3], truncated=[1], final_value=50, bootstrap=100)
    _, return_ = gae(**given_, gamma=0.5, gae_lambda=1.0)
    assert return_[:, 0].tolist() == [1 + 0.5 + 12.5, 1 + 25, 1 + 50]


def test_rewards_between_decisions_belong_to_the_earlier_one_and_gamma_counts_steps():
    given_ = column(reward=[1, 2, 4, 8], learn=[True, False, False, True], value=[0, 9, 9, 16], bootstrap=32)
    _, return_ = gae(**given_, gamma=0.5, gae_lambda=0.0)
    assert return_[0, 0] == 1 + 1 + 1 + 16 / 8
    assert return_[3, 0] == 8 + 16
    assert return_[1:3, 0].tolist() == [0, 0]


def test_rewards_before_the_first_decision_are_passed_over_and_those_after_the_last_count():
    given_ = column(reward=[7, 1, 2], learn=[False, True, False], bootstrap=4)
    advantage, return_ = gae(**given_, gamma=0.5, gae_lambda=1.0)
    assert return_[:, 0].tolist() == [0, 1 + 1 + 1, 0]
    assert advantage[0, 0] == 0


def test_lambda_counts_decisions():
    given_ = column(reward=[0, 0, 0, 1], learn=[True, False, True, False], value=[0, 0, 0, 0])
    advantage, _ = gae(**given_, gamma=1.0, gae_lambda=0.5)
    assert advantage[:, 0].tolist() == [0.5, 0, 1, 0]


def test_a_potentials_shaping_telescopes_over_the_steps_between_decisions():
    rng = np.random.default_rng(0)
    steps, gamma = 12, 0.9
    potential = rng.standard_normal(steps + 1)
    potential[steps] = 0.0
    learn = [t % 3 == 0 for t in range(steps)]
    plain = rng.standard_normal(steps)
    shaped = plain + gamma * potential[1:] - potential[:-1]
    returns = [
        gae(**column(reward=reward, learn=learn, terminated=[steps - 1]), gamma=gamma, gae_lambda=1.0)[1][
            :, 0
        ]
        for reward in (plain, shaped)
    ]
    moved = np.where(learn, potential[:-1], 0.0)
    np.testing.assert_allclose(returns[1] + moved, returns[0], atol=1e-5)


@pytest.mark.parametrize("opponent_learns", [True, False])
def test_in_connectx_the_losers_last_move_gets_minus_one(registry, opponent_learns):
    env = registry.load("envs", "connectx")(1, registry.settings("envs", "connectx", {}), 1)
    env.reset(0)
    moves = [0, 1, 0, 1, 0, 1, 0]
    learn, reward, ended = [], [], []
    for move in moves:
        acting = env.acting.reshape(2).copy()
        learn.append(acting & np.array([opponent_learns, True]))
        env.step({"column": np.full((1, 2), move)})
        facts = env.final_facts if env.ended[0] else env.facts
        reward.append(facts["reward"].reshape(2).copy())
        ended.append(env.terminated.reshape(2).copy())
    shape = (len(moves), 2)
    advantage, return_ = gae(
        reward=np.array(reward), value=np.zeros(shape, np.float32), learn=np.array(learn),
        terminated=np.array(ended), truncated=np.zeros(shape, bool), final_value=np.zeros(shape, np.float32),
        bootstrap_value=np.full(2, 9.0, np.float32), gamma=1.0, gae_lambda=0.0,
    )  # fmt: skip
    assert advantage[5, 1] == return_[5, 1] == -1.0
    assert advantage[:5, 1].tolist() == [0.0] * 5
    assert advantage[6, 0] == (1.0 if opponent_learns else 0.0)
