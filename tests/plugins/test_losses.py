"""Each loss of distillation against its formula, its gradient against finite differences, and what it refuses."""

import math
from dataclasses import replace

import pytest
import torch
from scipy.spatial.distance import jensenshannon
from torch.distributions import Categorical, Normal, kl_divergence

from lanista.errors import LanistaError
from lanista.plugins import load_plugins
from lanista.policy import Policy, PolicyCard, build_policy
from lanista.spec import EnvSpec, HeadSpec, ObsPart
from lanista.testing import check_distiller
from lanista.units import UnitTable

ROWS = 7
CHOICE = HeadSpec("move", "categorical", 5, "m")
NUMBERS = HeadSpec("aim", "gaussian", 3, "a", low=(-1.0, -2.0, 0.0), high=(1.0, 2.0, 1.0))


@pytest.fixture(scope="module")
def registry():
    return load_plugins().registry


def policy_of(registry, *heads: HeadSpec, **tables) -> Policy:
    spec = EnvSpec(
        "task",
        "1",
        "here",
        1,
        "simultaneous",
        (ObsPart("state", (4,), "float32", "n"),),
        heads,
        (),
        9,
        (0, 1),
        "score",
    )
    return build_policy(PolicyCard("task", {}, spec, "mlp", {}, heads=tables), registry)


@pytest.fixture(scope="module")
def chooser(registry):
    return policy_of(registry, CHOICE)


@pytest.fixture(scope="module", params=["tanh", "clip"])
def aimer(registry, request):
    return policy_of(registry, NUMBERS, aim={"use": "gaussian", "squash": request.param, "init_std": 0.4})


@pytest.fixture(scope="module")
def clipper(registry):
    return policy_of(registry, NUMBERS, aim={"use": "gaussian", "squash": "clip"})


@pytest.fixture
def legal():
    mask = torch.rand(ROWS, 5, generator=torch.Generator().manual_seed(3)) < 0.6
    mask[:, 2] = True
    mask[0] = torch.tensor([False, False, True, False, False])
    return {"move": mask}


