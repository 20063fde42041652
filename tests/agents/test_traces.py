"""V-trace, UPGO and TD(lambda) along chains of decisions, against their definitions written as plain recursions."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lanista_agents.returns import gae, td_lambda, upgo, vtrace


class Chain:
    """One row's chain by its definition: for the decision at t, the rewards up to what follows, and what that is."""

    def __init__(self, given_, row):
        self.given, self.row = given_, row

    def follow(self, t):
        """(sum of discounted rewards, gamma^k, the next decision or None, the value there)."""
        one, r, gamma = self.given, self.row, self.given["gamma"]
        total, steps = 0.0, len(one["reward"])
        for i in range(steps - t):
            at = t + i
            total += gamma**i * float(one["reward"][at, r])
            if one["terminated"][at, r]:
                return total, 0.0, None, 0.0
            if one["truncated"][at, r]:
                return total, gamma ** (i + 1), None, float(one["final_value"][at, r])
            if at + 1 < steps and one["learn"][at + 1, r]:
                return total, gamma ** (i + 1), at + 1, float(one["value"][at + 1, r])
        return total, gamma ** (steps - t), None, float(one["bootstrap_value"][r])

    def td_lambda(self, t, decay):
        total, far, then, there = self.follow(t)
        later = there if then is None else self.td_lambda(then, decay)
        return total + far * ((1 - decay) * there + decay * later)

    def upgo(self, t, decay):
        total, far, then, there = self.follow(t)
        later = there if then is None else self.upgo(then, decay)
        return total + far * max(there, (1 - decay) * there + decay * later)

    def vtrace(self, t, ratio, decay, rho_clip, trace_clip):
        total, far, then, there = self.follow(t)
        later = there if then is None else self.vtrace(then, ratio, decay, rho_clip, trace_clip)[1]
        own = float(self.given["value"][t, self.row])
        rho = min(rho_clip, ratio[t, self.row])
        trace = decay * min(trace_clip, ratio[t, self.row])
        target = own + rho * (total + far * there - own) + trace * far * (later - there)
        return rho * (total + far * later - own), target


def table(given_, of_decision):
    """``[T, R]`` of a number a decision, 0 elsewhere."""
    found = np.zeros(given_["reward"].shape)
    for t, r in zip(*np.nonzero(given_["learn"]), strict=True):
        found[t, r] = of_decision(Chain(given_, r), t)
    return found


@st.composite
def rollouts(draw):
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    shape = (draw(st.integers(1, 9)), draw(st.integers(1, 4)))
    ending, deciding = draw(st.floats(0.0, 0.5)), draw(st.floats(0.1, 1.0))
    terminated = rng.random(shape) < ending
    truncated = (rng.random(shape) < ending) & ~terminated
    return {
        "reward": rng.standard_normal(shape).astype(np.float32),
        "value": rng.standard_normal(shape).astype(np.float32),
        "learn": rng.random(shape) < deciding,
        "terminated": terminated,
        "truncated": truncated,
        "final_value": np.where(truncated, rng.standard_normal(shape), 0.0).astype(np.float32),
        "bootstrap_value": rng.standard_normal(shape[1]).astype(np.float32),
        "gamma": draw(st.floats(0.5, 1.0)),
    }, rng.standard_normal(shape).astype(np.float32)


decays = st.floats(0.0, 1.0)
clips = st.floats(0.1, 3.0)


def near(one, other):
    assert one.dtype == np.float32
    np.testing.assert_allclose(one, other, atol=2e-5, rtol=2e-5)


@settings(deadline=None, max_examples=60)
@given(rollouts(), decays, clips, clips)
def test_each_is_its_definition(case, decay, rho_clip, trace_clip):
    given_, log_ratio = case
    near(td_lambda(**given_, td_lambda=decay), table(given_, lambda chain, t: chain.td_lambda(t, decay)))
    near(upgo(**given_, td_lambda=decay), table(given_, lambda chain, t: chain.upgo(t, decay)))
    ratio = np.exp(log_ratio.astype(np.float64))
    advantage, return_ = vtrace(
        **given_, log_ratio=log_ratio, trace_lambda=decay, rho_clip=rho_clip, trace_clip=trace_clip
    )
    near(advantage, table(given_, lambda c, t: c.vtrace(t, ratio, decay, rho_clip, trace_clip)[0]))
    near(return_, table(given_, lambda c, t: c.vtrace(t, ratio, decay, rho_clip, trace_clip)[1]))


