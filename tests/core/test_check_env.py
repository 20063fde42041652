"""`check_env` passes a sound env, and each broken thing gives its own sentence."""

import dataclasses
import math
import subprocess
import sys

import numpy as np
import pytest

from lanista.env import VecEnv
from lanista.errors import EnvContractError
from lanista.spec import EnvSpec, FactSpec, HeadSpec, ObsPart
from lanista.testing import check_env

LONGEST = 9


class Pile(VecEnv):
    """Two seats take one or two stones in turn from a pile of 6 to 9; who takes the last one wins."""

    spec = EnvSpec(
        name="pile", version="1", source="this test", seats=2, turns="alternating",
        observation=(ObsPart("stones", (1,), "float32", "stones left", (5.0,), (5.0,)),),
        heads=(HeadSpec("take", "categorical", 2, "stones to take, less one"),),
        facts=(FactSpec("reward", "flow", "points", "+1 or -1"), FactSpec("left", "level", "stones", "stones left")),
        max_steps=LONGEST, reward_range=(-1.0, 1.0), outcome="result",
    )  # fmt: skip

    def __init__(self, num_games, settings=None, num_threads=1):
        self.num_games = n = num_games
        self.num_threads = num_threads
        self.pile = np.zeros(n, np.int64)
        self.episode = np.zeros(n, np.int64)
        self.seed = np.zeros(1, np.int64)
        self.observation = {"stones": np.zeros((n, 2, 1), np.float32)}
        self.final_observation = {"stones": np.zeros((n, 2, 1), np.float32)}
        self.legal = {"take": np.ones((n, 2, 2), np.bool_)}
        self.acting = np.zeros((n, 2), np.bool_)
        self.facts = {name: np.zeros((n, 2), np.float32) for name in ("reward", "left")}
        self.final_facts = {name: np.zeros((n, 2), np.float32) for name in ("reward", "left")}
        self.outcome = np.zeros((n, 2), np.float32)
        self.terminated = np.zeros((n, 2), np.bool_)
        self.truncated = np.zeros((n, 2), np.bool_)
        self.ended = np.zeros(n, np.bool_)

    def draw(self, game):
        return np.random.default_rng([int(self.seed[0]), game, int(self.episode[game])]).integers(
            6, LONGEST + 1
        )

    def start(self, game):
        self.pile[game] = self.draw(game)
        self.acting[game] = [True, False]

    def reset(self, seed):
        self.seed[0] = seed
        self.episode[:] = 0
        for array in (self.terminated, self.truncated, self.ended, self.outcome, *self.facts.values()):
            array[...] = 0
        for game in range(self.num_games):
            self.start(game)
        self.show()

    def show(self):
        self.observation["stones"][:] = self.pile[:, None, None]
        self.facts["left"][:] = self.pile[:, None]
        self.legal["take"][:, :, 1] = self.pile[:, None] > 1

    def step(self, actions):
        seat = self.acting.argmax(1)
        games = np.arange(self.num_games)
        self.pile -= actions["take"][games, seat] + 1
        self.acting[:] = ~self.acting
        self.ended[:] = self.pile == 0
        self.terminated[:] = self.ended[:, None]
        sign = np.where(np.arange(2) == seat[:, None], 1.0, -1.0)
        self.outcome[:] = np.where(self.ended[:, None], sign, 0.0)
        self.final_observation["stones"][:] = 0
        self.final_facts["left"][:] = 0
        self.final_facts["reward"][:] = sign
        for game in np.flatnonzero(self.ended):
            self.episode[game] += 1
            self.start(game)
        self.show()

    def all_arrays(self):
        named = {name: getattr(self, name) for name in ("pile", "episode", "seed")}
        for name in ("acting", "outcome", "terminated", "truncated", "ended"):
            named[name] = getattr(self, name)
        for group in ("observation", "legal", "facts", "final_observation", "final_facts"):
            named |= {f"{group}.{name}": array for name, array in getattr(self, group).items()}
        return named

    def save(self):
        return {name: array.copy() for name, array in self.all_arrays().items()}

    def load(self, state):
        for name, array in self.all_arrays().items():
            array[...] = state[name]


def test_a_sound_env_passes():
    check_env(Pile)
    check_env(Pile(3))


def with_spec(**changes):
    class Broken(Pile):
        spec = dataclasses.replace(Pile.spec, **changes)

    return Broken


def after_building(change):
    class Broken(Pile):
        def __init__(self, *arguments):
            super().__init__(*arguments)
            change(self)

    return Broken


def after_step(change):
    class Broken(Pile):
        def step(self, actions):
            super().step(actions)
            change(self)

    return Broken


def after_reset(change):
    class Broken(Pile):
        def reset(self, seed):
            super().reset(seed)
            change(self)

    return Broken


def put(owner, name, array):
    if isinstance(owner, VecEnv):
        setattr(owner, name, array)
    else:
        owner[name] = array


