"""Reading a pickle without running it.

A pickle is a program: it names callables and calls them. Here only three things are ever made of what it names: plain
containers, arrays of numbers (built by this module from their bytes, not by what the pickle asks numpy for), and for all
else an *inert* stand-in, which keeps what it was called with and does nothing. So spaces of `gym`, classes of
Stable-Baselines3 and schedules of some old Python come out as their names and their states, whether or not anything
of the kind is installed.
"""

import collections
import io
import pickle
from typing import Any

import numpy as np

from lanista.arrays import AnyArray
from lanista.errors import LanistaError
from lanista.hints import told

#: numbers that an array may hold, by the kinds of numpy
_KINDS = "biufc"


class InertPickleError(LanistaError):
    """A pickle that cannot be read as containers, arrays and stand-ins."""


class Inert:
    """What stands for an object that nobody makes: the `name` of its class, its arguments and its state."""

    name = ""
    args: tuple[Any, ...] = ()
    state: Any = None

    def __new__(cls, *args: Any, **kwargs: Any) -> "Inert":  # noqa: ANN401 - whatever the pickle calls it with
        """Keep the arguments."""
        del kwargs
        made = super().__new__(cls)
        made.args = args
        return made

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - see `__new__`
        """Nothing to do."""

    def __setstate__(self, state: Any) -> None:  # noqa: ANN401 - whatever the pickle says
        """Keep the state."""
        self.state = state

    # Some pickles fill an object as though it were a list or a dictionary.
    def append(self, item: Any) -> None:  # noqa: ANN401
        """Forget an item."""

    def extend(self, items: Any) -> None:  # noqa: ANN401
        """Forget items."""

    def __setitem__(self, key: Any, value: Any) -> None:  # noqa: ANN401
        """Forget an entry."""

    def get(self, key: str, default: Any = None) -> Any:  # noqa: ANN401 - a value of the state
        """An attribute that the object had; arrays as arrays."""
        state = self.state
        if isinstance(state, tuple) and len(state) == 2:  # with __slots__
            state = {**(state[0] or {}), **(state[1] or {})}
        found = state.get(key, default) if isinstance(state, dict) else default
        return found.array if isinstance(found, _Array) else found


class _Dtype(Inert):
    """A dtype of numbers."""

    @property
    def made(self) -> np.dtype[Any]:
        """The dtype; raises ValueError for one that does not hold numbers."""
        code = self.args[0] if self.args else None
        if not isinstance(code, str) or not code or code[0] not in _KINDS:
            raise ValueError(f"an array of {code!r} instead of numbers")
        order = self.state[1] if isinstance(self.state, tuple) and len(self.state) > 1 else "="
        dtype = np.dtype(code)
        return dtype.newbyteorder(">") if order == ">" else dtype.newbyteorder("<") if order == "<" else dtype


class _Array(Inert):
    """An array of numbers, out of its bytes; of anything else, nothing."""

    array: AnyArray | None = None

    def __setstate__(self, state: Any) -> None:  # noqa: ANN401 - (version, shape, dtype, is_fortran, bytes)
        """Read the bytes."""
        _, shape, dtype, fortran, content = state
        if not isinstance(content, bytes | bytearray) or not isinstance(dtype, _Dtype):
            return
        array = np.frombuffer(content, dtype.made).reshape(shape, order="F" if fortran else "C")
        self.array = array.astype(array.dtype.newbyteorder("="))


def _from_buffer(content: Any, dtype: Any, shape: Any, order: Any) -> "_Array":  # noqa: ANN401
    made = _Array()
    made.__setstate__((1, shape, dtype, order == "F", bytes(content)))
    return made


def _scalar(dtype: Any, content: Any = b"") -> Any:  # noqa: ANN401 - a number of numpy
    return np.frombuffer(bytes(content), dtype.made)[0]


def _encode(text: str, encoding: str = "latin1") -> bytes:
    """What old pickles make bytes with."""
    if encoding not in ("latin1", "latin-1", "utf-8", "ascii"):
        raise ValueError(f"the encoding {encoding!r}")
    return text.encode(encoding)


def _bytes(content: bytes = b"") -> bytes:
    """`bytes` and `bytearray`, but for their form that makes as many as a number says."""
    if not isinstance(content, bytes | bytearray):
        raise ValueError("bytes out of no bytes")
    return bytes(content)


_ALLOWED: dict[str, Any] = {
    "numpy.ndarray": _Array,
    "numpy.dtype": _Dtype,
    **{f"numpy.{core}.multiarray._reconstruct": lambda *args: _Array() for core in ("core", "_core")},
    **{f"numpy.{core}.multiarray.scalar": _scalar for core in ("core", "_core")},
    **{f"numpy.{core}.numeric._frombuffer": _from_buffer for core in ("core", "_core")},
    "_codecs.encode": _encode,
    "collections.OrderedDict": collections.OrderedDict,
    "collections.deque": collections.deque,
    **{f"{module}.{kind.__name__}": kind for module in ("builtins", "__builtin__") for kind in (list, dict, tuple, set)},
    **{f"{module}.frozenset": frozenset for module in ("builtins", "__builtin__")},
    **{f"{module}.{name}": _bytes for module in ("builtins", "__builtin__") for name in ("bytes", "bytearray")},
}  # fmt: skip


class _Reader(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:  # noqa: ANN401 - what stands for the class
        """An allowed thing or a stand-in; nothing is imported, and no attribute is looked up."""
        whole = f"{module}.{name}"
        if whole in _ALLOWED:
            return _ALLOWED[whole]
        return type("Inert", (Inert,), {"name": whole})


def read_pickle(content: bytes, words: str) -> Any:  # noqa: ANN401 - whatever it holds
    """The object in a pickle, of containers, arrays and stand-ins; `words` open the error."""
    try:
        return _Reader(io.BytesIO(content), encoding="latin1").load()
    except Exception as error:  # a hostile or damaged pickle raises whatever it can reach
        raise InertPickleError(
            f"{words}: the pickle cannot be read without running it ({told(error)})"
        ) from error
