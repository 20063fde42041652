"""Sharing a call's work out: each piece once, errors reach the caller, a forked process has helpers of its own."""

import gc
import os
import threading
import time
import weakref
from types import SimpleNamespace

import numba
import numpy as np
import pytest

from lanista_envs.lux import control, pieces
from lanista_envs.lux.compiled import Crew
from lanista_envs.lux.games import LuxGames


@pytest.fixture(scope="module")
def words():
    """The functions of `pieces`, compiled."""
    from lanista.kernels import compile_kernels

    names = ("publish", "take", "piece_of", "count_of", "await_others")
    return compile_kernels(pieces, label="the test of threads", entries=names)


@pytest.fixture(scope="module")
def kernel(words):
    """Counts in `seen` (``[items]``) how often an item was done; takes its time; raises at the item `bad`."""
    publish, take, piece_of, count_of = words.publish, words.take, words.piece_of, words.count_of
    await_others, add = words.await_others, pieces.add

    @numba.njit(nogil=True)
    def count(control, phase, leads, items, seen, work, bad):
        if leads > 0:
            publish(control, phase, leads)
        while True:
            taken = take(control, leads == 0)
            if taken < 0:
                break
            piece, many = piece_of(taken), count_of(taken)
            for item in range(items * piece // many, items * (piece + 1) // many):
                number = item
                for _ in range(work):
                    number = (number * 1103515245 + 12345) % 2147483648
                if item == bad[0]:
                    raise ValueError("piece")
                seen[item] += 1 + number // 2147483648
            add(control, 8, 1)
        return await_others(control, leads)

    count(control.make_control(), 0, 1, 1, np.zeros(1, np.int64), 1, np.array([-1]))
    return count


@pytest.mark.parametrize("items", [0, 1, 2, 3, 7, 16, 40_000])
@pytest.mark.parametrize("threads", [0, 1, 2, 3, 5])
def test_every_item_is_done_once_a_call(kernel, items, threads):
    crew, seen, bad = Crew(threads), np.zeros(items, np.int64), np.array([-1])
    for call in range(20):
        crew.run(kernel, call % 3, items, seen, 1, bad)
        assert (seen == call + 1).all()


def test_every_item_is_done_once_when_arguments_change_and_helpers_come_late_or_leave(kernel):
    crew = Crew(3)
    seen, bad = np.zeros((2, 64), np.int64), np.array([-1])
    for call in range(300):
        crew.run(kernel, 0, 64, seen[call // 5 % 2], call % 7 * 30, bad)
        if call % 50 == 0:
            time.sleep(0.002)  # longer than a helper's patience
    assert (seen == 150).all()


@pytest.mark.parametrize("item", [0, 31, 63])
def test_what_a_piece_raises_reaches_the_caller_and_the_next_call_is_whole(kernel, item):
    crew, seen, bad = Crew(2), np.zeros(64, np.int64), np.array([item])
    with pytest.raises(ValueError, match="piece"):
        crew.run(kernel, 0, 64, seen, 20_000, bad)
    bad[0] = -1
    seen[:] = 0
    crew.run(kernel, 0, 64, seen, 10, bad)
    assert (seen == 1).all()


def test_the_first_call_of_a_kernel_without_machine_code_is_one_threads():
    names = []

    class Uncompiled:
        signatures = ()

        def __call__(self, control, phase, leads, items):
            names.append(threading.current_thread().name)
            return True

    Crew(4).run(Uncompiled(), 0, 8)
    assert names == [threading.current_thread().name]


def test_helpers_stay_for_the_next_call_and_are_not_called_twice():
    """With a helper that waits until it is let go, whatever the machine is busy with."""
    calls, go = [], threading.Event()

    class Kernel:
        signatures = ("one",)

        def __call__(self, words, phase, leads, items):
            calls.append(leads)
            if leads == 0:
                go.wait()
            words[control.DONE] = leads
            return True

    crew, kernel = Crew(2), Kernel()
    for _ in range(5):
        crew.run(kernel, 0, 8)
    go.set()
    deadline = time.monotonic() + 60
    while calls.count(0) < 1 and time.monotonic() < deadline:
        time.sleep(0.001)
    assert calls.count(8) == 5
    assert calls.count(0) == 1


def test_games_that_are_dropped_do_not_live_on_in_their_helpers():
    games = LuxGames(32, 12, num_threads=2)
    games.start(range(32))
    kept = weakref.ref(games.state.turn)
    del games
    deadline = time.monotonic() + 60
    while kept() is not None and time.monotonic() < deadline:
        gc.collect()
        time.sleep(0.01)
    assert kept() is None


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
@pytest.mark.filterwarnings("ignore:This process.*is multi-threaded:DeprecationWarning")
def test_a_forked_process_has_helpers_of_its_own(kernel):
    crew, seen, bad = Crew(2), np.zeros(64, np.int64), np.array([-1])
    crew.run(kernel, 0, 64, seen, 10, bad)
    child = os.fork()
    if child == 0:
        crew.run(kernel, 0, 64, seen, 20_000, bad)
        state = SimpleNamespace(whole=bool((seen == 2).all()), called=len(crew._helpers) == 1)
        os._exit(7 if state.whole and state.called else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
