"""Cloning in a game of units: what can be seen is learnt, the value of what is decided, and rare choices are told."""

import json
from collections import Counter

import pytest
import torch

from lanista.games.parts import read_games
from lanista.plugins import load_plugins
from lanista.recipe import check_recipe
from lanista.run import Run
from lanista.spec import HeadSpec
from lanista.units import UnitTable
from lanista_plugins.phases.clone_choices import ChoiceTally

PLAYERS = """
import lanista
import numpy as np
from lanista_envs.lux.unit_rows import FEATURES

X = FEATURES.index("x, -1 to 1")


class Walker:
    '''Plays by its rows alone: walks to and fro across the middle column, and its tiles study.'''

    def __init__(self, env_spec, settings=None, seed=0):
        pass

    def act(self, env, games, seats):
        order = self.order(env.unit_observation["features"], env.unit_kind)
        order[~env.unit_legal[np.arange(len(order)), order]] = 0
        wanted = np.isin(env.unit_row, 2 * games + seats)
        return {"orders": order[wanted]}

    def order(self, rows, kind):
        step = np.where(rows[:, X] > 0, 4, 2)
        return np.where(kind == 2, 3, step).astype(np.int64)

    def state(self):
        return {}

    def load_state(self, state):
        pass


class Idle(Walker):
    '''Does nothing.'''

    def order(self, rows, kind):
        return np.zeros(len(kind), np.int64)


@lanista.hookimpl
def register_players(register):
    register("walker", ":Walker", summary="walks to and fro")
    register("idle", ":Idle", summary="does nothing")
"""


@pytest.fixture
def cloned(tmp_path):
    plugin = tmp_path / "walkers.py"
    plugin.write_text(PLAYERS)
    host = load_plugins(files=[plugin])

    def clone(players, num_games, max_turns, random_opening=0, **changes):
        phase = {
            "name": "clone", "kind": "clone", "games": {"players": players, "num_games": num_games, "random_opening": random_opening},
            "network": {"use": "unit_mlp", "width": 48, "context": 32}, "minibatch_size": 64,
            "learning_rate": {"start": 0.005, "end": 0.0002}, "patience": 99, **changes,
        }  # fmt: skip
        env = {"use": "lux_s1", "size": 12, "observation": "units", "max_turns": max_turns}
        folder = tmp_path / "run"
        recipe = check_recipe({"name": "t", "env": env, "phases": [phase]}, host.registry)
        Run.create(folder, recipe, host).play()
        return folder, json.loads((folder / "phases" / "clone" / "phase.json").read_text())

    return clone


def test_a_player_that_plays_by_its_rows_is_cloned(cloned):
    folder, card = cloned(["walker"], 400, 30, random_opening=16, epochs=4, every=2, value="none")
    assert card["forbidden"] == 0
    assert card["agreement"] > 0.99 > card["commonest_agreement"]
    assert card["balanced_agreement"] > 0.9
    assert set(card["agreement_of"]) == {"worker", "city tile"}
    # Of each game every second turn, of both seats, and not the same turns in all games.
    games = [game for part in read_games(folder / "games" / "clone") for game in part.games()]
    assert set(Counter((int(game.step[0]), int(game.seat[0])) for game in games)) == {(0, 0), (1, 0)}
    assert all(len(set(game.seat.tolist())) == 2 for game in games)
    assert card["distinct"] == 400
    assert card["decisions"] < 400 * 30  # the openings are not learnt


def test_the_value_of_a_game_that_one_player_cannot_win_is_learnt(cloned):
    """Both sit in both seats: it is the play that tells, not the place."""
    _, card = cloned(["lux_woodland_v1", "idle"], 60, 60, epochs=8, every=4, value_coef=2.0)
    assert card["explained_variance"] > 0.8


def test_the_tally_tells_the_commonest_and_the_rare_choices_by_hand():
    head = HeadSpec("say", "units", 3, "a choice", units=(("a", 3), ("b", 2)))
    rows = torch.tensor([0, 0, 1, 1, 1, 1])
    kinds, legal = torch.tensor([0, 1, 0, 0, 0, 1]), torch.ones(6, 3, dtype=torch.bool)
    table = UnitTable(torch.tensor([0, 2, 6]), rows, rows, kinds, legal)
    tally = ChoiceTally()
    tally.add(head, table, torch.tensor([0, 1, 0, 0, 0, 1]), torch.tensor([0, 1, 0, 2, 0, 0]))
    # a: made 0 three times (all found) and 2 once (missed); b: made 1 (found) and 0 (missed).
    assert tally.commonest == pytest.approx((3 + 1) / 6)
    assert tally.balanced == pytest.approx((1 + 0 + 1 + 0) / 4)
    assert tally.by_name == {"a": 0.75, "b": 0.5}
