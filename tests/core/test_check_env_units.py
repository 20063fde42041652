"""check_env on envs with acting units: a whole one passes, every broken one is named."""

import numpy as np
import pytest

from lanista.env import VecEnv
from lanista.errors import EnvContractError
from lanista.spec import EnvSpec, FactSpec, HeadSpec, ObsPart
from lanista.testing import check_env


class Herd(VecEnv):
    """Two seats whose units come and go with the step; a game lasts six steps."""

    def __init__(self, num_games=1, settings=None, num_threads=1):
        self.spec = EnvSpec(
            "herd", "1", "made up", 2, "simultaneous", (ObsPart("clock", (1,), "float32", "step"),),
            (HeadSpec("moves", "units", 3, "walk", units=(("cow", 3), ("calf", 2))),),
            (FactSpec("reward", "flow", "points", "nothing"),), 6, (0.0, 0.0), "result",
            unit_observation=(ObsPart("age", (2,), "float32", "steps"),),
        )  # fmt: skip
        self.num_games = n = num_games
        self.clock = np.zeros(n, np.int64)
        self.total = np.zeros(n, np.int64)
        zeros = np.zeros((n, 2), np.float32)
        self.observation = {"clock": np.zeros((n, 2, 1), np.float32)}
        self.final_observation = {"clock": np.zeros((n, 2, 1), np.float32)}
        self.legal, self.facts, self.final_facts = {}, {"reward": zeros.copy()}, {"reward": zeros.copy()}
        self.acting = np.ones((n, 2), np.bool_)
        self.outcome = zeros.copy()
        self.terminated, self.truncated = np.zeros((n, 2), np.bool_), np.zeros((n, 2), np.bool_)
        self.ended = np.zeros(n, np.bool_)
        self.unit_offsets = np.zeros(2 * n + 1, np.int64)
        self.show()

    def reset(self, seed):
        for array in (self.clock, self.total, self.terminated, self.ended):
            array[...] = 0
        self.show()

    def step(self, actions):
        assert actions["moves"].shape == self.unit_row.shape
        np.add.at(self.total, self.unit_row // 2, actions["moves"])
        self.clock += 1
        self.ended[:] = self.clock == 6
        self.terminated[:] = self.ended[:, None]
        self.final_observation["clock"][:] = self.clock[:, None, None]
        self.clock[self.ended] = 0
        self.total[self.ended] = 0
        self.show()

    def show(self):
        counts = (self.total[:, None] + self.clock[:, None] + [0, 1]) % 3
        self.unit_offsets[1:] = np.cumsum(counts)
        self.unit_row = np.repeat(np.arange(2 * self.num_games), counts.reshape(-1))
        self.unit_cell = self.unit_row * 0
        self.unit_kind = self.unit_row % 2
        self.unit_legal = np.arange(3) < np.array([3, 2])[self.unit_kind][:, None]
        self.unit_observation = {"age": np.tile(self.clock[self.unit_row // 2, None], 2).astype(np.float32)}
        self.observation["clock"][:] = self.clock[:, None, None]
        self.spoil()

    def spoil(self):
        """What a broken env does."""

    def save(self):
        names = ("clock", "total", "terminated", "ended")
        return {name: getattr(self, name).copy() for name in names} | {
            "final": self.final_observation["clock"].copy()
        }

    def load(self, state):
        for name in ("clock", "total", "terminated", "ended"):
            getattr(self, name)[:] = state[name]
        self.final_observation["clock"][:] = state["final"]
        self.show()


def test_a_whole_env_passes():
    check_env(Herd, steps=40)


def broken(spoil):
    return type("Broken", (Herd,), {"spoil": spoil})


def lose_last_row(env):
    env.unit_row = env.unit_row[:-1]


def wrong_row(env):
    env.unit_row = env.unit_row[::-1].copy()


def no_choice(env):
    env.unit_legal = env.unit_legal & (env.unit_kind == 0)[:, None]


def beyond(env):
    env.unit_legal = np.ones_like(env.unit_legal)


def unknown_kind(env):
    env.unit_kind = env.unit_kind + 2


def below(env):
    env.unit_cell = env.unit_cell - 1


def not_finite(env):
    env.unit_observation["age"] = env.unit_observation["age"] * np.nan


def undeclared(env):
    env.unit_observation["name"] = env.unit_observation["age"]


def narrow(env):
    env.unit_kind = env.unit_kind.astype(np.int8)


def idle(env):
    env.acting[:] = [True, False]


def falling(env):
    env.unit_offsets[1] = env.unit_offsets[2] + 1


def forgets_games(env):
    env.unit_cell = env.unit_cell + env.num_games


@pytest.mark.parametrize(
    ("spoil", "fault"),
    [
        (
            lose_last_row,
            r"unit_row is \(\d+,\) int64 after reset; unit_offsets and the spec ask for \(\d+,\) int64",
        ),
        (
            wrong_row,
            "unit_row does not agree with unit_offsets after reset; a row's r is game \\* seats \\+ seat",
        ),
        (
            no_choice,
            "unit_legal has no legal choice at row 0 after reset; leave out a unit with nothing to choose",
        ),
        (
            beyond,
            "unit_legal has a legal choice that the kind does not have at row 0 after reset; leave the mask",
        ),
        (unknown_kind, "unit_kind is none of the head's units at row 0 after reset; there are 2"),
        (below, "unit_cell is below 0 at row 0 after reset; give y \\* W \\+ x"),
        (not_finite, "unit_observation\\['age'\\] holds a number that is not finite at row 0 after reset"),
        (undeclared, "unit_observation has the parts \\['age', 'name'\\]; the spec declares \\['age'\\]"),
        (
            narrow,
            "unit_kind is \\(\\d+,\\) int8 after reset; unit_offsets and the spec ask for \\(\\d+,\\) int64",
        ),
        (idle, "unit_offsets gives rows to a seat that does not act at r 1 after reset; give it none"),
        (
            falling,
            "unit_offsets falls or does not begin with 0 after reset; give where each seat's rows begin",
        ),
        (forgets_games, "unit_cell of row 0 differs after step 0 among 8 games instead of 5"),
    ],
)
def test_a_broken_table_is_named(spoil, fault):
    with pytest.raises(EnvContractError, match=f"env herd: {fault}"):
        check_env(broken(spoil), steps=20)


def with_spec(**change):
    def factory(num_games, settings, num_threads):
        env = Herd(num_games)
        for name, value in change.items():
            env.spec = type(env.spec)(**{**env.spec.__dict__, name: value})
        return env

    return factory


HEAD = HeadSpec("moves", "units", 3, "walk", units=(("cow", 3),))


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"heads": (HEAD, HeadSpec("again", "units", 3, "walk", units=(("cow", 3),)))}, "spec.heads has 2 of the kind 'units'"),
        ({"heads": (HeadSpec("moves", "units", 4, "walk", units=(("cow", 3),)),)}, "spec.heads 'moves': units is .* with 3 choices at most"),
        ({"heads": (HeadSpec("moves", "categorical", 3, "walk", units=(("cow", 3),)),)}, "spec.heads 'moves': units is .*; only a head of units"),
        ({"heads": (HeadSpec("moves", "categorical", 3, "walk"),)}, "spec.unit_observation is given without a head of units"),
    ],
)  # fmt: skip
def test_a_spec_that_does_not_fit_is_named(change, fault):
    with pytest.raises(EnvContractError, match=f"env herd: {fault}"):
        check_env(with_spec(**change), steps=20)
