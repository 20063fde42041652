"""Units on their way through rollouts, players, matches and kept games, with policies that need no plugin."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from lanista.actions import random_actions
from lanista.errors import LanistaError, PluginError
from lanista.games.keeper import GameKeeper
from lanista.games.parts import Source, read_games
from lanista.games.settings import KeepGames
from lanista.league.member import game_digest
from lanista.matches import play_matches
from lanista.openings import Openings
from lanista.plugins import NoSettings
from lanista.policy import Policy, PolicyCard, PolicyOutput
from lanista.policy_player import PolicyPlayer
from lanista.rollout import Collector
from lanista.spec import UNITS
from lanista.testing import check_env
from lanista.testing.practice import CHOICES, PracticeSettings
from lanista.testing.practice_units import PracticeUnits, Teller
from lanista.units import UnitTable, live_units, units_of


class Sayer(torch.nn.Module):
    """Wants to say what each unit sees; its value is the number of the row's units."""

    def forward(self, observation):
        table = units_of(observation)
        return PolicyOutput({"say": 3.0 * table.observation["number"]}, table.counts.to(torch.float32))


class Say:
    """A head of units by one softmax a unit."""

    num_outputs = CHOICES

    def _logs(self, logits, legal):
        return torch.where(legal.legal, logits, -torch.inf).log_softmax(dim=1)

    def sample(self, logits, legal, generator):
        logs = self._logs(logits, legal)
        action = torch.zeros(0, dtype=torch.int64)
        if len(logs):
            action = torch.multinomial(logs.exp(), 1, generator=generator).squeeze(1)
        return action, self.logprob(logits, legal, action)

    def greedy(self, logits, legal):
        return self._logs(logits, legal).argmax(dim=1)

    def logprob(self, logits, legal, action):
        return legal.sum(self._logs(logits, legal).gather(1, action.unsqueeze(1)).squeeze(1))


def env_of(seats=2, games=5, rounds=4):
    env = PracticeUnits(games, PracticeSettings(seats=seats, rounds=rounds), 1)
    env.reset(3)
    return env


def policy_of(env):
    return Policy(Sayer(), {"say": Say()}, PolicyCard("practice_units", {}, env.spec, "sayer", {}))


def collector_of(env, steps=6, **more):
    def reward(passage):
        return {"reward": passage.after["reward"]}

    return Collector(env, policy_of(env), steps, [reward], 0.99, torch.Generator().manual_seed(0), **more)


class Log:
    """The tables of an env and what it was told, step by step."""

    def __init__(self, env):
        self.tables, self.actions = [], []
        step = env.step

        def noted(actions):
            table = live_units(env)
            self.tables.append(UnitTable.of_arrays({k: v.copy() for k, v in table.arrays().items()}))
            self.actions.append(actions["say"].copy())
            step(actions)

        env.step = noted


def same(one, other):
    first, second = one.arrays(), other.arrays()
    assert set(first) == set(second)
    for name, array in first.items():
        np.testing.assert_array_equal(array, second[name], err_msg=name)


@pytest.mark.parametrize("seats", [1, 2])
def test_the_practice_game_with_units_keeps_the_contract(seats):
    check_env(lambda n, settings=None, threads=1: PracticeUnits(n, PracticeSettings(seats=seats), threads))


@pytest.mark.parametrize("seats", [1, 2])
def test_a_rollout_has_every_unit_of_every_step_with_what_it_did(seats):
    env = env_of(seats)
    log, collector = Log(env), collector_of(env)
    for _ in range(2):  # the second is written over the first
        log.tables.clear()
        log.actions.clear()
        rollout, _ = collector.collect(0.0)
        same(rollout.units["say"], UnitTable.joined(log.tables))
        np.testing.assert_array_equal(rollout.action["say"], np.concatenate(log.actions))
    np.testing.assert_array_equal(rollout.value.reshape(-1), rollout.units["say"].counts.numpy())


