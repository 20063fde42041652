import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from torch.distributions import Categorical as TorchCategorical
from torch.distributions import kl_divergence

from lanista.spec import HeadSpec
from lanista_agents.heads.categorical import Categorical

HEAD = Categorical(HeadSpec("move", "categorical", 7, "a column"))
finite = st.floats(-30.0, 30.0, width=32)


@st.composite
def masked_rows(draw, copies=1):
    rows, actions = draw(st.integers(1, 5)), draw(st.integers(1, 6))
    logits = [
        torch.from_numpy(draw(arrays(np.float32, (rows, actions), elements=finite))) for _ in range(copies)
    ]
    legal = draw(arrays(np.bool_, (rows, actions)))
    legal[np.arange(rows), draw(arrays(np.int64, rows, elements=st.integers(0, actions - 1)))] = True
    return (*logits, torch.from_numpy(legal))


def subset(logits, legal, row):
    """torch's own distribution over the row's legal actions, in float64."""
    return TorchCategorical(logits=logits[row][legal[row]].double())


@settings(deadline=None, max_examples=60)
@given(masked_rows())
def test_logprob_and_entropy_are_those_of_the_legal_subset(sample):
    logits, legal = sample
    entropy = HEAD.entropy(logits, legal)
    for row in range(len(logits)):
        truth = subset(logits, legal, row)
        torch.testing.assert_close(entropy[row].double(), truth.entropy(), atol=1e-6, rtol=1e-5)
        for rank, action in enumerate(legal[row].nonzero()[:, 0]):
            found = HEAD.logprob(logits[row : row + 1], legal[row : row + 1], action.view(1))[0]
            torch.testing.assert_close(
                found.double(), truth.log_prob(torch.tensor(rank)), atol=1e-5, rtol=1e-5
            )


@settings(deadline=None, max_examples=60)
@given(masked_rows(copies=2), st.floats(0.25, 4.0))
def test_kl_is_that_of_the_legal_subset_and_never_negative(sample, temperature):
    teacher, student, legal = sample
    kl = HEAD.kl(teacher, student, legal, temperature)
    for row in range(len(teacher)):
        truth = kl_divergence(
            subset(teacher / temperature, legal, row), subset(student / temperature, legal, row)
        )
        torch.testing.assert_close(kl[row].double(), truth, atol=1e-5, rtol=1e-4)
    assert (kl >= -1e-6).all()
    assert (HEAD.kl(teacher, teacher, legal, temperature) == 0.0).all()


@settings(deadline=None, max_examples=40)
@given(masked_rows(copies=2), st.floats(0.5, 2.0))
def test_gradients_are_torchs_on_legal_entries_and_exactly_zero_elsewhere(sample, temperature):
    first, second, legal = sample
    action = legal.int().argmax(dim=1)

    def ours(a, b):
        logprob, entropy = HEAD.evaluate(a, legal, action)
        return (logprob * 0.7 + entropy * 1.3 + HEAD.kl(a, b, legal, temperature)).sum()

    def theirs(a, b):
        total = torch.zeros((), dtype=torch.float64)
        for row in range(len(a)):
            mine, other = subset(a / temperature, legal, row), subset(b / temperature, legal, row)
            plain = subset(a, legal, row)
            rank = legal[row, : action[row]].sum()
            total = total + plain.log_prob(rank) * 0.7 + plain.entropy() * 1.3 + kl_divergence(mine, other)
        return total

    found, truth = [], []
    for function, gradients in ((ours, found), (theirs, truth)):
        a, b = first.clone().requires_grad_(), second.clone().requires_grad_()
        gradients.extend(torch.autograd.grad(function(a, b), (a, b)))
    for mine, other in zip(found, truth, strict=True):
        assert mine.isfinite().all()
        assert (mine[~legal] == 0.0).all()
        torch.testing.assert_close(mine, other, atol=2e-4, rtol=1e-3)


@settings(deadline=None, max_examples=60)
@given(masked_rows(), st.integers(0, 2**31))
def test_sampling_and_greedy_stay_legal_and_the_logprob_is_the_actions(sample, seed):
    logits, legal = sample
    action, logprob = HEAD.sample(logits, legal, torch.Generator().manual_seed(seed))
    assert legal.gather(1, action[:, None]).all()
    torch.testing.assert_close(logprob, HEAD.logprob(logits, legal, action), atol=1e-6, rtol=1e-6)
    greedy = HEAD.greedy(logits, legal)
    assert legal.gather(1, greedy[:, None]).all()
    best = torch.where(legal, logits, -torch.inf).amax(dim=1)
    assert (logits.gather(1, greedy[:, None])[:, 0] == best).all()


