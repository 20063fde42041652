"""Losses along trajectories: later losses against plain loops, the whole gradient against the exact one of a tiny task."""

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lanista.errors import RecipeError
from lanista.learning import Rollout, TrajectoryDistiller
from lanista.plugins import load_plugins
from lanista.policy import Network, Policy, PolicyCard, PolicyOutput, build_policy
from lanista.schedules import Schedule
from lanista.spec import EnvSpec, HeadSpec, ObsPart
from lanista_plugins.distillers.cost_to_go import baselined, later_losses
from lanista_plugins.phases.on_policy import PlayedRows, charge, check_own_play, wants_own_play

#: a task of three states and two choices; NEXT[state][choice], -1 ends the episode
NEXT = ((1, 2), (2, 0), (0, -1))
STEPS = 4


def distiller_of(name, **options):
    registry = load_plugins().registry
    return registry.load("distillers", name)(registry.settings("distillers", name, options))


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 7), st.integers(1, 4), st.floats(0.0, 1.0), st.integers(0, 2**32 - 1), st.floats(0.0, 0.6)
)
def test_later_losses_are_those_of_a_plain_loop(steps, rows, discount, seed, ending):
    rng = np.random.default_rng(seed)
    losses = rng.random((steps, rows)).astype(np.float32)
    ended = rng.random((steps, rows)) < ending
    expected = np.zeros((steps, rows))
    for row in range(rows):
        for t in range(steps):
            for later in range(t + 1, steps):
                if ended[t:later, row].any():
                    break
                expected[t, row] += discount ** (later - t) * losses[later, row]
    np.testing.assert_allclose(later_losses(losses, ended, discount), expected, atol=1e-5)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 4), st.integers(1, 5), st.integers(0, 2**32 - 1))
def test_a_baseline_is_the_mean_of_the_others_at_that_step(steps, rows, seed):
    rng = np.random.default_rng(seed)
    later = rng.normal(size=(steps, rows)).astype(np.float32)
    counts = rng.random((steps, rows)) < 0.7
    found = baselined(later, counts)
    for t, row in itertools.product(range(steps), range(rows)):
        others = [later[t, other] for other in range(rows) if other != row and counts[t, other]]
        expected = (later[t, row] - (np.mean(others) if others else 0.0)) if counts[t, row] else 0.0
        assert found[t, row] == pytest.approx(expected, abs=1e-5)


class Table(Network):
    """A row of logits a state; the observation is one number, the state."""

    def __init__(self, logits):
        super().__init__()
        self.logits = torch.nn.Parameter(logits.clone())

    def forward(self, observation):
        state = observation["state"].long().squeeze(1)
        return PolicyOutput({"move": self.logits[state]}, self.logits.new_zeros(len(state)))


def table_policy(logits) -> Policy:
    spec = EnvSpec(
        "tiny", "1", "here", 1, "simultaneous", (ObsPart("state", (1,), "float32", "s"),),
        (HeadSpec("move", "categorical", 2, "m"),), (), STEPS, (0, 1), "score",
    )  # fmt: skip
    built = build_policy(PolicyCard("tiny", {}, spec, "mlp", {}), load_plugins().registry)
    return Policy(Table(logits), built.heads, built.card)


@pytest.fixture
def student():
    return table_policy(torch.tensor([[0.4, -0.3], [0.9, 0.1], [-0.5, 0.2]], dtype=torch.float64))


@pytest.fixture
def teacher():
    return table_policy(torch.tensor([[-1.0, 0.5], [0.3, -0.7], [0.1, 1.2]], dtype=torch.float64))


def step_losses(name, student, teacher):
    """Loss in each state by its formula, ``[3]``."""
    ours, theirs = student.network.logits.log_softmax(1), teacher.network.logits.detach().log_softmax(1)
    if name == "n_distill":
        return (theirs.exp() * (theirs - ours)).sum(1)
    return (ours.exp() * (ours - theirs)).sum(1)


def exact_objective(name, student, teacher):
    """``E sum_t loss_t`` by going over every trajectory of at most `STEPS` steps; torch derives it wholly."""
    losses, chances = step_losses(name, student, teacher), student.network.logits.softmax(1)
    total = losses.new_zeros(())
    reached = {0: losses.new_ones(())}
    for _ in range(STEPS):
        following: dict[int, torch.Tensor] = {}
        for state, chance in reached.items():
            total = total + chance * losses[state]
            for choice, after in enumerate(NEXT[state]):
                if after >= 0:
                    following[after] = following.get(after, 0.0) + chance * chances[state, choice]
        reached = following
    return total


