"""Plays games of any registered env, each archive in a process of its own: the judge of the target `local`.

A process of lanista's own Python (``python -m lanista_submission.judge.local_play '["game.py"]'``, the argument names
the single-file plugins to load). It reads jobs as JSON lines and writes one JSON line a game, in the form that
``play.py`` gives. The env itself is the referee:

1. A job's `configuration` holds the env's settings and the seconds a turn; the env is built once for equal settings.
2. Each archive's seat gets a fresh process (``local_seat.py``). It is sent what its seat sees and may do; scripted
   players choose here.
3. A turn beyond `actTimeout` takes from the seat's bank of time; below zero the seat is late. A result that is no
   legal action is invalid. Either ends the game.
"""

import contextlib
import hashlib
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from lanista.arrays import AnyArray
from lanista.contenders import find_scripted
from lanista.env import VecEnv
from lanista.hints import told
from lanista.players import Player
from lanista.plugins import PluginHost, start_host
from lanista.seeds import derive_seed
from lanista.viewer import text
from lanista.viewer.recording import Recording
from lanista_submission.judge.local_messages import action_of, configuration_of, observation_of
from lanista_submission.judge.play import Proxy


class Referee:
    """Plays jobs on envs of this host, one game at a time."""

    def __init__(self, host: PluginHost) -> None:
        """`host` offers envs and players."""
        self._registry = host.registry
        self._envs: dict[str, VecEnv] = {}

    def play(self, job: dict[str, Any]) -> dict[str, Any]:
        """Play one game and give its record."""
        env = self._env(job["environment"], job["configuration"]["settings"])
        game = Game(env, job)
        start = perf_counter()
        broke = None
        try:
            for seat, player in enumerate(job["players"]):
                if "main" in player:
                    game.seat_archive(seat, player["main"])
                else:
                    seed = derive_seed(job["seed"], "player", seat)
                    contender = find_scripted(player["agent"], self._registry)
                    game.players[seat] = contender.player(self._registry, env.spec, seed, sample=True)
            game.start()
            try:
                game.play()
            except Exception as error:  # the env or a scripted player failed: no fault of the archive
                broke = {"type": type(error).__name__, "text": told(error)}
        finally:
            game.close()
        return {**game.record(), "broke": broke, "duration_s": perf_counter() - start}

    def _env(self, name: str, settings: dict[str, Any]) -> VecEnv:
        key = json.dumps([name, settings], sort_keys=True)
        if key not in self._envs:
            checked = self._registry.settings("envs", name, settings)
            self._envs[key] = self._registry.load("envs", name)(1, checked, 1)
        return self._envs[key]


