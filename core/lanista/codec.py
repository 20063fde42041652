"""Calling a codec, the one numpy-only file between a platform's values and a network. Portable: no lanista inside.

A codec offers two functions::

    observe(obs, config) -> ({part: array}, {head: legal})      legal: [A] bool, True = legal
    act(index, obs, config) -> action                           or act(index) -> action

With one part or one head the array alone will do: it is then called ``observation`` or ``action``. Archives carry
this file, and the child processes of `kaggle:` envs load it by its path.

In a game with a head of units ``observe`` also gives the units' columns, ``[U, ...]``, under the names of the exported
graph's inputs, its mask is ``[U, A]``, and ``act`` gets ``[U]`` choices. Two more functions may be there::

    prepare(inputs)                          called once, before the first turn: the inputs that the networks read
    settle(scores, choices, obs, config)     units alone: the choices ``[U]`` that are played instead
"""

import inspect
import traceback
from collections.abc import Callable, Collection, Mapping
from types import ModuleType
from typing import Any

import numpy as np

Arrays = dict[str, "np.ndarray[Any, Any]"]

#: types that the numbers of an observation may have
DTYPES = ("float32", "int8", "int32", "uint8")


class CodecError(Exception):
    """A codec broke its contract: one sentence that names the file, the function and the field."""


def load_codec(source: str, file: str) -> "Codec":
    """Make a codec of a file's text; `file` is what errors call it."""
    module = ModuleType("codec")
    module.__file__ = file
    try:
        exec(compile(source, file, "exec"), module.__dict__)
    except Exception as error:
        raise CodecError(f"codec {file} cannot be loaded: {_told(error, file)}") from error
    return Codec(module, file)