def every_trajectory():
    """All sequences of choices of `STEPS` steps, each as a column: states, choices, whether the row still plays."""
    columns = []
    for choices in itertools.product((0, 1), repeat=STEPS):
        state, states, alive, ended = 0, [], [], []
        for choice in choices:
            playing = state >= 0
            states.append(max(state, 0))
            alive.append(playing)
            state = NEXT[state][choice] if playing else -1
            ended.append(playing and state < 0)
        columns.append((states, choices, alive, ended))
    return (np.array([column[i] for column in columns]).T for i in range(4))


def rollout_of(states, choices, alive, ended, student) -> Rollout:
    logs = student.network.logits.detach().log_softmax(1)
    flat = states.shape
    zeros = np.zeros(flat, np.float32)
    return Rollout(
        observation={"state": states[..., None].astype(np.float32)},
        legal={"move": np.ones((*flat, 2), np.bool_)},
        action={"move": choices.astype(np.int64)},
        logprob=logs.numpy()[states, choices],
        value=zeros,
        learn=alive.astype(np.bool_),
        reward=zeros,
        terminated=ended.astype(np.bool_),
        truncated=np.zeros(flat, np.bool_),
        final_value=zeros,
        bootstrap_value=np.zeros(flat[1], np.float32),
    )


@pytest.mark.parametrize("name", ["n_distill", "expected_entropy"])
def test_the_gradient_over_all_trajectories_is_the_exact_one(name, student, teacher):
    """Every trajectory once, weighted by its chance: the expectation itself, without draws."""
    distiller = distiller_of(name, discount=1.0, baseline="none")
    states, choices, alive, ended = every_trajectory()
    rollout = rollout_of(states, choices, alive, ended, student)
    logs = student.network.logits.detach().log_softmax(1).numpy()
    chance = np.exp(np.where(alive, logs[states, choices], np.log(0.5)).sum(axis=0))
    assert chance.sum() == pytest.approx(1.0)

    played = PlayedRows([(name, distiller, Schedule(start=1.0, end=1.0))])
    played.take(rollout, student, teacher, 0.0)
    (batch,) = played.batches(10_000, _in_order())
    order = torch.randperm(int(alive.sum()), generator=_in_order())
    weights = torch.from_numpy(np.broadcast_to(chance, states.shape)[alive.astype(bool)])[order]
    output = student.network(batch.observation)
    losses = distiller.loss(student, output.logits, output.value, batch.logits, batch.value, batch.legal)
    rows = losses + charge(student, output.logits, batch)
    (found,) = torch.autograd.grad((weights * rows).sum(), student.network.logits)
    (expected,) = torch.autograd.grad(exact_objective(name, student, teacher), student.network.logits)
    torch.testing.assert_close(found, expected, atol=1e-6, rtol=1e-5)
    (alone,) = torch.autograd.grad(
        (weights * step_losses(name, student, teacher)[batch.observation["state"].long().squeeze(1)]).sum(),
        student.network.logits,
    )
    assert float((alone - expected).abs().max()) > 0.05, "the task must tell the two gradients apart"


def _in_order():
    return torch.Generator().manual_seed(0)


def test_a_baseline_keeps_the_gradient_right_on_average(student, teacher):
    """Many sampled pairs of episodes, with and without: the same mean, a smaller spread."""
    rng = np.random.default_rng(0)
    chances = student.network.logits.detach().softmax(1).numpy()
    means = {}
    for baseline in ("none", "others"):
        distiller = distiller_of("n_distill", discount=1.0, baseline=baseline)
        rng = np.random.default_rng(0)
        found = []
        for _ in range(300):
            states = np.zeros((STEPS, 8), np.int64)
            choices, alive, ended = (
                np.zeros_like(states),
                np.zeros(states.shape, bool),
                np.zeros(states.shape, bool),
            )
            at = np.zeros(8, np.int64)
            for t in range(STEPS):
                alive[t] = at >= 0
                states[t] = np.maximum(at, 0)
                choices[t] = rng.random(8) < chances[states[t], 1]
                at = np.where(alive[t], np.array(NEXT)[states[t], choices[t]], -1)
                ended[t] = alive[t] & (at < 0)
            played = PlayedRows([("n_distill", distiller, Schedule(start=1.0, end=1.0))])
            played.take(rollout_of(states, choices, alive, ended, student), student, teacher, 0.0)
            (batch,) = played.batches(1_000, _in_order())
            output = student.network(batch.observation)
            rows = distiller.loss(
                student, output.logits, output.value, batch.logits, batch.value, batch.legal
            )
            total = (rows + charge(student, output.logits, batch)).sum() / 8
            found.append(torch.autograd.grad(total, student.network.logits)[0].flatten())
        means[baseline] = torch.stack(found)
    (expected,) = torch.autograd.grad(exact_objective("n_distill", student, teacher), student.network.logits)
    for rows in means.values():
        error = rows.std(dim=0) / len(rows) ** 0.5
        assert bool(((rows.mean(dim=0) - expected.flatten()).abs() < 4.5 * error + 1e-6).all())
    assert float(means["others"].var(dim=0).sum()) < 0.9 * float(means["none"].var(dim=0).sum())