class Game:
    """One game under way: game 0 of an env."""

    def __init__(self, env: VecEnv, job: dict[str, Any]) -> None:
        """Take the job; nothing is started yet."""
        self.env = env
        self.players: dict[int, Player] = {}
        self._job = job
        self._seats = env.spec.seats
        self._archives: dict[int, Proxy] = {}
        self._act_timeout = float(job["configuration"]["actTimeout"])
        self._left = [float(job["overage_s"])] * self._seats
        self._statuses = ["ACTIVE"] * self._seats
        self._refused: dict[int, str | None] = {}
        self._rewards: list[float | None] = [None] * self._seats
        #: a list a step: [seat, action] of each seat that acted
        self._moves: list[list[Any]] = []
        #: what there was to see before each step, and at the end
        self._frames: list[str] = []

    def seat_archive(self, seat: int, main: str) -> None:
        """Start the process of an archive's seat."""
        settings = {"main": main, "core": self._job["core"], "memory": self._job["memory"]}
        self._archives[seat] = Proxy(settings, "local_seat.py")

    def start(self) -> None:
        """Begin the game once every process stands."""
        self.env.reset(self._job["seed"])
        self.env.final_drawings = {}
        for archive in self._archives.values():
            archive.ready()

    def play(self) -> None:
        """Play to the end, or until a seat fails."""
        spec, env = self.env.spec, self.env
        actions: dict[str, AnyArray] = {
            head.name: np.zeros((1, self._seats, *head.action_shape), head.action_dtype)
            for head in spec.heads
        }
        configuration = configuration_of(self._job, spec)
        while not env.ended[0]:
            self._frames.append(text.frame_of(env, 0))
            moves: list[Any] = []
            for seat in np.flatnonzero(env.acting[0]).tolist():
                action = self._choose(seat, configuration)
                if action is None:
                    continue
                for name, value in action.items():
                    actions[name][0, seat] = value
                moves.append([seat, {name: np.asarray(value).tolist() for name, value in action.items()}])
            if any(status != "ACTIVE" for status in self._statuses):
                self._statuses = ["DONE" if status == "ACTIVE" else status for status in self._statuses]
                return
            self._moves.append(moves)
            env.step(actions)
        last = text.last_frame_of(env, 0)
        self._frames += [] if last is None else [last]
        self._rewards = [float(number) for number in env.outcome[0]]
        self._statuses = ["DONE"] * self._seats

    def _choose(self, seat: int, configuration: dict[str, Any]) -> dict[str, Any] | None:
        """A seat's action by head; None if the seat has failed, which its status then says."""
        if seat in self.players:
            chosen = self.players[seat].act(self.env, np.zeros(1, np.int64), np.array([seat]))
            return {name: array[0] for name, array in chosen.items()}
        archive = self._archives[seat]
        message = observation_of(self.env, seat, len(self._moves), self._left[seat])
        status, value = archive.ask(message, configuration)
        self._left[seat] -= max(0.0, archive.record["turns_s"][-1] - self._act_timeout)
        if status == "late" or self._left[seat] < 0:
            self._statuses[seat] = "TIMEOUT"
        elif status == "failed":
            self._statuses[seat] = "ERROR"
        else:
            legal = {name: mask[0, seat] for name, mask in self.env.legal.items()}
            fault = archive.record["fault"]
            if fault is not None:
                self._refused[seat] = f"JSON does not know its {fault['type']}"
            else:
                action, self._refused[seat] = action_of(value, self.env.spec, legal)
                if action is not None:
                    return action
            self._statuses[seat] = "INVALID"
        return None

    def record(self) -> dict[str, Any]:
        """What ``play.py`` tells of a game."""
        for seat, archive in self._archives.items():
            archive.record["overage_left_s"] = max(self._left[seat], 0.0)
            archive.record["refused"] = self._refused.get(seat)
        if self._job["replay"] is not None:
            Path(self._job["replay"]).write_text(json.dumps(self._replay()))
        return {
            "statuses": self._statuses,
            "rewards": self._rewards,
            "steps": len(self._moves) + 1,
            "act_timeout_s": self._act_timeout,
            "overage_s": float(self._job["overage_s"]),
            "default_action": None,
            "action_type": None,
            "moves": hashlib.sha256(json.dumps(self._moves).encode()).hexdigest(),
            "seats": {seat: archive.record for seat, archive in self._archives.items()},
        }

    def _replay(self) -> dict[str, Any]:
        """The game as a recording that `lanista watch` shows, with seed, moves and statuses beside it."""
        seats = ["archive" if "main" in player else player["agent"] for player in self._job["players"]]
        name, settings = self._job["environment"], self._job["configuration"]["settings"]
        told = [
            f"{seat} {status.lower() if reward is None else f'{reward:+g}'}"
            for seat, status, reward in zip(seats, self._statuses, self._rewards, strict=True)
        ]
        recording = Recording(name, name, seats, settings, self._frames, ", ".join(told), renderer="text")
        return recording.to_json() | {
            "seed": self._job["seed"],
            "moves": self._moves,
            "statuses": self._statuses,
            "outcome": self._rewards,
        }

    def close(self) -> None:
        """End the seats' processes."""
        for archive in self._archives.values():
            archive.close()


def local_command(plugin_files: Sequence[str]) -> list[str]:
    """How a worker is started that plays the envs of this Python, with these single-file plugins."""
    return [sys.executable, "-B", "-m", "lanista_submission.judge.local_play", json.dumps(list(plugin_files))]


def main() -> None:
    """Serve jobs until stdin closes."""
    jobs = os.fdopen(os.dup(0), "rb")
    results = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what plugins print must not stand among the results
    with contextlib.redirect_stdout(sys.stderr):
        referee = Referee(start_host([Path(file) for file in json.loads(sys.argv[1])]))
        for line in jobs:
            results.write(json.dumps(referee.play(json.loads(line))).encode() + b"\n")
            results.flush()


if __name__ == "__main__":
    main()
