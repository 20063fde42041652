"""The child processes that play the games of a `kaggle:` env, and the pipes to them."""

import contextlib
import json
import select
import signal
import subprocess
import sys
import tempfile
from importlib.resources import files
from typing import Any

from lanista.errors import LanistaError
from lanista.hints import one_line
from lanista.judge import Judge

#: seconds for a child to import kaggle_environments and make its games
START_S = 300.0


class GameRunError(LanistaError):
    """A game of kaggle-environments, its codec or its process failed; the text is the whole message."""


class Worker:
    """One child process and the games ``first`` to ``last`` (exclusive) that it plays."""

    def __init__(self, judge: Judge, name: str, settings: dict[str, Any], timeout: float) -> None:
        """Start it; `name` opens every error, `timeout` (s) is what an answer may take."""
        self.first, self.last = settings["first"], settings["last"]
        self._name, self._timeout = name, timeout
        self._words = tempfile.TemporaryFile()  # noqa: SIM115 - closed in `close`
        codec_module = str(files("lanista") / "codec.py")
        script = str(files("lanista_envs.kaggle") / "child" / "serve.py")
        self._process = subprocess.Popen(
            [str(judge.python), "-I", "-B", script],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._words,
        )
        self.send({**settings, "codec_module": codec_module})

    def send(self, request: dict[str, Any]) -> None:
        """Write a request; a child that is gone shows at the next `receive`."""
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError, OSError):
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
            self._process.stdin.flush()

    def receive(self, timeout: float | None = None) -> dict[str, Any]:
        """Wait for the answer; an error, a silence or an end of the child is raised as one sentence."""
        assert self._process.stdout is not None
        wait = self._timeout if timeout is None else timeout
        if sys.platform != "win32" and not select.select([self._process.stdout], [], [], wait)[0]:
            self.kill()
            raise GameRunError(
                f"{self._name}: {self._who()} gave no answer within {wait:g} s and was stopped; look for an endless loop "
                f"in the codec, or raise `timeout`"
            )
        line = self._process.stdout.readline()
        if not line:
            raise GameRunError(f"{self._name}: {self._who()} ended, {self._death()}; {_ADVICE}")
        reply: dict[str, Any] = json.loads(line)
        if "error" in reply:
            raise GameRunError(f"{self._name}: {one_line(reply['error'])}")
        return reply

    def _who(self) -> str:
        return (
            f"the child process {self._process.pid}, which plays the games {self.first} to {self.last - 1},"
        )

    def _death(self) -> str:
        """How the process ended, and its last words."""
        code = self._process.wait()
        how = f"killed by {signal.Signals(-code).name}" if code < 0 else f"with exit code {code}"
        self._words.seek(0)
        lines = self._words.read().decode(errors="replace").strip().splitlines()
        return f"{how}: {one_line(lines[-1])[:400]}" if lines else f"{how} and without a word"

    def kill(self) -> None:
        """End the process at once."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()

    def close(self) -> None:
        """End the process and let go of its pipes."""
        for stream in (self._process.stdin, self._process.stdout):
            assert stream is not None
            with contextlib.suppress(BrokenPipeError):
                stream.close()
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self.kill()
            self._process.wait()
        self._words.close()


_ADVICE = "if the system was short of memory, play fewer games or workers"
