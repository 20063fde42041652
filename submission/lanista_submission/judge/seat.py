"""A process that holds agents: it loads a ``main.py`` as the platform does and answers turns.

A script for the judging environment's Python (standard library and kaggle_environments only); it never
imports lanista. Two modes, chosen by the settings (JSON, first argument):

* ``seat``: one agent in a process of its own, as on the server. Requests are JSON lines on what was stdin,
  replies JSON lines on what was stdout; both are moved away before any foreign code runs.
* ``pair``: all agents in this one process, in kaggle-environments' own runner, which lets a later archive use
  the modules of an earlier one. It announces every turn, so that a parent can stop one that hangs.

Loading, cutting of arguments, ``__raw_path__`` and the capture of prints are kaggle-environments' own code.
"""

import builtins
import json
import os
import platform
import signal
import sys
import traceback
from collections.abc import Callable
from time import perf_counter
from types import SimpleNamespace, TracebackType
from typing import IO, Any

#: longest piece of a foreign message that is passed on, in characters
SHOWN = 400
#: bytes that a process may write into one file; keeps a print bomb off the disk
FILE_LIMIT = 1 << 28


def main() -> None:
    """Confine this process, load the judge, and serve."""
    settings = json.loads(sys.argv[1])
    limits = confine(settings.get("core"), settings.get("memory"))
    requests, replies = take_pipes()

    def send(message: dict[str, Any]) -> None:
        replies.write(json.dumps(message).encode() + b"\n")
        replies.flush()

    import kaggle_environments  # prints which of its games could not be loaded, hence after take_pipes

    version = str(kaggle_environments.__version__)
    send({"ready": {"python": platform.python_version(), "kaggle_environments": version, **limits}})
    if settings["mode"] == "pair":
        play_pair(json.loads(requests.readline()), send)
        return
    seat = Seat(settings["main"], settings["environment"])
    for line in requests:
        send(seat.answer(json.loads(line)))


def confine(core: int | None, memory: int | None) -> dict[str, Any]:
    """Keep to one core and a size of memory, die with the parent; say what could be had."""
    limits: dict[str, Any] = {"cores": None, "memory": None}
    if core is not None and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {core})
        limits["cores"] = 1
    try:
        import resource
    except ImportError:  # Windows has none
        return limits
    if memory is not None and sys.platform != "darwin":  # macOS takes the call and does not act on it
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
        limits["memory"] = memory
    resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_LIMIT, FILE_LIMIT))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        import ctypes

        set_death_signal = 1  # PR_SET_PDEATHSIG, linux/prctl.h
        ctypes.CDLL(None).prctl(set_death_signal, int(signal.SIGKILL), 0, 0, 0)
    return limits


def take_pipes() -> tuple[IO[bytes], IO[bytes]]:
    """Move stdin and stdout to private descriptors and put the null device in their places."""
    requests = os.fdopen(os.dup(0), "rb")
    replies = os.fdopen(os.dup(1), "wb")
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(null, 1)
    os.close(null)
    return requests, replies


class Loading:
    """What happened while main.py was executed; kaggle's loader is watched and does what it always does."""

    def __init__(self) -> None:
        """Put a stopwatch around the loader."""
        from kaggle_environments import agent as loader

        #: seconds that main.py took to execute; None before the first act
        self.import_s: float | None = None
        #: the object that the platform takes for the agent
        self.picked: dict[str, Any] | None = None
        self.under_way = False
        load = loader.get_last_callable

        def watched(raw: str, fallback: Callable[..., Any] | None = None, path: str | None = None) -> Any:  # noqa: ANN401 - whatever main.py left last
            self.under_way = True
            start = perf_counter()
            try:
                found = load(raw, fallback, path)
            finally:
                self.import_s = perf_counter() - start
            self.under_way = False
            self.picked = describe(found)
            return found

        loader.get_last_callable = watched