def test_decided_rows_come_with_their_units_and_have_the_probabilities_that_were_noted():
    env = env_of()
    collector = collector_of(env)
    rollout, _ = collector.collect(0.0)
    rollout.learn[:] = np.random.default_rng(0).random(rollout.learn.shape) < 0.4
    observation, legal, action = rollout.decided()
    assert legal["say"] is observation[UNITS]
    assert len(legal["say"]) == rollout.learn.sum()
    np.testing.assert_array_equal(observation["clock"], rollout.observation["clock"][rollout.learn])
    policy = collector.policy
    output = policy.network(observation)
    found = policy.heads["say"].logprob(output.logits["say"], legal["say"], action["say"])
    torch.testing.assert_close(found, torch.from_numpy(rollout.logprob[rollout.learn]))


class TooFew(Teller):
    """Forgets a unit."""

    def act(self, env, games, seats):
        return {"say": super().act(env, games, seats)["say"][:-1]}


def player(kind=Teller):
    return kind(env_of().spec, NoSettings(), 0)


class Scripted:
    """Seat 1 of every game is a scripted player's."""

    def __init__(self, env, player):
        self.learns = np.tile([True, False], env.num_games)
        self.player = player
        self.members = np.ones(env.num_games, np.int64)

    def rows_to_act(self, acting):
        yield self.player, np.flatnonzero(acting & ~self.learns)

    def games_ended(self, games, outcome):
        pass

    def seated(self, game, member):
        return ["learner", "teller"]


def test_a_scripted_opponent_gives_its_own_units_their_choices():
    env = env_of()
    log = Log(env)
    rollout, _ = collector_of(env, opponents=Scripted(env, player())).collect(0.0)
    for table, chosen in zip(log.tables, log.actions, strict=True):
        theirs = table.row % 2 == 1
        told = table.observation["number"].argmax(1)
        np.testing.assert_array_equal(chosen[theirs], told[theirs])
    assert not rollout.learn[:, 1::2].any()
    assert rollout.learn[:, 0::2].all()


def test_a_scripted_opponent_that_gives_a_number_too_few_is_told_so():
    env = env_of(games=40)
    opponents = Scripted(env, player(TooFew))
    with pytest.raises(PluginError, match=r"TooFew: act gave the shape .* give \[B\] = .* of int64"):
        collector_of(env, opponents=opponents).collect(0.0)


def test_random_openings_choose_legally_for_every_unit():
    env = env_of(games=20)
    openings = Openings(20, 2, 3, torch.Generator().manual_seed(1))
    log = Log(env)
    collector_of(env, openings=openings).collect(0.0)
    for table, chosen in zip(log.tables, log.actions, strict=True):
        assert table.legal[torch.arange(table.num_units), torch.from_numpy(chosen)].all()


def test_truncated_games_are_valued_without_units():
    env = env_of(games=3, rounds=4)
    step = env.step

    def cut(actions):
        step(actions)
        env.truncated[:] = env.terminated
        env.terminated[:] = False

    env.step = cut
    rollout, _ = collector_of(env, steps=4).collect(0.0)
    assert rollout.truncated[-1].all()
    assert not rollout.final_value.any()
    np.testing.assert_array_equal(rollout.bootstrap_value, live_units(env).counts.numpy())


@pytest.mark.parametrize(("greedy", "share"), [(True, 0.0), (False, 0.0), (True, 0.5)])
def test_a_policy_with_units_plays_matches_beside_scripted_players(greedy, share):
    def make_env(games):
        return PracticeUnits(games, PracticeSettings(seats=2, rounds=4), 1)

    policy_player = PolicyPlayer(policy_of(env_of()), 1, greedy=greedy, random_share=share)
    tally = play_matches(make_env, [policy_player, player()], 6, seed=2).tally(0, 1)
    assert tally.games == 12
    same_player = play_matches(make_env, [player(), player()], 6, seed=2).tally(0, 1)
    assert (tally == same_player) == (greedy and not share)


