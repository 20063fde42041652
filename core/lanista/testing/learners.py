"""What must hold of a learner: it learns the practice game, and another one that takes its state goes on alike."""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from lanista.plugins import Registry
from lanista.testing.complaints import Complaints
from lanista.testing.distillers import practice_policy
from lanista.testing.grounds import settings_of
from lanista.testing.practice import Practice, PracticeSettings

if TYPE_CHECKING:
    from lanista.policy import Policy
    from lanista.rollout import Collector

GAMES, STEPS, UPDATES = 64, 16, 150
#: points a round that must be reached; playing at random gives 1/3
LEARNT = 0.5


def check_learner(registry: Registry, name: str, *, options: Mapping[str, Any] | None = None) -> None:
    """Raise `LanistaError`, one sentence, for the first thing in which a learner breaks its contract."""
    import torch

    complaints = Complaints.about(registry.get("learners", name))
    settings = settings_of(registry, "learners", name, options)
    factory = registry.load("learners", name)
    torch.manual_seed(0)
    policy = practice_policy(registry)
    learner = factory(policy, settings, 5)
    gamma = getattr(learner, "gamma", None)
    complaints.refuse(
        not isinstance(gamma, float | int) or not 0.0 <= gamma <= 1.0, "gamma", f"is {gamma!r}",
        "give the discount of one env step, 0 to 1: potential shapers need it",
    )  # fmt: skip
    complaints.refuse(
        getattr(learner, "policy", None) is not policy, "policy", "is not the policy that the factory was handed",
        "keep it as the attribute `policy`",
    )  # fmt: skip
    before = {key: value.clone() for key, value in policy.network.state_dict().items()}
    collector = _collector(policy)
    best = 0.0
    for update in range(UPDATES):
        rollout, _ = collector.collect(update / UPDATES)
        best = max(best, float(rollout.reward.mean()))
        _check_metrics(learner.update(rollout, update / UPDATES, []), complaints)
        if update == 2:
            _check_state(factory, settings, registry, learner, collector, complaints)
        if best >= LEARNT:
            return
    moved = any(bool((value != before[key]).any()) for key, value in policy.network.state_dict().items())
    complaints.refuse(not moved, "update", "changes no weight", "let it step the weights of the policy")
    complaints.complain(
        "update", f"did not learn to say the number that is seen: {best:.2f} points a round after {UPDATES} updates "
        f"of {GAMES * STEPS} steps, playing at random gives 0.33",
        "look at the sign of the loss and at the step size; settings for this check can be given with --set",
    )  # fmt: skip


def _collector(policy: "Policy") -> "Collector":
    import torch

    from lanista.rollout import Collector
    from lanista.shaping import Passage

    env = Practice(GAMES, PracticeSettings(), 1)
    env.reset(0)

    def reward(passage: Passage) -> dict[str, Any]:
        return {"reward": passage.after["reward"]}

    return Collector(env, policy, STEPS, [reward], 0.99, torch.Generator().manual_seed(0))


def _check_metrics(metrics: Any, complaints: Complaints) -> None:  # noqa: ANN401
    complaints.refuse(
        not isinstance(metrics, dict),
        "update",
        f"gave a {type(metrics).__name__}",
        "give a dictionary of figures",
    )
    for key, value in metrics.items():
        complaints.refuse(
            not isinstance(value, float | int) or math.isnan(value), f"update, metric {key!r},", f"is {value!r}",
            "give plain finite numbers",
        )  # fmt: skip


def _check_state(
    factory: Any,  # noqa: ANN401
    settings: Any,  # noqa: ANN401
    registry: Registry,
    learner: Any,  # noqa: ANN401
    collector: "Collector",
    complaints: Complaints,
) -> None:
    """Another learner over equal weights that takes the state must make the same step, bit for bit."""
    import torch

    twin_policy = practice_policy(registry)
    twin = factory(twin_policy, settings, 6)
    twin_policy.network.load_state_dict(learner.policy.network.state_dict())
    state = learner.state()
    complaints.refuse(
        not isinstance(state, dict) or not all(isinstance(value, torch.Tensor) for value in state.values()), "state",
        f"gave {type(state).__name__}", "give a dictionary of tensors",
    )  # fmt: skip
    twin.load_state({key: value.clone() for key, value in state.items()})
    rollout, _ = collector.collect(0.5)
    for one in (learner, twin):
        one.update(rollout, 0.5, [])
    pairs = zip(learner.policy.network.parameters(), twin_policy.network.parameters(), strict=True)
    complaints.refuse(
        any(not torch.equal(mine, theirs) for mine, theirs in pairs), "state",
        "is not all that the next update needs: a learner that loaded it made another step",
        "put the optimiser's moments, counters and generators into it, and take them back in load_state",
    )  # fmt: skip
