"""The head `gaussian` with a clip, and the head `deterministic`: their measures, gradients and ways back."""

import numpy as np
import pytest
import torch

from lanista.spec import HeadSpec
from lanista.testing import check_head
from lanista_agents.heads.deterministic import Deterministic
from lanista_agents.heads.gaussian import Gaussian
from lanista_agents.settings import DeterministicSettings, GaussianSettings

SPEC = HeadSpec("aim", "gaussian", 2, "a place", low=(-2.0, 0.0), high=(2.0, 1.0))
CLIP = Gaussian(SPEC, GaussianSettings(squash="clip", std_range=4.0))


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("gaussian", {"squash": "clip"}), ("gaussian", {"squash": "clip", "std_range": 4.0, "init_std": 2.0}),
        ("deterministic", {}), ("deterministic", {"squash": "clip", "noise": 0.5}),
    ],
)  # fmt: skip
def test_the_contract_of_heads_holds(name, options, registry):
    check_head(registry, name, options=options, continuous=True)


@pytest.mark.parametrize("mean", [-1.6, -0.2, 0.9, 3.0])
@pytest.mark.parametrize("log_std", [-2.0, 0.0, 1.0])
def test_density_and_bounds_of_a_clip_hold_all_probability(mean, log_std):
    """Inside an integral over a grid, outside the two logarithms of what lies on the bounds."""
    head = Gaussian(
        HeadSpec("aim", "gaussian", 1, "", low=(-2.0,), high=(2.0,)),
        GaussianSettings(squash="clip", std_range=6.0),
    )
    logits = head.logits_of(torch.tensor([[mean]]), torch.tensor([[log_std]]).exp())
    grid = torch.linspace(-2.0, 2.0, 200_001)[1:-1, None]
    inside = head.logprob(logits.expand(len(grid), -1), None, grid).double().exp()
    edges = head.logprob(logits.expand(2, -1), None, torch.tensor([[-2.0], [2.0]])).double()
    mass = float(inside.sum() * 4.0 / 200_000)
    assert mass + float(edges.exp().sum()) == pytest.approx(1.0, abs=2e-3)
    entropy = -float((inside * inside.clamp(min=1e-300).log()).sum() * 4.0 / 200_000) - float(
        (edges.exp() * edges).sum()
    )
    assert float(head.entropy(logits, None)) == pytest.approx(entropy, abs=5e-3)


@pytest.mark.parametrize("place", [-30.0, -1.0, 1.0, 30.0])
def test_entropy_and_its_gradient_stay_finite_far_outside(place):
    logits = torch.tensor([[place, 0.3, -8.0, 8.0]], requires_grad=True)
    for value in (CLIP.entropy(logits, None), CLIP.logprob(logits, None, CLIP.greedy(logits, None).detach())):
        (gradient,) = torch.autograd.grad(value.sum(), logits)
        assert bool(value.isfinite().all())
        assert bool(gradient.isfinite().all())


def test_a_target_inside_draws_a_mean_back_that_has_left_the_bounds():
    logits = torch.tensor([[1.5, 0.0, 0.0, 0.0]], requires_grad=True)
    for target, sign in ((0.5, 1.0), (2.0, 0.0)):
        loss = (CLIP.greedy(logits, None)[:, 0] - target).square().sum()
        (gradient,) = torch.autograd.grad(loss, logits)
        assert float(gradient[0, 0].sign()) == sign


@pytest.mark.parametrize(
    "settings", [GaussianSettings(squash="clip", std_range=4.0), GaussianSettings(std_range=4.0)]
)
def test_logits_of_moments_are_the_way_back(settings):
    head = Gaussian(SPEC, settings)
    generator = torch.Generator().manual_seed(0)
    mean = torch.randn(20, 2, generator=generator)
    std = torch.rand(20, 2, generator=generator) + 0.05
    again = head.moments(head.logits_of(mean, std))
    assert torch.allclose(again[0], mean)
    assert torch.allclose(again[1], std, rtol=1e-4)
    _, narrow = head.moments(head.logits_of(mean, torch.full_like(std, 1e-20)))
    assert bool(torch.isfinite(narrow).all())
    assert float(narrow.max()) < 0.6 * np.exp(-3.9)


def test_the_older_form_of_a_gaussian_is_the_default():
    assert (GaussianSettings().squash, GaussianSettings().std_range) == ("tanh", 2.0)


def test_draws_of_a_deterministic_head_lie_around_its_action_and_greedy_is_it():
    head = Deterministic(SPEC, DeterministicSettings(noise=0.2))
    logits = torch.tensor([[0.3, -0.4]]).expand(20_000, 2)
    action, _ = head.sample(logits, None, torch.Generator().manual_seed(0))
    wanted = head.greedy(logits, None)[0]
    assert torch.allclose(action.mean(dim=0), wanted, atol=0.02)
    assert torch.allclose(action.std(dim=0), torch.tensor([0.4, 0.1]), rtol=0.05)
    assert torch.allclose(
        wanted, torch.tensor([2.0 * np.tanh(0.3), 0.5 + 0.5 * np.tanh(-0.4)], dtype=torch.float32)
    )


def test_the_divergence_of_deterministic_heads_is_a_distance():
    head = Deterministic(SPEC, DeterministicSettings(squash="clip", noise=0.5))
    one, other = torch.tensor([[0.5, 0.0]]), torch.tensor([[0.0, 0.0]])
    assert float(head.kl(one, other, None)) == pytest.approx(0.25 / (2 * 0.25))
    assert float(head.kl(one, other, None, 2.0)) == pytest.approx(0.25 / (4 * 0.25))
