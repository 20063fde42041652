import numpy as np
import pytest
import torch
from torch.distributions import Categorical as TorchCategorical

from lanista.errors import LanistaError, RecipeError
from lanista.testing import check_learner
from lanista_agents.impala import Impala
from lanista_agents.ppo import Ppo
from lanista_agents.returns import td_lambda, upgo, vtrace
from lanista_agents.settings import ImpalaSettings, PpoSettings


def weights(policy):
    return {name: weight.detach().clone() for name, weight in policy.network.state_dict().items()}


def same(one, other):
    return all(torch.equal(one[name], other[name]) for name in one)


def make_settings(**changes):
    return ImpalaSettings.model_validate({"minibatch_size": 16, "learning_rate": 0.01, **changes})


def straightforward(policy, settings, rollout, seed, progress):
    """One update written with torch's own distributions, graph, optimiser and clipping, chain by chain."""
    generator = torch.Generator().manual_seed(seed)
    alive = np.flatnonzero(rollout.learn.any(axis=0))
    pieces = min(max(1, round(int(rollout.learn.sum()) / settings.minibatch_size)), len(alive))
    optimiser = torch.optim.Adam(
        policy.network.parameters(), lr=settings.learning_rate.at(progress), eps=settings.adam_eps
    )
    figures = []
    for _ in range(settings.num_epochs):
        order = alive if pieces == 1 else alive[torch.randperm(len(alive), generator=generator).numpy()]
        for rows in np.array_split(order, pieces):
            logprobs, values, bonuses = {}, {}, {}
            for r in rows:
                for t in np.flatnonzero(rollout.learn[:, r]):
                    output = policy.network(
                        {"state": torch.from_numpy(rollout.observation["state"][t, r])[None]}
                    )
                    logprobs[t, r] = bonuses[t, r] = 0.0
                    for name in policy.heads:
                        legal = torch.from_numpy(rollout.legal[name][t, r])[None]
                        one = TorchCategorical(logits=output.logits[name].masked_fill(~legal, -1e30))
                        logprobs[t, r] += one.log_prob(torch.tensor([rollout.action[name][t, r]]))[0]
                        bonuses[t, r] += one.entropy()[0]
                    values[t, r] = output.value[0]
            value, log_ratio = np.zeros_like(rollout.value), np.zeros_like(rollout.value)
            for at, logprob in logprobs.items():
                value[at] = float(values[at].detach())
                log_ratio[at] = float(logprob.detach()) - rollout.logprob[at]
            walk = {
                "reward": rollout.reward, "value": value, "learn": rollout.learn, "terminated": rollout.terminated,
                "truncated": rollout.truncated, "final_value": rollout.final_value,
                "bootstrap_value": rollout.bootstrap_value, "gamma": settings.gamma,
            }  # fmt: skip
            traced, target = vtrace(
                **walk, log_ratio=log_ratio, trace_lambda=settings.trace_lambda, rho_clip=settings.rho_clip,
                trace_clip=settings.trace_clip,
            )  # fmt: skip
            if settings.value_target == "td_lambda":
                target = td_lambda(**walk, td_lambda=settings.td_lambda)
            upwards = upgo(**walk, td_lambda=settings.td_lambda)
            vtrace_loss = upgo_loss = value_loss = bonus = square = 0.0
            for at, logprob in logprobs.items():
                ratio = min(float(np.exp(log_ratio[at])), settings.rho_clip)
                own = settings.vtrace_coef * float(traced[at])
                up = settings.upgo_coef * ratio * float(upwards[at] - value[at])
                square += (own + up) ** 2 / len(logprobs)
                vtrace_loss = vtrace_loss - logprob * own / len(logprobs)
                upgo_loss = upgo_loss - logprob * up / len(logprobs)
                aim = torch.tensor(float(target[at]))
                if settings.value_huber is None:
                    error = 0.5 * (values[at] - aim).square()
                else:
                    error = torch.nn.functional.huber_loss(values[at], aim, delta=settings.value_huber)
                value_loss = value_loss + error / len(logprobs)
                bonus = bonus + bonuses[at] / len(logprobs)
            if settings.scale_advantage:
                vtrace_loss, upgo_loss = vtrace_loss / (square**0.5 + 1e-8), upgo_loss / (square**0.5 + 1e-8)
            loss = vtrace_loss + upgo_loss + settings.value_coef * value_loss
            loss = loss - settings.entropy_coef.at(progress) * bonus
            optimiser.zero_grad()
            loss.backward()
            norm = torch.nn.utils.clip_grad_norm_(policy.network.parameters(), settings.max_grad_norm or 1e9)
            optimiser.step()
            figures.append(
                {
                    "loss": loss, "policy_loss": vtrace_loss + upgo_loss, "vtrace_loss": vtrace_loss,
                    "upgo_loss": upgo_loss, "value_loss": value_loss, "entropy": bonus, "grad_norm": norm,
                }
            )  # fmt: skip
    return {
        name: float(torch.stack([figure[name].detach() for figure in figures]).mean()) for name in figures[0]
    }


