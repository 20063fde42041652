import sys
from pathlib import Path

import numpy as np
import pytest
import torch

sys.path.insert(0, str(Path(__file__).parent))
from counting_env import CountingEnv, Fixed, Recorder

from lanista.episodes import learner_figures
from lanista.errors import PluginError
from lanista.rollout import Collector


def collect(games: int, steps: int, rollouts: int = 1, alternating: bool = True):
    env = CountingEnv(games, alternating)
    env.reset(0)
    policy, shaper = Fixed(), Recorder()
    collector = Collector(env, policy, steps, [shaper], 0.9, torch.Generator().manual_seed(0))
    return [(collector.collect(0.0), policy, shaper) for _ in range(rollouts)][-1], collector


@pytest.mark.parametrize("alternating", [True, False])
@pytest.mark.parametrize(("games", "steps"), [(1, 1), (3, 7), (8, 25)])
def test_a_rollout_equals_a_plain_loop(games: int, steps: int, alternating: bool) -> None:
    ((rollout, ended), _, shaper), collector = collect(games, steps, alternating=alternating)
    env = CountingEnv(games, alternating)
    env.reset(0)
    ends = []
    totals, lengths = np.zeros((games, 2)), np.zeros(games, int)
    for t in range(steps):
        for game in range(games):
            age = int(env.age[game])
            for seat in range(2):
                row = game * 2 + seat
                acts = not alternating or age % 2 == seat
                assert rollout.learn[t, row] == acts
                assert rollout.observation["place"][t, row].tolist() == [game, seat, age, env.episode[game]]
                if acts:
                    value = 1000 * game + 100 * seat + 10 * age + env.episode[game]
                    assert rollout.value[t, row] == value
                    assert rollout.logprob[t, row] == pytest.approx(-value / 7)
                    assert rollout.action["move"][t, row] == (game + age) % 2
        before = env.age.copy()
        env.step({"move": np.repeat(((np.arange(games) + env.age) % 2)[:, None], 2, axis=1)})
        official = np.where(env.ended[:, None], env.final_facts["reward"], env.facts["reward"])
        assert (rollout.reward[t].reshape(games, 2) == official + 1).all()
        assert (shaper.passage.before["age"][t] == before[:, None]).all()
        assert (shaper.passage.after["age"][t] == before[:, None] + 1).all()
        assert (shaper.passage.outcome[t] == env.outcome).all()
        assert (rollout.terminated[t].reshape(games, 2) == env.terminated).all()
        assert (rollout.truncated[t].reshape(games, 2) == env.truncated).all()
        final_value = env.final_observation["place"] @ np.array([1000, 100, 10, 1])
        assert (rollout.final_value[t].reshape(games, 2) == np.where(env.truncated, final_value, 0)).all()
        totals += official
        lengths += 1
        for game in np.flatnonzero(env.ended):
            ends.append((game, totals[game].tolist(), lengths[game], env.outcome[game].tolist()))
            totals[game], lengths[game] = 0, 0
    assert (
        rollout.bootstrap_value == (env.observation["place"] @ np.array([1000, 100, 10, 1])).ravel()
    ).all()
    got = list(
        zip(
            ended.game.tolist(),
            ended.return_.tolist(),
            ended.length.tolist(),
            ended.outcome.tolist(),
            strict=True,
        )
    )
    assert got == [(int(g), r, int(n), o) for g, r, n, o in ends]
    assert collector.reward_parts["aging"] == pytest.approx(1.0)


def test_returns_go_on_over_the_end_of_a_rollout() -> None:
    ((_, ended), _, _), _ = collect(4, 2, rollouts=2)
    assert ended.length.tolist() == [3, 4]
    assert ended.game.tolist() == [0, 1]


def test_one_forward_pass_a_step_for_the_rows_that_act() -> None:
    (_, policy, _), _ = collect(6, 5)
    assert policy.calls == [6] * 5


def test_figures_count_the_learning_seats_only() -> None:
    ((_, ended), _, _), _ = collect(4, 3)
    only_seat_1 = np.tile([False, True], 4)
    assert learner_figures(ended, only_seat_1, 2)["outcome"] == -1.0
    assert learner_figures(ended, None, 2)["outcome"] == 0.0
    assert learner_figures(ended, np.zeros(8, np.bool_), 2) == {}


@pytest.mark.parametrize(
    ("part", "sentence"),
    [
        (
            lambda shape: np.zeros(shape[:2], np.float32),
            r"shape \(3, 2\), asked is \[T, N, S\] = \(3, 2, 2\)",
        ),
        (lambda shape: np.full(shape, np.nan, np.float32), "holds NaN or infinity"),
    ],
)
def test_a_shaper_that_breaks_its_contract_is_named(part, sentence: str) -> None:
    def broken(passage):
        return {"bad": part(passage.outcome.shape)}

    env = CountingEnv(2)
    env.reset(0)
    collector = Collector(env, Fixed(), 3, [broken], 0.9, torch.Generator())
    with pytest.raises(PluginError, match=sentence):
        collector.collect(0.0)