def draw(seed, size, dtype=torch.float32):
    return torch.randn(ROWS, size, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def loss_of(registry, name, policy, student, teacher, legal=None, values=(None, None), **options):
    distiller = registry.load("distillers", name)(registry.settings("distillers", name, options))
    (head,) = policy.heads
    nothing = student.new_zeros(len(student))
    mine, theirs = (nothing if value is None else value for value in values)
    return distiller.loss(policy, {head: student}, mine, {head: teacher}, theirs, legal or {})


def chances(logits, legal):
    return Categorical(logits=logits.masked_fill(~legal["move"], -1e30)).probs


ALL = [
    ("kl", {}), ("kl", {"sides": "teacher", "temperature": 0.3}), ("kl", {"stake": "gap"}), ("reverse_kl", {"temperature": 2.0}),
    ("jensen_shannon", {}), ("jensen_shannon", {"beta": 0.1, "temperature": 3.0}), ("argmax", {}), ("argmax", {"stake": "range"}),
    ("gaussian_kl", {}), ("gaussian_kl", {"mean_limit": 1.0}), ("reverse_gaussian_kl", {"mean_limit": 0.5, "least_std": 0.3}),
    ("wasserstein", {}), ("wasserstein", {"std_coef": 0.0}), ("mse", {}), ("mse", {"what": "action"}), ("mse", {"what": "mean"}),
    ("mse", {"what": "logits", "centred": "max"}), ("mse", {"centred": "none"}), ("huber", {}), ("huber", {"what": "action"}),
    ("value", {}), ("value", {"kind": "huber", "scale": 3.0}), ("expected_entropy", {}),
    ("expected_entropy", {"cross_entropy": True}), ("n_distill", {}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "options"), ALL)
def test_every_loss_keeps_its_contract(registry, name, options):
    check_distiller(registry, name, options=options)


def test_every_loss_that_is_offered_is_tried(registry):
    assert {name for name, _ in ALL} == set(registry.names("distillers"))


@pytest.mark.parametrize(
    ("name", "options"),
    [case for case in ALL if case[0] in {"kl", "reverse_kl", "jensen_shannon", "argmax", "expected_entropy", "n_distill"}]
    + [("mse", {"centred": "max"}), ("huber", {"delta": 0.7}), ("mse", {"what": "logits"})],
)  # fmt: skip
def test_gradients_of_choices_are_the_finite_differences(registry, chooser, legal, name, options):
    teacher = draw(1, 5, torch.float64)
    torch.autograd.gradcheck(
        lambda student: loss_of(registry, name, chooser, student, teacher, legal, **options),
        draw(2, 5, torch.float64).requires_grad_(),
    )


@pytest.mark.parametrize(
    ("name", "options"),
    [("kl", {}), ("gaussian_kl", {}), ("gaussian_kl", {"mean_limit": 0.7}), ("reverse_gaussian_kl", {}),
     ("wasserstein", {"std_coef": 0.5}), ("mse", {"what": "mean"}), ("huber", {"what": "mean", "delta": 0.5})],
)  # fmt: skip
def test_gradients_of_normal_distributions_are_the_finite_differences(registry, aimer, name, options):
    teacher = draw(1, 6, torch.float64)
    torch.autograd.gradcheck(
        lambda student: loss_of(registry, name, aimer, student, teacher, **options),
        draw(2, 6, torch.float64).requires_grad_(),
    )


def test_jensen_shannon_is_scipys_and_never_above_its_bound(registry, chooser, legal):
    student, teacher = draw(1, 5) * 30, draw(2, 5) * 30
    found = loss_of(registry, "jensen_shannon", chooser, student, teacher, legal)
    p, q = chances(teacher, legal).double().numpy(), chances(student, legal).double().numpy()
    torch.testing.assert_close(
        found.double(), torch.from_numpy(jensenshannon(p, q, axis=1) ** 2), atol=1e-6, rtol=1e-4
    )
    assert float(found.max()) <= math.log(2.0) + 1e-6


def test_a_weighted_mixture_is_its_formula(registry, chooser, legal):
    student, teacher = draw(1, 5), draw(2, 5)
    p, q = chances(teacher, legal), chances(student, legal)
    mixture = 0.2 * p + 0.8 * q
    expected = 0.2 * kl_divergence(Categorical(p), Categorical(mixture))
    expected = expected + 0.8 * kl_divergence(Categorical(q), Categorical(mixture))
    found = loss_of(registry, "jensen_shannon", chooser, student, teacher, legal, beta=0.2)
    torch.testing.assert_close(found, expected, atol=1e-6, rtol=1e-4)


def test_sharpening_the_teacher_alone_composes_with_the_temperature_of_its_q_values(registry, chooser, legal):
    """Q / 0.5 sharpened by 0.2 is Q / 0.1."""
    student, q_values = draw(1, 5), draw(2, 5)
    twice = loss_of(registry, "kl", chooser, student, q_values / 0.5, legal, sides="teacher", temperature=0.2)
    once = loss_of(registry, "kl", chooser, student, q_values / 0.1, legal)
    expected = kl_divergence(
        Categorical(chances(q_values / 0.1, legal)), Categorical(chances(student, legal))
    )
    torch.testing.assert_close(twice, once)
    torch.testing.assert_close(once, expected, atol=1e-5, rtol=1e-4)


def test_argmax_is_the_log_chance_of_the_teachers_legal_choice_and_not_zero_at_its_side(
    registry, chooser, legal
):
    student, teacher = draw(1, 5), draw(2, 5)
    best = teacher.masked_fill(~legal["move"], -torch.inf).argmax(dim=1)
    expected = -chances(student, legal).log().gather(1, best[:, None]).squeeze(1)
    torch.testing.assert_close(
        loss_of(registry, "argmax", chooser, student, teacher, legal), expected, atol=1e-5, rtol=1e-4
    )
    assert float(loss_of(registry, "argmax", chooser, teacher, teacher, legal)[1:].min()) > 0.0


@pytest.mark.parametrize("name", ["gaussian_kl", "reverse_gaussian_kl"])
def test_divergences_of_normal_distributions_are_torchs(registry, aimer, name):
    student, teacher = draw(1, 6), draw(2, 6)
    head = aimer.heads["aim"]
    ours, theirs = (Normal(*head.moments(logits)) for logits in (student, teacher))
    pair = (theirs, ours) if name == "gaussian_kl" else (ours, theirs)
    expected = kl_divergence(*pair).sum(dim=1)
    torch.testing.assert_close(
        loss_of(registry, name, aimer, student, teacher), expected, atol=1e-5, rtol=1e-4
    )


def test_a_divergence_before_the_tanh_is_the_one_after_it(registry):
    """By integrating p ln(p / q) over the actions themselves."""
    spec = HeadSpec("aim", "gaussian", 1, "a", low=(-1.0,), high=(3.0,))
    policy = policy_of(registry, spec)
    student, teacher = torch.tensor([[0.3, -0.4]]), torch.tensor([[-0.5, 0.2]])
    places = torch.linspace(-1.0 + 1e-5, 3.0 - 1e-5, 400_001).unsqueeze(1)
    logs = [
        policy.heads["aim"].logprob(z.expand(len(places), -1), None, places).double()
        for z in (teacher, student)
    ]
    integral = torch.trapezoid(logs[0].exp() * (logs[0] - logs[1]), places.squeeze(1).double())
    found = loss_of(registry, "gaussian_kl", policy, student, teacher)
    assert float(found) == pytest.approx(float(integral), rel=2e-3)


def test_wasserstein_is_the_distance_of_matched_quantiles(registry):
    """In one dimension W2^2 is the integral of the squared difference of the two inverse distribution functions."""
    policy = policy_of(registry, HeadSpec("aim", "gaussian", 1, "a", low=(-1.0,), high=(1.0,)))
    student, teacher = torch.tensor([[0.3, -0.9]]), torch.tensor([[-0.5, 0.8]])
    shares = (torch.arange(200_000, dtype=torch.float64) + 0.5) / 200_000
    inverse = [
        Normal(*(part.double() for part in policy.heads["aim"].moments(z))).icdf(shares)
        for z in (student, teacher)
    ]
    expected = (inverse[0] - inverse[1]).square().mean()
    assert float(loss_of(registry, "wasserstein", policy, student, teacher)) == pytest.approx(
        float(expected), rel=1e-3
    )


def test_nearly_deterministic_teachers_do_not_blow_up_the_reverse_divergence(registry, clipper):
    teacher = clipper.heads["aim"].logits_of(torch.zeros(ROWS, 3), torch.full((ROWS, 3), 1e-6))
    student = draw(1, 6)
    low = loss_of(registry, "reverse_gaussian_kl", clipper, student, teacher, least_std=0.1)
    assert torch.isfinite(low).all()
    assert float(low.max()) < 5e3


def test_a_cut_mean_counts_as_reached_beyond_it_and_draws_a_student_back_from_beyond(registry, aimer):
    head = aimer.heads["aim"]
    std = torch.full((ROWS, 3), 0.4)
    far, farther, middle = (head.logits_of(torch.full((ROWS, 3), m), std) for m in (4.0, 9.0, 0.0))
    at_rest = loss_of(registry, "gaussian_kl", aimer, farther, far, mean_limit=3.0)
    torch.testing.assert_close(at_rest, torch.zeros(ROWS), atol=1e-6, rtol=0.0)
    strayed = farther.clone().requires_grad_()
    loss_of(registry, "gaussian_kl", aimer, strayed, middle, mean_limit=3.0).sum().backward()
    assert float(strayed.grad[:, :3].min()) > 0.0


@pytest.mark.parametrize("squash", ["tanh", "clip"])
def test_executed_actions_are_compared_in_half_ranges(registry, squash):
    policy = policy_of(registry, NUMBERS, aim={"use": "gaussian", "squash": squash})
    student, teacher = draw(1, 6) * 2, draw(2, 6) * 2
    gap = policy.heads["aim"].greedy(student, None) - policy.heads["aim"].greedy(teacher, None)
    expected = (gap / torch.tensor([1.0, 2.0, 0.5])).square().sum(dim=1)
    torch.testing.assert_close(loss_of(registry, "mse", policy, student, teacher), expected)
    delta = 0.1
    error = (gap / torch.tensor([1.0, 2.0, 0.5])).abs()
    far = torch.where(error <= delta, error.square() / 2, delta * (error - delta / 2)).sum(dim=1)
    torch.testing.assert_close(loss_of(registry, "huber", policy, student, teacher), far)


def test_a_student_beyond_the_bounds_comes_back_and_one_at_the_teachers_bound_rests(registry, clipper):
    inside, beyond, farther = (
        torch.cat([torch.full((ROWS, 3), m), torch.zeros(ROWS, 3)], dim=1) for m in (0.2, 1.5, 4.0)
    )
    strayed = farther.clone().requires_grad_()
    loss_of(registry, "mse", clipper, strayed, inside).sum().backward()
    assert float(strayed.grad[:, :3].min()) > 0.0, "down towards the teacher"
    below = (-farther).requires_grad_()
    loss_of(registry, "mse", clipper, below, inside).sum().backward()
    assert float(below.grad[:, :3].max()) < 0.0, "up towards the teacher"
    equal = farther.clone().requires_grad_()
    rested = loss_of(registry, "mse", clipper, equal, beyond)
    rested.sum().backward()
    assert float(rested.detach().abs().max()) == 0.0
    assert float(equal.grad.abs().max()) == 0.0


def test_a_student_that_is_fitted_to_clipped_actions_reaches_them_from_outside(registry, clipper):
    teacher = draw(4, 6) * 1.5
    student = (torch.ones(ROWS, 6) * 5.0).requires_grad_()
    optimiser = torch.optim.Adam([student], lr=0.1)
    for _ in range(400):
        optimiser.zero_grad()
        loss = loss_of(registry, "mse", clipper, student, teacher).sum()
        loss.backward()
        optimiser.step()
    assert float(loss.detach()) < 1e-3


@pytest.mark.parametrize("squash", ["tanh", "clip"])
def test_a_deterministic_head_learns_by_its_executed_actions(registry, squash):
    policy = policy_of(registry, NUMBERS, aim={"use": "deterministic", "squash": squash})
    teacher = draw(1, 3)
    torch.testing.assert_close(loss_of(registry, "mse", policy, teacher, teacher), torch.zeros(ROWS))
    with pytest.raises(LanistaError, match="no method moments"):
        loss_of(registry, "wasserstein", policy, teacher, teacher)


def test_logits_are_compared_but_for_their_level(registry, chooser, legal):
    teacher = draw(1, 5)
    shifted = teacher + 11.0
    for centred in ("mean", "max"):
        same = loss_of(registry, "mse", chooser, shifted, teacher, legal, centred=centred)
        torch.testing.assert_close(same, torch.zeros(ROWS), atol=1e-9, rtol=0.0)
    raw = loss_of(registry, "mse", chooser, shifted, teacher, legal, centred="none")
    torch.testing.assert_close(raw, 121.0 * legal["move"].sum(dim=1).float(), rtol=1e-5, atol=0.0)


def test_stakes_weigh_rows_by_the_teachers_legal_differences(registry, chooser):
    teacher = torch.tensor([[0.0, 0.3, 5.0, 0.1, 9.0]]).expand(ROWS, -1)
    student = draw(1, 5)
    legal = {"move": torch.tensor([[True, True, False, True, False]]).expand(ROWS, -1)}
    plain = loss_of(registry, "kl", chooser, student, teacher, legal)
    gap = loss_of(registry, "kl", chooser, student, teacher, legal, stake="gap", stake_cap=0.4)
    torch.testing.assert_close(gap, plain * 0.2 / 0.4)
    span = loss_of(registry, "kl", chooser, student, teacher, legal, stake="range", stake_cap=0.25)
    torch.testing.assert_close(span, plain)
    alone = {"move": torch.tensor([[True, False, False, False, False]]).expand(ROWS, -1)}
    assert loss_of(registry, "argmax", chooser, student, teacher, alone, stake="gap").abs().max() == 0.0


def test_a_teacher_without_a_critic_is_refused_by_the_value_alone(registry, chooser, legal):
    none = torch.full((ROWS,), math.nan)
    with pytest.raises(LanistaError, match="'value' needs a teacher with a critic"):
        loss_of(registry, "value", chooser, draw(1, 5), draw(2, 5), legal, values=(torch.zeros(ROWS), none))
    kept = loss_of(registry, "kl", chooser, draw(1, 5), draw(2, 5), legal, values=(torch.zeros(ROWS), none))
    assert torch.isfinite(kept).all()


def test_a_teachers_value_is_led_to_the_students_units(registry, chooser, legal):
    values = (torch.full((ROWS,), 3.0), torch.full((ROWS,), 10.0))
    found = loss_of(registry, "value", chooser, draw(1, 5), draw(2, 5), legal, values=values, scale=0.5)
    assert found.tolist() == [4.0] * ROWS


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("jensen_shannon", {}, "'jensen_shannon' needs a head that chooses"),
        ("kl", {"stake": "gap"}, "stake = 'gap' needs a head that chooses"),
        ("kl", {"sides": "teacher", "temperature": 0.5}, 'sides = "teacher" needs a head that chooses'),
        ("mse", {"what": "logits"}, "needs a head that chooses"),
    ],
)
def test_losses_of_choices_refuse_real_numbers_in_a_sentence(registry, clipper, name, options, words):
    with pytest.raises(LanistaError, match=words):
        loss_of(registry, name, clipper, draw(1, 6), draw(2, 6), **options)


