"""The compiled kernels of Lux, one set for everything that plays or shows games, and their use by several threads.

Kernels let go of Python's lock, so threads are Python's own: numba's would need all of it compiled once more, which
takes longer than the rest together.
"""

import os
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import cache
from types import SimpleNamespace
from typing import Any

from lanista.kernels import compile_kernels
from lanista_envs.lux import (
    accept,
    choices,
    cities,
    clusters,
    collect,
    dusk,
    facts,
    moves,
    nearest,
    overview,
    planes,
    rules,
    sights,
    state,
    stepping,
    table,
    tally,
    unit_rows,
    units,
    window,
)
from lanista_envs.lux.control import DONE, LEAVE, MOST_PIECES, make_control

#: what plays turns; the map generator makes arrays
PLAYING = (accept, choices, cities, collect, dusk, moves, rules, state, stepping, units)
#: what looks at one game
LOOKING = (clusters, facts, nearest, overview, planes, sights, table, tally, unit_rows, window)


@cache
def lux_kernels() -> SimpleNamespace:
    """The kernels that Python calls, by their names."""
    from lanista_envs.lux import pieces

    entries = ("share_turn", "share_starts", "share_step", "find_illegal", "read_choices")
    return compile_kernels(
        rules, stepping, pieces, label="lux_s1", entries=entries, borrowing=PLAYING, inlined=LOOKING
    )


@cache
def lux_threads(count: int) -> ThreadPoolExecutor:
    """Threads that wait for work; they are not inherited by a process that forks off."""
    return ThreadPoolExecutor(count, thread_name_prefix="lux")


class Crew:
    """The threads that share the calls of one owner's kernels; which is led and helped as `pieces` describes.

    A helper takes part in one kernel with certain arguments. While these stay the same objects, from call to call,
    helpers need not be called anew unless they have given up.
    """

    def __init__(self, num_threads: int) -> None:
        """No thread is started before it is needed."""
        self._num_helpers = max(num_threads - 1, 0)
        self._bound: tuple[Any, ...] = ()
        self._process = os.getpid()
        self._control = make_control()
        self._helpers: list[Future[bool]] = []

    def run(
        self,
        kernel: Callable[..., bool],
        phase: int,
        items: int,
        *arguments: Any,  # noqa: ANN401 - a kernel's own
    ) -> None:
        """Call ``kernel(control, phase, pieces, items, *arguments)``, so that it covers all items."""
        pieces = min(items, MOST_PIECES)
        if pieces == 0:
            return
        bound = (kernel, items, *arguments)
        if not self._is_bound(bound):
            self._dismiss()
            self._bound = bound
        # Machine code is made, or read from the disk, by the first call, and one thread does that best.
        if pieces > 1 and getattr(kernel, "signatures", True):
            self._call_helpers(kernel, items, *arguments)
        try:
            if not kernel(self._control, phase, pieces, items, *arguments):
                self._await_helpers(pieces)
        except BaseException:
            helpers = self._helpers
            self._dismiss()
            wait(helpers)
            raise

    def _is_bound(self, bound: tuple[Any, ...]) -> bool:
        """Are these the arguments of the last call, in the same process?"""
        if self._process != os.getpid() or len(bound) != len(self._bound):
            return False
        return all(
            new is old or (type(new) is int and new == old)
            for new, old in zip(bound, self._bound, strict=True)
        )

    def _dismiss(self) -> None:
        """Let helpers go as soon as they look up, and keep nothing that they could touch."""
        if self._bound:
            self._control[LEAVE] = 1
        self._control = make_control()
        self._helpers = []
        self._bound = ()
        self._process = os.getpid()

    def _call_helpers(self, kernel: Callable[..., bool], items: int, *arguments: Any) -> None:  # noqa: ANN401
        """Call for those who are not there; nobody waits for them to come."""
        self._helpers = [helper for helper in self._helpers if not helper.done()]
        for _ in range(self._num_helpers - len(self._helpers)):
            helper = lux_threads(self._num_helpers).submit(kernel, self._control, 0, 0, items, *arguments)
            self._helpers.append(helper)

    def _await_helpers(self, pieces: int) -> None:
        """Wait until all pieces are done, and raise what a helper raised."""
        done = False
        while not done:
            for helper in self._helpers:
                if helper.done():
                    helper.result()
            done = bool(self._control[DONE] >= pieces)
            time.sleep(0)


if hasattr(os, "register_at_fork"):  # where processes can fork
    os.register_at_fork(after_in_child=lux_threads.cache_clear)
