"""Pendulum as a VecEnv: allocates the arrays once, and each step is one call of compiled code."""

import math
from typing import ClassVar

import numpy as np

from lanista.arrays import AnyArray
from lanista.env import VecEnv
from lanista.errors import UsageError
from lanista.kernels import compile_kernels
from lanista.spec import EnvSpec, FactSpec, HeadSpec, ObsPart
from lanista_envs import streams
from lanista_envs.blocks import clear, copies, put_back, refuse_num_games, threaded
from lanista_envs.pendulum import rules
from lanista_envs.pendulum.settings import PendulumSettings

#: what a step costs at most: hanging down, at full speed, under full torque
WORST = math.pi**2 + 0.1 * rules.MAX_SPEED**2 + 0.001 * rules.MAX_TORQUE**2


def pendulum_spec(settings: PendulumSettings) -> EnvSpec:
    """The declaration, for these settings."""
    return EnvSpec(
        name="pendulum",
        version="1",
        source="gymnasium Pendulum-v1 (envs/classic_control/pendulum.py)",
        seats=1,
        turns="simultaneous",
        observation=(
            ObsPart(
                "state", (3,), "float32",
                "cosine and sine of the angle from upright, angular velocity (-8 to 8 rad/s)",
                spread=(1.0, 1.0, 8.0),
            ),
        ),
        heads=(
            HeadSpec(
                "torque", "gaussian", 1, "at the joint, in N m",
                low=(-rules.MAX_TORQUE,), high=(rules.MAX_TORQUE,),
            ),
        ),
        facts=(
            FactSpec("reward", "flow", "points", "-(angle^2 + 0.1 velocity^2 + 0.001 torque^2), before the step"),
            FactSpec("height", "level", "lengths", "of the tip above the joint, -1 to 1: cosine of the angle"),
            FactSpec("velocity", "level", "rad/s", "of the angle, -8 to 8"),
        ),
        max_steps=settings.max_steps,
        reward_range=(-math.ceil(WORST), 0.0),
        outcome="score",
    )  # fmt: skip


class Pendulum(VecEnv):
    """N games of Pendulum. The levels among the facts are views of the observation."""

    #: part -> (low, high), for views that must declare what can be seen
    observation_bounds: ClassVar[dict[str, tuple[AnyArray, AnyArray]]] = {
        "state": (np.array([-1.0, -1.0, -rules.MAX_SPEED]), np.array([1.0, 1.0, rules.MAX_SPEED]))
    }

    def __init__(
        self, num_games: int, settings: PendulumSettings | None = None, num_threads: int = 1
    ) -> None:
        """Allocate for `num_games`; `num_threads` > 1 shares out blocks of games."""
        refuse_num_games("pendulum", num_games)
        settings = settings or PendulumSettings()
        self.spec = pendulum_spec(settings)
        self.num_games = n = num_games
        #: the arrays of all games; ``games.state`` is ``[2, N]`` float64
        self.games = games = rules.Games(
            state=np.zeros((2, n)),
            total=np.zeros(n),
            counters=np.zeros((2, n), np.int64),
            flags=np.zeros((2, n), np.bool_),
            reward=np.zeros((3, n), np.float32),
            observation=np.zeros((n, 3), np.float32),
            final=np.zeros((n, 3), np.float32),
        )
        self._seed = 0
        self._limit = settings.max_steps
        self._kernels = compile_kernels(rules, streams, label="pendulum")
        self._step = threaded(rules, streams, label="pendulum", num_threads=num_threads).step_games

        self.observation = {"state": games.observation[:, None]}
        self.legal = {}
        self.acting = np.ones((n, 1), np.bool_)
        # Only time ends an episode.
        self.terminated, self.truncated = games.flags[0, :, None], games.flags[1, :, None]
        self.ended = games.flags[1]
        self.outcome = games.reward[1, :, None]
        self.facts = {"reward": games.reward[0, :, None], **_levels(games.observation)}
        self.final_observation = {"state": games.final[:, None]}
        self.final_facts = {"reward": games.reward[2, :, None], **_levels(games.final)}

    def reset(self, seed: int) -> None:
        """Start all games from the streams of `seed`."""
        self._seed = seed
        clear(self.games)
        self._kernels.start_games(seed, self.games)

    def step(self, actions: dict[str, AnyArray]) -> None:
        """Swing every pendulum one step, with its torque held within -2..2; NaN is an error."""
        torque = np.ascontiguousarray(actions["torque"], np.float32).reshape(-1)
        if len(torque) != self.num_games:
            raise UsageError(
                f"env pendulum: {len(torque)} torques were given to {self.num_games} games; give an array "
                f"[{self.num_games}, 1, 1] of float32"
            )
        if self._step(self._seed, self._limit, torque, *self.games):
            game = int(np.flatnonzero(np.isnan(torque))[0])
            raise UsageError(f"env pendulum: action torque of game {game} is NaN; give a number from -2 to 2")

    def save(self) -> dict[str, AnyArray]:
        """Copies of the whole state."""
        return {**copies(self.games), "seed": np.array(self._seed)}

    def load(self, state: dict[str, AnyArray]) -> None:
        """Take back what `save` gave."""
        put_back("pendulum", self.games, state)
        self._seed = int(state["seed"])

    def render(self, game: int) -> str:
        """One line: the pendulum in numbers."""
        angle, velocity = self.games.state[:, game]
        wrapped = (angle + math.pi) % (2 * math.pi) - math.pi
        return f"step {self.games.counters[0, game]}: angle {wrapped:+.4f}, velocity {velocity:+.4f}"


def _levels(observation: AnyArray) -> dict[str, AnyArray]:
    """The facts that are columns of the observation, as ``[N, 1]`` views."""
    return {"height": observation[:, 0:1], "velocity": observation[:, 2:3]}
