"""A scripted player for Connect X: depth-limited negamax with alpha-beta, over the env's own boards."""

from functools import lru_cache

import numpy as np

from lanista.arrays import AnyArray
from lanista.env import VecEnv
from lanista.errors import UsageError
from lanista.kernels import compile_kernels
from lanista.spec import EnvSpec
from lanista_envs import streams
from lanista_envs.connectx import search
from lanista_envs.connectx.env import ConnectX
from lanista_envs.connectx.settings import NegamaxSettings


class Negamax:
    """Looks `depth` moves beyond its own; equal moves are drawn from the player's own stream."""

    def __init__(self, env_spec: EnvSpec, settings: NegamaxSettings | None = None, seed: int = 0) -> None:
        """Refuse any env but Connect X."""
        if env_spec.name != "connectx":
            raise UsageError(f"player connectx_negamax cannot play {env_spec.name}; it knows connectx only")
        self.settings = settings or NegamaxSettings()
        self._seed = seed
        self._draws = np.zeros(1, np.int64)
        self._choose = compile_kernels(search, streams, label="connectx_negamax").choose_columns

    def act(self, env: VecEnv, games: np.ndarray, seats: np.ndarray) -> dict[str, AnyArray]:
        """Choose for the rows ``(games[b], seats[b])``, in ``[B]`` int64; each row draws one number."""
        if not isinstance(env, ConnectX):
            raise UsageError(
                f"player connectx_negamax was given {type(env).__name__}; it plays ConnectX only"
            )
        order, worth = _tables(env.settings.rows, env.settings.columns, env.settings.inarow)
        chosen = np.empty(len(games), np.int64)
        self._choose(
            env.games.walled, env.games.landing, np.asarray(games, np.int64), np.asarray(seats, np.int64),
            order, worth, env.settings.inarow, self.settings.depth, self._seed, int(self._draws[0]), chosen,
        )  # fmt: skip
        self._draws += len(games)
        return {"column": chosen}

    def state(self) -> dict[str, AnyArray]:
        """How many numbers have been drawn, and the seed of their stream."""
        return {"draws": self._draws.copy(), "seed": np.array([self._seed])}

    def load_state(self, state: dict[str, AnyArray]) -> None:
        """Take back what `state` gave."""
        self._draws[:] = state["draws"]
        self._seed = int(state["seed"][0])


@lru_cache(maxsize=64)
def _tables(rows: int, columns: int, inarow: int) -> tuple[AnyArray, AnyArray]:
    """The columns from the middle outwards, and the worth of each cell, for a board."""
    order = np.array(sorted(range(columns), key=lambda column: abs(2 * column - columns + 1)), np.int64)
    return order, search.count_lines(rows, columns, inarow)
