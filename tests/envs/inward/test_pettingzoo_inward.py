"""Games of the family `pettingzoo:`: classic games, agents that leave, illegal moves, and what cannot be played."""

import sys

import numpy as np
import pytest

from lanista.errors import LanistaError, UsageError
from lanista.plugins import load_plugins
from lanista.testing import check_env

from .own_envs import Dying, Turns, module


@pytest.fixture(scope="module")
def registry():
    pytest.importorskip(
        "pygame", reason="PettingZoo's classic games import pygame: pip install 'lanista[classic]'"
    )
    return load_plugins().registry


@pytest.fixture
def make(registry):
    made = []

    def build(name, num_games=2, **table):
        env = registry.load("envs", name)(num_games, registry.settings("envs", name, table), 1)
        made.append(env)
        return env

    yield build
    for env in made:
        env.close()


@pytest.mark.parametrize(
    ("name", "table"),
    [
        ("pettingzoo:classic.tictactoe_v3", {}),
        ("pettingzoo:pettingzoo.classic.connect_four_v3", {}),
        ("pettingzoo:classic.rps_v2", {}),
        ("pettingzoo:classic.rps_v2", {"api": "aec", "kwargs": {"max_cycles": 4}}),
        ("pettingzoo:classic.connect_four_v3", {"max_steps": 5}),
    ],
)
def test_the_contract_holds(registry, name, table):
    check_env(registry.load("envs", name), registry.settings("envs", name, table), games=3, steps=60)


@pytest.mark.parametrize("own", [Dying, Turns])
def test_the_contract_holds_where_agents_leave_early(registry, monkeypatch, own):
    maker = "parallel_env" if own is Dying else "env"
    monkeypatch.setitem(sys.modules, "own_game", module(**{maker: own}))
    name = "pettingzoo:own_game"
    check_env(registry.load("envs", name), registry.settings("envs", name, {}), games=2, steps=20)


def test_tictactoe_is_won_and_the_loser_s_last_move_pays(make):
    env = make("pettingzoo:classic.tictactoe_v3", 1)
    assert (env.spec.seats, env.spec.turns, env.spec.outcome) == (2, "alternating", "score")
    env.reset(0)
    for cell in (0, 3, 1, 4):
        env.step({"action": np.full((1, 2), cell)})
        assert not env.legal["action"][0, env.acting[0].argmax(), cell]
    env.step({"action": np.full((1, 2), 2)})
    assert env.ended[0]
    assert env.outcome.tolist() == env.final_facts["reward"].tolist() == [[1.0, -1.0]]
    assert env.terminated.all()
    assert env.final_observation["observation"][0, 0, ..., 0].sum() == 3


@pytest.mark.filterwarnings("ignore:.*[Ii]llegal move.*")
def test_an_illegal_move_goes_to_the_game_which_says_that_it_loses(make):
    env = make("pettingzoo:classic.tictactoe_v3", 1)
    env.reset(0)
    env.step({"action": np.full((1, 2), 4)})
    env.step({"action": np.full((1, 2), 4)})
    assert env.ended[0]
    assert env.outcome.tolist() == [[0.0, -1.0]]


def test_rock_paper_scissors_at_once_is_cut_off_and_sees_the_last_moves(make):
    env = make("pettingzoo:classic.rps_v2", 1, kwargs={"max_cycles": 2})
    assert env.spec.turns == "simultaneous"
    env.reset(0)
    assert env.acting.all()
    env.step({"action": np.array([[0, 1]])})
    assert env.facts["reward"].tolist() == [[-1.0, 1.0]]
    assert env.observation["observation"][0].argmax(axis=1).tolist() == [1, 0]
    env.step({"action": np.array([[2, 1]])})
    assert env.truncated.all()
    assert not env.terminated.any()
    assert env.outcome.tolist() == [[0.0, 0.0]]
    assert env.final_observation["observation"][0].argmax(axis=1).tolist() == [1, 2]


def test_an_agent_that_leaves_acts_no_more_and_the_game_goes_on(make, monkeypatch):
    monkeypatch.setitem(sys.modules, "own_game", module(parallel_env=Dying))
    env = make("pettingzoo:own_game", 1)
    env.reset(0)
    action = {"action": np.zeros((1, 3), np.int64)}
    env.step(action)
    assert env.terminated.tolist() == [[True, False, False]]
    assert env.acting.tolist() == [[False, True, True]]
    assert env.observation["observation"][0, :, 0].tolist() == [0.0, 1.0, 1.0]
    env.step(action)
    env.step(action)
    assert env.ended[0]
    assert env.terminated.tolist() == [[True, True, False]]
    assert env.truncated.tolist() == [[False, False, True]]
    assert env.outcome.tolist() == [[1.0, 2.0, 3.0]]
    assert env.final_observation["observation"][0, 2, 0] == 3.0


def test_rewards_between_an_agent_s_turns_are_told_step_by_step(make, monkeypatch):
    monkeypatch.setitem(sys.modules, "own_game", module(env=Turns))
    env = make("pettingzoo:own_game", 1)
    env.reset(0)
    action = {"action": np.zeros((1, 3), np.int64)}
    told = []
    while not env.ended[0]:
        told.append(env.acting[0].argmax().item())
        env.step(action)
        reward = env.final_facts["reward"] if env.ended[0] else env.facts["reward"]
        told.append(reward[0].tolist())
    assert told == [0, [0, 1, 1], 1, [1, 0, 1], 2, [1, 0, 0], 0, [0, 0, 1], 2, [1, 0, 0]]
    assert env.terminated.tolist() == [[False, True, False]]
    assert env.truncated.tolist() == [[True, False, True]]


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        (
            "pettingzoo:classic.tictactoe_v33",
            "there is no module pettingzoo.classic.tictactoe_v33 and no module classic",
        ),
        (
            "pettingzoo:json",
            "the module json has no parallel_env and no env; name a module of PettingZoo's form",
        ),
        ("pettingzoo:half_installed", "half_installed needs no_such_thing, which is not installed"),
    ],
)
def test_a_module_that_cannot_be_played_is_one_sentence(make, monkeypatch, tmp_path, name, sentence):
    (tmp_path / "half_installed.py").write_text("import no_such_thing\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(LanistaError, match=sentence) as caught:
        make(name)
    assert "\n" not in str(caught.value)


def test_arguments_that_the_game_does_not_take_are_one_sentence(make):
    with pytest.raises(
        LanistaError, match=r"cannot be made: TypeError: .*unexpected keyword argument 'size'"
    ):
        make("pettingzoo:classic.tictactoe_v3", kwargs={"size": 4})


def test_agents_that_see_different_things_are_refused(make, monkeypatch):
    from gymnasium import spaces

    class Unlike(Dying):
        def observation_space(self, agent):
            return spaces.Box(0, 9, (1 + (agent == "b"),), np.float32)

    monkeypatch.setitem(sys.modules, "own_game", module(parallel_env=Unlike))
    with pytest.raises(
        LanistaError, match=r"the observations of a .* and b .* differ, and one policy plays every seat"
    ):
        make("pettingzoo:own_game")


def test_an_action_out_of_range_is_named(make):
    env = make("pettingzoo:classic.rps_v2")
    env.reset(0)
    with pytest.raises(UsageError, match="action action of seat 1 of game 0 is 3; give a number from 0 to 2"):
        env.step({"action": np.array([[0, 3], [0, 0]])})
