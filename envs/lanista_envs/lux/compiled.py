"""The compiled kernels of Lux, one set for everything that plays or shows games, and their use by several threads.

Kernels let go of Python's lock, so threads are Python's own: numba's would need all of it compiled once more, which
takes longer than the rest together. A kernel that can be shared out takes the range of its work as its first two
arguments.
"""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from functools import cache
from types import SimpleNamespace
from typing import Any

from lanista.kernels import compile_kernels
from lanista_envs.lux import rules, stepping


@cache
def lux_kernels() -> SimpleNamespace:
    """The kernels that Python calls, by their names."""
    entries = (
        "play_turn",
        "start_games",
        "find_illegal",
        "play_choices",
        "show_games",
        "show_units",
        "read_choices",
    )
    return compile_kernels(rules, stepping, label="lux_s1", entries=entries)


@cache
def _threads(count: int) -> ThreadPoolExecutor:
    """Threads that wait for work; they are not inherited by a process that forks off."""
    return ThreadPoolExecutor(count, thread_name_prefix="lux")


if hasattr(os, "register_at_fork"):  # where processes can fork
    os.register_at_fork(after_in_child=_threads.cache_clear)


def share_out(
    kernel: Callable[..., None],
    count: int,
    num_threads: int,
    *arguments: Any,  # noqa: ANN401 - a kernel's own
) -> None:
    """Call ``kernel(first, last, *arguments)`` so that 0..count-1 are covered, by `num_threads` threads at once."""
    pieces = min(num_threads, count)
    # Machine code is made, or read from the disk, by the first call, and one thread does that best.
    if pieces <= 1 or not getattr(kernel, "signatures", True):
        kernel(0, count, *arguments)
        return
    bounds = [count * k // pieces for k in range(pieces + 1)]
    pool = _threads(pieces - 1)
    others = [pool.submit(kernel, bounds[k], bounds[k + 1], *arguments) for k in range(1, pieces)]
    try:
        kernel(bounds[0], bounds[1], *arguments)
    finally:
        wait(others)
    for other in others:
        other.result()
