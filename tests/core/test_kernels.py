"""Kernels: compiled at first use, cached by all their sources, and the same as plain Python."""

import contextlib
import importlib
import io
import os
import subprocess
import sys
import textwrap
from types import ModuleType

import numpy as np
import pytest

from lanista.kernel_sources import imported_modules
from lanista.kernels import KernelError, compile_kernels, num_threads


def write(folder, **modules):
    for name, source in modules.items():
        (folder / f"{name}.py").write_text(textwrap.dedent(source))


@pytest.fixture
def load(tmp_path, monkeypatch):
    """Write modules into a folder of this test and import them; the cache is this test's own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.syspath_prepend(str(tmp_path))

    def load(**modules):
        write(tmp_path, **modules)
        importlib.invalidate_caches()
        return [importlib.import_module(name) for name in modules]

    yield load
    for name in [name for name in sys.modules if name.startswith("kn_")]:
        del sys.modules[name]


TWO_FILES = {
    "kn_steps": """
        def stride(k):
            return 2 * k
    """,
    "kn_rules": """
        import math

        import numpy as np

        import kn_steps
        from kn_steps import stride

        def total(array):
            count = np.float64(0.0)
            for k in range(len(array)):
                count += stride(k) * array[k] + math.sqrt(4.0) - 2.0
            return count

        def through_module(k):
            return kn_steps.stride(k)
    """,
}


def test_compiled_and_plain_agree_and_helpers_of_another_file_are_compiled(load):
    _, rules = load(**TWO_FILES)
    kernels = compile_kernels(rules)
    array = np.arange(5.0)
    assert kernels.total(array) == rules.total(array) == 60.0
    assert kernels.through_module(21) == 42
    assert kernels.total.signatures
    assert not hasattr(rules.total, "signatures")


def test_the_same_kernels_are_built_once(load):
    _, rules = load(**TWO_FILES)
    assert compile_kernels(rules) is compile_kernels(rules)
    assert compile_kernels(rules, fastmath=True) is not compile_kernels(rules)


def test_entries_are_all_that_python_can_call(load):
    _, rules = load(**TWO_FILES)
    kernels = compile_kernels(rules, entries=["total"])
    assert list(vars(kernels)) == ["total"]
    assert kernels.total(np.arange(5.0)) == 60.0
    with pytest.raises(
        KernelError, match="kernel sum was asked for, and there is no such function in kn_rules"
    ):
        compile_kernels(rules, entries=["sum"])


CHILD = """
import sys
sys.path.insert(0, {folder!r})
import numpy as np
import kn_rules
from lanista.kernels import compile_kernels
kernels = compile_kernels(kn_rules, label="toy")
print(kernels.total(np.arange(5.0)), sum(kernels.total.stats.cache_hits.values()))
"""


def run_child(folder):
    env = {**os.environ, "XDG_CACHE_HOME": str(folder / "cache")}
    code = CHILD.format(folder=str(folder))
    shown = subprocess.run(
        [sys.executable, "-c", code], env=env, capture_output=True, text=True, timeout=1000
    )
    assert shown.returncode == 0, shown.stderr
    total, hits = shown.stdout.split()
    return float(total), int(hits), shown.stderr


def test_machine_code_is_kept_and_an_edit_in_a_helper_file_is_noticed(tmp_path):
    write(tmp_path, **TWO_FILES)
    line = "compiling the rules of toy (once; cached on disk)…"
    total, hits, stderr = run_child(tmp_path)
    assert (total, hits) == (60.0, 0)
    assert stderr.splitlines() == [line]
    total, hits, stderr = run_child(tmp_path)
    assert (total, hits) == (60.0, 1)
    assert stderr == ""
    write(tmp_path, kn_steps="def stride(k):\n    return 3 * k\n")
    total, hits, stderr = run_child(tmp_path)
    assert (total, hits) == (90.0, 0)
    assert stderr.splitlines() == [line]


def test_an_edit_of_a_constant_in_an_imported_file_is_noticed(tmp_path):
    """Directly imported, imported by the file that is, or looked up in a module: numba freezes each of them."""
    write(
        tmp_path,
        kn_deep="DEEP = 1.0\n",
        kn_facts="from kn_deep import DEEP\nSTRIDE = 2\n",
        kn_more="OFFSET = 0.0\n",
        kn_rules="""
            import kn_more
            from kn_facts import DEEP, STRIDE

            def total(array):
                count = kn_more.OFFSET
                for k in range(len(array)):
                    count += STRIDE * DEEP * array[k]
                return count
        """,
    )
    assert run_child(tmp_path)[:2] == (20.0, 0)
    assert run_child(tmp_path)[:2] == (20.0, 1)
    write(tmp_path, kn_facts="from kn_deep import DEEP\nSTRIDE = 30\n")
    assert run_child(tmp_path)[:2] == (300.0, 0)
    write(tmp_path, kn_deep="DEEP = 10.0\n")
    assert run_child(tmp_path)[:2] == (3000.0, 0)
    write(tmp_path, kn_more="OFFSET = 5.0\n")
    assert run_child(tmp_path)[:2] == (3005.0, 0)


def test_imports_for_type_checkers_alone_are_no_sources(load):
    (rules,) = load(
        kn_typed="""
        from typing import TYPE_CHECKING

        if TYPE_CHECKING:
            import kn_absent
            from lanista.env import VecEnv
        else:
            from lanista.arrays import AnyArray
        """
    )
    assert [module.__name__ for module in imported_modules(rules)] == ["lanista.arrays"]


def test_a_module_of_a_package_is_followed_to_its_neighbours():
    from lanista_envs.lux import stepping

    names = {module.__name__.rpartition(".")[2] for module in imported_modules(stepping)}
    assert {"choices", "state", "rules", "streams", "sights"} <= names
    assert "lux" not in names


def test_numbas_cache_setting_is_left_as_it_was(load):
    import numba

    _, rules = load(**TWO_FILES)
    before = numba.config.CACHE_DIR
    compile_kernels(rules).through_module(1)
    after = numba.config.CACHE_DIR
    assert after == before


def test_prange_is_numbas_in_a_parallel_build_only(load):
    (rules,) = load(
        kn_loops="""
        prange = range

        def fill(array):
            for k in prange(len(array)):
                array[k] = k * k
    """
    )
    plain, threaded = compile_kernels(rules), compile_kernels(rules, parallel=True)
    one, two = np.zeros(1000), np.zeros(1000)
    plain.fill(one)
    with num_threads(2):
        threaded.fill(two)
    assert np.array_equal(one, two)
    assert threaded.fill.targetoptions["parallel"] is True
    assert plain.fill.targetoptions["parallel"] is False


def test_num_threads_is_masked_and_put_back():
    import numba

    before = numba.get_num_threads()
    with num_threads(10_000):
        assert numba.get_num_threads() == numba.config.NUMBA_NUM_THREADS
    with contextlib.suppress(ZeroDivisionError), num_threads(1):
        assert numba.get_num_threads() == 1
        _ = 1 / 0
    assert numba.get_num_threads() == before


CROWD = """
import sys
sys.path.insert(0, {folder!r})
import os, threading
import numba, numpy as np
import kn_loops
from lanista.kernels import compile_kernels, num_threads
fill = compile_kernels(kn_loops, parallel=True).fill

