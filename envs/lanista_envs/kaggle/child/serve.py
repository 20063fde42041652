"""The child process of a `kaggle:` env: it plays some of the games and writes what it sees into shared arrays.

A script for the judging environment's Python; it never imports lanista. Requests are JSON lines on what was stdin,
replies JSON lines on what was stdout:

1. the first request holds its settings, and it answers what game this is and what the codec makes of it;
2. ``open`` names a file and the arrays in it (those of all games); this child writes the rows of its own games;
3. ``reset``, ``step``, ``ask`` (a named agent's choices) and ``render`` are answered with ``{}`` or a result;
4. what goes wrong is answered with ``{"error": sentence}``.
"""

import importlib.util
import json
import mmap
import os
import random
import signal
import sys
from pathlib import Path
from types import ModuleType
from typing import IO, Any

import numpy as np


def main() -> None:
    """Load the game and the codec, describe both, and serve until stdin closes."""
    requests, replies = take_pipes()
    settings = json.loads(requests.readline())
    die_with_parent()
    child = None
    reply: dict[str, Any]
    try:
        child = Child(settings)
        reply = {"described": child.describe()}
    except Exception as error:
        reply = {"error": sentence(error)}
    send(replies, reply)
    while child is not None and (line := requests.readline()):
        try:
            reply = child.answer(json.loads(line))
        except Exception as error:
            reply = {"error": sentence(error)}
        send(replies, reply)


def send(replies: IO[bytes], message: dict[str, Any]) -> None:
    """Write one reply."""
    replies.write(json.dumps(message).encode() + b"\n")
    replies.flush()


def sentence(error: Exception) -> str:
    """The sentence of an error that is meant to be read; kind and text of any other."""
    if type(error).__name__ in ("CodecError", "GameError"):
        return str(error)
    return f"{type(error).__name__}: {' '.join(str(error).split())}"


def take_pipes() -> tuple[IO[bytes], IO[bytes]]:
    """Move stdin and stdout to private descriptors, and let what games print go to stderr."""
    requests, replies = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.dup2(2, 1)
    os.close(null)
    return requests, replies


