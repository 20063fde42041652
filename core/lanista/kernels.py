"""Compiles portable kernel modules with numba, at first use, and keeps the machine code on disk.

A *portable* module holds plain functions over numpy arrays. It imports only numpy, the standard library and
other portable modules, so the very same file runs without numba inside a bundle. `compile_kernels`

1. follows every plain function that the modules' functions name, into other portable modules too;
2. makes a copy of each whose globals hold the compiled versions of the functions it calls;
3. keys a cache folder by the sources of all modules that these files import, the versions and the processor,
   because numba's own disk cache looks at one file only: it would miss an edit in a function, or of a constant,
   that comes from another.

A module that loops with ``prange`` says ``prange = range``; a parallel build puts numba's in its place.
numba is imported here at the first call, never when this module is.
"""

import contextlib
import hashlib
import platform
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import CodeType, FunctionType, ModuleType, SimpleNamespace
from typing import Any

from lanista.errors import LanistaError
from lanista.kernel_sources import imported_modules, is_portable

#: what compiling is for, by the identity of the dispatcher's Python function
_labels: dict[int, str] = {}
_built: dict[tuple[object, ...], SimpleNamespace] = {}
_listener: list[Any] = []
_threads = threading.RLock()


class KernelError(LanistaError):
    """A kernel module is not portable, or a kernel was asked for that it lacks."""


def compile_kernels(
    *modules: ModuleType,
    label: str = "",
    parallel: bool = False,
    fastmath: bool = False,
    entries: Sequence[str] = (),
    borrowing: Sequence[ModuleType] = (),
    inlined: Sequence[ModuleType] = (),
) -> SimpleNamespace:
    """Give a namespace with a compiled dispatcher for every function of `modules`, by its name.

    With `entries`, for the functions of these names alone: what Python does not call compiles faster.

    Functions of the modules `borrowing` that give back a number or nothing are compiled without counting references
    to arrays, and those of the modules `inlined` besides into those who call them. Where tuples of many arrays are
    handed on, counting and handing on take as long as the work itself, and threads quarrel over the counters. Such a
    function must not make arrays, nor copy one slice into another, for which numba makes one: numba then says "NRT
    required but not enabled". What is inlined all the way up becomes one function too large to compile well.

    Machine code is made, or read from the disk, when a dispatcher is first called. `label` is what the
    progress line names ("connectx"). `parallel` compiles the functions that name ``prange`` with threads;
    set their number with `num_threads`.
    """
    if not modules:
        raise KernelError("compile_kernels was called without a module; name at least one portable module")
    label = label or modules[0].__name__.rpartition(".")[2]
    functions = {name: value for module in modules for name, value in _functions(module)}
    for name in entries:
        if name not in functions:
            named = ", ".join(module.__name__ for module in modules)
            raise KernelError(f"kernel {name} was asked for, and there is no such function in {named}")
    names = (frozenset(module.__name__ for module in some) for some in ((*borrowing, *inlined), inlined))
    build = _Build(label, parallel, fastmath, *names)
    for module in modules:
        build.follow_module(module)
    build.called.update(functions[name] for name in entries or functions)
    folder = build.cache_folder()
    key = (str(folder), *(id(module) for module in modules), *entries)
    if key not in _built:
        _announce_compilation()
        with _cache_in(folder):
            kernels = {name: build.compiled(functions[name]) for name in entries or functions}
        _built[key] = SimpleNamespace(**kernels)
    return _built[key]


@contextlib.contextmanager
def num_threads(count: int) -> Iterator[None]:
    """Let parallel kernels use `count` threads (at most numba's own limit) until the block is left.

    One block at a time: a second Python thread waits here, since numba's work queue must not be shared.
    """
    import numba

    config: Any = numba.config
    with _threads:
        _start_threads(config)
        before = numba.get_num_threads()
        numba.set_num_threads(max(1, min(count, config.NUMBA_NUM_THREADS)))
        try:
            yield
        finally:
            numba.set_num_threads(before)


def _start_threads(config: Any) -> None:  # noqa: ANN401 - numba's module of settings
    """Start numba's threads, if they are not yet, as its work queue, unless the user chose another layer.

    OpenMP, which numba would take, spins while it waits: where other work keeps the cores busy, a step of some
    microseconds then waits for whole time slices (measured: 100 times slower). And it ends a process that forks.
    """
    import numba

    if config.THREADING_LAYER != "default":
        numba.get_num_threads()
        return
    config.THREADING_LAYER = "workqueue"
    try:
        numba.get_num_threads()
    finally:
        config.THREADING_LAYER = "default"


