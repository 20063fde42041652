"""MountainCar as a VecEnv: allocates the arrays once, and each step is one call of compiled code."""

from typing import ClassVar

import numpy as np

from lanista.arrays import AnyArray
from lanista.env import VecEnv
from lanista.kernels import compile_kernels
from lanista.spec import EnvSpec, FactSpec, HeadSpec, ObsPart
from lanista_envs import streams
from lanista_envs.blocks import clear, copies, put_back, refuse_actions, refuse_num_games, threaded
from lanista_envs.mountaincar import rules
from lanista_envs.mountaincar.settings import MountainCarSettings


def mountaincar_spec(settings: MountainCarSettings) -> EnvSpec:
    """The declaration, for these settings."""
    return EnvSpec(
        name="mountaincar",
        version="1",
        source="gymnasium MountainCar-v0 (envs/classic_control/mountain_car.py)",
        seats=1,
        turns="simultaneous",
        observation=(
            ObsPart(
                "state", (2,), "float32", "position (-1.2 to 0.6), velocity (-0.07 to 0.07 a step)",
                center=(-0.3, 0.0), spread=(0.9, 0.07),
            ),
        ),
        heads=(HeadSpec("thrust", "categorical", 3, "0 to the left, 1 none, 2 to the right"),),
        facts=(
            FactSpec("reward", "flow", "points", "-1 for every step"),
            FactSpec("position", "level", "track", "of the car, -1.2 to 0.6; the goal is at 0.5"),
            FactSpec("velocity", "level", "track/step", "of the car, -0.07 to 0.07"),
            FactSpec("height", "level", "height", "of the track at the car: 0.55 + 0.45 sin(3 position)"),
            FactSpec("energy", "level", "height", "height + 270 velocity^2; thrust changes it"),
        ),
        max_steps=settings.max_steps,
        reward_range=(-1.0, 0.0),
        outcome="score",
    )  # fmt: skip


class MountainCar(VecEnv):
    """N games of MountainCar. The levels among the facts are views of two blocks."""

    #: part -> (low, high), for views that must declare what can be seen
    observation_bounds: ClassVar[dict[str, tuple[AnyArray, AnyArray]]] = {
        "state": (
            np.array([rules.MIN_POSITION, -rules.MAX_SPEED]),
            np.array([rules.MAX_POSITION, rules.MAX_SPEED]),
        )
    }

    def __init__(
        self, num_games: int, settings: MountainCarSettings | None = None, num_threads: int = 1
    ) -> None:
        """Allocate for `num_games`; `num_threads` > 1 shares out blocks of games."""
        refuse_num_games("mountaincar", num_games)
        settings = settings or MountainCarSettings()
        self.spec = mountaincar_spec(settings)
        self.num_games = n = num_games
        #: the arrays of all games; ``games.state`` is ``[2, N]`` float64
        self.games = games = rules.Games(
            state=np.zeros((2, n)),
            counters=np.zeros((2, n), np.int64),
            flags=np.zeros((3, n), np.bool_),
            reward=np.zeros((2, n), np.float32),
            observation=np.zeros((n, 2), np.float32),
            hill=np.zeros((n, 2), np.float32),
            final=np.zeros((n, 2), np.float32),
            final_hill=np.zeros((n, 2), np.float32),
        )
        self._seed = 0
        self._limit = settings.max_steps
        self._kernels = compile_kernels(rules, streams, label="mountaincar")
        self._step = threaded(rules, streams, label="mountaincar", num_threads=num_threads).step_games

        self.observation = {"state": games.observation[:, None]}
        self.legal = {"thrust": np.ones((n, 1, 3), np.bool_)}
        self.acting = np.ones((n, 1), np.bool_)
        self.terminated, self.truncated = games.flags[0, :, None], games.flags[1, :, None]
        self.ended = games.flags[2]
        self.outcome = games.reward[1, :, None]
        self.facts = {"reward": games.reward[0, :, None], **_levels(games.observation, games.hill)}
        self.final_observation = {"state": games.final[:, None]}
        self.final_facts = {
            "reward": np.full((n, 1), -1, np.float32),
            **_levels(games.final, games.final_hill),
        }

    def reset(self, seed: int) -> None:
        """Start all games from the streams of `seed`."""
        self._seed = seed
        clear(self.games)
        self._kernels.start_games(seed, self.games)

    def step(self, actions: dict[str, AnyArray]) -> None:
        """Drive every car one step; a wrong action is an error (its car was driven by it all the same)."""
        thrust = actions["thrust"].reshape(-1)
        if self._step(self._seed, self._limit, thrust, *self.games):
            refuse_actions("mountaincar", "thrust", thrust, 3)

    def save(self) -> dict[str, AnyArray]:
        """Copies of the whole state."""
        return {**copies(self.games), "seed": np.array(self._seed)}

    def load(self, state: dict[str, AnyArray]) -> None:
        """Take back what `save` gave."""
        put_back("mountaincar", self.games, state)
        self._seed = int(state["seed"])

    def render(self, game: int) -> str:
        """One line: the car in numbers."""
        position, velocity = self.games.state[:, game]
        return f"step {self.games.counters[0, game]}: position {position:+.4f}, velocity {velocity:+.5f}"


def _levels(observation: AnyArray, hill: AnyArray) -> dict[str, AnyArray]:
    """The facts that are columns of observation and hill, as ``[N, 1]`` views."""
    return {
        "position": observation[:, 0:1], "velocity": observation[:, 1:2],
        "height": hill[:, 0:1], "energy": hill[:, 1:2],
    }  # fmt: skip
