"""Sharing a kernel's work out: each piece once, errors reach the caller, a forked process has threads of its own."""

import os
import threading

import pytest

from lanista_envs.lux.compiled import share_out


@pytest.mark.parametrize("count", [0, 1, 2, 3, 7, 16])
@pytest.mark.parametrize("threads", [0, 1, 2, 3, 5, 40])
def test_every_piece_is_played_once(count, threads):
    seen, names = [], set()

    def kernel(first, last, more):
        names.add(threading.current_thread().name)
        seen.extend(range(first, last))
        assert more == "more"

    share_out(kernel, count, threads, "more")
    assert sorted(seen) == list(range(count))
    assert len(names) <= max(threads, 1)


@pytest.mark.parametrize("bad", [0, 1, 2])
def test_what_a_piece_raises_reaches_the_caller_when_all_are_through(bad):
    through = []

    def kernel(first, last):
        through.append(first)
        if first == bad:
            raise ValueError("piece")

    with pytest.raises(ValueError, match="piece"):
        share_out(kernel, 3, 3)
    assert sorted(through) == [0, 1, 2]


def test_the_first_call_of_a_kernel_without_machine_code_is_one_call():
    class Uncompiled:
        signatures = ()

        def __init__(self):
            self.calls = []

        def __call__(self, first, last):
            self.calls.append((first, last))

    kernel = Uncompiled()
    share_out(kernel, 8, 4)
    assert kernel.calls == [(0, 8)]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
@pytest.mark.filterwarnings("ignore:This process.*is multi-threaded:DeprecationWarning")
def test_a_forked_process_has_threads_of_its_own():
    seen = []
    share_out(lambda first, last: seen.append(first), 2, 2)
    assert len(seen) == 2
    child = os.fork()
    if child == 0:
        again = []
        share_out(lambda first, last: again.append(first), 2, 2)
        os._exit(7 if sorted(again) == [0, 1] else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
