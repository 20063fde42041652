"""MountainCar as a VecEnv: allocates the arrays once, and each step is one call of compiled code."""

import numpy as np

from lanista.arrays import AnyArray
from lanista.env import VecEnv
from lanista.kernels import compile_kernels
from lanista.spec import EnvSpec, FactSpec, HeadSpec, ObsPart
from lanista_envs import streams
from lanista_envs.blocks import refuse_actions, refuse_num_games, threaded
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
        heads=(HeadSpec("thrust", "categorical", 3, "0 thrusts to the left, 1 coasts, 2 thrusts to the right"),),
        facts=(
            FactSpec("reward", "flow", "points", "-1 for every step"),
            FactSpec("position", "level", "track", "of the car, -1.2 to 0.6; the goal is at 0.5"),
            FactSpec("velocity", "level", "track/step", "of the car, -0.07 to 0.07"),
            FactSpec("height", "level", "height", "of the track under the car: 0.55 + 0.45 sin(3 position), 0.1 to 1"),
            FactSpec("energy", "level", "height", "height + 270 velocity^2, which only thrust (and the left wall) changes"),
        ),
        max_steps=settings.max_steps,
        reward_range=(-1.0, 0.0),
        outcome="score",
    )  # fmt: skip


class MountainCar(VecEnv):
    """N games of MountainCar. The levels among the facts are views of two blocks."""

    def __init__(
        self, num_games: int, settings: MountainCarSettings | None = None, num_threads: int = 1
    ) -> None:
        """Allocate for `num_games`; `num_threads` > 1 shares out blocks of games."""
        refuse_num_games("mountaincar", num_games)
        settings = settings or MountainCarSettings()
        self.spec = mountaincar_spec(settings)
        self.num_games = n = num_games
        #: ``[2, N]`` float64: position, velocity of the running games
        self.state = np.zeros((2, n))
        self._counters = np.zeros((2, n), np.int64)
        self._flags = np.zeros((3, n), np.bool_)
        self._reward = np.zeros((2, n), np.float32)
        self._observation = np.zeros((n, 2), np.float32)
        self._hill = np.zeros((n, 2), np.float32)
        self._final = np.zeros((n, 2), np.float32)
        self._final_hill = np.zeros((n, 2), np.float32)
        self._seed = 0
        self._limit = settings.max_steps
        self._kernels = compile_kernels(rules, streams, label="mountaincar")
        self._step = threaded(rules, streams, label="mountaincar", num_threads=num_threads).step_games

        self.observation = {"state": self._observation[:, None]}
        self.legal = {"thrust": np.ones((n, 1, 3), np.bool_)}
        self.acting = np.ones((n, 1), np.bool_)
        self.terminated, self.truncated = self._flags[0, :, None], self._flags[1, :, None]
        self.ended = self._flags[2]
        self.outcome = self._reward[1, :, None]
        self.facts = {"reward": self._reward[0, :, None], **_levels(self._observation, self._hill)}
        self.final_observation = {"state": self._final[:, None]}
        self.final_facts = {
            "reward": np.full((n, 1), -1, np.float32),
            **_levels(self._final, self._final_hill),
        }

    def reset(self, seed: int) -> None:
        """Start all games from the streams of `seed`."""
        self._seed = seed
        self._flags[:] = False
        self._reward[:] = 0.0
        self._final[:] = 0.0
        self._final_hill[:] = 0.0
        self._kernels.start_games(seed, self.state, self._counters, self._observation, self._hill)

    def step(self, actions: dict[str, AnyArray]) -> None:
        """Drive every car one step; a wrong action is an error."""
        thrust = actions["thrust"].reshape(-1)
        if self._step(
            self._seed, self._limit, thrust, self.state, self._counters, self._flags,
            self._reward, self._observation, self._hill, self._final, self._final_hill,
        ):  # fmt: skip
            refuse_actions("mountaincar", "thrust", thrust, 3)

    def save(self) -> dict[str, AnyArray]:
        """Copies of the whole state."""
        return {name: array.copy() for name, array in self._blocks().items()} | {"seed": np.array(self._seed)}

    def load(self, state: dict[str, AnyArray]) -> None:
        """Take back what `save` gave."""
        for name, array in self._blocks().items():
            np.copyto(array, state[name])
        self._seed = int(state["seed"])

    def _blocks(self) -> dict[str, AnyArray]:
        return {
            "state": self.state, "counters": self._counters, "flags": self._flags, "reward": self._reward,
            "observation": self._observation, "hill": self._hill,
            "final": self._final, "final_hill": self._final_hill,
        }  # fmt: skip

    def render(self, game: int) -> str:
        """One line: the car in numbers."""
        position, velocity = self.state[:, game]
        return f"step {self._counters[0, game]}: position {position:+.4f}, velocity {velocity:+.5f}"


def _levels(observation: AnyArray, hill: AnyArray) -> dict[str, AnyArray]:
    """The facts that are columns of observation and hill, as ``[N, 1]`` views."""
    return {
        "position": observation[:, 0:1], "velocity": observation[:, 1:2],
        "height": hill[:, 0:1], "energy": hill[:, 1:2],
    }  # fmt: skip
