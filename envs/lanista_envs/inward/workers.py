"""Envs of gymnasium in worker processes: for each process gymnasium's own AsyncVectorEnv, whose env is a block of games.

A process an env would spend its time waking up: a step of one env takes less than a message through a pipe, and there
are more envs than cores. So each worker holds a block of consecutive games, steps them one after the other, and shows
all that a `VecEnv` shows as one observation in shared memory. The games keep their seeds, which follow from
(seed, game, episode), so nothing depends on the number of workers, nor on whether they wait for each other.
"""

import multiprocessing
import signal
import weakref
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
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
        self, settings: GymnasiumSettings, first: int, count: int, shown: spaces.Dict, columns: int
    ) -> None:
        """Games `first` to `first + count`."""
        self._settings, self._first, self._count = settings, first, count
        self.observation_space = shown
        self.action_space = spaces.Box(-np.inf, np.inf, (count, columns), np.float64)
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
        return _arrays_of(self._env), {}

    def step(self, action: AnyArray) -> tuple[dict[str, AnyArray], float, bool, bool, dict[str, Any]]:
        """Step all games; what they gave is in the observation."""
        assert self._env is not None
        self._env.step(unpacked(self._env.spec, action))
        return _arrays_of(self._env), 0.0, False, False, {}

    def draw(self, game: int) -> str:
        """A drawing as text of one of the block's games, by its place in the block."""
        assert self._env is not None
        return self._env.render(game)

    def close(self) -> None:
        """Close the games."""
        if self._env is not None:
            self._env.close()


def packed(spec: EnvSpec, actions: dict[str, AnyArray]) -> AnyArray:
    """The actions of all heads side by side, ``[N, columns]`` float64, which holds either kind exactly."""
    columns = [
        np.asarray(actions[head.name], np.float64).reshape(len(actions[head.name]), -1) for head in spec.heads
    ]
    return np.concatenate(columns, axis=1)


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


class OneWorker(VecEnv):
    """Consecutive games in a process of their own; the arrays are views of the memory that it shares."""

    resumable = False

    def __init__(self, one: GymnasiumEnv, settings: GymnasiumSettings, first: int, count: int) -> None:
        """Start the process, without a reset; `one` is an env of one game, as it is in the process."""
        self.spec, self.num_games = one.spec, count
        arrays = _arrays_of(one)
        shown = spaces.Dict({name: _space(array, count) for name, array in arrays.items()})
        columns = sum(head.size if head.continuous else 1 for head in one.spec.heads)
        self._envs = AsyncVectorEnv(
            [lambda: Block(settings, first, count, shown, columns)],
            copy=False, autoreset_mode=AutoresetMode.DISABLED, context="spawn",
        )  # fmt: skip
        self._close = weakref.finalize(self, _end, self._envs)
        for field in _NAMED:
            setattr(self, field, {})
        memory: Any = self._envs.observations
        for name, array in arrays.items():
            view = memory[name].view(array.dtype)
            _keep(self, name, view.reshape(view.shape[1:]))

    def reset(self, seed: int) -> None:
        """Reset every game with the seed of its first episode."""
        self.begin_reset(seed)
        self.finish_reset()

    def begin_reset(self, seed: int) -> None:
        """Tell the process; `finish_reset` waits for it."""
        with self._alive():
            self._envs.reset_async(options={"seed": seed})

    def finish_reset(self) -> None:
        """Wait until the games have begun."""
        with self._alive():
            self._envs.reset_wait()

    def step(self, actions: dict[str, AnyArray]) -> None:
        """Step every game once; those that ended are reset, in their process."""
        refuse_wrong(self.spec, actions)
        self.begin_step(packed(self.spec, actions))
        self.finish_step()

    def begin_step(self, table: AnyArray) -> None:
        """Tell the process the games' rows of what `packed` gives; `finish_step` waits for it."""
        with self._alive():
            self._envs.step_async(table[None])

    def finish_step(self) -> None:
        """Wait until the games were stepped."""
        with self._alive():
            self._envs.step_wait()

    @contextmanager
    def _alive(self) -> Iterator[None]:
        """Say it in a sentence when the process is no longer there."""
        try:
            yield
        except (EOFError, BrokenPipeError, ConnectionResetError) as error:
            (process,) = self._envs.processes
            process.join(1.0)
            raise LanistaError(
                f"env {self.spec.name}: a worker process ended by itself (exit code {process.exitcode}; -9 is what a "
                f"machine out of memory does); take fewer games or workers, and go on with lanista resume"
            ) from error

    def render(self, game: int) -> str:
        """As the env in its process draws it."""
        drawn: str = self._envs.call("draw", game)[0]
        return drawn

    def close(self) -> None:
        """End the process."""
        self._close()


