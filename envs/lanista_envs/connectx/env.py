"""Connect X as a VecEnv: two seats in turn, planes kept up to date by compiled code, one call a step."""

from typing import ClassVar

import numpy as np
import numpy.typing as npt

from lanista.arrays import AnyArray
from lanista.env import VecEnv
from lanista.errors import UsageError
from lanista.spec import EnvSpec, FactSpec, HeadSpec, ObsPart
from lanista_envs.blocks import Games, clear, copies, put_back, refuse_num_games, threaded
from lanista_envs.connectx import batch, rules
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
                "planes of 0 and 1, top row first: own stones, the opponent's stones, cells where a stone "
                "can drop now, empty cells where an own stone completes a line, or the opponent's does",
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
    """N games of Connect X. Players may read `board`, the competition's own form of it."""

    #: part -> (low, high), for views that must declare what can be seen
    observation_bounds: ClassVar[dict[str, tuple[int, int]]] = {"board": (0, 1)}

    def __init__(
        self, num_games: int, settings: ConnectXSettings | None = None, num_threads: int = 1
    ) -> None:
        """Allocate for `num_games`; `num_threads` > 1 shares out blocks of games."""
        refuse_num_games("connectx", num_games)
        self.settings = settings = settings or ConnectXSettings()
        self.spec = connectx_spec(settings)
        self.num_games = n = num_games
        self.games = games = _allocate(n + 1, settings)
        self.endings = endings = batch.Endings(
            ended=np.zeros(n, np.bool_),
            terminated=np.zeros((n, 2), np.bool_),
            outcome=np.zeros((n, 2), np.float32),
            planes=np.zeros_like(games.planes[:n]),
            levels=np.zeros_like(games.levels[:, :n]),
            reward=np.zeros((n, 2), np.float32),
        )
        self._step = threaded(batch, rules, label="connectx", num_threads=num_threads).step_games

        #: ``[N, rows * columns]`` int8, row-major from the top: 0 empty, 1 and 2 the stones of seats 0 and 1
        self.board = games.board[:n]
        shape = (n, 2, *self.spec.observation[0].shape)
        self.observation = {"board": games.planes[:n].reshape(shape)}
        self.legal = {"column": games.legal[:n]}
        self.acting = games.acting[:n]
        threats, stones = games.levels[0, :n], games.levels[1, :n]
        self.facts = {"reward": np.zeros((n, 2), np.float32), "threats": threats, "stones": stones}
        self.outcome = endings.outcome
        self.terminated, self.truncated = endings.terminated, np.zeros((n, 2), np.bool_)
        self.ended = endings.ended
        self.final_observation = {"board": endings.planes.reshape(shape)}
        threats, stones = endings.levels
        self.final_facts = {"reward": endings.reward, "threats": threats, "stones": stones}
        self.start_from(np.zeros(settings.rows * settings.columns, np.int8))

    def start_from(self, board: npt.ArrayLike) -> None:
        """From the next `reset` on, start every game at this position (flat, row-major from the top).

        The side to move follows from the number of stones. The position must not be over.
        """
        position = np.asarray(board).reshape(-1)
        refuse_start(position, self.settings)
        _show_position(position.astype(np.int8), self.settings, self.games)

    def reset(self, seed: int) -> None:
        """Start all games; the rules draw nothing, so `seed` changes nothing."""
        del seed
        clear(self.endings)
        for array in self.games[:-1]:
            array[:-1] = array[-1]
        self.games.levels[:, :-1] = self.games.levels[:, -1:]

    def step(self, actions: dict[str, AnyArray]) -> None:
        """Drop one stone in every game; an illegal column is an error (that game has then stood still)."""
        columns = actions["column"]
        illegal = self._step(columns, self.settings.inarow, *self.games, *self.endings)
        if illegal != batch.NO_GAME:
            seat = int(self.acting[illegal, 1])
            column, width = int(columns[illegal, seat]), self.settings.columns
            fault = "is full" if 0 <= column < width else f"does not exist on a board of {width} columns"
            raise UsageError(
                f"env connectx: seat {seat} of game {illegal} plays column {column}, which {fault}; "
                f"choose one with legal['column'] True"
            )

    def save(self) -> dict[str, AnyArray]:
        """Copies of the whole state."""
        parts: dict[str, Games] = {"games": self.games, "endings": self.endings}
        return {
            f"{part}.{name}": array
            for part, arrays in parts.items()
            for name, array in copies(arrays).items()
        }

    def load(self, state: dict[str, AnyArray]) -> None:
        """Take back what `save` gave."""
        parts: dict[str, Games] = {"games": self.games, "endings": self.endings}
        for part, arrays in parts.items():
            prefix = f"{part}."
            own = {
                name.removeprefix(prefix): array for name, array in state.items() if name.startswith(prefix)
            }
            put_back("connectx", arrays, own)

    def render(self, game: int) -> str:
        """The board, top row first: X is seat 0, O seat 1."""
        grid = self.board[game].reshape(self.settings.rows, self.settings.columns)
        return "\n".join(" ".join(".XO"[cell] for cell in row) for row in grid.tolist())


def _allocate(n: int, settings: ConnectXSettings) -> batch.Games:
    """Empty arrays for n games."""
    cells = settings.rows * settings.columns
    return batch.Games(
        board=np.zeros((n, cells), np.int8),
        walled=np.zeros((n, (settings.rows + 2) * (settings.columns + 2)), np.int8),
        landing=np.zeros((n, settings.columns), np.int64),
        stones=np.zeros(n, np.int64),
        acting=np.zeros((n, 2), np.bool_),
        legal=np.zeros((n, 2, settings.columns), np.bool_),
        planes=np.zeros((n, 2, rules.NUM_PLANES, cells), np.uint8),
        levels=np.zeros((2, n, 2), np.float32),
    )


def _show_position(position: npt.NDArray[np.int8], settings: ConnectXSettings, games: batch.Games) -> None:
    """Write the start row of all arrays from a board."""
    rows, columns = settings.rows, settings.columns
    grid = position.reshape(rows, columns)
    games.board[-1] = position
    games.walled[-1] = np.pad(grid, 1, constant_values=batch.WALL).reshape(-1)
    games.landing[-1] = (grid == 0).sum(0) - 1
    games.stones[-1] = np.count_nonzero(position)
    games.acting[-1] = [games.stones[-1] % 2 == 0, games.stones[-1] % 2 == 1]
    games.legal[-1] = grid[0] == 0
    for seat in range(2):
        planes = games.planes[-1, seat].reshape(rules.NUM_PLANES, rows, columns)
        rules.write_planes(position, seat + 1, rows, columns, settings.inarow, planes)
        games.levels[:, -1, seat] = planes[rules.OWN_COMPLETES].sum(), planes[rules.OWN].sum()


def refuse_start(position: AnyArray, settings: ConnectXSettings) -> None:
    """Raise unless a game can go on from `position`."""
    rows, columns, inarow = settings.rows, settings.columns, settings.inarow
    if position.size != rows * columns or not np.isin(position, (0, 1, 2)).all():
        raise UsageError(
            f"env connectx: a start position needs {rows * columns} cells of 0, 1 or 2, found "
            f"{position.size} with {sorted(set(position.tolist()))}; give the board row by row from the top"
        )
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
        rules.completes(position, row, column, int(grid[row, column]), rows, columns, inarow)
        for row, column in np.argwhere(grid != 0).tolist()
    )
    if won or first + second == grid.size:
        raise UsageError(
            "env connectx: a start position is over already; give one in which a move can be played"
        )