def test_kept_games_hold_every_decision_with_its_units(tmp_path):
    env = env_of(games=4, rounds=4)
    log = Log(env)
    source = Source("practice_units", {}, env.spec, "phase")
    keeper = GameKeeper(KeepGames(games=6, every=1), env, 6, tmp_path, source, None, None)
    collector = collector_of(env, keeper=keeper)
    for _ in range(3):
        collector.collect(0.0)
        # A stop and a resume in the middle of games change nothing.
        state = collector.state()
        collector.load_state({name: array.copy() for name, array in state.items()})
    keeper.write()
    games = [game for part in read_games(tmp_path) for game in part.games()]
    assert len(games) == 6
    whole = [
        table.with_further({"action": torch.from_numpy(a)})
        for table, a in zip(log.tables, log.actions, strict=True)
    ]
    for number, game in enumerate(games):
        place, first = number % 4, 4 * (number // 4)
        rows = torch.tensor([2 * place, 2 * place + 1])
        played = UnitTable.joined([whole[step][rows] for step in range(first, first + 4)])
        kept = UnitTable.of_arrays(game.units)
        same(kept.with_further({"action": torch.from_numpy(game.action["say"])}), played)


def test_a_network_that_is_shown_no_units_says_so():
    with pytest.raises(LanistaError, match="was shown clock and no table of units"):
        Sayer()({"clock": torch.zeros(2, 1)})


def test_rows_of_a_table_are_picked_by_number_mask_and_slice_with_their_units():
    env = env_of(games=30)
    table = live_units(env).with_further({"place": torch.arange(len(env.unit_row))})
    rng = np.random.default_rng(0)
    index = torch.from_numpy(rng.integers(60, size=40))
    picked = table[index]
    wanted = [place for row in index.tolist() for place in np.flatnonzero(env.unit_row == row)]
    assert picked.further["place"].tolist() == wanted
    np.testing.assert_array_equal(picked.observation["number"], env.unit_observation["number"][wanted])
    mask = torch.from_numpy(rng.random(60) < 0.3)
    same(table[mask], table[mask.nonzero().squeeze(1)])
    same(table[7:19], table[torch.arange(7, 19)])
    same(table[50:40], table[torch.zeros(0, dtype=torch.int64)])
    same(UnitTable.joined([table[:9], table[9:9], table[9:]]), table)
    assert picked.sum(torch.ones(picked.num_units)).tolist() == picked.counts.tolist()


def test_random_actions_of_units_are_drawn_a_row_a_unit():
    env = env_of()
    head = env.spec.heads[0]
    noise = np.random.default_rng(0).random((len(env.unit_row), head.size))
    chosen = random_actions(head, env.unit_legal, noise)
    assert env.unit_legal[np.arange(len(chosen)), chosen].all()


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda env: env.unit_legal.fill(False), r"unit_legal has no legal choice, of a unit"),
        (
            lambda env: env.unit_observation["number"].fill(np.nan),
            r"unit_observation\['number'\] holds a number that is not finite, of a unit",
        ),
    ],
)
def test_a_broken_table_is_named_by_the_rollout(spoil, words):
    env = env_of(games=10)
    show = env.show

    def broken():
        show()
        spoil(env)

    env.show = broken

    class Careless(Say):
        def sample(self, logits, legal, generator):
            return torch.zeros(legal.num_units, dtype=torch.int64), torch.zeros(len(legal))

    collector = collector_of(env)
    collector.policy.heads["say"] = Careless()
    collector.policy.network.forward = lambda observation: PolicyOutput(
        {"say": torch.zeros(observation[UNITS].num_units, CHOICES)},
        observation[UNITS].sum(observation[UNITS].observation["number"]).sum(dim=1),
    )
    with pytest.raises(LanistaError, match=words):
        collector.collect(0.0)


def test_what_is_shown_of_units_belongs_to_what_a_policy_was_made_for():
    spec = env_of().spec
    (part,) = spec.unit_observation
    other = replace(spec, unit_observation=(replace(part, shape=(7,)),))
    closed = replace(spec, heads=(replace(spec.heads[0], exclusive=((1,), ())),))
    assert len({game_digest(one) for one in (spec, other, closed)}) == 3