class WorkerEnv(VecEnv):
    """The games of `GymnasiumEnv` shared out among processes."""

    resumable = False
    shares: tuple[OneWorker, ...]

    def __init__(self, num_games: int, settings: GymnasiumSettings) -> None:
        """Start the processes; what cannot be made is said here, in one sentence."""
        refuse_num_games(f"gymnasium:{settings.id}", num_games)
        one = GymnasiumEnv(1, settings)
        self.spec, self.num_games = one.spec, num_games
        count = -(-num_games // settings.workers)
        firsts = range(0, num_games, count)
        # Each constructor waits until its process has loaded what it needs, so they run side by side.
        with ThreadPoolExecutor(len(firsts)) as pool:
            begun = [
                pool.submit(OneWorker, one, settings, first, min(count, num_games - first))
                for first in firsts
            ]
        try:
            self.shares = tuple(future.result() for future in begun)
        except BaseException:
            for future in begun:
                if future.exception() is None:
                    future.result().close()
            raise
        for field in _NAMED:
            setattr(self, field, {})
        #: (an array of this env's games, the one of a worker that is shown there)
        self._shown: list[tuple[AnyArray, AnyArray]] = []
        by_worker = [_arrays_of(part) for part in self.shares]
        for name, array in _arrays_of(one).items():
            whole = np.zeros((num_games, *array.shape[1:]), array.dtype)
            _keep(self, name, whole)
            self._shown += [
                (whole[first : first + count], arrays[name])
                for first, arrays in zip(firsts, by_worker, strict=True)
            ]
        self._places = [slice(first, first + count) for first in firsts]
        one.close()
        self.reset(0)

    def reset(self, seed: int) -> None:
        """Reset every game with the seed of its first episode."""
        for part in self.shares:
            part.begin_reset(seed)
        for part in self.shares:
            part.finish_reset()
        self._show()

    def step(self, actions: dict[str, AnyArray]) -> None:
        """Step every game once; those that ended are reset, in their worker."""
        refuse_wrong(self.spec, actions)
        table = packed(self.spec, actions)
        for part, place in zip(self.shares, self._places, strict=True):
            part.begin_step(table[place])
        for part in self.shares:
            part.finish_step()
        self._show()

    def _show(self) -> None:
        for array, worker in self._shown:
            array[...] = worker

    def render(self, game: int) -> str:
        """As the env in its worker draws it."""
        count = self._places[0].stop
        return self.shares[game // count].render(game % count)

    def close(self) -> None:
        """End the processes."""
        for part in self.shares:
            part.close()


def _keep(env: VecEnv, name: str, array: AnyArray) -> None:
    """Let `env` show an array under the name that `_arrays_of` gives it."""
    field, dot, inner = name.partition(".")
    if dot:
        getattr(env, field)[inner] = array
    else:
        setattr(env, field, array)


def refuse_wrong(spec: EnvSpec, actions: dict[str, AnyArray]) -> None:
    """Raise for choices that a head does not have."""
    for head in spec.heads:
        if not head.continuous:
            refuse_choices(spec.name, head, actions[head.name][:, 0])


def _end(envs: AsyncVectorEnv) -> None:
    """End the process at once, whatever it is doing: nothing of it is kept."""
    for process in envs.processes:
        if process.is_alive():
            process.terminate()
    for pipe in envs.parent_pipes:
        if pipe is not None:
            pipe.close()
    for process in envs.processes:
        process.join()
    envs.closed = True