class Codec:
    """The two functions of a codec, with every legal way to write them made one."""

    def __init__(self, module: Any, file: str) -> None:  # noqa: ANN401 - a module, or what stands for one
        """Look the functions up and see how many arguments `act` takes."""
        self.file = file
        self._observe = self._function(module, "observe", (2,))
        self._act = self._function(module, "act", (1, 3))
        self._short = _takes(self._act, 1) and not _takes(self._act, 3)
        self._prepare = self._optional(module, "prepare", 1, "prepare(inputs)")
        self._settle = self._optional(module, "settle", 4, "settle(scores, choices, obs, config) -> choices")

    def _function(self, module: Any, name: str, counts: tuple[int, ...]) -> Callable[..., Any]:  # noqa: ANN401
        found = getattr(module, name, None)
        forms = {
            "observe": "observe(obs, config) -> (arrays, legal)",
            "act": "act(index, obs, config) -> action",
        }
        if not callable(found):
            raise CodecError(f"codec {self.file} has no function {name}; write def {forms[name]}")
        if not any(_takes(found, count) for count in counts):
            raise CodecError(
                f"codec {self.file}, {name} cannot be called with {' or '.join(map(str, counts))} arguments; "
                f"write def {forms[name]}"
            )
        function: Callable[..., Any] = found
        return function

    def _optional(self, module: Any, name: str, count: int, form: str) -> "Callable[..., Any] | None":  # noqa: ANN401
        found = getattr(module, name, None)
        if found is None:
            return None
        if not callable(found) or not _takes(found, count):
            raise CodecError(
                f"codec {self.file}, {name} cannot be called with {count} arguments; write def {form}"
            )
        function: Callable[..., Any] = found
        return function

    def prepare(self, inputs: Collection[str]) -> None:
        """Tell the codec which inputs the networks read, if it wants to know."""
        if self._prepare is not None:
            self._prepare(inputs)

    def settle(self, scores: Any, choices: Any, obs: Any, config: Any) -> Any:  # noqa: ANN401 - arrays, platform's values
        """The units' choices with conflicts settled, ``[U]``; as they are without a function for it."""
        if self._settle is None:
            return choices
        try:
            return self._settle(scores, choices, obs, config)
        except Exception as error:
            raise CodecError(f"codec {self.file}, settle raised {_told(error, self.file)}") from error

    def observe(self, obs: Any, config: Any) -> tuple[Arrays, Arrays]:  # noqa: ANN401 - the platform's values
        """Give (part -> array, head -> mask) as the codec gave them, by name."""
        try:
            found = self._observe(obs, config)
        except Exception as error:
            raise CodecError(f"codec {self.file}, observe raised {_told(error, self.file)}") from error
        if not isinstance(found, tuple) or len(found) != 2:
            kind = f"{len(found)} values" if isinstance(found, tuple) else type(found).__name__
            raise CodecError(f"codec {self.file}, observe gave {kind}; return two values, arrays and legal")
        arrays, legal = found
        return _named(arrays, "observation"), _named(legal, "action")

    def act(self, index: Any, obs: Any, config: Any) -> Any:  # noqa: ANN401 - choices, the platform's values
        """Give the platform's action for a choice, in types that JSON knows."""
        try:
            action = self._act(index) if self._short else self._act(index, obs, config)
        except Exception as error:
            raise CodecError(
                f"codec {self.file}, act({_shown(index)}) raised {_told(error, self.file)}"
            ) from error
        return plain(action)

    def check(self, arrays: Arrays, legal: Arrays, like: tuple[Arrays, Arrays] | None, acts: bool) -> None:
        """Raise `CodecError` unless an observation is of the contract's types and of the shapes of `like`.

        `acts` says whether the seat must act now, and so needs something that is legal.
        """
        for field, found in (("arrays", arrays), ("legal", legal)):
            if not found:
                raise CodecError(f"codec {self.file}, observe gave no {field}; give one array at least")
        for what, found, first in zip(
            ("part", "head"), (arrays, legal), like or (arrays, legal), strict=True
        ):
            if found.keys() != first.keys():
                raise CodecError(
                    f"codec {self.file}, observe gave the {what}s {', '.join(found)}, and {', '.join(first)} "
                    f"at first; give the same at every call"
                )
            for name, array in found.items():
                self._check_array(f"{what} {name!r}", what, array, first[name])
        for name, mask in legal.items():
            if acts and not mask.any():
                raise CodecError(
                    f"codec {self.file}, observe: head {name!r} has no legal action for a seat that must act; "
                    f"leave one True"
                )

    def _check_array(self, label: str, what: str, array: Any, first: Any) -> None:  # noqa: ANN401
        where = f"codec {self.file}, observe: {label}"
        if not isinstance(array, np.ndarray):
            raise CodecError(f"{where} is a {type(array).__name__}; give a numpy array")
        if what == "head" and (array.dtype != np.bool_ or array.ndim != 1):
            raise CodecError(
                f"{where} is legal of the shape {array.shape} and the type {array.dtype}; give [A] of bool"
            )
        if what == "part" and array.dtype.name not in DTYPES:
            raise CodecError(f"{where} has the type {array.dtype}; give one of {', '.join(DTYPES)}")
        if array.shape != first.shape or array.dtype != first.dtype:
            raise CodecError(
                f"{where} is {array.dtype} of the shape {array.shape}, and {first.dtype} of {first.shape} "
                f"at first; give the same at every call"
            )
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise CodecError(f"{where} holds a number that is not finite; check divisions and logarithms")


def plain(action: Any) -> Any:  # noqa: ANN401 - any JSON value
    """The action as JSON knows it: numpy's numbers and arrays become Python's."""
    if isinstance(action, dict):
        return {str(key): plain(value) for key, value in action.items()}
    if isinstance(action, (list, tuple)):
        return [plain(value) for value in action]
    return action.tolist() if isinstance(action, (np.generic, np.ndarray)) else action


def _shown(choice: Any) -> str:  # noqa: ANN401 - an index, an array, a dictionary
    text = " ".join(str(choice).split())
    return text if len(text) <= 60 else f"{text[:57]}..."


def _named(found: Any, name: str) -> Arrays:  # noqa: ANN401 - what a codec gave
    return dict(found) if isinstance(found, Mapping) else {name: found}


def _takes(function: Callable[..., Any], count: int) -> bool:
    try:
        inspect.signature(function).bind(*[None] * count)
    except (TypeError, ValueError):
        return False
    return True


def _told(error: Exception, file: str) -> str:
    """Kind, text and, if the error passed through the codec, its line there."""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file]
    if isinstance(error, SyntaxError) and error.lineno is not None:
        lines = [error.lineno]
    at = f" (line {lines[-1]})" if lines else ""
    return f"{type(error).__name__}: {' '.join(str(error).split())}{at}"
