"""What the skins of the native envs share: a threaded step, saved arrays, refusals of wrong arguments.

The arrays of N games are a named tuple (``rules.Games``) that the env allocates and its kernels overwrite.
"""

from collections.abc import Callable, Iterator
from types import ModuleType, SimpleNamespace
from typing import Any, Protocol

import numpy as np

from lanista.arrays import AnyArray
from lanista.errors import CheckpointError, UsageError
from lanista.kernels import compile_kernels
from lanista.kernels import num_threads as threads


class Games(Protocol):
    """A named tuple of arrays."""

    @property
    def _fields(self) -> tuple[str, ...]:
        """The fields' names."""

    def __iter__(self) -> Iterator[AnyArray]:
        """The arrays, in the order of the fields."""


def threaded(*modules: ModuleType, label: str, num_threads: int) -> SimpleNamespace:
    """Kernels of `modules` that use `num_threads` threads where they loop with ``prange``."""
    if num_threads <= 1:
        return compile_kernels(*modules, label=label)
    kernels = compile_kernels(*modules, label=label, parallel=True)

    def bind(kernel: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:  # noqa: ANN401 - a kernel's own arguments and return
            with threads(num_threads):
                return kernel(*arguments)

        return call

    return SimpleNamespace(**{name: bind(kernel) for name, kernel in vars(kernels).items()})


def clear(games: Games) -> None:
    """Fill every array with zeros."""
    for array in games:
        array[...] = 0


def copies(games: Games) -> dict[str, AnyArray]:
    """Copies of all arrays, by field."""
    return {name: array.copy() for name, array in zip(games._fields, games, strict=True)}


def put_back(env: str, games: Games, state: dict[str, AnyArray]) -> None:
    """Write what `copies` gave back into the arrays; a state of another size is refused whole."""
    refuse_state(env, dict(zip(games._fields, games, strict=True)), state)
    for name, array in zip(games._fields, games, strict=True):
        np.copyto(array, state[name])


def refuse_state(env: str, arrays: dict[str, AnyArray], state: dict[str, AnyArray]) -> None:
    """Raise unless `state` has an array of the same shape for each of `arrays`."""
    for name, array in arrays.items():
        if name not in state or state[name].shape != array.shape:
            found = tuple(state[name].shape) if name in state else "nothing"
            raise CheckpointError(
                f"env {env}: the saved state has {found} as {name} where {array.shape} is needed; "
                f"load it into an env with the same number of games and the same settings"
            )


def refuse_num_games(name: str, num_games: int) -> None:
    """Raise unless there is at least one game."""
    if num_games < 1:
        raise UsageError(f"env {name} was asked for {num_games} games; ask for 1 or more")


def refuse_actions(name: str, head: str, action: AnyArray, size: int) -> None:
    """Raise, naming the first game whose action is outside 0..size-1."""
    game = int(np.flatnonzero((action < 0) | (action >= size))[0])
    raise UsageError(
        f"env {name}: action {head} of game {game} is {action[game]}; give a number from 0 to {size - 1}"
    )
