import numpy as np
import pytest
import torch
from torch.distributions import Categorical as TorchCategorical

from lanista.errors import LanistaError, RecipeError
from lanista_agents.ppo import Ppo
from lanista_agents.returns import gae
from lanista_agents.settings import PpoSettings


def weights(policy):
    return {name: weight.detach().clone() for name, weight in policy.network.state_dict().items()}


def same(one, other):
    return all(torch.equal(one[name], other[name]) for name in one)


def make_settings(**changes):
    return PpoSettings.model_validate(
        {"num_epochs": 2, "minibatch_size": 16, "learning_rate": 0.01, **changes}
    )


def straightforward(policy, settings, rollout, seed, progress):
    """One update written with torch's own distributions, optimiser and clipping; gives the figures' means."""
    advantage, return_ = gae(
        reward=rollout.reward, value=rollout.value, learn=rollout.learn, terminated=rollout.terminated,
        truncated=rollout.truncated, final_value=rollout.final_value, bootstrap_value=rollout.bootstrap_value,
        gamma=settings.gamma, gae_lambda=settings.gae_lambda,
    )  # fmt: skip
    at = [
        (t, r)
        for t in range(rollout.learn.shape[0])
        for r in range(rollout.learn.shape[1])
        if rollout.learn[t, r]
    ]
    generator = torch.Generator().manual_seed(seed)
    rate, clip = settings.learning_rate.at(progress), settings.clip.at(progress)
    optimiser = torch.optim.Adam(
        policy.network.parameters(),
        lr=rate,
        betas=(settings.adam_beta1, settings.adam_beta2),
        eps=settings.adam_eps,
    )
    figures = []
    pieces = max(1, round(len(at) / settings.minibatch_size))
    for _ in range(settings.num_epochs):
        order = torch.randperm(len(at), generator=generator) if pieces > 1 else torch.arange(len(at))
        for piece in torch.tensor_split(order, pieces):
            rows = [at[i] for i in piece.tolist()]
            pick = lambda array: torch.from_numpy(np.stack([array[row] for row in rows]))  # noqa: B023, E731 - used at once
            output = policy.network({"state": pick(rollout.observation["state"])})
            logprob = entropy = 0.0
            for name in policy.heads:
                masked = output.logits[name].masked_fill(~pick(rollout.legal[name]), -1e30)
                one = TorchCategorical(logits=masked)
                logprob = logprob + one.log_prob(pick(rollout.action[name]))
                entropy = entropy + one.entropy()
            scaled = pick(advantage)
            if settings.normalise_advantage:
                scaled = (scaled - scaled.mean()) / (scaled.std(unbiased=False) + 1e-8)
            log_ratio = logprob - pick(rollout.logprob)
            ratio = log_ratio.exp()
            policy_loss = -torch.min(ratio * scaled, ratio.clamp(1 - clip, 1 + clip) * scaled).mean()
            error = (output.value - pick(return_)).square()
            if settings.value_clip is not None:
                old = pick(rollout.value)
                held = old + (output.value - old).clamp(-settings.value_clip, settings.value_clip)
                error = torch.max(error, (held - pick(return_)).square())
            value_loss = 0.5 * error.mean()
            bonus = entropy.mean()
            loss = policy_loss + settings.value_coef * value_loss - settings.entropy_coef.at(progress) * bonus
            optimiser.zero_grad()
            loss.backward()
            norm = torch.nn.utils.clip_grad_norm_(policy.network.parameters(), settings.max_grad_norm or 1e9)
            optimiser.step()
            figures.append(
                {
                    "loss": loss,
                    "policy_loss": policy_loss,
                    "value_loss": value_loss,
                    "entropy": bonus,
                    "approx_kl": (ratio - 1 - log_ratio).mean(),
                    "clipfrac": ((ratio - 1).abs() > clip).float().mean(),
                    "grad_norm": norm,
                }
            )
    return {
        name: float(torch.stack([figure[name].detach() for figure in figures]).mean()) for name in figures[0]
    }


@pytest.mark.parametrize(
    ("changes", "actions", "learn"),
    [
        ({}, (3,), 1.0),
        ({"entropy_coef": {"start": 0.1, "end": 0.0}, "clip": 0.05, "learning_rate": 0.03}, (3,), 0.5),
        ({"value_clip": 0.1, "normalise_advantage": False, "max_grad_norm": None}, (4, 2), 1.0),
        ({"minibatch_size": 1000, "num_epochs": 3, "max_grad_norm": 0.05}, (2, 3, 5), 0.7),
    ],
)
def test_an_update_equals_the_straightforward_one(make_policy, play, changes, actions, learn):
    settings = make_settings(**changes)
    policy, twin = make_policy(actions=actions), make_policy(actions=actions)
    rollout = play(policy, learn=learn)
    metrics = Ppo(policy, settings, seed=5).update(rollout, 0.25, [])
    expected = straightforward(twin, settings, rollout, 5, 0.25)
    for name, figure in expected.items():
        assert metrics[name] == pytest.approx(figure, abs=2e-6, rel=2e-5), name
    ours, theirs = weights(policy), weights(twin)
    for name, weight in ours.items():
        torch.testing.assert_close(weight, theirs[name], atol=2e-5, rtol=1e-4)
    assert metrics["learning_rate"] == settings.learning_rate.at(0.25)


