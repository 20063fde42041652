"""The process of one seat for the target `local`: loads a ``main.py`` as Kaggle does, and answers turns.

A script, like ``seat.py`` beside it, whose confinement and evidence it uses; it needs the standard library only. What
it does as Kaggle does: main.py is executed at the first turn in empty globals, its folder on the import path only
meanwhile; the last callable is the agent; of (observation, configuration) it gets as many as it takes; the folder
is told in ``configuration["__raw_path__"]``; prints are counted, not shown.
"""

import contextlib
import importlib.util
import inspect
import io
import json
import os
import platform
import sys
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from types import ModuleType
from typing import Any


class NothingToCallError(Exception):
    """main.py left nothing that can be called."""


def neighbour(stem: str) -> ModuleType:
    """The script of that name beside this one, as a module: isolated, Python does not look there itself."""
    spec = importlib.util.spec_from_file_location(stem, Path(__file__).with_name(f"{stem}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class LocalSeat:
    """One agent, loaded at its first turn."""

    def __init__(self, main: str, seat: ModuleType) -> None:
        """Remember where main.py lies; none of it runs before the first turn."""
        self._main = main
        self._seat = seat
        self._agent: Callable[..., Any] | None = None
        #: seconds that main.py took to execute; None before the first act
        self.import_s: float | None = None
        #: the object that was taken for the agent
        self.picked: dict[str, Any] | None = None
        #: is main.py being executed?
        self.under_way = False

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """Play one turn and say everything that the judge must know about it."""
        out, err = io.StringIO(), io.StringIO()
        start = perf_counter()
        try:
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                action = self._act(request["observation"], request["configuration"])
        except BaseException as error:  # SystemExit too: it would end the process without a word
            action = error
        reply = self._seat.evidence(action, self, perf_counter() - start, os.path.dirname(self._main))
        told: dict[str, Any] = {**reply, "stdout": len(out.getvalue()), "stderr": len(err.getvalue())}
        return told

    def _act(self, observation: Any, configuration: dict[str, Any]) -> Any:  # noqa: ANN401 - JSON values
        if self._agent is None:
            self.under_way = True
            start = perf_counter()
            try:
                agent = last_callable(self._main)
            finally:
                self.import_s = perf_counter() - start
            self.under_way = False
            self.picked = self._seat.describe(agent)
            self._agent = agent
        arguments = (observation, {**configuration, "__raw_path__": self._main})
        return self._agent(*arguments[: taken(self._agent)])


def last_callable(main: str) -> Callable[..., Any]:
    """Execute the text of main.py in empty globals and give the last callable that it leaves there."""
    folder = os.path.dirname(main)
    scope: dict[str, Any] = {}
    code = compile(Path(main).read_text(encoding="utf-8"), main, "exec")
    sys.path.append(folder)
    try:
        exec(code, scope)
    finally:
        with contextlib.suppress(ValueError):  # main.py may have taken it off itself
            sys.path.remove(folder)
    found = [value for value in scope.values() if callable(value)]
    if not found:
        raise NothingToCallError
    agent: Callable[..., Any] = found[-1]
    return agent


def taken(agent: Callable[..., Any]) -> int:
    """How many of two positional arguments an agent takes; 2 where that cannot be seen."""
    try:
        parameters = inspect.signature(agent).parameters.values()
    except (TypeError, ValueError):
        return 2
    kinds = [parameter.kind for parameter in parameters]
    if inspect.Parameter.VAR_POSITIONAL in kinds:
        return 2
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return min(2, sum(kind in positional for kind in kinds))


def main() -> None:
    """Confine this process and serve."""
    settings = json.loads(sys.argv[1])
    script = neighbour("seat")
    limits = script.confine(settings.get("core"), settings.get("memory"))
    requests, replies = script.take_pipes()

    def send(message: dict[str, Any]) -> None:
        replies.write(json.dumps(message).encode() + b"\n")
        replies.flush()

    send({"ready": {"python": platform.python_version(), **limits}})
    seat = LocalSeat(settings["main"], script)
    for line in requests:
        send(seat.answer(json.loads(line)))


if __name__ == "__main__":
    main()