def die_with_parent() -> None:
    """End when the parent ends, and leave Ctrl-C to it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform == "linux":
        import ctypes

        set_death_signal = 1  # PR_SET_PDEATHSIG, linux/prctl.h
        ctypes.CDLL(None).prctl(set_death_signal, int(signal.SIGKILL), 0, 0, 0)


def load_file(name: str, path: str) -> ModuleType:
    """Import a file under a name of our own; its folder does not go on the path."""
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


class Child:
    """Some games of an env, and the arrays of all."""

    def __init__(self, settings: dict[str, Any]) -> None:
        """Load kaggle_environments, the codec and the games ``first`` to ``last`` (exclusive)."""
        here = Path(__file__).parent
        os.environ.setdefault("KAGGLE_ENVIRONMENTS_QUIET", "1")
        import kaggle_environments

        load_file("lanista_quicken", str(here / "quicken.py")).quicken()
        game = load_file("lanista_game", str(here / "game.py"))
        codec = load_file("lanista_codec", settings["codec_module"])
        self.version = str(kaggle_environments.__version__)
        name, configuration = settings["game"], settings["configuration"]
        self.first, self.last = settings["first"], settings["last"]
        self.games: list[Any] = []
        known = kaggle_environments.core.environments
        lazy = kaggle_environments.core._lazy_environments
        if name not in known and name not in lazy:
            import difflib

            names = sorted({*known, *lazy})
            near = difflib.get_close_matches(name, names, n=1)
            there = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(names)}"
            raise game.GameError(f"kaggle-environments {self.version} has no environment {name!r}; {there}")
        random.seed(0)
        environment = kaggle_environments.make(name, configuration=configuration)
        self.specification = environment.specification
        self.seats = seats_of(list(self.specification.agents), settings["seats"], game.GameError)
        self.codec = codec.load_codec(settings["codec_text"], settings["codec"])
        for number in range(self.first, self.last):
            if number > self.first:
                environment = kaggle_environments.make(name, configuration=configuration)
            self.games.append(game.Game(environment, self.seats, number))
        self.configuration = environment.configuration
        self.views: list[list[Any]] = [[None] * self.seats for _ in self.games]
        self.arrays: dict[str, np.ndarray] = {}
        #: ``[games, S]`` the official rewards so far, and what they were when the games began
        self.rewards = np.zeros((len(self.games), self.seats))
        self.start = np.zeros((len(self.games), self.seats))
        self.like: Any = None
        self.GameError = game.GameError

    def describe(self) -> dict[str, Any]:
        """What the game is, what the codec shows of it, and what its schema says of rewards and actions."""
        game, specification = self.games[0], self.specification
        game.restart(0)
        acting = [seat for seat in range(self.seats) if game.status(seat) == "ACTIVE"]
        arrays, legal = self.codec.observe(game.view(acting[0]), self.configuration)
        self.codec.check(arrays, legal, None, True)
        if len(legal) != 1:
            raise self.GameError(
                f"codec {self.codec.file}, observe: legal has the heads {', '.join(legal)}; games of kaggle-environments "
                f"are played with one choice a turn, so give one"
            )
        self.like = arrays, legal
        reward = specification.reward
        return {
            "title": specification.title,
            "version": specification.version,
            "kaggle_environments": self.version,
            "seats": self.seats,
            "max_steps": int(self.configuration.episodeSteps) - 1,
            "alternating": self.seats > 1 and len(acting) == 1,
            "parts": [
                {"name": name, "shape": list(array.shape), "dtype": array.dtype.name}
                for name, array in arrays.items()
            ],
            "heads": [{"name": name, "size": len(mask)} for name, mask in legal.items()],
            "rewards": [reward.get("minimum"), reward.get("maximum")],
            "agents": sorted(game.environment.agents),
        }

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """Do what is asked."""
        kind = request["do"]
        if kind == "step":
            self.step()
        elif kind == "ask":
            return {"chosen": self.ask(request["agent"], request["games"], request["seats"])}
        elif kind == "reset":
            self.reset(request["seed"])
        elif kind == "open":
            self.open(request["file"], request["arrays"])
        elif kind == "render":
            return {"text": str(self.games[request["game"] - self.first].environment.render(mode="ansi"))}
        return {}

    def open(self, file: str, arrays: list[dict[str, Any]]) -> None:
        """Map the shared arrays; only the rows of this child's games are kept."""
        with open(file, "r+b") as shared:
            memory = mmap.mmap(shared.fileno(), 0)
        for entry in arrays:
            whole = np.ndarray(tuple(entry["shape"]), entry["dtype"], memory, entry["offset"])
            self.arrays[entry["name"]] = whole[self.first : self.last]

    def reset(self, seed: int) -> None:
        """Begin all games anew."""
        for name in ("outcome", "reward", "standing", "final_reward", "final_standing"):
            self.arrays[name].fill(0.0)
        for name in ("terminated", "ended"):
            self.arrays[name].fill(False)
        for place, game in enumerate(self.games):
            game.restart(seed)
            self.show(place)

    def step(self) -> None:
        """Play one step of every game; ended ones begin anew."""
        arrays = self.arrays
        for name in ("outcome", "reward", "standing"):
            arrays[name].fill(0.0)
        arrays["terminated"].fill(False)
        arrays["ended"].fill(False)
        chosen, acting = arrays["action"].tolist(), arrays["acting"].tolist()
        for place, game in enumerate(self.games):
            actions: list[Any] = [None] * self.seats
            for seat in range(self.seats):
                if acting[place][seat]:
                    view = self.views[place][seat]
                    actions[seat] = self.codec.act(chosen[place][seat], view, self.configuration)
            try:
                game.step(actions)
            except self.GameError as error:
                raise self.GameError(f"game {game.number}: {error}") from error
            rewards = np.array([game.reward(seat) for seat in range(self.seats)])
            if game.over:
                self.end(place, rewards)
                game.restart()
            else:
                arrays["reward"][place] = rewards - self.rewards[place]
            self.show(place)

    def end(self, place: int, rewards: np.ndarray) -> None:
        """Write how a game ended."""
        arrays = self.arrays
        arrays["ended"][place] = True
        arrays["terminated"][place] = True
        arrays["final_reward"][place] = rewards - self.rewards[place]
        ahead = np.sign(rewards[:, None] - rewards[None, :]).sum(axis=1)
        standing = ahead / max(1, self.seats - 1)
        arrays["final_standing"][place] = standing
        # Two seats: the result; else the score, which is what was added to the first reward.
        arrays["outcome"][place] = standing if self.seats == 2 else rewards - self.start[place]
        for name in self.like[0]:
            arrays[f"final.{name}"][place] = arrays[f"part.{name}"][place]

    def show(self, place: int) -> None:
        """Write what the seats of a game see now."""
        arrays, game = self.arrays, self.games[place]
        if len(game.environment.steps) == 1:
            self.start[place] = [game.reward(seat) for seat in range(self.seats)]
        for seat in range(self.seats):
            self.rewards[place, seat] = game.reward(seat)
            status = game.status(seat)
            acts = arrays["acting"][place, seat] = status == "ACTIVE"
            if status not in ("ACTIVE", "INACTIVE"):
                for name in self.like[0]:  # the seat is out of the game and sees nothing more
                    arrays[f"part.{name}"][place, seat] = 0
                for name in self.like[1]:
                    arrays[f"legal.{name}"][place, seat] = False
                continue
            view = self.views[place][seat] = game.view(seat)
            parts, legal = self.codec.observe(view, self.configuration)
            self.codec.check(parts, legal, self.like, bool(acts))
            for name, array in parts.items():
                arrays[f"part.{name}"][place, seat] = array
            for name, mask in legal.items():
                arrays[f"legal.{name}"][place, seat] = mask

    def ask(self, agent: str, games: list[int], seats: list[int]) -> list[int]:
        """The choices of a named agent for some seats, found by trying which choice gives its action."""
        (mask,) = self.like[1].values()
        chosen = []
        for number, seat in zip(games, seats, strict=True):
            game, view = self.games[number - self.first], self.views[number - self.first][seat]
            action = game.ask(agent, seat)
            for index in range(len(mask)):
                if self.codec.act(index, view, self.configuration) == action:
                    chosen.append(index)
                    break
            else:
                raise self.GameError(
                    f"codec {self.codec.file}: no choice of act gives {action!r}, which the agent {agent!r} plays in "
                    f"game {number}; let act cover all actions of the game, or leave this agent out"
                )
        return chosen


def seats_of(allowed: list[int], wanted: int | None, refusal: type[Exception]) -> int:
    """How many seats to play with: what was asked for, or the only count there is."""
    counts = ", ".join(map(str, allowed))
    if wanted is None and len(allowed) > 1:
        raise refusal(f"this game is played with {counts} seats; say how many, seats = {max(allowed[0], 2)}")
    if wanted is not None and wanted not in allowed:
        raise refusal(f"this game is played with {counts} seats, and seats = {wanted} was asked for")
    return allowed[0] if wanted is None else wanted


if __name__ == "__main__":
    main()