@pytest.mark.parametrize("odd", [torch.inf, -torch.inf, torch.nan, 3e38, -3e38])
def test_whatever_stands_in_illegal_entries_is_never_read(odd):
    legal = torch.tensor([[True, False, True]])
    plain, strange = torch.tensor([[0.5, 0.0, -1.0]]), torch.tensor([[0.5, odd, -1.0]])
    action = torch.tensor([2])
    for logits in (plain, strange):
        logits.requires_grad_()
    found = []
    for logits in (plain, strange):
        logprob, entropy = HEAD.evaluate(logits, legal, action)
        kl = HEAD.kl(logits, torch.zeros(1, 3), legal) + HEAD.kl(torch.zeros(1, 3), logits, legal)
        gradient = torch.autograd.grad((logprob + entropy + kl).sum(), logits)[0]
        drawn = HEAD.sample(logits, legal, torch.Generator().manual_seed(5))
        found.append((logprob, entropy, kl, gradient, *drawn, HEAD.greedy(logits, legal)))
    for one, other in zip(*found, strict=True):
        assert one.isfinite().all()
        assert torch.equal(one, other)


def test_far_logits_underflow_to_zero_without_nan():
    logits = torch.tensor([[0.0, -1e5, 1e5]], requires_grad=True)
    legal = torch.ones(1, 3, dtype=torch.bool)
    logprob, entropy = HEAD.evaluate(logits, legal, torch.tensor([2]))
    kl = HEAD.kl(logits, logits.detach() * 0.5, legal)
    gradient = torch.autograd.grad((logprob + entropy + kl).sum(), logits)[0]
    assert logprob.item() == 0.0
    assert entropy.item() == 0.0
    assert gradient.isfinite().all()
    action, _ = HEAD.sample(logits, legal, torch.Generator().manual_seed(0))
    assert action.item() == 2


def test_sampling_inverts_the_cumulative_distribution():
    rows = 4000
    logits = torch.tensor([0.2, 9.0, 0.3, 0.5]).log().expand(rows, 4)
    legal = torch.tensor([True, False, True, True]).expand(rows, 4)
    uniform = torch.rand(rows, generator=torch.Generator().manual_seed(7), dtype=torch.float64)
    action, _ = HEAD.sample(logits, legal, torch.Generator().manual_seed(7))
    expected = torch.where(uniform < 0.2, 0, torch.where(uniform < 0.5, 2, 3))
    near_edge = ((uniform - 0.2).abs() < 1e-6) | ((uniform - 0.5).abs() < 1e-6)
    assert torch.equal(action[~near_edge], expected[~near_edge])
    assert set(action.tolist()) == {0, 2, 3}


def test_a_rows_draw_does_not_depend_on_the_other_rows():
    logits, legal = torch.randn(6, 5), torch.ones(6, 5, dtype=torch.bool)
    whole, _ = HEAD.sample(logits, legal, torch.Generator().manual_seed(3))
    generator = torch.Generator().manual_seed(3)
    parts = [HEAD.sample(logits[i : i + 1], legal[i : i + 1], generator)[0] for i in range(6)]
    assert torch.equal(whole, torch.cat(parts))


def test_strided_logits_give_what_contiguous_ones_give():
    wide = torch.randn(7, 9)
    legal = torch.ones(7, 4, dtype=torch.bool)
    action = torch.zeros(7, dtype=torch.int64)
    assert torch.equal(
        HEAD.logprob(wide[:, 2:6], legal, action), HEAD.logprob(wide[:, 2:6].clone(), legal, action)
    )


def test_masked_logits_are_finite_and_keep_the_legal_ones():
    logits = torch.tensor([[1.0, 2.0, 3.0]])
    masked = HEAD.exported(logits, torch.tensor([[True, False, True]]))["logits"]
    assert masked.tolist() == [[1.0, torch.finfo(torch.float32).min, 3.0]]
    assert masked.dtype == torch.float32


def test_an_illegal_action_has_logprob_minus_infinity():
    logprob = HEAD.logprob(torch.zeros(1, 2), torch.tensor([[True, False]]), torch.tensor([1]))
    assert logprob.item() == -torch.inf


def test_one_output_an_action():
    assert HEAD.num_outputs == 7