class PlainHead:
    """A head that offers the contract and nothing more."""

    def __init__(self, head):
        self.logprob, self.entropy, self.sample = head.logprob, head.entropy, head.sample


def test_networks_and_heads_without_a_way_back_of_their_own_learn_the_same(make_policy, play, monkeypatch):
    settings = make_settings(entropy_coef=0.01)
    found = []
    for plain in (False, True):
        policy = make_policy(actions=(4, 2))
        rollout = play(policy, learn=0.8)
        if plain:
            monkeypatch.delattr(type(policy.network), "vjp")
            policy.heads = {name: PlainHead(head) for name, head in policy.heads.items()}
        metrics = Ppo(policy, settings, 0).update(rollout, 0.0, [PullValue(), PushLogit()])
        found.append((metrics, weights(policy)))
    assert found[0][0] == pytest.approx(found[1][0], abs=1e-5, rel=1e-4)
    for name, weight in found[0][1].items():
        torch.testing.assert_close(weight, found[1][1][name], atol=1e-5, rtol=1e-4)


def test_explained_variance_is_that_of_the_values_before_the_update(make_policy, play):
    policy = make_policy()
    rollout = play(policy)
    settings = make_settings()
    _, return_ = gae(
        reward=rollout.reward, value=rollout.value, learn=rollout.learn, terminated=rollout.terminated,
        truncated=rollout.truncated, final_value=rollout.final_value, bootstrap_value=rollout.bootstrap_value,
        gamma=settings.gamma, gae_lambda=settings.gae_lambda,
    )  # fmt: skip
    metrics = Ppo(policy, settings, 0).update(rollout, 0.0, [])
    expected = 1.0 - (return_ - rollout.value).var() / return_.var()
    assert metrics["explained_variance"] == pytest.approx(expected, abs=1e-5)


def test_the_kl_stop_ends_the_update_before_the_step_that_exceeds_it(make_policy, play):
    steps = {}
    for target in (None, 1e-9, 1e9):
        policy = make_policy()
        learner = Ppo(policy, make_settings(target_kl=target, num_epochs=4), 0)
        steps[target] = learner.update(play(policy), 0.0, [])["optimizer_steps"]
    assert steps[None] == steps[1e9] == 12
    assert steps[1e-9] == 1


class PullValue:
    """A term that only lowers the value."""

    name = "pull"

    def __call__(self, logits, value, batch):
        return 2.0 * value.mean(), {"pull_progress": batch.progress}


class PushLogit:
    """A term that only raises the first action's logit."""

    name = "push"

    def __call__(self, logits, value, batch):
        assert batch.legal["head0"].shape == logits["head0"].shape
        assert len(batch.observation["state"]) == len(value)
        return -logits["head0"][:, 0].mean(), {}


class Silent:
    """A term whose weight is zero at present."""

    name = "silent"

    def __call__(self, logits, value, batch):
        return value.new_zeros(()), {}


def test_gradients_of_extra_terms_arrive_and_are_logged(make_policy, play):
    policy = make_policy()
    rollout = play(policy)
    rollout.reward[:] = 0.0
    quiet = {"value_coef": 0.0, "normalise_advantage": False, "num_epochs": 8, "gae_lambda": 0.0}
    for array in (rollout.value, rollout.final_value, rollout.bootstrap_value):
        array[:] = 0.0
    observation = {"state": torch.from_numpy(rollout.observation["state"]).flatten(0, 1)}
    before = weights(policy)
    learner = Ppo(policy, make_settings(**quiet), 0)
    learner.update(rollout, 0.5, [Silent()])
    assert same(before, weights(policy))  # without terms there is nothing to learn here
    with torch.no_grad():
        old = policy.network(observation)
    metrics = learner.update(rollout, 0.5, [PullValue(), PushLogit(), Silent()])
    with torch.no_grad():
        new = policy.network(observation)
    assert new.value.mean() < old.value.mean() - 1.0
    assert new.logits["head0"][:, 0].mean() > old.logits["head0"][:, 0].mean() + 1.0
    assert metrics["pull_progress"] == 0.5
    assert metrics["pull_loss"] < 2.0 * float(old.value.mean())
    assert metrics["push_loss"] < -float(old.logits["head0"][:, 0].mean())
    assert metrics["silent_loss"] == 0.0


