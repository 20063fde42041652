"""CartPole as a VecEnv: allocates the arrays once, and each step is one call of compiled code."""

from typing import ClassVar

import numpy as np

from lanista.arrays import AnyArray
from lanista.env import VecEnv
from lanista.kernels import compile_kernels
from lanista.spec import EnvSpec, FactSpec, HeadSpec, ObsPart
from lanista_envs import streams
from lanista_envs.blocks import clear, copies, put_back, refuse_actions, refuse_num_games, threaded
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
        heads=(HeadSpec("push", "categorical", 2, "push the cart with 10 N: 0 to the left, 1 to the right"),),
        facts=(
            FactSpec("reward", "flow", "points", "1 for every step"),
            FactSpec("position", "level", "m", "of the cart; beyond 2.4 either side the episode terminates"),
            FactSpec("velocity", "level", "m/s", "of the cart"),
            FactSpec("angle", "level", "rad", "of the pole; beyond 12 degrees the episode terminates"),
            FactSpec("angular_velocity", "level", "rad/s", "of the pole"),
        ),
        max_steps=settings.max_steps,
        reward_range=(0.0, 1.0),
        outcome="score",
    )  # fmt: skip


#: twice the limits, as gymnasium declares it; the velocities have none
_ANY = float(np.finfo(np.float32).max)
HIGHEST = np.array([2 * rules.X_LIMIT, _ANY, 2 * rules.THETA_LIMIT, _ANY])


class CartPole(VecEnv):
    """N games of CartPole. The levels among the facts are views of the observation."""

    #: part -> (low, high), for views that must declare what can be seen
    observation_bounds: ClassVar[dict[str, tuple[AnyArray, AnyArray]]] = {"state": (-HIGHEST, HIGHEST)}

    def __init__(
        self, num_games: int, settings: CartPoleSettings | None = None, num_threads: int = 1
    ) -> None:
        """Allocate for `num_games`; `num_threads` > 1 shares out blocks of games."""
        refuse_num_games("cartpole", num_games)
        settings = settings or CartPoleSettings()
        self.spec = cartpole_spec(settings)
        self.num_games = n = num_games
        #: the arrays of all games; ``games.state`` is ``[4, N]`` float64
        self.games = games = rules.Games(
            state=np.zeros((4, n)),
            room=np.zeros((4, n)),
            counters=np.zeros((2, n), np.int64),
            place=np.zeros(n, np.int64),
            flags=np.zeros((4, n), np.bool_),
            reward=np.zeros((2, n), np.float32),
            observation=np.zeros((n, 4), np.float32),
            final=np.zeros((n, 4), np.float32),
        )
        self._seed = 0
        self._limit = settings.max_steps
        self._kernels = compile_kernels(rules, streams, label="cartpole")
        self._step = threaded(rules, streams, label="cartpole", num_threads=num_threads).step_games

        self.observation = {"state": games.observation[:, None]}
        self.legal = {"push": np.ones((n, 1, 2), np.bool_)}
        self.acting = np.ones((n, 1), np.bool_)
        self.terminated, self.truncated = games.flags[0, :, None], games.flags[1, :, None]
        self.ended = games.flags[2]
        self.outcome = games.reward[1, :, None]
        self.facts = {"reward": games.reward[0, :, None], **_levels(games.observation)}
        self.final_observation = {"state": games.final[:, None]}
        self.final_facts = {"reward": np.ones((n, 1), np.float32), **_levels(games.final)}

    def reset(self, seed: int) -> None:
        """Start all games from the streams of `seed`."""
        self._seed = seed
        clear(self.games)
        self._kernels.start_games(seed, self.games)

    def step(self, actions: dict[str, AnyArray]) -> None:
        """Push every cart once; a wrong action is an error (its cart was pushed to the left)."""
        push = actions["push"].reshape(-1)
        if self._step(self._seed, self._limit, push, *self.games):
            refuse_actions("cartpole", "push", push, 2)

    def save(self) -> dict[str, AnyArray]:
        """Copies of the whole state."""
        return {**copies(self.games), "seed": np.array(self._seed)}

    def load(self, state: dict[str, AnyArray]) -> None:
        """Take back what `save` gave."""
        put_back("cartpole", self.games, state)
        self._seed = int(state["seed"])

    def render(self, game: int) -> str:
        """One line: cart and pole in numbers."""
        x, x_dot, theta, theta_dot = self.games.state[:, game]
        steps = self.games.counters[0, game]
        return f"step {steps}: x {x:+.3f} m, {x_dot:+.3f} m/s; pole {theta:+.4f} rad, {theta_dot:+.3f} rad/s"


def _levels(observation: AnyArray) -> dict[str, AnyArray]:
    """The facts that are columns of the observation, as ``[N, 1]`` views."""
    names = ("position", "velocity", "angle", "angular_velocity")
    return {name: observation[:, k : k + 1] for k, name in enumerate(names)}