class Seat:
    """One agent, loaded at its first turn as on the server."""

    def __init__(self, main: str, environment: str) -> None:
        """Remember where main.py lies; none of it runs before the first turn."""
        self._main = main
        self._environment = environment
        self._loading = Loading()
        self._agent: Any = None

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """Play one turn and say everything that the judge must know about it."""
        from kaggle_environments.agent import Agent
        from kaggle_environments.errors import DeadlineExceeded
        from kaggle_environments.utils import structify

        if self._agent is None:
            environment = SimpleNamespace(
                name=self._environment,
                debug=False,
                agents={},
                configuration=structify(request["configuration"]),
            )
            self._agent = Agent(self._main, environment)
        log: dict[str, Any] = {}
        start = perf_counter()
        try:
            action, log = self._agent.act(structify(request["observation"]))
        except BaseException as error:  # SystemExit above all: kaggle-environments catches Exception only
            action = error
        reply = evidence(action, self._loading, perf_counter() - start, os.path.dirname(self._main))
        reply |= {stream: len(log.get(stream, "")) for stream in ("stdout", "stderr")}
        if isinstance(action, DeadlineExceeded):  # the server looks at the clock too
            return {name: value for name, value in reply.items() if name != "raised"} | {"late": True}
        return reply


def evidence(action: Any, loading: Any, seconds: float, folder: str) -> dict[str, Any]:  # noqa: ANN401 - any result
    """What the judge must know of a turn: its result or what was raised, its time, and how main.py was loaded.

    `loading` has the attributes of `Loading`; `folder` is the archive's.
    """
    reply: dict[str, Any] = {
        "seat_s": seconds,
        "import_s": loading.import_s,
        "picked": loading.picked,
        "action": None,
    }
    if isinstance(action, BaseException):
        reply["raised"] = told(action, folder, loading.under_way)
        return reply
    reply |= {"type": type_name(action), "odd": odd_part(action)}
    try:
        json.dumps(action)
    except (TypeError, ValueError, RecursionError) as error:
        reply["unsendable"] = cut(error)
    else:
        reply["action"] = action
    return reply


def play_pair(job: dict[str, Any], send: Callable[[dict[str, Any]], None]) -> None:
    """Play one game with all agents in this process and tell how it ended."""
    import random

    import kaggle_environments
    from kaggle_environments.agent import Agent

    loading = Loading()
    raised: dict[int, dict[str, Any]] = {}
    act = Agent.act

    def announced(agent: Any, observation: Any) -> Any:  # noqa: ANN401 - kaggle's own types
        wait = observation["remainingOverageTime"] + agent.configuration.actTimeout
        send({"turn": {"wait_s": wait}})
        loading.under_way = False
        action, log = act(agent, observation)
        if isinstance(action, Exception) and agent.raw in job["mains"]:
            seat = job["mains"].index(agent.raw)
            raised.setdefault(seat, told(action, os.path.dirname(agent.raw), loading.under_way))
        return action, log

    Agent.act = announced
    random.seed(job["seed"])
    environment = kaggle_environments.make(job["environment"], configuration=job["configuration"])
    broke = None
    try:
        environment.run(job["mains"])
    except (
        BaseException
    ) as error:  # the runner lets SystemExit through, and an action may break the game's rules
        broke = told(error, os.path.dirname(job["mains"][0]), loading.under_way)
    final = environment.steps[-1]
    send(
        {
            "ended": {
                "broke": broke,
                "statuses": [state.status for state in final],
                "rewards": [state.reward for state in final],
                "steps": len(environment.steps),
                "raised": raised,
                "borrowed": borrowed([os.path.dirname(main) for main in job["mains"]]),
                "replay": environment.toJSON(),
            }
        }
    )


def borrowed(folders: list[str]) -> list[dict[str, Any]]:
    """List the modules that one archive offers and every other would have taken from it.

    Each entry has the module's name, the folder it came from, and the folders that hold another of that name.
    """
    found = []
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        home = next((folder for folder in folders if file and file.startswith(folder + os.sep)), None)
        if home is None or file is None:
            continue
        relative = os.path.relpath(file, home)
        others = [
            folder for folder in folders if folder != home and os.path.exists(os.path.join(folder, relative))
        ]
        if others:
            found.append({"module": name, "file": relative, "home": home, "others": others})
    return found