@pytest.mark.parametrize(
    ("name", "options"),
    [("mse", {"what": "action"}), ("mse", {"what": "mean"}), ("gaussian_kl", {}), ("wasserstein", {})],
)
def test_losses_of_real_numbers_refuse_choices_in_a_sentence(registry, chooser, legal, name, options):
    with pytest.raises(LanistaError, match="head 'move'"):
        loss_of(registry, name, chooser, draw(1, 5), draw(2, 5), legal, **options)


def test_several_heads_add_up(registry):
    both = policy_of(registry, CHOICE, NUMBERS)
    one, other = policy_of(registry, CHOICE), policy_of(registry, NUMBERS)
    student, teacher = {"move": draw(1, 5), "aim": draw(2, 6)}, {"move": draw(3, 5), "aim": draw(4, 6)}
    for name in ("kl", "mse", "n_distill", "argmax"):
        distiller = registry.load("distillers", name)(registry.settings("distillers", name, {}))
        nothing = torch.zeros(ROWS)
        total = distiller.loss(both, student, nothing, teacher, nothing, {})
        parts = [
            loss_of(registry, name, policy, student[key], teacher[key])
            for policy, key in ((one, "move"), (other, "aim"))
        ]
        torch.testing.assert_close(total, sum(parts))


KINDS = (("worker", 5), ("tile", 3))