@pytest.mark.parametrize("optimizer", ["adam", "muon"])
def test_a_learner_that_took_its_state_back_goes_on_bit_for_bit(make_policy, play, optimizer):
    settings = make_settings(optimizer=optimizer)
    policy = make_policy()
    rollouts = [play(policy, seed=seed) for seed in range(4)]
    learner = Ppo(policy, settings, 3)
    for rollout in rollouts[:2]:
        learner.update(rollout, 0.0, [])
    saved, saved_weights = learner.state(), weights(policy)
    assert all(isinstance(tensor, torch.Tensor) for tensor in saved.values())
    expected = [learner.update(rollout, 0.5, []) for rollout in rollouts[2:]]

    other = make_policy(seed=99)
    resumed = Ppo(other, settings, 77)
    other.network.load_state_dict(saved_weights)
    resumed.load_state(saved)
    assert [resumed.update(rollout, 0.5, []) for rollout in rollouts[2:]] == expected
    assert same(weights(policy), weights(other))
    for name, tensor in learner.state().items():
        assert torch.equal(tensor, resumed.state()[name]), name


def test_what_state_gave_does_not_change_afterwards(make_policy, play):
    policy = make_policy()
    learner = Ppo(policy, make_settings(), 0)
    learner.update(play(policy), 0.0, [])
    saved = learner.state()
    copies = {name: tensor.clone() for name, tensor in saved.items()}
    learner.update(play(policy), 0.0, [])
    assert same(copies, saved)


def test_a_rollout_without_own_decisions_changes_nothing(make_policy, play):
    policy = make_policy()
    learner = Ppo(policy, make_settings(), 0)
    before = weights(policy)
    metrics = learner.update(play(policy, learn=0.0), 0.0, [])
    assert same(before, weights(policy))
    assert metrics["optimizer_steps"] == 0.0


@pytest.mark.parametrize("what", ["reward", "observation"])
def test_a_gradient_that_is_not_finite_is_refused_and_the_weights_stay(make_policy, play, what):
    policy = make_policy()
    learner = Ppo(policy, make_settings(), 0)
    rollout = play(policy)
    if what == "reward":
        rollout.reward[3, 3] = np.nan
    else:
        rollout.observation["state"][3, 3] = np.inf
    before = weights(policy)
    with pytest.raises(
        LanistaError, match=r"ppo: the gradient had norm nan in update 0, so its weights were put back"
    ):
        learner.update(rollout, 0.0, [])
    assert same(before, weights(policy))


def test_weights_that_were_replaced_after_the_learner_began_are_still_learnt(make_policy, play):
    policy = make_policy()
    learner = Ppo(policy, make_settings(), 0)
    for weight in policy.network.parameters():
        weight.data = weight.data.clone()
    before = weights(policy)
    learner.update(play(policy), 0.0, [])
    assert not same(before, weights(policy))


@pytest.mark.parametrize("optimizer", ["adam", "muon"])
@pytest.mark.parametrize("seed", range(4))
def test_it_learns_to_answer_what_it_sees(make_policy, play, optimizer, seed):
    policy = make_policy(inputs=4, actions=(4,), seed=seed)
    learner = Ppo(policy, make_settings(optimizer=optimizer, minibatch_size=128, learning_rate=0.02), seed)
    for update in range(25):
        rollout = play(policy, steps=8, rows=32, seed=1000 * seed + update)
        seen = rollout.observation["state"].argmax(axis=-1)
        rollout.reward[:] = rollout.action["head0"] == seen
        rollout.terminated[:] = True
        rollout.truncated[:] = False
        learner.update(rollout, update / 25, [])
    state = torch.randn(500, 4, generator=torch.Generator().manual_seed(seed))
    answer, _, _ = policy.act({"state": state}, {"head0": torch.ones(500, 4, dtype=torch.bool)}, None)
    assert (answer["head0"] == state.argmax(dim=1)).float().mean() > 0.8


def test_wrong_settings_are_refused_by_name(registry):
    with pytest.raises(RecipeError, match="learning_rat"):
        registry.settings("learners", "ppo", {"learning_rat": 0.1})
    with pytest.raises(RecipeError, match="gamma"):
        registry.settings("learners", "ppo", {"gamma": 1.5})
    schedule = registry.settings(
        "learners", "ppo", {"learning_rate": {"start": 0.1, "end": 0.0}}
    ).learning_rate
    assert schedule.at(0.5) == pytest.approx(0.05)