@pytest.mark.parametrize(
    ("changes", "actions", "learn"),
    [
        ({}, (3,), 1.0),
        ({"entropy_coef": {"start": 0.1, "end": 0.0}, "num_epochs": 3, "learning_rate": 0.05}, (3,), 0.5),
        (
            {"upgo_coef": 0.0, "value_target": "vtrace", "scale_advantage": False, "value_huber": 0.3},
            (4, 2),
            1.0,
        ),
        ({"minibatch_size": 1000, "trace_lambda": 0.6, "rho_clip": 0.7, "trace_clip": 0.5}, (2, 3), 0.7),
        ({"minibatch_size": 1, "td_lambda": 0.5, "vtrace_coef": 0.5, "max_grad_norm": None}, (2,), 0.3),
    ],
)
def test_an_update_equals_the_straightforward_one(make_policy, play, changes, actions, learn):
    settings = make_settings(**changes)
    policy, twin = make_policy(actions=actions), make_policy(actions=actions)
    rollout = play(policy, learn=learn)
    metrics = Impala(policy, settings, seed=5).update(rollout, 0.25, [])
    for name, figure in straightforward(twin, settings, rollout, 5, 0.25).items():
        assert metrics[name] == pytest.approx(figure, abs=5e-6, rel=5e-5), name
    ours, theirs = weights(policy), weights(twin)
    for name, weight in ours.items():
        torch.testing.assert_close(weight, theirs[name], atol=2e-5, rtol=1e-4)


class Push:
    """A term that raises the first action's logit and lowers the value."""

    name = "push"

    def __call__(self, logits, value, batch):
        assert len(batch.observation["state"]) == len(value) == len(batch.legal["head0"])
        return 100.0 * (value.mean() - logits["head0"][:, 0].mean()), {"push_progress": batch.progress}


def test_gradients_of_extra_terms_arrive_and_are_logged(make_policy, play):
    policy = make_policy()
    rollout = play(policy)
    observation = {"state": torch.from_numpy(rollout.observation["state"]).flatten(0, 1)}
    learner = Impala(policy, make_settings(), 0)
    with torch.no_grad():
        old = policy.network(observation)
    for _ in range(10):
        metrics = learner.update(rollout, 0.5, [Push()])
    with torch.no_grad():
        new = policy.network(observation)
    assert new.value.mean() < old.value.mean() - 0.5
    assert new.logits["head0"][:, 0].mean() > old.logits["head0"][:, 0].mean() + 0.5
    assert metrics["push_progress"] == 0.5
    assert metrics["push_loss"] < 0.0


@pytest.mark.parametrize("optimizer", ["adam", "muon"])
def test_a_learner_that_took_its_state_back_goes_on_bit_for_bit(make_policy, play, optimizer):
    settings = make_settings(optimizer=optimizer, num_epochs=2)
    policy = make_policy()
    rollouts = [play(policy, seed=seed) for seed in range(4)]
    learner = Impala(policy, settings, 3)
    for rollout in rollouts[:2]:
        learner.update(rollout, 0.0, [])
    saved, saved_weights = learner.state(), weights(policy)
    copies = {name: tensor.clone() for name, tensor in saved.items()}
    expected = [learner.update(rollout, 0.5, []) for rollout in rollouts[2:]]
    assert same(copies, saved)

    other = make_policy(seed=99)
    resumed = Impala(other, settings, 77)
    other.network.load_state_dict(saved_weights)
    resumed.load_state(saved)
    assert [resumed.update(rollout, 0.5, []) for rollout in rollouts[2:]] == expected
    assert same(weights(policy), weights(other))
    for name, tensor in learner.state().items():
        assert torch.equal(tensor, resumed.state()[name]), name


