"""Plays games with a judge, several at a time, each worker on a core of its own.

Workers are processes of a judge (``play.py`` in the Python of the judging environment, ``local_play.py`` in this
one); this module hands them jobs and collects results.
"""

import contextlib
import json
import os
import signal
import subprocess
import tempfile
import threading
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

from lanista.errors import LanistaError
from lanista.judge import Judge

#: seconds beyond the game's own runTimeout after which a worker is given up
_GRACE_S = 300.0


@dataclass(frozen=True)
class Player:
    """Who sits in a seat: a main.py (`main`), or one of the game's own agents by name (`agent`)."""

    main: str | None = None
    agent: str | None = None


@dataclass(frozen=True)
class GameJob:
    """One game to be played."""

    environment: str
    players: tuple[Player, ...]
    #: "apart": a process a seat; "pair": all seats in one process
    mode: str = "apart"
    #: overrides of the game's configuration
    configuration: dict[str, Any] = field(default_factory=dict)
    #: bank of time in seconds; None = the game's own
    overage_s: float | None = None
    #: address space of a seat's process, in bytes; None = no limit
    memory: int | None = None
    #: of the game's own agents; an archive draws its own numbers
    seed: int = 0
    #: file to write the replay to
    replay: str | None = None


@dataclass(frozen=True)
class GameResult:
    """What ``play.py`` told of one game; its module says what the record holds."""

    index: int
    job: GameJob
    record: dict[str, Any]


def kaggle_command(judge: Judge) -> list[str]:
    """How a worker is started that plays in kaggle-environments."""
    return [str(judge.python), "-I", "-B", str(files("lanista_submission.judge") / "play.py")]


def play_games(
    command: Sequence[str],
    jobs: Sequence[GameJob],
    workers: int,
    place: Callable[[GameJob, int], GameJob] = lambda job, worker: job,
    took: Callable[[GameResult], bool] = lambda result: True,
    scratch: Path | None = None,
) -> list[GameResult]:
    """Play all jobs and give their results in order; `command` starts a worker.

    `place(job, worker)` may rewrite a job for the worker that plays it (worker's own folders). `took(result)`
    is called after each game, one call at a time; once it gives False no further game is begun. What the seats'
    processes write goes below `scratch` (the system's temporary folder by default), so that nothing is left when
    that is removed.
    """
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else [None]
    waiting = list(enumerate(jobs))[::-1]
    results: list[GameResult] = []
    errors: list[BaseException] = []
    lock = threading.Lock()
    running: list[Worker] = []

    def serve(number: int) -> None:
        try:
            with Worker(command, cores[number % len(cores)], scratch) as worker:
                running.append(worker)
                while True:
                    with lock:
                        if not waiting or errors:
                            return
                        index, job = waiting.pop()
                    job = place(job, number)
                    result = GameResult(index, job, worker.play(job))
                    with lock:
                        results.append(result)
                        if not took(result):
                            waiting.clear()
        except BaseException as error:  # raised again in the caller's thread
            errors.append(error)

    threads = [threading.Thread(target=serve, args=(number,)) for number in range(min(workers, len(jobs)))]
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            while thread.is_alive():
                thread.join(0.2)  # a short wait, so that Ctrl-C is heard on every system
    except BaseException:
        waiting.clear()
        for worker in running:
            worker.kill()
        raise
    if errors:
        raise errors[0]
    return sorted(results, key=lambda result: result.index)


class Worker:
    """A process of a judge that plays one game after the other."""

    def __init__(self, command: Sequence[str], core: int | None, scratch: Path | None) -> None:
        """Start it; `core` is where its seats run, `scratch` where they may write."""
        self._core = core
        self._words = tempfile.TemporaryFile()  # noqa: SIM115 - closed in `close`
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._words,
            env={**os.environ, **({"TMPDIR": str(scratch), "TEMP": str(scratch)} if scratch else {})},
            start_new_session=True,  # Ctrl-C is ours to handle
        )

    def __enter__(self) -> "Worker":
        """Nothing to wait for: the first job does."""
        return self

    def __exit__(self, *problem: object) -> None:
        """End the process."""
        self.close()

    def play(self, job: GameJob) -> dict[str, Any]:
        """Play one game."""
        players = [{key: value for key, value in asdict(player).items() if value} for player in job.players]
        message = {**asdict(job), "players": players, "core": self._core}
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        limit = threading.Timer(float(job.configuration.get("runTimeout", 1200.0)) + _GRACE_S, self.kill)
        limit.daemon = True
        limit.start()
        try:
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.write(json.dumps(message).encode() + b"\n")
                self._process.stdin.flush()
            line = self._process.stdout.readline()
        finally:
            limit.cancel()
        if not line:
            raise LanistaError(f"the judge stopped in a game of {job.environment}: {self._last_words()}")
        record: dict[str, Any] = json.loads(line)
        return record

    def _last_words(self) -> str:
        self._process.wait()
        self._words.seek(0)
        lines = self._words.read().decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else f"exit code {self._process.returncode} and no message"

    def kill(self) -> None:
        """End the process; its seats end with it."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if hasattr(os, "killpg"):
                os.killpg(self._process.pid, signal.SIGKILL)
            else:
                self._process.kill()

    def close(self) -> None:
        """End the process and let go of its pipes."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.kill()
            self._process.wait()
        self._process.stdout.close()
        self._words.close()