class SharedStream(Pile):
    """All games draw from one generator."""

    def reset(self, seed):
        self.generator = np.random.default_rng(seed)
        super().reset(seed)

    def draw(self, game):
        return self.generator.integers(6, LONGEST + 1)


class CountsOnAfterReset(Pile):
    def reset(self, seed):
        episode = self.episode.copy()
        super().reset(seed)
        self.episode[:] = episode + 1
        for game in range(self.num_games):
            self.start(game)
        self.show()


class ThreadsMatter(Pile):
    def draw(self, game):
        return super().draw(game) if self.num_threads == 1 else 6


class ReadsIdleActions(Pile):
    def step(self, actions):
        idle = actions["take"][~self.acting]
        super().step(actions)
        self.facts["left"][:] += (idle > 5)[:, None]


class SavesItsOwnArrays(Pile):
    def save(self):
        return self.all_arrays()


class ForgetsTheEpisode(Pile):
    def load(self, state):
        super().load({**state, "episode": self.episode.copy()})


class NeverEnds(Pile):
    def step(self, actions):
        super().step({"take": np.where(self.pile[:, None] > 1, 0, actions["take"])})
        self.pile[:] = 9
        for array in (self.ended, self.terminated, self.outcome):
            array[...] = 0
        self.show()


class ListOfGames(Pile):
    """Builds one game too many."""

    def __init__(self, num_games, settings=None, num_threads=1):
        super().__init__(num_games + 1, settings, num_threads)


REWARD = Pile.spec.facts[0]
LEFT = Pile.spec.facts[1]
STONES = Pile.spec.observation[0]