@pytest.fixture(scope="module")
def commander(registry):
    """A policy of a head of units alone; losses ask its heads and its spec and nothing else."""
    orders = HeadSpec("orders", "units", 5, "o", units=KINDS, exclusive=((1, 2), ()))
    policy = policy_of(registry, CHOICE)
    card = replace(policy.card, spec=replace(policy.card.spec, heads=(orders,)))
    return Policy(policy.network, {"orders": registry.load("heads", "units")(orders, None)}, card)


def units_table(seed=0):
    """Rows of 3, 0, 1 and 4 units, some in one cell, behind masks."""
    draws = torch.Generator().manual_seed(seed)
    counts = torch.tensor([3, 0, 1, 4])
    offsets = torch.cat([counts.new_zeros(1), counts.cumsum(0)])
    kind = torch.tensor([0, 0, 1, 0, 0, 0, 0, 1])
    legal = torch.rand(8, 5, generator=draws) < 0.7
    legal[:, 0] = True
    legal &= torch.arange(5) < torch.tensor([5, 3])[kind].unsqueeze(1)
    return UnitTable(
        offsets,
        torch.repeat_interleave(torch.arange(4), counts),
        torch.tensor([1, 1, 2, 0, 3, 3, 3, 0]),
        kind,
        legal,
    )