def test_a_rollout_without_own_decisions_changes_nothing(make_policy, play):
    policy = make_policy()
    before = weights(policy)
    metrics = Impala(policy, make_settings(), 0).update(play(policy, learn=0.0), 0.0, [])
    assert same(before, weights(policy))
    assert metrics["optimizer_steps"] == 0.0


@pytest.mark.parametrize("what", ["reward", "observation", "logprob"])
def test_a_gradient_that_is_not_finite_is_refused_and_the_weights_stay(make_policy, play, what):
    policy = make_policy()
    learner = Impala(policy, make_settings(), 0)
    rollout = play(policy)
    if what == "observation":
        rollout.observation["state"][3, 3] = np.inf
    else:
        getattr(rollout, what)[3, 3] = np.nan
    before = weights(policy)
    with pytest.raises(
        LanistaError, match=r"impala: the gradient had norm nan in update 0, so its weights were put"
    ):
        learner.update(rollout, 0.0, [])
    assert same(before, weights(policy))


@pytest.mark.parametrize("seed", range(4))
def test_it_learns_to_answer_what_it_sees(make_policy, play, seed):
    policy = make_policy(inputs=4, actions=(4,), seed=seed)
    learner = Impala(policy, make_settings(minibatch_size=64, learning_rate=0.02, num_epochs=2), seed)
    for update in range(25):
        rollout = play(policy, steps=8, rows=32, seed=1000 * seed + update)
        rollout.reward[:] = rollout.action["head0"] == rollout.observation["state"].argmax(axis=-1)
        rollout.terminated[:] = True
        rollout.truncated[:] = False
        learner.update(rollout, update / 25, [])
    state = torch.randn(500, 4, generator=torch.Generator().manual_seed(seed))
    answer, _, _ = policy.act({"state": state}, {"head0": torch.ones(500, 4, dtype=torch.bool)}, None)
    assert (answer["head0"] == state.argmax(dim=1)).float().mean() > 0.8


def test_it_keeps_the_contract_of_learners(registry):
    check_learner(registry, "impala", options={"learning_rate": 0.003})


@pytest.mark.parametrize("separate", [False, True])
@pytest.mark.parametrize("optimizer", ["adam", "muon"])
@pytest.mark.parametrize(("kind", "table"), [(Impala, ImpalaSettings), (Ppo, PpoSettings)])
def test_a_critic_that_learns_alone_leaves_the_policy_as_it_is(
    make_policy, play, kind, table, optimizer, separate
):
    options = {"hidden": [16, 16], "policy_gain": 1.0, "separate_value": separate}
    policy = make_policy(actions=(4, 2), settings=options)
    learner = kind(policy, table(learning_rate=0.01, optimizer=optimizer, entropy_coef=0.1), 0)
    rollout = play(policy, learn=0.8)
    observation = {"state": torch.from_numpy(rollout.observation["state"]).flatten(0, 1)}
    with torch.no_grad():
        old = policy.network(observation)
    learner.value_only = True
    losses = [learner.update(rollout, 0.5, [Push()])["value_loss"] for _ in range(30)]
    with torch.no_grad():
        new = policy.network(observation)
    assert losses[-1] < 0.9 * losses[0]
    assert not torch.equal(old.value, new.value)
    for name, logits in old.logits.items():
        assert torch.equal(logits, new.logits[name])
    other = make_policy(actions=(4, 2), settings=options, seed=9)
    resumed = kind(other, learner.settings, 5)
    other.network.load_state_dict(weights(policy))
    resumed.load_state(learner.state())
    resumed.value_only = True
    for one in (learner, resumed):
        one.update(rollout, 0.5, [])
    assert same(weights(policy), weights(other))
    learner.value_only = False
    assert "push_loss" in learner.update(rollout, 0.5, [Push()])
    with torch.no_grad():
        assert not torch.equal(policy.network(observation).logits["head0"], new.logits["head0"])


def test_wrong_settings_are_refused_by_name(registry):
    with pytest.raises(RecipeError, match="upgo_coeff"):
        registry.settings("learners", "impala", {"upgo_coeff": 0.1})
    with pytest.raises(RecipeError, match="value_target"):
        registry.settings("learners", "impala", {"value_target": "gae"})
