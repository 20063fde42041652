"""The proof that no loop over games is in the step loop would notice one."""

import pytest
from step_loop import CASES, count_calls

from lanista.rollout import Collector

ENV, TABLE = CASES["cartpole, 64 games"]
SMALL = {
    **TABLE,
    "num_steps": 16,
    "network": {"use": "mlp", "hidden": [8]},
    "learner": {"use": "ppo", "num_epochs": 1},
}


def test_calls_do_not_grow_with_the_games():
    few, many = count_calls(ENV, SMALL, 64), count_calls(ENV, SMALL, 256)
    assert few[1:3] == many[1:3]
    assert many[3] == 0


@pytest.mark.parametrize(("kind", "place"), [("Python", 1), ("C", 2)])
def test_a_loop_over_games_is_noticed(kind, place, monkeypatch):
    act = Collector._act_whole

    def game_by_game(self, t):
        for game in range(self.env.num_games):
            (lambda number: None)(game) if kind == "Python" else abs(game)
        act(self, t)

    plain = count_calls(ENV, SMALL, 64)[place]
    monkeypatch.setattr(Collector, "_act_whole", game_by_game)
    assert count_calls(ENV, SMALL, 64)[place] >= plain + 64
    assert count_calls(ENV, SMALL, 256)[place] >= plain + 256


def test_a_hook_in_the_loop_is_noticed(monkeypatch):
    import pluggy

    act = Collector._act_whole

    def calling(self, t):
        pluggy.HookspecMarker("test")(lambda: None)
        act(self, t)

    monkeypatch.setattr(Collector, "_act_whole", calling)
    assert count_calls(ENV, SMALL, 64)[3] > 0
