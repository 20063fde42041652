"""The gaussian head against torch's own distributions, scipy's integrals and plain sampling."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import integrate
from torch.distributions import (
    AffineTransform,
    Independent,
    Normal,
    TanhTransform,
    TransformedDistribution,
    kl_divergence,
)

from lanista.errors import LanistaError
from lanista.spec import HeadSpec
from lanista_agents.heads.categorical import Categorical
from lanista_agents.heads.gaussian import Gaussian
from lanista_agents.settings import GaussianSettings

#: log s leaves log init_std by this at most
RANGE = GaussianSettings().std_range

SPEC = HeadSpec("aim", "gaussian", 2, "a place", low=(-2.0, 0.5), high=(2.0, 1.5))
HEAD = Gaussian(SPEC)
MIDDLE, HALF = torch.tensor([0.0, 1.0]).double(), torch.tensor([2.0, 0.5]).double()
rows = arrays(np.float32, (3, 4), elements=st.floats(-3.0, 3.0, width=32)).map(torch.from_numpy)


def normal(logits, temperature=1.0):
    mean, free = logits.double().chunk(2, dim=1)
    std = torch.exp(np.log(0.6) + RANGE * torch.tanh(free / RANGE)) * temperature**0.5
    return Normal(mean, std)


def squashed(logits):
    return TransformedDistribution(normal(logits), [TanhTransform(), AffineTransform(MIDDLE, HALF)])


@settings(deadline=None, max_examples=60)
@given(rows, arrays(np.float64, (3, 2), elements=st.floats(-0.996, 0.996)))
def test_logprob_is_that_of_torchs_squashed_normal(logits, place):
    action = (MIDDLE + HALF * torch.from_numpy(place)).float()
    truth = squashed(logits).log_prob(action.double()).sum(dim=1)
    torch.testing.assert_close(HEAD.logprob(logits, None, action).double(), truth, atol=2e-3, rtol=2e-3)


@settings(deadline=None, max_examples=40)
@given(rows, rows, st.floats(0.2, 4.0))
def test_kl_is_that_of_the_normal_distributions_and_never_negative(teacher, student, temperature):
    truth = kl_divergence(
        Independent(normal(teacher, temperature), 1), Independent(normal(student, temperature), 1)
    )
    found = HEAD.kl(teacher, student, None, temperature)
    torch.testing.assert_close(found.double(), truth, atol=1e-5, rtol=1e-4)
    assert (found >= -1e-5).all()
    torch.testing.assert_close(HEAD.kl(teacher, teacher, None, temperature), torch.zeros(3))


@pytest.mark.parametrize("mean", [0.0, -0.7, 2.5])
@pytest.mark.parametrize("free", [-50.0, -0.5, 0.0, 1.0, 50.0])
def test_entropy_is_the_integral_of_the_density(mean, free):
    head = Gaussian(HeadSpec("aim", "gaussian", 1, "a place", low=(-2.0,), high=(3.0,)))
    logits = torch.tensor([[mean, free]])
    std = 0.6 * np.exp(RANGE * np.tanh(free / RANGE))

    def minus_p_log_p(y):
        log_p = -0.5 * ((y - mean) / std) ** 2 - np.log(std * np.sqrt(2 * np.pi))
        log_slope = 2 * (np.log(2) - y - np.logaddexp(0, -2 * y)) + np.log(2.5)
        return -np.exp(log_p) * (log_p - log_slope)

    edges = (mean - 12 * std, mean + 12 * std)
    truth, _ = integrate.quad(minus_p_log_p, *edges, points=[mean, 0.0], limit=400)
    # The rule is exact but for the widest distributions, where tanh is a kink to it.
    assert float(head.entropy(logits, None)[0]) == pytest.approx(truth, abs=0.05 if free > 1 else 2e-3)


def test_samples_are_inside_the_bounds_and_distributed_as_said():
    logits = torch.tensor([[0.4, -1.0, 0.5, 0.0]]).expand(40_000, 4)
    action, logprob = HEAD.sample(logits, None, torch.Generator().manual_seed(0))
    assert action.dtype == torch.float32
    low, high = (torch.tensor(bound) for bound in (SPEC.low, SPEC.high))
    assert ((action >= low) & (action <= high)).all()
    torch.testing.assert_close(logprob, HEAD.logprob(logits, None, action))
    back = torch.atanh(((action.double() - MIDDLE) / HALF).clamp(-1 + 1e-7, 1 - 1e-7))
    truth = normal(logits[:1])
    torch.testing.assert_close(back.mean(dim=0), truth.mean[0], atol=0.02, rtol=0.0)
    torch.testing.assert_close(back.std(dim=0), truth.stddev[0], atol=0.02, rtol=0.0)
    # The entropy is the mean of -logprob, whoever computes it.
    torch.testing.assert_close(-logprob.mean(), HEAD.entropy(logits[:1], None)[0], atol=0.02, rtol=0.0)
    same, _ = HEAD.sample(logits, None, torch.Generator().manual_seed(0))
    assert torch.equal(action, same)


def test_far_outputs_stay_finite_and_keep_a_gradient():
    logits = torch.tensor([[80.0, -80.0, 60.0, -60.0], [12.0, -12.0, 0.0, 0.0]], requires_grad=True)
    action, logprob = HEAD.sample(logits.detach(), None, torch.Generator().manual_seed(0))
    assert action.tolist() == [[2.0, 0.5], [2.0, 0.5]]
    assert torch.isfinite(logprob).all()
    loss = HEAD.logprob(logits, None, action).sum() + HEAD.entropy(logits, None).sum()
    (gradient,) = torch.autograd.grad(loss, logits)
    assert torch.isfinite(gradient).all()
    assert (gradient[1, :2] != 0).all()


def test_greedy_is_the_middle_of_the_distribution_and_what_is_exported():
    logits = torch.tensor([[0.0, 0.0, 1.0, 1.0], [0.5, -30.0, 0.0, 0.0]])
    expected = torch.tensor([[0.0, 1.0], [2.0 * np.tanh(0.5), 0.5]], dtype=torch.float32)
    torch.testing.assert_close(HEAD.greedy(logits, None), expected)
    exported = HEAD.exported(logits, None)
    assert torch.equal(exported["action"], HEAD.greedy(logits, None))
    torch.testing.assert_close(exported["std"].double(), normal(logits).stddev)
    assert torch.equal(exported["mean"], logits[:, :2])


def test_fresh_outputs_have_the_deviation_that_was_asked_for():
    head = Gaussian(SPEC, GaussianSettings(init_std=0.25))
    assert head.num_outputs == 4
    torch.testing.assert_close(head.exported(torch.zeros(1, 4), None)["std"], torch.full((1, 2), 0.25))


def test_heads_refuse_specs_of_the_other_sort():
    with pytest.raises(
        LanistaError, match="head 'aim' has no bounds, so it chooses among 3 actions; gaussian"
    ):
        Gaussian(HeadSpec("aim", "gaussian", 3, "a place"))
    with pytest.raises(LanistaError, match="head 'aim' has bounds, so its actions are real numbers"):
        Categorical(SPEC)
