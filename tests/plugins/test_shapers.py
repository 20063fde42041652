import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from lanista.errors import RecipeError
from lanista.plugins import load_plugins
from lanista.shaping import Passage
from lanista.spec import EnvSpec, FactSpec

REGISTRY = load_plugins().registry
SPEC = EnvSpec(
    name="toy",
    version="1",
    source="here",
    seats=1,
    turns="simultaneous",
    observation=(),
    heads=(),
    facts=(
        FactSpec("reward", "flow", "points", "official"),
        FactSpec("height", "level", "m", "of the thing"),
    ),
    max_steps=9,
    reward_range=(-1.0, 1.0),
    outcome="score",
)


def shaper(name: str, **options):
    return REGISTRY.load("shapers", name)(SPEC, REGISTRY.settings("shapers", name, options))


def passage(
    before, after, *, reward=None, terminated=None, truncated=None, outcome=None, gamma=0.9, progress=0.0
):
    before = np.asarray(before, np.float32).reshape(-1, 1, 1)
    after = np.asarray(after, np.float32).reshape(-1, 1, 1)
    none = np.zeros(before.shape, np.bool_)
    terminated = none if terminated is None else np.asarray(terminated).reshape(before.shape)
    truncated = none if truncated is None else np.asarray(truncated).reshape(before.shape)
    zero = np.zeros(before.shape, np.float32)
    return Passage(
        before={"height": before, "reward": zero},
        after={
            "height": after,
            "reward": zero if reward is None else np.asarray(reward, np.float32).reshape(before.shape),
        },
        ended=(terminated | truncated)[:, :, 0],
        terminated=terminated,
        truncated=truncated,
        outcome=zero if outcome is None else np.asarray(outcome, np.float32).reshape(before.shape),
        gamma=gamma,
        progress=progress,
    )


def test_a_level_counts_by_its_change_and_a_flow_by_its_amount() -> None:
    parts = shaper("weights", facts={"height": 2.0, "reward": 0.5, "outcome": 10.0})(
        passage([1, 4], [4, 2], reward=[1, 3], terminated=[False, True], outcome=[0, -1])
    )
    assert parts["height"].ravel().tolist() == [6.0, -4.0]
    assert parts["reward"].ravel().tolist() == [0.5, 1.5]
    assert parts["outcome"].ravel().tolist() == [0.0, -10.0]


def test_a_weight_is_annealed_inside_a_phase() -> None:
    weights = shaper("weights", facts={"height": {"start": 1.0, "end": 0.0, "hold": 0.5}})
    given = [
        weights(passage([0], [1], progress=progress))["height"].item() for progress in (0.0, 0.5, 0.75, 1.0)
    ]
    assert given == [1.0, 1.0, 0.5, 0.0]


def test_the_outcome_shaper_gives_the_outcome_alone() -> None:
    assert shaper("outcome", weight=3.0)(passage([0, 0], [1, 1], outcome=[0, -1]))[
        "outcome"
    ].ravel().tolist() == [0, -3]


@pytest.mark.parametrize(
    ("name", "facts"),
    [("weights", {"hight": 1.0}), ("potential", {"hight": 1.0}), ("potential", {"reward": 1.0})],
)
def test_an_unknown_or_unfit_fact_is_named_with_those_there_are(name: str, facts: dict) -> None:
    with pytest.raises(RecipeError, match="height"):
        shaper(name, facts=facts)


levels = arrays(np.float32, st.integers(1, 12), elements=st.floats(-5, 5, width=32))


@given(levels, st.floats(0.5, 1.0), st.floats(-3, 3))
def test_a_potential_adds_the_same_to_an_episode_whatever_happens_in_it(
    heights, gamma: float, offset: float
) -> None:
    """Ng et al. 1999: the discounted sum of F over a finished episode is -phi(s_0)."""
    before, after = heights, np.append(heights[1:], 99.0)  # the last state does not matter: phi is 0 there
    terminated = np.arange(len(heights)) == len(heights) - 1
    part = shaper("potential", facts={"height": 2.0}, offset=offset)(
        passage(before, after, terminated=terminated, gamma=gamma)
    )["potential"].ravel()
    total = sum(gamma**t * float(f) for t, f in enumerate(part))
    assert total == pytest.approx(-(2.0 * float(heights[0]) + offset), abs=2e-4)


def test_a_potential_goes_on_over_a_truncation() -> None:
    part = shaper("potential", facts={"height": 1.0})(passage([1.0], [3.0], truncated=[True], gamma=0.9))[
        "potential"
    ]
    assert part.item() == pytest.approx(0.9 * 3.0 - 1.0)


def test_a_potential_keeps_the_best_policy_of_a_small_world() -> None:
    """All deterministic policies of a 4-state chain, ranked by return with and without shaping: the same best."""
    gamma, rng = 0.9, np.random.default_rng(0)
    potential = shaper("potential", facts={"height": 1.0}, offset=0.3)
    for _ in range(20):
        nexts, rewards, heights = rng.integers(0, 4, (4, 2)), rng.normal(size=(4, 2)), rng.normal(size=4)
        plain, shaped = {}, {}
        for policy in itertools.product((0, 1), repeat=4):
            state, path, value = 0, [0], 0.0
            for t in range(30):
                value += gamma**t * rewards[state, policy[state]]
                state = nexts[state, policy[state]]
                path.append(state)
            terminated = np.arange(30) == 29
            part = potential(
                passage(heights[path[:-1]], heights[path[1:]], terminated=terminated, gamma=gamma)
            )
            plain[policy] = value
            shaped[policy] = value + sum(
                gamma**t * f for t, f in enumerate(part["potential"].ravel().tolist())
            )
        assert max(plain, key=plain.get) == max(shaped, key=shaped.get)
