"""Envs of gymnasium in worker processes: gymnasium's own AsyncVectorEnv, each of whose envs is a block of games.

A process an env would spend its time waking up: a step of one env takes less than a message through a pipe, and there
are more envs than cores. So each worker holds a block of consecutive games, steps them one after the other, and shows
all that a `VecEnv` shows as one observation in shared memory. The arrays of `WorkerEnv` are views of that memory. The
games keep their seeds, which follow from (seed, game, episode), so nothing depends on the number of workers.
"""

import multiprocessing
import signal
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.vector import AsyncVectorEnv, AutoresetMode

from lanista.arrays import AnyArray
from lanista.env import VecEnv
from lanista.errors import LanistaError
from lanista.spec import EnvSpec
from lanista_envs.blocks import refuse_num_games
from lanista_envs.inward.gymnasium_env import GymnasiumEnv, refuse_choices
from lanista_envs.inward.settings import GymnasiumSettings

#: arrays of a `VecEnv`, and dictionaries of them
_PLAIN = ("acting", "terminated", "truncated", "ended", "outcome")
_NAMED = ("observation", "final_observation", "legal", "facts", "final_facts")


def gymnasium_env(num_games: int, settings: GymnasiumSettings, num_threads: int = 1) -> VecEnv:
    """Make the envs, in this process or in `settings.workers` others; `num_threads` is not asked."""
    del num_threads
    if settings.workers == 0:
        return GymnasiumEnv(num_games, settings)
    return WorkerEnv(num_games, settings)


def _arrays_of(env: VecEnv) -> dict[str, AnyArray]:
    """Every exposed array, by a name such as "facts.reward"."""
    named = {f"{field}.{name}": array for field in _NAMED for name, array in getattr(env, field).items()}
    return {**{name: getattr(env, name) for name in _PLAIN}, **named}


def _space(array: AnyArray, rows: int) -> spaces.Box:
    """What holds `rows` games of an array ``[1, ...]``; bools as bytes."""
    dtype = np.dtype(np.uint8) if array.dtype == np.bool_ else array.dtype
    low, high = (-np.inf, np.inf) if dtype.kind == "f" else (np.iinfo(dtype).min, np.iinfo(dtype).max)
    return spaces.Box(low, high, (rows, *array.shape[1:]), dtype.type)


class Block(gymnasium.Env[Any, AnyArray]):
    """Some consecutive games as one env, which are made when they are first reset, in the worker."""

    metadata: dict[str, Any] = {"render_modes": []}  # noqa: RUF012 - gymnasium's own way

    def __init__(
        self, settings: GymnasiumSettings, first: int, count: int, rows: int, shown: spaces.Dict, columns: int
    ) -> None:
        """Games `first` to `first + count`; the arrays have `rows` of which the last may stand for no game."""
        self._settings, self._first, self._count, self._rows = settings, first, count, rows
        self.observation_space = shown
        self.action_space = spaces.Box(-np.inf, np.inf, (rows, columns), np.float64)
        self._env: GymnasiumEnv | None = None

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, AnyArray], dict[str, Any]]:
        """Begin all games anew; the seed of the streams comes in `options`, for it is longer than gymnasium's."""
        if self._env is None:
            if multiprocessing.parent_process() is not None:
                # Ctrl-C reaches every process of the terminal: the one that drives says when to end.
                signal.signal(signal.SIGINT, signal.SIG_IGN)
            self._env = GymnasiumEnv(self._count, self._settings, self._first)
        self._env.reset((options or {}).get("seed", 0))
        return self._shown(self._env), {}

    def step(self, action: AnyArray) -> tuple[dict[str, AnyArray], float, bool, bool, dict[str, Any]]:
        """Step all games; what they gave is in the observation."""
        assert self._env is not None
        self._env.step(unpacked(self._env.spec, action[: self._count]))
        return self._shown(self._env), 0.0, False, False, {}

    def _shown(self, env: GymnasiumEnv) -> dict[str, AnyArray]:
        arrays = _arrays_of(env)
        if self._count == self._rows:
            return arrays
        return {
            name: np.concatenate([array, np.zeros((self._rows - self._count, *array.shape[1:]), array.dtype)])
            for name, array in arrays.items()
        }

    def draw(self, game: int) -> str:
        """A game's drawing as text; nothing for a game of another block."""
        inside = self._env is not None and self._first <= game < self._first + self._count
        return self._env.render(game - self._first) if self._env is not None and inside else ""

    def close(self) -> None:
        """Close the games."""
        if self._env is not None:
            self._env.close()


