import numpy as np
import pytest
import torch
from lanista_beta_head import BetaSettings
from lanista_beta_head.head import Beta
from scipy import stats

from lanista.errors import LanistaError
from lanista.spec import HeadSpec

SPEC = HeadSpec("aim", "beta", 2, "a place", low=(-2.0, 0.5), high=(2.0, 1.5))
HEAD = Beta(SPEC, BetaSettings())
LOGITS = torch.tensor([[0.0, 1.0, -2.0, 3.0], [5.0, -30.0, 5.0, 900.0]])


def truth(row):
    raw = LOGITS.double().numpy()[row] + np.log(np.expm1(1.0))
    a, b = np.split(1.0 + np.logaddexp(0.0, raw), 2)
    return stats.beta(a, b, loc=[-2.0, 0.5], scale=[4.0, 1.0])


@pytest.mark.parametrize("row", [0, 1])
def test_logprob_and_entropy_are_scipys(row):
    action = torch.tensor([[0.3, 0.7], [1.9, 0.51]])
    found = HEAD.logprob(LOGITS, None, action)[row]
    assert float(found) == pytest.approx(truth(row).logpdf(action[row].numpy()).sum(), rel=1e-4)
    assert float(HEAD.entropy(LOGITS, None)[row]) == pytest.approx(
        truth(row).entropy().sum(), rel=1e-4, abs=1e-4
    )


def test_samples_follow_the_distribution_and_stay_inside():
    action, logprob = HEAD.sample(LOGITS[:1].expand(20_000, 4), None, torch.Generator().manual_seed(0))
    assert action.dtype == torch.float32
    assert ((action >= HEAD.low) & (action <= HEAD.high)).all()
    torch.testing.assert_close(logprob, HEAD.logprob(LOGITS[:1].expand(20_000, 4), None, action))
    for number in range(2):
        one = stats.beta(
            *(part[number] for part in truth(0).args), **{k: v[number] for k, v in truth(0).kwds.items()}
        )
        assert stats.kstest(action[:, number].numpy(), one.cdf).pvalue > 1e-3


def test_kl_is_zero_with_itself_and_else_above():
    assert HEAD.kl(LOGITS, LOGITS, None).abs().max() < 1e-6
    assert (HEAD.kl(LOGITS, LOGITS.roll(1, 0), None, 0.5) > 0).all()


def test_the_exported_action_is_the_greedy_one():
    assert torch.equal(HEAD.exported(LOGITS, None)["action"], HEAD.greedy(LOGITS, None))
    start = HEAD.exported(torch.zeros(1, 4), None)
    torch.testing.assert_close(start["alpha"], torch.full((1, 2), 2.0))


def test_a_head_without_bounds_is_refused():
    with pytest.raises(LanistaError, match="head 'aim' has no bounds"):
        Beta(HeadSpec("aim", "beta", 3, "a place"), BetaSettings())
