"""Connect X as a VecEnv: two seats in turn, planes kept up to date by compiled code, one call a step."""

import numpy as np
import numpy.typing as npt

from lanista.arrays import AnyArray
from lanista.env import VecEnv
from lanista.errors import UsageError
from lanista.kernels import compile_kernels
from lanista.spec import EnvSpec, FactSpec, HeadSpec, ObsPart
from lanista_envs.blocks import refuse_num_games, threaded
from lanista_envs.connectx import rules
from lanista_envs.connectx.settings import ConnectXSettings


def connectx_spec(settings: ConnectXSettings) -> EnvSpec:
    """The declaration, for these settings."""
    return EnvSpec(
        name="connectx",
        version="1",
        source="kaggle-environments connectx 1.0.1 (envs/connectx/connectx.py)",
        seats=2,
        turns="alternating",
        observation=(
            ObsPart(
                "board",
                (rules.NUM_PLANES, settings.rows, settings.columns),
                "uint8",
                "planes of 0 and 1, row 0 on top: own stones, the opponent's stones, cells where a stone could drop "
                "now, empty cells where an own stone would complete a line, empty cells where the opponent's would",
            ),
        ),
        heads=(
            HeadSpec(
                "column", "categorical", settings.columns, "the column to drop a stone into, from the left"
            ),
        ),
        facts=(
            FactSpec("reward", "flow", "points", "+1 for the winner and -1 for the loser at the end, else 0"),
            FactSpec("threats", "level", "cells", "empty cells where an own stone would complete a line"),
            FactSpec("stones", "level", "stones", "own stones on the board"),
        ),
        max_steps=settings.rows * settings.columns,
        reward_range=(-1.0, 1.0),
        outcome="result",
    )


