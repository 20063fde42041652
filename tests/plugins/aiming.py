"""A file plugin with an env whose answers are known: aim at the place that is shown; real numbers, choices, or both."""

import numpy as np
from pydantic import BaseModel, ConfigDict

from lanista import hookimpl
from lanista.env import VecEnv
from lanista.spec import EnvSpec, FactSpec, HeadSpec, ObsPart


class AimingSettings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    #: 1 or 2
    seats: int = 1
    #: whether a choice (is the second number above 0?) is asked for, too
    side: bool = False


@hookimpl
def register_envs(register):
    register("aiming", ":Aiming", settings=AimingSettings, summary="aim at the place that is shown")


LOW, HIGH = np.array([-1.0, 0.0], np.float32), np.array([1.0, 4.0], np.float32)
LONGEST = 4


class Aiming(VecEnv):
    """Each of 4 steps shows two numbers in -1..1, x and y; the aim is (x, 2 + 2 y), the side whether y is above 0.

    The reward is minus the mean squared distance in shares of half the range, and half a point less for a wrong side. Of
    two seats the better sum wins.
    """

    resumable = True

    def __init__(self, num_games, settings, num_threads=1):
        settings = settings or AimingSettings()
        n = self.num_games = num_games
        s = seats = settings.seats
        heads = [
            HeadSpec("aim", "gaussian", 2, "the place", low=tuple(LOW.tolist()), high=tuple(HIGH.tolist()))
        ]
        if settings.side:
            heads.insert(0, HeadSpec("side", "categorical", 3, "0 below, 1 above, 2 never legal"))
        self.spec = EnvSpec(
            name="aiming", version="1", source="this file", seats=seats, turns="simultaneous",
            observation=(ObsPart("shown", (2,), "float32", "x and y"),), heads=tuple(heads),
            facts=(FactSpec("reward", "flow", "points", "0 is best"),), max_steps=LONGEST,
            reward_range=(-5.0, 0.0), outcome="score" if seats == 1 else "result",
        )  # fmt: skip
        self.observation = {"shown": np.zeros((n, s, 2), np.float32)}
        self.final_observation = {"shown": np.zeros((n, s, 2), np.float32)}
        self.legal = {"side": np.ones((n, s, 3), bool)} if settings.side else {}
        for mask in self.legal.values():
            mask[..., 2] = False
        self.acting, self.terminated = np.ones((n, s), bool), np.zeros((n, s), bool)
        self.truncated, self.ended = np.zeros((n, s), bool), np.zeros(n, bool)
        self.facts = {"reward": np.zeros((n, s), np.float32)}
        self.final_facts = {"reward": np.zeros((n, s), np.float32)}
        self.outcome = np.zeros((n, s), np.float32)
        self.seed = np.zeros((), np.int64)
        self.step_of, self.episode = np.zeros(n, np.int64), np.zeros(n, np.int64)
        self.total = np.zeros((n, s))

    def _arrays(self):
        parts = {"shown": self.observation["shown"], "last": self.final_observation["shown"]}
        parts |= {"reward": self.facts["reward"], "last_reward": self.final_facts["reward"]}
        names = ("truncated", "ended", "outcome", "seed", "step_of", "episode", "total")
        return parts | {name: getattr(self, name) for name in names}

    def save(self):
        return {name: array.copy() for name, array in self._arrays().items()}

    def load(self, state):
        for name, array in self._arrays().items():
            array[...] = state[name]

    def _show(self):
        for game in range(self.num_games):
            rng = np.random.default_rng([int(self.seed), game, self.episode[game], self.step_of[game]])
            self.observation["shown"][game] = rng.uniform(-1, 1, self.observation["shown"].shape[1:])

    def reset(self, seed):
        for array in self._arrays().values():
            array[...] = 0
        self.seed[...] = seed
        self._show()

    def step(self, actions):
        shown, aim = self.observation["shown"], actions["aim"]
        assert aim.dtype == np.float32
        assert aim.shape == shown.shape
        assert ((aim >= LOW) & (aim <= HIGH)).all(), "an action lies outside its bounds"
        wanted = np.stack([shown[..., 0], 2 + 2 * shown[..., 1]], axis=-1)
        reward = -np.square((aim - wanted) / ((HIGH - LOW) / 2)).mean(axis=-1)
        if "side" in actions:
            assert (actions["side"] != 2).all(), "an illegal side was chosen"
            reward = reward - 0.5 * (actions["side"] != (shown[..., 1] > 0))
        self.total += reward
        self.step_of += 1
        self.final_observation["shown"][...] = shown
        self.ended[...] = self.step_of == LONGEST
        self.truncated[...] = self.ended[:, None]
        self.final_facts["reward"][...] = reward
        self.facts["reward"][...] = np.where(self.ended[:, None], 0, reward)
        result = self.total
        if self.spec.seats == 2:
            result = np.sign(self.total - self.total[:, ::-1])
        self.outcome[...] = np.where(self.ended[:, None], result, 0)
        self.total[self.ended] = 0
        self.episode += self.ended
        self.step_of[self.ended] = 0
        self._show()