def describe(found: Any) -> dict[str, Any]:  # noqa: ANN401 - whatever main.py left last
    """Say which object was picked as the agent."""
    code = getattr(found, "__code__", None)
    where = getattr(found, "__globals__", {}).get("__name__") if code else getattr(found, "__module__", None)
    named = hasattr(found, "__name__")
    return {
        "name": found.__name__ if named else type(found).__name__,
        "kind": "class" if isinstance(found, type) else type(found).__name__ if named else "object",
        # what main.py defines says that it comes from builtins, since its globals have no name
        "module": None if where == "builtins" else where,
        "line": getattr(code, "co_firstlineno", None),
    }


def told(error: BaseException, folder: str, loading: bool) -> dict[str, Any]:
    """Describe what was raised: type, text, what was missing if anything, the place, and the stage."""
    nothing_to_call = type(error).__name__ == "NothingToCallError"  # local_seat.py raises it
    if loading and type(error).__name__ == "InvalidArgument" and error.__context__ is not None:
        error = error.__context__  # kaggle wraps whatever main.py raised
        frames = traceback.extract_tb(error.__traceback__)
        nothing_to_call = isinstance(error, IndexError) and frames[-1].name == "get_last_callable"
    line = getattr(error, "lineno", None) if isinstance(error, SyntaxError) else None
    file = getattr(error, "filename", None) if isinstance(error, (SyntaxError, OSError)) else None
    return {
        "stage": "import" if loading else "act",
        "type": type(error).__name__,
        "text": cut(error),
        "name": getattr(error, "name", None),
        "exit": type(error).__name__ if not isinstance(error, Exception) else None,
        "code": getattr(error, "code", None) if isinstance(error, SystemExit) else None,
        "where": place(error.__traceback__, folder),
        "file": cut(file) if file is not None else None,
        "line": line,
        "no_callable": nothing_to_call,
    }


def place(trace: TracebackType | None, folder: str) -> str | None:
    """The innermost line of the archive that the error passed through: ``main.py line 12``."""
    own = [frame for frame in traceback.extract_tb(trace) if frame.filename.startswith(folder + os.sep)]
    return f"{os.path.relpath(own[-1].filename, folder)} line {own[-1].lineno}" if own else None


def cut(value: object) -> str:
    """Give a foreign value as a text of readable length; its own ``__str__`` may raise."""
    try:
        text = str(value)
    except Exception as error:
        return f"<a {type(value).__name__} whose text cannot be had: {type(error).__name__}>"
    return text if len(text) <= SHOWN else text[:SHOWN] + "..."


def type_name(value: object) -> str:
    """Name a result's type: ``int``, ``numpy.int64``; a class of the agent's own by its base."""
    kind = type(value)
    if value is None or (kind.__module__ == "builtins" and kind.__name__ in vars(builtins)):
        return kind.__name__
    if kind.__module__.partition(".")[0] != "numpy":
        plain = next((base for base in (str, float, int, dict, list, tuple) if isinstance(value, base)), None)
        if plain is not None:
            return plain.__name__
    # what main.py defines says that it comes from builtins: it is executed in globals without a name
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def odd_part(value: Any, path: str = "", depth: int = 0) -> dict[str, str] | None:  # noqa: ANN401 - any result
    """The first part of a result that JSON does not know: where it stands and its type; else None."""
    if value is None or isinstance(value, (int, float, str)):
        return None
    if depth > 50:
        return {"path": path, "type": "a structure nested more than 50 deep"}
    if isinstance(value, (list, tuple)):
        parts = ((f"{path}[{index}]", part) for index, part in enumerate(value))
    elif isinstance(value, dict):
        wrong = next((key for key in value if not isinstance(key, str)), None)
        if wrong is not None and type(wrong) not in (int, float, bool, type(None)):  # those become text
            return {"path": f"{path} key", "type": type_name(wrong)}
        parts = ((f"{path}[{key!r}]", part) for key, part in value.items())
    else:
        return {"path": path, "type": type_name(value)}
    return next((odd for where, part in parts if (odd := odd_part(part, where, depth + 1))), None)


if __name__ == "__main__":
    main()
