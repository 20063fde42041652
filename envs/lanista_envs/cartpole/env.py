"""CartPole as a VecEnv: allocates the arrays once, and each step is one call of compiled code."""

import numpy as np

from lanista.arrays import AnyArray
from lanista.env import VecEnv
from lanista.kernels import compile_kernels
from lanista.spec import EnvSpec, FactSpec, HeadSpec, ObsPart
from lanista_envs import streams
from lanista_envs.blocks import refuse_actions, refuse_num_games, threaded
from lanista_envs.cartpole import rules
from lanista_envs.cartpole.settings import CartPoleSettings


def cartpole_spec(settings: CartPoleSettings) -> EnvSpec:
    """The declaration, for these settings."""
    return EnvSpec(
        name="cartpole",
        version="1",
        source="gymnasium CartPole-v1 (envs/classic_control/cartpole.py)",
        seats=1,
        turns="simultaneous",
        observation=(
            ObsPart(
                "state", (4,), "float32", "x (m), x_dot (m/s), theta (rad), theta_dot (rad/s)",
                center=(0.0, 0.0, 0.0, 0.0), spread=(1.2, 1.0, 0.1, 1.0),
            ),
        ),
        heads=(HeadSpec("push", "categorical", 2, "0 pushes the cart to the left, 1 to the right, with 10 N"),),
        facts=(
            FactSpec("reward", "flow", "points", "1 for every step"),
            FactSpec("position", "level", "m", "of the cart; beyond 2.4 either way the episode terminates"),
            FactSpec("velocity", "level", "m/s", "of the cart"),
            FactSpec("angle", "level", "rad", "of the pole; beyond 12 degrees either way the episode terminates"),
            FactSpec("angular_velocity", "level", "rad/s", "of the pole"),
        ),
        max_steps=settings.max_steps,
        reward_range=(0.0, 1.0),
        outcome="score",
    )  # fmt: skip


class CartPole(VecEnv):
    """N games of CartPole. The levels among the facts are views of the observation."""

    def __init__(
        self, num_games: int, settings: CartPoleSettings | None = None, num_threads: int = 1
    ) -> None:
        """Allocate for `num_games`; `num_threads` > 1 shares out blocks of games."""
        refuse_num_games("cartpole", num_games)
        settings = settings or CartPoleSettings()
        self.spec = cartpole_spec(settings)
        self.num_games = n = num_games
        #: ``[4, N]`` float64: x, x_dot, theta, theta_dot of the running games
        self.state = np.zeros((4, n))
        self._counters = np.zeros((2, n), np.int64)
        self._flags = np.zeros((3, n), np.bool_)
        self._reward = np.zeros((2, n), np.float32)
        self._observation = np.zeros((n, 4), np.float32)
        self._final = np.zeros((n, 4), np.float32)
        self._seed = 0
        self._limit = settings.max_steps
        self._turn = np.zeros((2, n))
        self._kernels = compile_kernels(rules, streams, label="cartpole")
        self._step = threaded(rules, streams, label="cartpole", num_threads=num_threads).step_games

        self.observation = {"state": self._observation[:, None]}
        self.legal = {"push": np.ones((n, 1, 2), np.bool_)}
        self.acting = np.ones((n, 1), np.bool_)
        self.terminated, self.truncated = self._flags[0, :, None], self._flags[1, :, None]
        self.ended = self._flags[2]
        self.outcome = self._reward[1, :, None]
        self.facts = {"reward": self._reward[0, :, None], **_levels(self._observation)}
        self.final_observation = {"state": self._final[:, None]}
        self.final_facts = {"reward": np.ones((n, 1), np.float32), **_levels(self._final)}

    def reset(self, seed: int) -> None:
        """Start all games from the streams of `seed`."""
        self._seed = seed
        self._flags[:] = False
        self._reward[:] = 0.0
        self._final[:] = 0.0
        self._kernels.start_games(seed, self.state, self._counters, self._observation)

    def step(self, actions: dict[str, AnyArray]) -> None:
        """Push every cart once; a wrong action is an error (the games have then gone on as if it were 0)."""
        push = actions["push"].reshape(-1)
        if self._step(
            self._seed, self._limit, push, self.state, self._turn, self._counters,
            self._flags, self._reward, self._observation, self._final,
        ):  # fmt: skip
            refuse_actions("cartpole", "push", push, 2)

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
            "state": self.state, "counters": self._counters, "flags": self._flags,
            "reward": self._reward, "observation": self._observation, "final": self._final,
        }  # fmt: skip

    def render(self, game: int) -> str:
        """One line: cart and pole in numbers."""
        x, x_dot, theta, theta_dot = self.state[:, game]
        steps = self._counters[0, game]
        return f"step {steps}: x {x:+.3f} m, {x_dot:+.3f} m/s; pole {theta:+.4f} rad, {theta_dot:+.3f} rad/s"


def _levels(observation: AnyArray) -> dict[str, AnyArray]:
    """The facts that are columns of the observation, as ``[N, 1]`` views."""
    names = ("position", "velocity", "angle", "angular_velocity")
    return {name: observation[:, k : k + 1] for k, name in enumerate(names)}