class _Build:
    """One set of functions compiled together: what they reach, and their compiled copies."""

    def __init__(
        self, label: str, parallel: bool, fastmath: bool, borrowing: frozenset[str], inlined: frozenset[str]
    ) -> None:
        self.label = label
        self.parallel = parallel
        self.fastmath = fastmath
        self.borrowing = borrowing
        self.inlined = inlined
        self.modules: dict[str, ModuleType] = {}
        #: what is called from Python
        self.called: set[FunctionType] = set()
        self.copies: dict[FunctionType, Any] = {}
        self.unfinished: set[FunctionType] = set()
        self.shadows: dict[str, ModuleType] = {}

    def follow_module(self, module: ModuleType) -> None:
        """Remember `module` and every portable module that it imports or that its functions reach."""
        if module.__name__ in self.modules:
            return
        if not getattr(module, "__file__", None):
            raise KernelError(
                f"kernel module {module.__name__} has no source file; put its functions into one"
            )
        self.modules[module.__name__] = module
        for imported in imported_modules(module):
            self.follow_module(imported)
        for _, function in _functions(module):
            for value in _named_globals(function).values():
                owner = (
                    value
                    if isinstance(value, ModuleType)
                    else sys.modules.get(getattr(value, "__module__", "") or "")
                )
                if owner is not None and isinstance(value, FunctionType | ModuleType) and is_portable(owner):
                    self.follow_module(owner)

    def cache_folder(self) -> Path:
        """The folder for this set: under the user's cache, keyed by all that machine code depends on."""
        import llvmlite  # type: ignore[import-untyped, unused-ignore] # ships no stubs
        import numba
        import numpy as np
        from llvmlite import binding
        from platformdirs import user_cache_path

        digest = hashlib.sha256()
        for name in sorted(self.modules):
            file = self.modules[name].__file__
            assert file is not None  # follow_module saw to it
            digest.update(name.encode() + b"\0" + Path(file).read_bytes() + b"\0")
        digest.update(
            repr((
                numba.__version__, llvmlite.__version__, np.__version__, sys.version, platform.machine(),
                binding.get_host_cpu_name(), binding.get_host_cpu_features().flatten(),
                self.parallel, self.fastmath, sorted(self.borrowing), sorted(self.inlined),
                sorted((f.__module__, f.__name__) for f in self.called),
            )).encode()
        )  # fmt: skip
        config: Any = numba.config
        if config.BOUNDSCHECK:  # NUMBA_BOUNDSCHECK=1, of which numba's own cache takes no notice
            digest.update(b"bounds are checked")
        return user_cache_path("lanista") / "kernels" / f"{self.label}-{digest.hexdigest()[:16]}"

    def compiled(self, function: FunctionType) -> Any:  # noqa: ANN401 - a numba dispatcher, which has no type of its own
        """Give the dispatcher of a copy of `function` in whose globals all callees are compiled too."""
        import numba

        if function in self.unfinished:
            raise KernelError(
                f"kernel {function.__module__}.{function.__name__} calls itself, directly or through others; "
                f"numba's disk cache cannot hold that (it crashes when read back), so use a stack of your own"
            )
        if function in self.copies:
            return self.copies[function]
        named = _named_globals(function)
        globals_: dict[str, Any] = {
            "__name__": function.__module__,
            "__builtins__": function.__globals__["__builtins__"],
        }
        copy = FunctionType(
            function.__code__, globals_, function.__name__, function.__defaults__, function.__closure__
        )
        copy.__module__ = function.__module__
        copy.__qualname__ = function.__qualname__
        copy.__kwdefaults__ = function.__kwdefaults__
        _labels[id(copy)] = self.label
        threads = self.parallel and "prange" in named
        # What only other kernels call needs no way in from Python, and that takes a third of all compiling where
        # kernels hand on tuples of many arrays.
        inner = function not in self.called
        borrows = function.__module__ in self.borrowing and _gives_no_array(function)
        inlines = inner and borrows and function.__module__ in self.inlined
        compiler: Any = numba.njit  # its types do not know all of these options
        dispatcher = compiler(
            cache=True, nogil=True, error_model="numpy", parallel=threads, fastmath=self.fastmath,
            no_cpython_wrapper=inner, no_cfunc_wrapper=inner, forceinline=inlines, _nrt=not borrows,
        )(copy)  # fmt: skip
        self.unfinished.add(function)
        for name, value in named.items():
            if name == "prange":
                globals_[name] = numba.prange
            elif isinstance(value, FunctionType) and is_portable(sys.modules[value.__module__]):
                globals_[name] = self.compiled(value)
            elif isinstance(value, ModuleType) and value.__name__ in self.modules:
                globals_[name] = self.shadow(value)
            else:
                globals_[name] = value
        self.unfinished.remove(function)
        self.copies[function] = dispatcher
        return dispatcher

    def shadow(self, module: ModuleType) -> ModuleType:
        """Give a stand-in with compiled functions for a portable module, for calls like ``rules.drop()``."""
        if module.__name__ not in self.shadows:
            shadow = self.shadows[module.__name__] = ModuleType(module.__name__)
            shadow.__dict__.update(module.__dict__)
            for name, function in _functions(module):
                setattr(shadow, name, self.compiled(function))
        return self.shadows[module.__name__]