def test_the_charge_stops_pulling_where_the_policy_has_left_the_one_that_played(student, teacher):
    distiller = distiller_of("n_distill", discount=1.0, baseline="none")
    states, choices, alive, ended = every_trajectory()
    rollout = rollout_of(states, choices, alive, ended, student)
    played = PlayedRows([("n_distill", distiller, Schedule(start=1.0, end=1.0))])
    played.take(rollout, student, teacher, 0.0)
    (batch,) = played.batches(10_000, _in_order())
    with torch.no_grad():
        student.network.logits[:, 0] -= (
            5.0  # choice 0 is now much rarer than when it was played, choice 1 commoner
        )
    output = student.network(batch.observation)
    (pull,) = torch.autograd.grad(charge(student, output.logits, batch).sum(), student.network.logits)
    common = batch.action["move"] == 1
    assert bool((batch.later[~common] >= 0).all())
    assert float(pull[:, 1].min()) >= 0.0, "costly choices that have grown commoner are still pushed down"
    rare = charge(student, output.logits, batch)[~common & (batch.later > 0)]
    (still,) = torch.autograd.grad(rare.sum(), output.logits["move"], allow_unused=True)
    assert still is None or float(still.abs().max()) == 0.0, (
        "those that have grown rarer by more than 20 % are let be"
    )


def test_minibatches_give_every_row_once(student, teacher):
    states, choices, alive, ended = every_trajectory()
    played = PlayedRows([("n_distill", distiller_of("n_distill"), Schedule(start=1.0, end=1.0))])
    figures = played.take(rollout_of(states, choices, alive, ended, student), student, teacher, 0.0)
    sizes = [len(batch.value) for batch in played.batches(10, torch.Generator().manual_seed(1))]
    assert sum(sizes) == alive.sum()
    assert max(sizes) == 10
    assert figures["later_cost_spread"] > 0.0


def test_weights_of_several_losses_are_weighed_like_the_losses(student, teacher):
    states, choices, alive, ended = every_trajectory()
    rollout = rollout_of(states, choices, alive, ended, student)
    one, other = distiller_of("n_distill", baseline="none"), distiller_of("expected_entropy", baseline="none")
    found = []
    for terms in (
        [("a", one, 2.0)],
        [("b", other, 0.5)],
        [("a", one, 2.0), ("b", other, 0.5), ("kl", distiller_of("kl"), 9.0)],
    ):
        played = PlayedRows(
            [(name, distiller, Schedule(start=coef, end=coef)) for name, distiller, coef in terms]
        )
        played.take(rollout, student, teacher, 0.0)
        found.append(next(iter(played.batches(10_000, _in_order()))).later)
    torch.testing.assert_close(found[0] + found[1], found[2])


def test_trajectory_losses_ask_for_the_students_own_sampled_moves():
    terms = [("kl", distiller_of("kl"), None), ("n_distill", distiller_of("n_distill"), None)]
    assert wants_own_play(terms)
    assert not wants_own_play(terms[:1])
    assert isinstance(terms[1][1], TrajectoryDistiller)
    check_own_play("fit", terms, sampled=True, alone=True)
    check_own_play("fit", terms[:1], sampled=False, alone=False)
    for sampled, alone, words in ((False, True, "sampled moves"), (True, False, "the student's own")):
        with pytest.raises(RecipeError, match=words) as told:
            check_own_play("fit", terms, sampled=sampled, alone=alone)
        assert "'n_distill'" in str(told.value)
        assert "greedy = false" in str(told.value)