class ConnectX(VecEnv):
    """N games of Connect X. `board` is ``[N, rows * columns]`` int8 as the competition gives it."""

    def __init__(
        self, num_games: int, settings: ConnectXSettings | None = None, num_threads: int = 1
    ) -> None:
        """Allocate for `num_games`; `num_threads` > 1 shares out blocks of games."""
        refuse_num_games("connectx", num_games)
        self.settings = settings = settings or ConnectXSettings()
        self.spec = connectx_spec(settings)
        self.num_games = n = num_games
        cells, columns = settings.rows * settings.columns, settings.columns
        shape = (rules.NUM_PLANES, settings.rows, columns)
        #: ``[N, rows * columns]`` int8, row-major from the top: 0 empty, 1 and 2 the stones of seats 0 and 1
        self.board = np.zeros((n, cells), np.int8)
        #: ``[N]`` int64: stones on the board
        self.stones = np.zeros(n, np.int64)
        self._flags = np.zeros((2, n, 2), np.bool_)
        self._reward = np.zeros((2, n, 2), np.float32)
        self._levels = np.zeros((2, n, 2), np.float32)
        self._final_levels = np.zeros((2, n, 2), np.float32)
        self._planes = np.zeros((n, 2, *shape), np.uint8)
        self._final_planes = np.zeros((n, 2, *shape), np.uint8)
        self._start = np.zeros(cells, np.int8)
        self._start_planes = np.zeros((2, *shape), np.uint8)
        self._start_legal = np.zeros((2, columns), np.bool_)
        self._start_levels = np.zeros((2, 2), np.float32)
        self._inarow = settings.inarow
        self._kernels = compile_kernels(rules, label="connectx")
        self._step = threaded(rules, label="connectx", num_threads=num_threads).step_games

        self.observation = {"board": self._planes}
        self.legal = {"column": np.ones((n, 2, columns), np.bool_)}
        self.acting = np.zeros((n, 2), np.bool_)
        self.terminated, self.truncated = self._flags[0], self._flags[1]
        self.ended = np.zeros(n, np.bool_)
        self.outcome = self._reward[1]
        self.facts = {"reward": self._reward[0], "threats": self._levels[0], "stones": self._levels[1]}
        self.final_observation = {"board": self._final_planes}
        self.final_facts = {
            "reward": np.zeros((n, 2), np.float32),
            "threats": self._final_levels[0],
            "stones": self._final_levels[1],
        }

    def start_from(self, board: npt.ArrayLike) -> None:
        """From the next `reset` on, start every game at this position (flat, row-major from the top).

        The side to move follows from the number of stones. The position must not be over.
        """
        position = np.asarray(board, np.int8).reshape(-1)
        if position.size != self._start.size or not np.isin(position, (0, 1, 2)).all():
            raise UsageError(
                f"env connectx: a start position needs {self._start.size} cells of 0, 1 or 2, found {position.size} "
                f"cells with {sorted(set(position.tolist()))}; give the board row by row from the top"
            )
        self._check_start(position)
        self._start[:] = position

    def _check_start(self, position: AnyArray) -> None:
        rows, columns = self.settings.rows, self.settings.columns
        grid = position.reshape(rows, columns)
        first, second = int((grid == 1).sum()), int((grid == 2).sum())
        if first - second not in (0, 1):
            raise UsageError(
                f"env connectx: a start position has {first} stones of 1 and {second} of 2; "
                f"the first seat has as many as the second, or one more"
            )
        if ((grid[1:] == 0) & (grid[:-1] != 0)).any():
            raise UsageError(
                "env connectx: a start position has a stone above an empty cell; let the stones fall"
            )
        won = any(
            rules.completes(position, r, c, int(grid[r, c]), rows, columns, self._inarow)
            for r, c in np.argwhere(grid != 0).tolist()
        )
        if won or first + second == grid.size:
            raise UsageError(
                "env connectx: a start position is over already; give one in which a move can be played"
            )

    def reset(self, seed: int) -> None:
        """Start all games; the rules draw nothing, so `seed` changes nothing."""
        del seed
        for block in (self._flags, self.ended, self._reward, self.final_facts["reward"], self._final_levels):
            block[:] = 0
        self._final_planes[:] = 0
        self.board[:] = self._start
        levels = np.zeros((2, 1, 2), np.float32)
        self._kernels.show_game(
            0, self._inarow, self._start[None], self._start_planes[None], self._start_legal[None], levels
        )
        self._start_levels[:] = levels[:, 0]
        stones = int(levels[1].sum())
        self.stones[:] = stones
        self.acting[:] = [stones % 2 == 0, stones % 2 == 1]
        self._planes[:] = self._start_planes
        self.legal["column"][:] = self._start_legal
        self._levels[:] = levels

    def step(self, actions: dict[str, AnyArray]) -> None:
        """Drop one stone in every game; an illegal column is an error (that game has then stood still)."""
        columns = actions["column"]
        if self._step(
            self._inarow, columns, self.board, self.stones, self.acting, self._flags, self.ended, self._reward,
            self._planes, self.legal["column"], self._levels, self._final_planes, self._final_levels,
            self.final_facts["reward"], self._start, self._start_planes, self._start_legal, self._start_levels,
        ):  # fmt: skip
            self._refuse(columns)

    def _refuse(self, columns: AnyArray) -> None:
        """Raise for the first game whose action was illegal."""
        width = self.settings.columns
        for game in range(self.num_games):
            seat = int(self.stones[game]) % 2
            column = int(columns[game, seat])
            if not (0 <= column < width) or not self.legal["column"][game, seat, column]:
                fault = "is full" if 0 <= column < width else f"does not exist on a board of {width} columns"
                raise UsageError(
                    f"env connectx: seat {seat} of game {game} plays column {column}, which {fault}; "
                    f"choose one with legal['column'] True"
                )

    def save(self) -> dict[str, AnyArray]:
        """Copies of the whole state."""
        return {name: array.copy() for name, array in self._blocks().items()}

    def load(self, state: dict[str, AnyArray]) -> None:
        """Take back what `save` gave."""
        for name, array in self._blocks().items():
            np.copyto(array, state[name])

    def _blocks(self) -> dict[str, AnyArray]:
        return {
            "board": self.board, "stones": self.stones, "flags": self._flags, "ended": self.ended,
            "acting": self.acting, "reward": self._reward, "levels": self._levels, "planes": self._planes,
            "legal": self.legal["column"], "final_planes": self._final_planes, "final_levels": self._final_levels,
            "final_reward": self.final_facts["reward"], "start": self._start, "start_planes": self._start_planes,
            "start_legal": self._start_legal, "start_levels": self._start_levels,
        }  # fmt: skip

    def render(self, game: int) -> str:
        """The board, top row first: X is seat 0, O seat 1."""
        grid = self.board[game].reshape(self.settings.rows, self.settings.columns)
        return "\n".join(" ".join(".XO"[cell] for cell in row) for row in grid.tolist())
