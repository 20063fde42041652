"""What the tests of this package share: the registry, a small task and rollouts of it."""

from collections.abc import Callable

import numpy as np
import pytest
import torch

from lanista.learning import Rollout
from lanista.plugins import load_plugins
from lanista.policy import Policy, PolicyCard, build_policy
from lanista.registry import Registry
from lanista.spec import EnvSpec, FactSpec, HeadSpec, ObsPart

REWARD = FactSpec("reward", "flow", "points", "official reward")


@pytest.fixture(scope="session")
def registry() -> Registry:
    return load_plugins().registry


@pytest.fixture
def make_policy(registry: Registry) -> Callable[..., Policy]:
    def make(
        *,
        inputs: int = 4,
        actions: tuple[int, ...] = (3,),
        network: str = "mlp",
        settings: dict[str, object] | None = None,
        seed: int = 0,
    ) -> Policy:
        heads = tuple(HeadSpec(f"head{i}", "categorical", size, "a choice") for i, size in enumerate(actions))
        spec = EnvSpec(
            "task", "1", "here", 1, "simultaneous", (ObsPart("state", (inputs,), "float32", "numbers"),),
            heads, (REWARD,), 10, (0.0, 1.0), "score",
        )  # fmt: skip
        torch.manual_seed(seed)
        return build_policy(
            PolicyCard("task", {}, spec, network, settings or {"hidden": [16, 16], "policy_gain": 1.0}),
            registry,
        )

    return make


@pytest.fixture
def play() -> Callable[..., Rollout]:
    def play(policy: Policy, *, steps: int = 6, rows: int = 8, seed: int = 0, learn: float = 1.0) -> Rollout:
        """Random observations, masks, rewards and ends; the actions, logprobs and values are the policy's."""
        rng = np.random.default_rng(seed)
        heads = {spec.name: spec.size for spec in policy.card.spec.heads}
        inputs = policy.card.spec.observation[0].shape[0]
        observation = rng.standard_normal((steps, rows, inputs)).astype(np.float32)
        legal = {name: rng.random((steps, rows, size)) < 0.7 for name, size in heads.items()}
        for mask in legal.values():
            mask[..., 0] |= ~mask.any(axis=-1)
        action, logprob, value = policy.act(
            {"state": torch.from_numpy(observation).flatten(0, 1)},
            {name: torch.from_numpy(mask).flatten(0, 1) for name, mask in legal.items()},
            torch.Generator().manual_seed(seed),
        )
        terminated = rng.random((steps, rows)) < 0.1
        truncated = (rng.random((steps, rows)) < 0.1) & ~terminated
        return Rollout(
            observation={"state": observation},
            legal=legal,
            action={name: part.numpy().reshape(steps, rows) for name, part in action.items()},
            logprob=logprob.numpy().reshape(steps, rows),
            value=value.numpy().reshape(steps, rows),
            learn=rng.random((steps, rows)) < learn,
            reward=rng.standard_normal((steps, rows)).astype(np.float32),
            terminated=terminated,
            truncated=truncated,
            final_value=np.where(truncated, rng.standard_normal((steps, rows)), 0.0).astype(np.float32),
            bootstrap_value=rng.standard_normal(rows).astype(np.float32),
        )

    return play