def _gives_no_array(function: FunctionType) -> bool:
    """Does a function give back a number, or nothing, by its annotation?"""
    return function.__annotations__.get("return", ()) in (
        None,
        bool,
        int,
        float,
        "None",
        "bool",
        "int",
        "float",
    )


def _functions(module: ModuleType) -> list[tuple[str, FunctionType]]:
    """The plain functions that `module` itself defines."""
    return [
        (name, value)
        for name, value in vars(module).items()
        if isinstance(value, FunctionType) and value.__module__ == module.__name__
    ]


def _named_globals(function: FunctionType) -> dict[str, Any]:
    """The globals that `function` names, its inner functions included."""

    def names(code: CodeType) -> set[str]:
        inner = (constant for constant in code.co_consts if isinstance(constant, CodeType))
        return set(code.co_names).union(*(names(constant) for constant in inner))

    return {
        name: function.__globals__[name] for name in names(function.__code__) if name in function.__globals__
    }


@contextlib.contextmanager
def _cache_in(folder: Path) -> Iterator[None]:
    """Lead numba's disk cache to `folder` for dispatchers made inside the block, the only time it is read."""
    import numba

    folder.mkdir(parents=True, exist_ok=True)
    config: Any = numba.config
    before = config.CACHE_DIR
    config.CACHE_DIR = str(folder)
    try:
        yield
    finally:
        config.CACHE_DIR = before


def _announce_compilation() -> None:
    """From now on say on stderr when one of our kernels is compiled, not when it comes from the disk."""
    if _listener:
        return
    from numba.core import event

    numba_events: Any = event
    _listener.append(_CompilationListener())
    numba_events.register("numba:compile", _as_listener(_listener[0]))


class _CompilationListener:
    """Shows a line, or a spinner on a terminal, from a kernel's outermost compile event to its end."""

    def __init__(self) -> None:
        self.depth = 0
        self.status: Any = None
        self.said: set[str] = set()

    def on_start(self, label: str | None) -> None:
        self.depth += 1
        if self.depth > 1 or label is None:
            return
        text = f"compiling the rules of {label} (once; cached on disk)…"
        from rich.console import Console

        console = Console(stderr=True)
        if console.is_terminal and not console.is_dumb_terminal:
            self.status = console.status(text)
            self.status.start()
        elif label not in self.said:
            print(text, file=sys.stderr, flush=True)
        self.said.add(label)

    def on_end(self) -> None:
        self.depth -= 1
        if self.depth == 0 and self.status is not None:
            self.status.stop()
            self.status = None


def _as_listener(listener: _CompilationListener) -> Any:  # noqa: ANN401 - numba's listener class is imported late
    """Wrap `listener` as the class that numba's event module asks for."""
    from numba.core import event

    class Listener(event.Listener):  # type: ignore[misc, unused-ignore] # numba is untyped
        def on_start(self, event: Any) -> None:  # noqa: ANN401
            listener.on_start(_labels.get(id(event.data["dispatcher"].py_func)))

        def on_end(self, event: Any) -> None:  # noqa: ANN401
            listener.on_end()

    return Listener()
