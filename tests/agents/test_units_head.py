import math
import sys
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lanista.errors import LanistaError
from lanista.spec import HeadSpec
from lanista_agents.heads.units import Units
from lanista_agents.vjp import head_vjp

sys.path.insert(0, str(Path(__file__).parent))
from units_cases import (
    FREE,
    HEAD,
    KINDS,
    SPEC,
    cases,
    log_softmax,
    open_to,
    plain_logprob,
    plain_sums,
    table_of,
)


def near(found, wanted):
    torch.testing.assert_close(found, wanted, atol=2e-4, rtol=1e-4, check_dtype=False)


@settings(deadline=None, max_examples=80)
@given(cases(), st.integers(0, 1000))
def test_a_draw_is_open_to_each_unit_and_has_the_joint_probability_of_a_plain_loop(case, seed):
    logits, table = case
    action, logprob = HEAD.sample(logits, table, torch.Generator().manual_seed(seed))
    assert action.shape == (table.num_units,)
    assert logprob.shape == (len(table),)
    for unit in range(table.num_units):
        assert int(action[unit]) in open_to(table, unit, action)
    near(logprob, plain_logprob(logits, table, action))
    near(HEAD.logprob(logits, table, action), logprob)


@settings(deadline=None, max_examples=60)
@given(cases())
def test_greedy_play_takes_the_most_probable_open_choice_of_each_unit(case):
    logits, table = case
    action = HEAD.greedy(logits, table)
    for unit in range(table.num_units):
        entries = open_to(table, unit, action)
        assert int(action[unit]) == max(entries, key=lambda a: (float(logits[unit, a]), -a))


@settings(deadline=None, max_examples=60)
@given(cases(), st.integers(0, 1000))
def test_any_legal_choices_have_a_finite_probability_and_any_illegal_one_has_none(case, seed):
    logits, table = case
    drawn = torch.rand(table.legal.shape, generator=torch.Generator().manual_seed(seed))
    action = torch.where(table.legal, drawn, -1.0).argmax(1)
    found = HEAD.logprob(logits, table, action)
    near(found, plain_logprob(logits, table, action))
    assert found.isfinite().all()
    action = drawn.argmax(1)
    near(HEAD.logprob(logits, table, action), plain_logprob(logits, table, action))


@settings(deadline=None, max_examples=60)
@given(cases(copies=2), st.floats(0.25, 4.0))
def test_entropy_and_kl_are_sums_over_the_units_of_a_row(case, temperature):
    teacher, student, table = case

    def entropy(unit, entries):
        return -sum(math.exp(log_p) * log_p for log_p in log_softmax(student[unit], entries).values())

    def kl(unit, entries):
        p = log_softmax(teacher[unit] / temperature, entries)
        q = log_softmax(student[unit] / temperature, entries)
        return sum(math.exp(p[a]) * (p[a] - q[a]) for a in entries)

    near(HEAD.entropy(student, table), plain_sums(table, entropy))
    near(HEAD.kl(teacher, student, table, temperature), plain_sums(table, kl))
    near(HEAD.kl(teacher, teacher, table, temperature), torch.zeros(len(table)))


@settings(deadline=None, max_examples=30)
@given(cases(copies=2, kinds=2), st.integers(0, 1000))
def test_gradients_are_those_of_finite_differences(case, seed):
    logits, other, table = case
    action, _ = HEAD.sample(logits, table, torch.Generator().manual_seed(seed))
    x, y = logits.double().requires_grad_(), other.double().requires_grad_()
    if table.num_units == 0:
        return
    assert torch.autograd.gradcheck(lambda z: HEAD.evaluate(z, table, action), (x,), atol=1e-4)
    assert torch.autograd.gradcheck(lambda t, s: HEAD.kl(t, s, table, 1.5), (y, x), atol=1e-4)
    weights = torch.rand(2, len(table), dtype=torch.float64)
    _, _, pull = head_vjp(HEAD, x, table, action)
    logprob, entropy = HEAD.evaluate(x, table, action)
    (wanted,) = torch.autograd.grad((logprob * weights[0] + entropy * weights[1]).sum(), x)
    torch.testing.assert_close(pull(*weights), wanted)


@settings(deadline=None, max_examples=40)
@given(cases(copies=2), st.randoms(use_true_random=False))
def test_a_rows_numbers_are_the_same_to_the_bit_whatever_rows_stand_beside_it(case, random):
    logits, other, table = case
    table = table.with_further({"logits": logits, "other": other, "action": HEAD.greedy(logits, table)})
    order = list(range(len(table)))
    random.shuffle(order)
    index = torch.tensor(order[: random.randint(1, len(order))])
    few = table[index]
    mine, theirs = few.further["logits"], few.further["other"]
    assert torch.equal(HEAD.greedy(mine, few), few.further["action"])
    for whole, part in (
        (
            HEAD.evaluate(logits, table, table.further["action"]),
            HEAD.evaluate(mine, few, few.further["action"]),
        ),
        ((HEAD.kl(other, logits, table),), (HEAD.kl(theirs, mine, few),)),
    ):
        for one, again in zip(whole, part, strict=True):
            assert torch.equal(one[index], again)