def packed(spec: EnvSpec, actions: dict[str, AnyArray], rows: int) -> AnyArray:
    """The actions of all heads side by side, ``[rows, columns]`` float64, which holds either kind exactly."""
    columns = [
        np.asarray(actions[head.name], np.float64).reshape(len(actions[head.name]), -1) for head in spec.heads
    ]
    table = np.concatenate(columns, axis=1)
    return (
        np.concatenate([table, np.zeros((rows - len(table), table.shape[1]))]) if rows > len(table) else table
    )


def unpacked(spec: EnvSpec, table: AnyArray) -> dict[str, AnyArray]:
    """The way back from `packed`."""
    actions: dict[str, AnyArray] = {}
    place = 0
    for head in spec.heads:
        width = head.size if head.continuous else 1
        part = table[:, place : place + width].astype(head.action_dtype)
        actions[head.name] = part.reshape(len(table), 1, *head.action_shape)
        place += width
    return actions


class WorkerEnv(VecEnv):
    """The games of `GymnasiumEnv` shared out among processes."""

    resumable = False

    def __init__(self, num_games: int, settings: GymnasiumSettings) -> None:
        """Start the processes; what cannot be made is said here, in one sentence."""
        refuse_num_games(f"gymnasium:{settings.id}", num_games)
        one = GymnasiumEnv(1, settings)
        self.spec, self.num_games = one.spec, num_games
        self._rows = rows = -(-num_games // settings.workers)
        shown = spaces.Dict({name: _space(array, rows) for name, array in _arrays_of(one).items()})
        kinds = {name: array.dtype for name, array in _arrays_of(one).items()}
        one.close()
        columns = sum(head.size if head.continuous else 1 for head in self.spec.heads)
        makers = [
            _maker(settings, first, min(rows, num_games - first), rows, shown, columns)
            for first in range(0, num_games, rows)
        ]
        self._envs = AsyncVectorEnv(
            makers, copy=False, autoreset_mode=AutoresetMode.DISABLED, context="spawn"
        )
        self._close = weakref.finalize(self, _end, self._envs)
        self._blocks = len(makers)
        self.reset(0)
        self._show(kinds)

    def _show(self, kinds: dict[str, np.dtype[Any]]) -> None:
        """Let every array be a view of the shared memory."""
        memory: Any = self._envs.observations
        for field in _NAMED:
            setattr(self, field, {})
        for name, kind in kinds.items():
            array = memory[name].view(kind)
            array = array.reshape(-1, *array.shape[2:])[: self.num_games]
            field, dot, inner = name.partition(".")
            if dot:
                getattr(self, field)[inner] = array
            else:
                setattr(self, field, array)

    def reset(self, seed: int) -> None:
        """Reset every game with the seed of its first episode."""
        with self._alive():
            self._envs.reset(options={"seed": seed})

    def step(self, actions: dict[str, AnyArray]) -> None:
        """Step every game once; those that ended are reset, in their worker."""
        for head in self.spec.heads:
            if not head.continuous:
                refuse_choices(self.spec.name, head, actions[head.name][:, 0])
        table = packed(self.spec, actions, self._blocks * self._rows)
        with self._alive():
            self._envs.step(table.reshape(self._blocks, self._rows, -1))

    @contextmanager
    def _alive(self) -> Iterator[None]:
        """Say it in a sentence when a process is no longer there."""
        try:
            yield
        except (EOFError, BrokenPipeError, ConnectionResetError) as error:
            codes = [process.exitcode for process in self._envs.processes if process.exitcode is not None]
            raise LanistaError(
                f"env {self.spec.name}: a worker process ended by itself (exit codes {codes}; -9 is what a machine out of "
                f"memory does); take fewer games or workers, and go on with lanista resume"
            ) from error

    def render(self, game: int) -> str:
        """As the env in its worker draws it."""
        drawn: str = self._envs.call("draw", game)[game // self._rows]
        return drawn

    def close(self) -> None:
        """End the processes."""
        self._close()


def _end(envs: AsyncVectorEnv) -> None:
    """End the processes at once, whatever they are doing: nothing of theirs is kept."""
    for process in envs.processes:
        if process.is_alive():
            process.terminate()
    for pipe in envs.parent_pipes:
        if pipe is not None:
            pipe.close()
    for process in envs.processes:
        process.join()
    envs.closed = True


def _maker(
    settings: GymnasiumSettings, first: int, count: int, rows: int, shown: spaces.Dict, columns: int
) -> Callable[[], Block]:
    return lambda: Block(settings, first, count, rows, shown, columns)