BROKEN = {
    "no reward": (with_spec(facts=(LEFT,)), "spec.facts lacks reward, it has ['left']; add the flow reward"),
    "reward a level": (
        with_spec(facts=(dataclasses.replace(REWARD, kind="level"), LEFT)),
        "spec.facts 'reward' is a level; declare it as a flow",
    ),
    "same name": (with_spec(facts=(REWARD, LEFT, LEFT)), "spec.facts has ['left'] twice; give each a name of its own"),
    "no head": (with_spec(heads=()), "spec.heads is empty; declare the env's heads"),
    "seats": (with_spec(seats=0), "spec.seats is 0; an env has at least one seat"),
    "max_steps": (with_spec(max_steps=0), "spec.max_steps is 0; give the longest episode in steps"),
    "range": (with_spec(reward_range=(1.0, -1.0)), "spec.reward_range is (1.0, -1.0); give the lowest reward first"),
    "center": (
        with_spec(observation=(dataclasses.replace(STONES, center=(0.0, 1.0)),)),
        "spec.observation 'stones': center has 2 numbers; give one, or one for each of the 1 on the last axis",
    ),
    "spread": (
        with_spec(observation=(dataclasses.replace(STONES, spread=(0.0,)),)),
        "spec.observation 'stones': spread is (0.0,); the network divides by it, so give numbers above 0",
    ),
    "lists in the spec": (with_spec(reward_range=[-1.0, 1.0]), "spec is not the same after to_json and from_json"),
    "games": (ListOfGames, "num_games is 6; it is the number of games that were asked for, 5"),
    "shape": (
        after_building(lambda env: put(env, "outcome", np.zeros((5, 1), np.float32))),
        "outcome has the shape (5, 1); the spec and 5 games ask for (5, 2)",
    ),
    "dtype": (
        after_building(lambda env: put(env.facts, "left", env.facts["left"].astype(float))),
        "facts['left'] has the dtype float64; the contract asks for float32",
    ),
    "missing": (
        after_building(lambda env: env.final_facts.pop("left")),
        "final_facts['left'] is missing; give an array (5, 2) of float32",
    ),
    "undeclared": (
        after_building(lambda env: put(env.facts, "gold", env.outcome.copy())),
        "facts['gold'] is not declared in the spec; declare it there or take the array away",
    ),
    "no array": (
        after_building(lambda env: put(env, "ended", [False] * 5)),
        "ended is not an array; make it in the constructor",
    ),
    "no dictionary": (
        after_building(lambda env: put(env, "legal", None)),
        "legal is not a dictionary of arrays; fill it in the constructor",
    ),
    "not finite": (
        after_step(lambda env: put(env.observation["stones"], (2, 1), np.nan)),
        "observation['stones'] holds a number that is not finite at game 2 seat 1 after step 1; write finite numbers",
    ),
    "nobody acts": (
        after_step(lambda env: put(env.acting, 3, False)),
        "acting has no seat that acts at game 3 after step 1; someone must act in a running game",
    ),
    "both act": (
        after_reset(lambda env: put(env.acting, 1, True)),
        "acting has more than one seat at game 1 after reset; the spec says that seats take turns",
    ),
    "nothing legal": (
        after_step(lambda env: put(env.legal["take"], 4, False)),
        "legal['take'] has no legal action for a seat that acts at game 4 seat 1 after step 1; give it one",
    ),
    "flag after reset": (
        after_reset(lambda env: put(env.terminated, (0, 1), True)),
        "terminated is [ True] at game 0 seat 1 after reset; clear it in reset",
    ),
    "flow after reset": (
        after_reset(lambda env: put(env.facts["reward"], (1, 0), 0.5)),
        "facts['reward'] is [0.5] at game 1 seat 0 after reset; a flow is 0 after a reset",
    ),
    "flow after restart": (
        after_step(lambda env: np.copyto(env.facts["reward"], env.outcome)),
        "a restarted game has no last step: its amounts belong into final_facts",
    ),
    "new arrays": (
        after_step(lambda env: put(env, "acting", env.acting.copy())),
        "acting is another array than before after step 1; overwrite the array in place",
    ),
    "both flags": (
        after_step(lambda env: np.copyto(env.truncated, env.terminated)),
        "terminated and truncated are both True at game",
    ),
    "half an end": (
        after_step(lambda env: put(env.terminated, (slice(None), 1), False)),
        "ended is True though a seat is neither terminated nor truncated at game",
    ),
    "end not told": (
        after_step(lambda env: put(env.ended, slice(None), False)),
        "ended is False though every seat is terminated or truncated at game",
    ),
    "too long": (
        NeverEnds,
        "ended is False after 9 steps, which is spec.max_steps at game 0 after step 9; truncate the game there",
    ),
    "reward out of range": (
        after_step(lambda env: put(env.facts["reward"], (slice(None), 0), 3.0 * ~env.ended)),
        "reward is [3.], outside spec.reward_range (-1.0, 1.0) at game 0 seat 0 after step 1; correct the reward",
    ),
    "outcome while running": (
        after_step(lambda env: put(env.outcome, (2, 0), 1.0)),
        "outcome is [1.] in a game that has not ended at game 2 seat 0 after step 1; clear it in every step",
    ),
    "outcome of a result": (
        after_step(lambda env: put(env.outcome, slice(None), 2 * env.outcome)),
        "a result is +1, 0 or -1",
    ),
    "outcome of a score": (
        type("Broken", (after_step(lambda env: put(env.outcome, env.ended, 0.5)),),
             {"spec": dataclasses.replace(Pile.spec, outcome="score")}),
        "a score is the episode's return",
    ),
    "reset forgets": (CountsOnAfterReset, "though seed and actions are the same; reset must bring back everything"),
    "one stream for all": (SharedStream, "instead of 5; draw from a stream of (seed, game, episode)"),
    "threads": (ThreadsMatter, "with two threads instead of one; draw from a stream of (seed, game, episode)"),
    "idle actions": (
        ReadsIdleActions,
        "when only actions of seats that do not act differ; ignore actions where acting was False",
    ),
    "saved arrays": (SavesItsOwnArrays, "changes when the env steps on; give copies of the arrays"),
    "load forgets": (ForgetsTheEpisode, "after load; save and load everything: games, streams, counters and"),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_each_broken_thing_gives_its_sentence(name):
    factory, sentence = BROKEN[name]
    with pytest.raises(EnvContractError) as caught:
        check_env(factory)
    message = str(caught.value)
    assert message.startswith("env pile: ")
    assert sentence in message
    assert "\n" not in message


def test_an_env_that_cannot_save_says_so_and_passes():
    class Fleeting(Pile):
        resumable = False
        save = VecEnv.save
        load = VecEnv.load

    check_env(Fleeting)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            {"kind": "gaussian"},
            "low and high are missing; give the lowest and the highest of each of its 2 real",
        ),
        ({"kind": "gaussian", "low": (0.0, 0.0)}, "high has 0 numbers; give one for each of the 2"),
        (
            {"kind": "gaussian", "low": (0.0,), "high": (1.0,)},
            "low has 1 numbers; give one for each of the 2",
        ),
        (
            {"kind": "gaussian", "low": (0.0, 0.0), "high": (1.0, math.inf)},
            "high is .*inf.*; give finite bounds",
        ),
        (
            {"kind": "gaussian", "low": (0.0, 1.0), "high": (1.0, 1.0)},
            "low and high are .*; give bounds with low below high",
        ),
        (
            {"low": (0.0, 0.0), "high": (1.0, 1.0)},
            "low and high are given with the kind 'categorical'; name a head of real",
        ),
    ],
    ids=["none", "half", "few", "infinite", "equal", "categorical"],
)
def test_wrong_bounds_of_a_head_are_named(change, sentence):
    heads = (dataclasses.replace(Pile.spec.heads[0], **change),)
    with pytest.raises(EnvContractError, match=f"env pile: spec.heads 'take': {sentence}"):
        check_env(with_spec(heads=heads))


def test_it_needs_no_torch():
    code = "import sys, lanista.testing; assert not {'torch', 'numba'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=1000)
