"""Plays games in kaggle-environments, each agent in a process of its own behind a thin proxy.

A script for the judging environment's Python (standard library and kaggle_environments only); it never
imports lanista. It reads jobs as JSON lines and writes one JSON line a game.

1. Every archive's seat gets a fresh process (``seat.py``), started before the game's clock runs: on the
   server it waits for its first request too, and executing main.py is charged to turn 1.
2. kaggle-environments runs the game and keeps the time; the proxy's call lasts as long as the seat needs.
3. A turn that lasts longer than the overage that is left + actTimeout + 1 s is killed, as the server's HTTP
   client gives up then.
"""

import contextlib
import hashlib
import json
import os
import queue
import random
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from time import perf_counter
from typing import IO, Any

#: seconds for a seat's Python to start and to import kaggle_environments
START_S = 120.0
#: greatest reply of a seat, in bytes
REPLY_LIMIT = 1 << 25
#: characters of a dead process's last words that are passed on
LAST_WORDS = 400


def main() -> None:
    """Serve jobs until stdin closes."""
    jobs = os.fdopen(os.dup(0), "rb")
    results = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # importing kaggle_environments prints
    for line in jobs:
        job = json.loads(line)
        play = play_in_one_process if job["mode"] == "pair" else play_apart
        results.write(json.dumps(play(job)).encode() + b"\n")
        results.flush()