def test_equal_generators_draw_the_same_whatever_the_number_of_threads():
    logits = torch.randn(400, 5, generator=torch.Generator().manual_seed(1))
    kind = torch.arange(400) % 2
    table = table_of(
        [4] * 100, torch.arange(400) // 2, kind, torch.arange(5) < torch.tensor([5, 4])[kind, None]
    )
    threads, draws = torch.get_num_threads(), []
    for number in (1, 2):
        torch.set_num_threads(number)
        draws.append(HEAD.sample(logits, table, torch.Generator().manual_seed(3)))
    torch.set_num_threads(threads)
    assert torch.equal(draws[0][0], draws[1][0])
    assert torch.equal(draws[0][1], draws[1][1])


def test_rows_without_units_have_probability_one_and_no_entropy():
    nothing = table_of([0, 0], [], torch.zeros(0, dtype=torch.int64), torch.zeros(0, 5, dtype=torch.bool))
    logits = torch.zeros(0, 5, requires_grad=True)
    action, logprob = HEAD.sample(logits, nothing, torch.Generator())
    assert action.shape == (0,)
    for number in (logprob, *HEAD.evaluate(logits, nothing, action), HEAD.kl(logits, logits, nothing)):
        assert number.tolist() == [0.0, 0.0]
    HEAD.logprob(logits, nothing, action).sum().backward()
    assert logits.grad is not None


def stacked(units, kind=0):
    legal = (torch.arange(5) < dict(enumerate(n for _, n in KINDS))[kind]).expand(units, 5)
    return table_of([units], [9] * units, torch.full((units,), kind), legal.contiguous())


def test_units_of_one_cell_never_take_the_same_exclusive_choice():
    table = stacked(2)
    logits = torch.tensor([[0.0, 8.0, 0.0, 0.0, 0.0]]).repeat(2, 1)
    generator = torch.Generator().manual_seed(0)
    for _ in range(100):
        first, second = HEAD.sample(logits, table, generator)[0].tolist()
        assert first != second or first not in SPEC.exclusive[0]
    assert HEAD.greedy(logits, table).tolist() == [1, 0]
    assert FREE.greedy(logits, table).tolist() == [1, 1]


def test_units_of_other_cells_seats_and_kinds_without_the_choice_do_not_close_it():
    logits = torch.tensor([[0.0, 8.0, 0.0, 0.0, 0.0]]).repeat(3, 1)
    legal = torch.arange(5) < torch.tensor([5, 5, 2])[:, None]
    kind = torch.tensor([0, 0, 2])
    assert HEAD.greedy(logits, table_of([3], [9, 8, 9], kind, legal)).tolist() == [1, 1, 1]
    assert HEAD.greedy(logits, table_of([1, 2], [9, 9, 9], kind, legal)).tolist() == [1, 1, 1]


def test_a_unit_to_which_everything_is_closed_may_take_what_is_legal():
    table = stacked(3)
    table.legal[:, [0, 2, 3, 4]] = False
    action, logprob = HEAD.sample(torch.zeros(3, 5), table, torch.Generator())
    assert action.tolist() == [1, 1, 1]
    assert logprob.tolist() == [0.0]


def test_the_probabilities_of_all_joint_choices_add_up_to_one():
    table = stacked(3, kind=1)
    logits = torch.randn(3, 5, generator=torch.Generator().manual_seed(4))
    total = 0.0
    for a in range(4):
        for b in range(4):
            for c in range(4):
                action = torch.tensor([a, b, c])
                if all(int(action[unit]) in open_to(table, unit, action) for unit in range(3)):
                    total += float(HEAD.logprob(logits, table, action).exp())
    assert total == pytest.approx(1.0, abs=1e-5)


def test_draws_come_as_often_as_their_probabilities_say():
    table = stacked(2)
    many = table[torch.zeros(20_000, dtype=torch.int64)]
    logits = torch.randn(2, 5, generator=torch.Generator().manual_seed(5))
    action, logprob = HEAD.sample(logits.repeat(20_000, 1), many, torch.Generator().manual_seed(6))
    pairs, counts = action.view(-1, 2).unique(dim=0, return_counts=True)
    for pair, count in zip(pairs, counts, strict=True):
        wanted = float(HEAD.logprob(logits, table, pair).exp())
        assert float(count) / 20_000 == pytest.approx(wanted, abs=0.02)
    assert logprob.shape == (20_000,)


def test_what_is_exported_is_masked_and_has_a_row_a_unit():
    table = stacked(2, kind=2)
    let_out = HEAD.exported(torch.ones(2, 5), table)["logits"]
    assert let_out[:, :2].eq(1.0).all()
    assert let_out[:, 2:].eq(torch.finfo(torch.float32).min).all()


def test_a_head_without_kinds_of_units_is_refused_in_a_sentence():
    with pytest.raises(LanistaError, match="names no kinds of units"):
        Units(HeadSpec("move", "units", 3, "a move"))
