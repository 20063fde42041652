"""What the native envs' skins share: a threaded step, and refusals of wrong arguments."""

from collections.abc import Callable
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np

from lanista.arrays import AnyArray
from lanista.errors import UsageError
from lanista.kernels import compile_kernels, num_threads as threads


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


def refuse_num_games(name: str, num_games: int) -> None:
    """Raise unless there is at least one game."""
    if num_games < 1:
        raise UsageError(f"env {name} was asked for {num_games} games; ask for 1 or more")


def refuse_actions(name: str, head: str, action: AnyArray, size: int) -> None:
    """Raise, naming the first game whose action is outside 0..size-1."""
    game = int(np.flatnonzero((action < 0) | (action >= size))[0])
    raise UsageError(
        f"env {name}: action {head} of game {game} is {action[game]}; give a whole number from 0 to {size - 1}"
    )
