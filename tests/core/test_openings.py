import sys
from pathlib import Path

import numpy as np
import pytest
import torch

sys.path.insert(0, str(Path(__file__).parent))
from counting_env import CountingEnv, Fixed, Recorder

from lanista.openings import Openings, openings_of
from lanista.rollout import Collector
from lanista.spec import HeadSpec


def collector(games: int, most: int, seed: int = 0) -> Collector:
    env = CountingEnv(games)
    env.reset(0)
    generator = torch.Generator().manual_seed(seed)
    return Collector(
        env, Fixed(), 12, [Recorder()], 0.9, generator, openings=openings_of(env, most, generator)
    )


def test_nobody_learns_from_an_opening_and_everybody_after_it() -> None:
    made = collector(40, 3)
    planned = made.openings.left.copy()
    assert set(planned) == {0, 1, 2, 3}
    rollout, _ = made.collect(0.0)
    learn = rollout.learn.reshape(12, 40, 2).any(axis=2)
    for game in range(40):
        length = 3 + game % 4
        first = min(planned[game], length)
        assert learn[:length, game].tolist() == [False] * first + [True] * (length - first)


def test_openings_are_uniform_and_legal() -> None:
    openings = Openings(9000, 2, 2, torch.Generator().manual_seed(1))
    shares = np.bincount(openings.left, minlength=3) / 9000
    assert shares == pytest.approx([1 / 3] * 3, abs=0.03)
    legal = np.tile([True, False, True, True], (9000, 1))
    chosen = (
        np.bincount(
            openings.choose(HeadSpec("move", "categorical", 4, "any"), legal, len(legal)), minlength=4
        )
        / 9000
    )
    assert chosen == pytest.approx([1 / 3, 0, 1 / 3, 1 / 3], abs=0.03)
    openings.stepped()
    assert openings.left.max() == 1
    assert openings.left.min() == 0


def test_a_stop_between_two_rollouts_changes_nothing() -> None:
    whole = collector(8, 5)
    whole.collect(0.0)
    state, games = whole.state(), whole.env.save()
    after, _ = whole.collect(0.0)
    again = collector(8, 5, seed=9)
    again.load_state(state)
    again.env.load(games)
    rollout, _ = again.collect(0.0)
    assert (rollout.learn == after.learn).all()
    assert (rollout.observation["place"] == after.observation["place"]).all()
    assert (rollout.action["move"][rollout.learn] == after.action["move"][after.learn]).all()


def test_no_opening_is_no_object() -> None:
    env = CountingEnv(2)
    assert openings_of(env, 0, torch.Generator()) is None