def of_units(registry, name, policy, student, teacher, table, **options):
    distiller = registry.load("distillers", name)(registry.settings("distillers", name, options))
    nothing = torch.zeros(len(table))
    return distiller.loss(
        policy, {"orders": student}, nothing, {"orders": teacher}, nothing, {"orders": table}
    )


@pytest.mark.parametrize(
    ("name", "options"),
    [("kl", {"temperature": 2.0}), ("kl", {"stake": "gap"}), ("reverse_kl", {}), ("jensen_shannon", {"beta": 0.3}),
     ("mse", {}), ("huber", {"centred": "max"}), ("n_distill", {}), ("expected_entropy", {"cross_entropy": True})],
)  # fmt: skip
def test_units_count_as_the_mean_of_single_choices(registry, chooser, commander, name, options):
    table, student, teacher = units_table(), torch.randn(8, 5), torch.randn(8, 5)
    found = of_units(registry, name, commander, student, teacher, table, **options)
    each = loss_of(registry, name, chooser, student, teacher, {"move": table.legal}, **options)
    expected = torch.stack([each[0:3].mean(), torch.zeros(()), each[3], each[4:8].mean()])
    torch.testing.assert_close(found, expected)
    if name not in {"expected_entropy"}:
        still = of_units(registry, name, commander, teacher, teacher, table, **options)
        torch.testing.assert_close(still, torch.zeros(4), atol=1e-6, rtol=0.0)