class SeatProcess:
    """A seat's process and the pipes to it."""

    def __init__(self, settings: dict[str, Any], script: str = "seat.py") -> None:
        """Start `script` in an empty folder, with an environment that tells nothing about this machine."""
        self._folder = tempfile.TemporaryDirectory(prefix="lanista-seat-", ignore_cleanup_errors=True)
        self._words = (Path(self._folder.name) / "stderr").open("w+b")
        home = Path(self._folder.name) / "home"
        home.mkdir()
        kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT") if name in os.environ}
        quiet = {"HOME": str(home), "TMPDIR": str(home), "TEMP": str(home), "LANG": "C.UTF-8"}
        file = str(Path(__file__).with_name(script))
        self._process = subprocess.Popen(
            # -B: a fresh process a game finds no compiled files there either
            [sys.executable, "-I", "-B", file, json.dumps(settings)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._words,
            cwd=home,
            env={**kept, **quiet},
            start_new_session=True,
        )
        self._lines: queue.Queue[bytes] = queue.Queue()
        threading.Thread(target=self._read, args=(self._process.stdout,), daemon=True).start()

    def _read(self, stream: IO[bytes]) -> None:
        while line := stream.readline(REPLY_LIMIT):
            self._lines.put(line)
        self._lines.put(b"")

    def send(self, message: dict[str, Any]) -> None:
        """Write one request; a process that is gone shows at the next `receive`."""
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(json.dumps(message).encode() + b"\n")
            self._process.stdin.flush()

    def receive(self, wait_s: float) -> dict[str, Any]:
        """Give the next reply, or ``{"silent": ...}`` after `wait_s`, or ``{"died": ...}``."""
        try:
            line = self._lines.get(timeout=wait_s)
        except queue.Empty:
            self.kill()
            return {"silent": {"waited_s": wait_s}}
        if not line:
            return {"died": self._death()}
        try:
            reply = json.loads(line)
        except ValueError:
            self.kill()
            return {"garbled": {"bytes": len(line)}}
        if not isinstance(reply, dict) or not reply.keys() & {"ready", "seat_s", "turn", "ended"}:
            self.kill()  # somebody else wrote into the pipe
            return {"garbled": {"bytes": len(line)}}
        return reply

    def _death(self) -> dict[str, Any]:
        """How the process ended: exit code or signal, and its last words."""
        try:
            code = self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:  # it closed its pipe and lives on
            self.kill()
            return {"code": None, "signal": None, "words": self._last_words()}
        name = signal.Signals(-code).name if code < 0 else None
        return {"code": code if code >= 0 else None, "signal": name, "words": self._last_words()}

    def _last_words(self) -> str:
        self._words.seek(0, os.SEEK_END)
        self._words.seek(max(0, self._words.tell() - LAST_WORDS))
        return self._words.read().decode(errors="replace").strip()

    def kill(self) -> None:
        """End it with all that it started."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if hasattr(os, "killpg"):
                os.killpg(self._process.pid, signal.SIGKILL)
            else:
                self._process.kill()

    def close(self) -> None:
        """End it and let go of its pipes and folder."""
        self.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout, self._words):
            with contextlib.suppress(OSError):
                if stream is not None:
                    stream.close()
        self._folder.cleanup()


class Proxy:
    """Asks a seat's process for its turns and keeps the evidence in `record`.

    ``types`` counts the results by type and names the turn of the first; ``fault`` is the first thing that
    went wrong, with its kind and turn (from 1); ``only_action`` holds the action if all turns gave the same.
    """

    def __init__(self, settings: dict[str, Any], script: str = "seat.py") -> None:
        """Start the seat's process; `ready` waits for it."""
        self._process = SeatProcess(settings, script)
        self.record: dict[str, Any] = {
            "turns_s": [], "types": {}, "import_s": None, "picked": None, "stdout": 0, "stderr": 0,
            "fault": None, "limits": None, "last_action": None, "only_action": None,
        }  # fmt: skip

    def ready(self) -> None:
        """Wait until the process can take its first turn."""
        reply = self._process.receive(START_S)
        if "ready" not in reply:
            raise RuntimeError(f"the seat's process did not start: {reply}")
        self.record["limits"] = reply["ready"]

    def ask(self, observation: Any, configuration: Any) -> tuple[str, Any]:  # noqa: ANN401 - JSON values
        """Play one turn: ("action", result), ("late", None), or ("failed", what was raised)."""
        wait_s = float(observation["remainingOverageTime"]) + float(configuration["actTimeout"]) + 1.0
        start = perf_counter()
        self._process.send({"observation": observation, "configuration": configuration})
        reply = self._process.receive(wait_s)
        self.record["turns_s"].append(perf_counter() - start)
        for kind in ("silent", "died", "garbled"):
            if kind in reply:
                self._fault(kind, reply[kind])
                return ("late", None) if kind == "silent" else ("failed", kind)
        return self._take(reply)

    def _take(self, reply: dict[str, Any]) -> tuple[str, Any]:
        record = self.record
        for key in ("import_s", "picked"):
            record[key] = reply[key]
        for key in ("stdout", "stderr"):
            record[key] = max(record[key], reply[key])
        if "late" in reply:
            return "late", None
        if "raised" in reply:
            self._fault("raised", reply["raised"])
            return "failed", reply["raised"]["text"]
        seen = record["types"].setdefault(reply["type"], {"count": 0, "turn": len(record["turns_s"])})
        seen["count"] += 1
        record["last_action"] = reply["action"]
        if seen["count"] == len(record["turns_s"]) == 1:
            record["only_action"] = {"action": reply["action"]}
        elif record["only_action"] is not None and record["only_action"]["action"] != reply["action"]:
            record["only_action"] = None
        if "unsendable" in reply:
            # Over HTTP the reply cannot be made, the client gives None on, and the default action is played.
            self._fault(
                "unsendable", {"why": reply["unsendable"], "type": reply["type"], "odd": reply["odd"]}
            )
        return "action", reply["action"]

    def _fault(self, kind: str, detail: dict[str, Any]) -> None:
        if self.record["fault"] is None:
            self.record["fault"] = {"kind": kind, "turn": len(self.record["turns_s"]), **detail}

    def close(self) -> None:
        """End the seat's process."""
        self._process.close()


class KaggleProxy(Proxy):
    """The agent that kaggle-environments sees."""

    def __call__(self, observation: Any, configuration: Any) -> Any:  # noqa: ANN401 - kaggle's own types
        """Play one turn; whatever is wrong becomes what the server would hand to the game."""
        from kaggle_environments.errors import DeadlineExceeded

        status, value = self.ask(observation, configuration)
        if status == "late":
            return DeadlineExceeded()
        return RuntimeError(value) if status == "failed" else value


def make_game(job: dict[str, Any]) -> Any:  # noqa: ANN401 - kaggle's Environment
    """Make the game of a job; `overage_s` replaces the bank of time that the game's specification gives."""
    import kaggle_environments
    from kaggle_environments.core import environments

    if job["overage_s"] is not None:
        environments[job["environment"]]["specification"]["observation"]["remainingOverageTime"] = job[
            "overage_s"
        ]
    return kaggle_environments.make(job["environment"], configuration=job["configuration"])


def play_apart(job: dict[str, Any]) -> dict[str, Any]:
    """Play one game, each archive in a process of its own; the game's own agents stay with the judge."""
    proxies: dict[int, KaggleProxy] = {}
    broke = None
    start = perf_counter()
    try:
        # The seats' processes start while this one imports kaggle_environments for its first game.
        for seat, player in enumerate(job["players"]):
            if "main" in player:
                settings = {"mode": "seat", "environment": job["environment"], "main": player["main"]}
                proxies[seat] = KaggleProxy({**settings, "core": job["core"], "memory": job["memory"]})
        environment = make_game(job)
        for proxy in proxies.values():
            proxy.ready()
        random.seed(job["seed"])
        players = [proxies.get(seat, player.get("agent")) for seat, player in enumerate(job["players"])]
        try:
            environment.run(players)
        except Exception as error:  # an action that passes the schema may still break the game's own code
            broke = {"type": type(error).__name__, "text": str(error)[:LAST_WORDS]}
    finally:
        for proxy in proxies.values():
            proxy.close()
    final = environment.steps[-1]
    for seat, proxy in proxies.items():
        proxy.record["overage_left_s"] = float(final[seat].observation.remainingOverageTime)
        proxy.record["refused"] = refusal(environment, seat, proxy.record["last_action"])
    replay = environment.toJSON()
    keep_replay(job, replay)
    return {
        "statuses": [state.status for state in final],
        "rewards": [state.reward for state in final],
        "steps": len(environment.steps),
        "act_timeout_s": float(environment.configuration.actTimeout),
        "overage_s": float(environment.steps[0][0].observation.remainingOverageTime),
        "default_action": environment.specification.action.get("default"),
        "action_type": environment.specification.action.get("type"),
        "moves": moves_hash(environment),
        "seats": {seat: proxy.record for seat, proxy in proxies.items()},
        "broke": broke,
        "duration_s": perf_counter() - start,
    }


def refusal(environment: Any, seat: int, action: Any) -> str | None:  # noqa: ANN401 - kaggle's own types
    """Why the action schema refuses a seat's last action, if it does."""
    from kaggle_environments.utils import process_schema

    if environment.steps[-1][seat].status != "INVALID":
        return None
    error, _ = process_schema(environment.specification.action, action)
    return error.splitlines()[0][:LAST_WORDS] if error else None


def moves_hash(environment: Any) -> str:  # noqa: ANN401 - kaggle's Environment
    """A hash that two games share when every action of every seat was the same."""
    moves = [[state.action for state in step] for step in environment.steps[1:]]
    return hashlib.sha256(json.dumps(moves).encode()).hexdigest()


def keep_replay(job: dict[str, Any], replay: Any) -> None:  # noqa: ANN401 - kaggle's own JSON
    """Write the replay where the job asks for it."""
    if job["replay"] is not None:
        Path(job["replay"]).write_text(json.dumps(replay))


def play_in_one_process(job: dict[str, Any]) -> dict[str, Any]:
    """Play one game in kaggle-environments' own runner, all archives in one process, and watch over it."""
    mains = [player["main"] for player in job["players"]]
    process = SeatProcess({"mode": "pair", "core": job["core"], "memory": job["memory"]})
    start = perf_counter()
    wait_s = START_S
    try:
        reply = process.receive(wait_s)
        process.send({key: job[key] for key in ("environment", "configuration", "seed")} | {"mains": mains})
        turns = 0
        while "ended" not in reply:
            reply = process.receive(wait_s)
            if "turn" in reply:
                turns += 1
                wait_s = reply["turn"]["wait_s"] + 1.0
            elif "ended" not in reply:
                return {"fault": {**reply, "turn": turns}, "duration_s": perf_counter() - start}
    finally:
        process.close()
    ended: dict[str, Any] = reply["ended"]
    keep_replay(job, ended.pop("replay"))
    return {**ended, "fault": None, "duration_s": perf_counter() - start}


if __name__ == "__main__":
    main()