def work(total):
    array = np.zeros(5000)
    for _ in range(200):
        with num_threads(2):
            fill(array)
    total.append(array.sum())

totals = []
threads = [threading.Thread(target=work, args=(totals,)) for _ in range(3)]
for thread in threads: thread.start()
for thread in threads: thread.join()
child = os.fork()
if child == 0:
    with num_threads(2):
        fill(np.zeros(50))
    os._exit(7)
end = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
print(len(set(totals)), len(totals), numba.threading_layer(), numba.config.THREADING_LAYER, end)
"""


def test_threads_may_be_used_from_several_python_threads_and_after_a_fork(tmp_path):
    """Both end the process with the layers that numba would choose or misuse."""
    write(
        tmp_path,
        kn_loops="prange = range\n\ndef fill(array):\n    for k in prange(len(array)):\n        array[k] = k\n",
    )
    env = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache")}
    env.pop("NUMBA_THREADING_LAYER", None)
    code = CROWD.format(folder=str(tmp_path))
    shown = subprocess.run(
        [sys.executable, "-c", code], env=env, capture_output=True, text=True, timeout=1000
    )
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout.split() == ["1", "3", "workqueue", "default", "7"]


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_terminal_shows_what_is_compiled_and_wipes_it_away(load, monkeypatch):
    (rules,) = load(kn_shown="def one():\n    return 1\n")
    terminal = Terminal()
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stderr", terminal)
    assert compile_kernels(rules, label="shown").one() == 1
    assert "compiling the rules of shown" in terminal.getvalue()


def test_a_kernel_that_calls_itself_is_refused(load):
    (rules,) = load(
        kn_circle="""
        def down(k):
            return 0 if k == 0 else around(k)

        def around(k):
            return down(k - 1)
    """
    )
    with pytest.raises(
        KernelError, match=r"kn_circle.down calls itself, directly or through others; .* stack"
    ):
        compile_kernels(rules)


def test_a_module_without_a_file_is_refused():
    with pytest.raises(
        KernelError, match="kernel module typed_in has no source file; put its functions into one"
    ):
        compile_kernels(ModuleType("typed_in"))


def test_no_module_is_refused():
    with pytest.raises(KernelError, match="name at least one portable module"):
        compile_kernels()


def test_importing_the_compiler_brings_no_numba():
    code = "import sys, lanista.kernels; assert 'numba' not in sys.modules and 'rich' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=1000)