def test_illegal_choices_of_units_and_seats_without_any_move_nothing(registry, commander):
    table, teacher = units_table(), torch.randn(8, 5)
    for name in ("kl", "jensen_shannon", "argmax", "mse"):
        student = torch.randn(8, 5, requires_grad=True)
        of_units(registry, name, commander, student, teacher, table).sum().backward()
        assert torch.isfinite(student.grad).all()
        assert float(student.grad[~table.legal].abs().max()) == 0.0


def test_the_likelihood_of_stacked_units_is_that_of_the_teachers_joint_play(registry, commander):
    """Equal units in one cell may not all take the exclusive choice 1; the second best is then the aim of the second."""
    counts = torch.tensor([2])
    table = UnitTable(
        torch.tensor([0, 2]), torch.zeros(2, dtype=torch.int64), torch.tensor([4, 4]), torch.tensor([0, 0]),
        torch.ones(2, 5, dtype=torch.bool),
    )  # fmt: skip
    teacher = torch.tensor([[0.0, 3.0, 1.0, 2.0, -1.0]]).expand(2, -1)
    student = torch.tensor([[0.3, 0.1, -0.2, 0.4, 0.0]]).expand(2, -1).clone()
    first = student[0].log_softmax(0)[1]
    left = student[1].clone()
    left[1] = -torch.inf
    expected = -(first + left.log_softmax(0)[3]) / counts
    torch.testing.assert_close(of_units(registry, "argmax", commander, student, teacher, table), expected)
    staked = of_units(registry, "argmax", commander, student, teacher, table, stake="gap", stake_cap=4.0)
    torch.testing.assert_close(staked, expected / 4.0)