@settings(deadline=None, max_examples=40)
@given(rollouts(), decays, st.floats(1.0, 9.0))
def test_on_policy_and_with_clips_of_1_or_more_vtrace_is_the_lambda_return(case, decay, clip):
    given_, _ = case
    level = np.zeros_like(given_["reward"])
    advantage, return_ = vtrace(**given_, log_ratio=level, trace_lambda=decay, rho_clip=clip, trace_clip=clip)
    near(return_, td_lambda(**given_, td_lambda=decay))
    if decay == 1.0:
        near(advantage, gae(**given_, gae_lambda=1.0)[0])


@settings(deadline=None, max_examples=40)
@given(rollouts(), decays)
def test_upgo_is_at_least_the_one_step_return_and_the_lambda_return(case, decay):
    given_, _ = case
    upwards = upgo(**given_, td_lambda=decay)
    assert (upwards >= td_lambda(**given_, td_lambda=0.0) - 1e-4).all()
    assert (upwards >= td_lambda(**given_, td_lambda=decay) - 1e-4).all()
    near(upgo(**given_, td_lambda=0.0), td_lambda(**given_, td_lambda=0.0))


@settings(deadline=None, max_examples=40)
@given(rollouts())
def test_a_decision_that_would_not_be_made_again_teaches_nothing(case):
    given_, _ = case
    never = np.full_like(given_["reward"], -1000.0)
    advantage, return_ = vtrace(**given_, log_ratio=never)
    np.testing.assert_allclose(advantage, 0.0, atol=1e-6)
    near(return_, np.where(given_["learn"], given_["value"], 0.0))
    assert np.isfinite(vtrace(**given_, log_ratio=-never)[1]).all()


def column(reward, value, *, bootstrap=0.0, terminated=(), learn=None):
    """One row, as arrays."""
    ends = np.zeros((len(reward), 1), np.bool_)
    ends[list(terminated)] = True
    return {
        "reward": np.array(reward, np.float32)[:, None],
        "value": np.array(value, np.float32)[:, None],
        "learn": np.ones((len(reward), 1), np.bool_) if learn is None else np.array(learn)[:, None],
        "terminated": ends,
        "truncated": np.zeros_like(ends),
        "final_value": np.zeros((len(reward), 1), np.float32),
        "bootstrap_value": np.array([bootstrap], np.float32),
    }


def test_by_hand_upgo_follows_what_went_well_and_stops_at_what_went_badly():
    # 2 + bootstrap 4 beats the value 5 of the last decision, so the one before follows it: 1 + 6. That is below the
    # value 9 of the second, so the first takes 9.
    given_ = column([0, 1, 2], [3, 9, 5], bootstrap=4)
    assert upgo(**given_, gamma=1.0, td_lambda=1.0)[:, 0].tolist() == [9, 7, 6]
    # Half of the way from the value 5 to what came, 6.
    assert upgo(**given_, gamma=1.0, td_lambda=0.5)[:, 0].tolist() == [9, 6.5, 6]


def test_by_hand_td_lambda():
    given_ = column([1, 2], [3, 5], bootstrap=4)
    # last: 2 + 0.5 * 4 = 4; first: 1 + 0.5 * (half of 5 and half of 4)
    assert td_lambda(**given_, gamma=0.5, td_lambda=0.5)[:, 0].tolist() == [3.25, 4]


def test_by_hand_vtrace_cuts_ratios_at_their_clips():
    given_ = column([1, 2], [3, 5], terminated=[1])
    log_ratio = np.log(np.array([[0.5], [4.0]], np.float32))
    advantage, return_ = vtrace(**given_, gamma=1.0, log_ratio=log_ratio, rho_clip=2.0, trace_clip=1.0)
    # The last: 5 and twice the way of 2 - 5. The first: 3, half of 1 + 5 - 3, half of the last one's -1 - 5.
    assert return_[:, 0] == pytest.approx([1.5, -1.0], abs=1e-5)
    assert advantage[:, 0] == pytest.approx([0.5 * (1 - 1 - 3), 2 * (2 - 5)], abs=1e-5)


def test_rewards_between_decisions_belong_to_the_earlier_one_and_no_value_crosses_an_end():
    given_ = column(
        [1, 2, 4, 8], [7, 9, 9, 5], learn=[True, False, False, True], terminated=[3], bootstrap=99
    )
    level = np.zeros((4, 1), np.float32)
    for found in (
        td_lambda(**given_, gamma=0.5, td_lambda=1.0),
        upgo(**given_, gamma=0.5, td_lambda=1.0),
        vtrace(**given_, gamma=0.5, log_ratio=level)[1],
    ):
        assert found[:, 0].tolist() == [1 + 1 + 1 + 1, 0, 0, 8]
