"""Games of kaggle-environments as a `VecEnv`: slow but true, played by the official code in child processes.

Every array lies in one file that this process and its children map: a child writes the rows of its own games, and
between two steps nothing but a line goes through the pipes.
"""

import contextlib
import itertools
import mmap
import os
import tempfile
import weakref
from pathlib import Path
from typing import Any

import numpy as np

from lanista.arrays import AnyArray, IntArray
from lanista.env import VecEnv
from lanista.errors import UsageError
from lanista.judge import find_judge
from lanista.spec import EnvSpec, FactSpec, HeadSpec, ObsPart
from lanista_envs.blocks import refuse_num_games
from lanista_envs.kaggle.settings import KaggleSettings
from lanista_envs.kaggle.workers import START_S, Worker

#: bytes; each array begins on a cache line of its own
_ALIGN = 64


class KaggleEnv(VecEnv):
    """N games of one environment of kaggle-environments, seen through a codec.

    A seat that is out of its game acts no more and sees zeros; it is terminated when its game is over, so that what
    it earns at the end belongs to its last action. An action that the mask forbids and the game takes is played.
    """

    resumable = False

    def __init__(self, num_games: int, settings: KaggleSettings, num_threads: int = 1) -> None:
        """Start the children; raises `LanistaError` in one sentence for a game or codec that cannot be played."""
        del num_threads  # the children are shared out by `num_workers`
        self.num_games = n = num_games
        name = f"kaggle:{settings.game}"
        refuse_num_games(name, num_games)
        judge = find_judge()
        workers = min(settings.num_workers or os.cpu_count() or 1, n)
        edges = np.linspace(0, n, workers + 1).astype(int).tolist()
        known = settings.model_dump(include={"game", "codec", "codec_text", "seats", "configuration"})
        self._workers: list[Worker] = []
        self._close = weakref.finalize(self, _close_all, self._workers)
        try:
            for first, last in itertools.pairwise(edges):
                share = {**known, "first": first, "last": last}
                self._workers.append(Worker(judge, f"env {name}", share, settings.timeout))
            told = [worker.receive(START_S) for worker in self._workers]
            described = told[0]["described"]
            self.spec = kaggle_spec(name, described)
            self._share_arrays()
        except BaseException:
            self.close()
            raise
        #: the environment's own agents, by name
        self.agents: tuple[str, ...] = tuple(described["agents"])

    def _share_arrays(self) -> None:
        """Lay all arrays out in one file, and tell the children where."""
        spec, n, seats = self.spec, self.num_games, self.spec.seats
        (head,) = spec.heads
        shapes: dict[str, tuple[tuple[int, ...], str]] = {
            "action": ((n, seats), "int64"),
            "acting": ((n, seats), "bool"),
            "terminated": ((n, seats), "bool"),
            "ended": ((n,), "bool"),
            f"legal.{head.name}": ((n, seats, head.size), "bool"),
        }
        for name in ("outcome", "reward", "standing", "final_reward", "final_standing"):
            shapes[name] = ((n, seats), "float32")
        for part in spec.observation:
            for prefix in ("part", "final"):
                shapes[f"{prefix}.{part.name}"] = ((n, seats, *part.shape), part.dtype)
        layout: list[dict[str, Any]] = []
        size = 0
        for name, (shape, dtype) in shapes.items():
            layout.append({"name": name, "shape": shape, "dtype": dtype, "offset": size})
            size += -(-int(np.prod(shape)) * np.dtype(dtype).itemsize // _ALIGN) * _ALIGN
        handle, path = tempfile.mkstemp(prefix="lanista-kaggle-")
        try:
            os.ftruncate(handle, size)
            memory = mmap.mmap(handle, size)
            self._ask_all({"do": "open", "file": path, "arrays": layout})
        finally:
            os.close(handle)
            with contextlib.suppress(PermissionError):  # Windows removes no file that is mapped
                Path(path).unlink()
        found: dict[str, AnyArray] = {
            name: np.ndarray(shape, dtype, memory, entry["offset"])
            for (name, (shape, dtype)), entry in zip(shapes.items(), layout, strict=True)
        }
        self._action = found["action"]
        self.acting, self.terminated, self.ended = found["acting"], found["terminated"], found["ended"]
        self.truncated = np.zeros((n, seats), np.bool_)
        self.outcome = found["outcome"]
        self.legal = {head.name: found[f"legal.{head.name}"]}
        self.observation = {part.name: found[f"part.{part.name}"] for part in spec.observation}
        self.final_observation = {part.name: found[f"final.{part.name}"] for part in spec.observation}
        self.facts = {name: found[name] for name in ("reward", "standing")}
        self.final_facts = {name: found[f"final_{name}"] for name in ("reward", "standing")}

    def _ask_all(self, request: dict[str, Any]) -> None:
        """Let all children work at once."""
        for worker in self._workers:
            worker.send(request)
        for worker in self._workers:
            worker.receive()

    def reset(self, seed: int) -> None:
        """Start all games; the streams of `random` and numpy in a child are set for each game and step."""
        self._ask_all({"do": "reset", "seed": seed})

    def step(self, actions: dict[str, AnyArray]) -> None:
        """Play one step of every game."""
        (head,) = self.spec.heads
        chosen = actions[head.name]
        wrong = self.acting & ((chosen < 0) | (chosen >= head.size))
        if wrong.any():
            game, seat = (int(place[0]) for place in wrong.nonzero())
            raise UsageError(
                f"env {self.spec.name}: action {head.name} of seat {seat} of game {game} is {chosen[game, seat]}; "
                f"give a number from 0 to {head.size - 1}"
            )
        self._action[...] = chosen
        self._ask_all({"do": "step"})

    def ask_agent(self, agent: str, games: IntArray, seats: IntArray) -> IntArray:
        """The choices ``[B]`` of one of the environment's own agents for the rows ``(games[b], seats[b])``."""
        chosen = np.zeros(len(games), np.int64)
        asked = []
        for worker in self._workers:
            rows = np.flatnonzero((games >= worker.first) & (games < worker.last))
            if len(rows):
                worker.send(
                    {
                        "do": "ask",
                        "agent": agent,
                        "games": games[rows].tolist(),
                        "seats": seats[rows].tolist(),
                    }
                )
                asked.append((worker, rows))
        for worker, rows in asked:
            chosen[rows] = worker.receive()["chosen"]
        return chosen

    def render(self, game: int) -> str:
        """The environment's own drawing of a game as text."""
        worker = next(worker for worker in self._workers if worker.first <= game < worker.last)
        worker.send({"do": "render", "game": game})
        return str(worker.receive()["text"])

    def close(self) -> None:
        """End the children."""
        self._close()


def _close_all(workers: list[Worker]) -> None:
    for worker in workers:
        worker.close()
    workers.clear()


def kaggle_spec(name: str, described: dict[str, Any]) -> EnvSpec:
    """The declaration, from what the first child told of the game."""
    least, most = described["rewards"]
    span = float(most - least) if least is not None and most is not None else float(np.finfo(np.float32).max)
    (head,) = described["heads"]
    return EnvSpec(
        name=name,
        version=str(described["version"]),
        source=f"kaggle-environments {described['kaggle_environments']}, {described['title'] or name}",
        seats=described["seats"],
        turns="alternating" if described["alternating"] else "simultaneous",
        observation=tuple(
            ObsPart(part["name"], tuple(part["shape"]), part["dtype"], "as the codec's observe gives it")
            for part in described["parts"]
        ),
        heads=(HeadSpec(head["name"], "categorical", head["size"], "the choice that the codec's act turns"),),
        facts=(
            FactSpec("reward", "flow", "points", "change of the official reward"),
            FactSpec(
                "standing", "flow", "points",
                "at the end the mean over the other seats of +1 (ahead), 0 (level) or -1 (behind), else 0",
            ),
        ),
        max_steps=described["max_steps"],
        reward_range=(-span, span),
        outcome="result" if described["seats"] == 2 else "score",
    )  # fmt: skip
