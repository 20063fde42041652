"""Kaggle's replay JSON: read one and play its actions through our rules; write one that the official viewer shows.

A replay holds its `configuration` and `steps`; a step is a list of two seats, each with the `action` that led to
it. Step 0's observation is the start. Only seat 0's copy of the shared part of the observation is stored.
"""

import gzip
import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lanista.errors import LanistaError
from lanista_envs.lux import arc4
from lanista_envs.lux.games import LuxGames
from lanista_envs.lux.order_strings import pack_orders, read_orders
from lanista_envs.lux.parity import Difference, compare_lines
from lanista_envs.lux.state import MAX_TURNS
from lanista_envs.lux.updates import UpdatesError, read_updates, size_of, write_first_updates, write_updates

ENVIRONMENT = "lux_ai_2021"
#: the version of the environment that our replays name
ENVIRONMENT_VERSION = "3.1.0"
#: points of a city tile and of a unit in Kaggle's reward
TILE_POINTS = 10_000


class ReplayError(LanistaError):
    """A file is no replay that can be played."""

    exit_code = 2


@dataclass(frozen=True)
class Replay:
    """What of a replay decides a game, and what it shows."""

    #: of the map; None if it was not made from a seed, and then the game begins as step 0 shows it
    seed: int | None
    width: int
    height: int
    #: `globalUnitIDCount` and `globalCityIDCount` of step 0, where they stand there
    last_ids: tuple[int | None, int | None]
    #: Kaggle's `episodeSteps`, one more than the turns played
    episode_steps: int
    #: by turn, both teams' action strings
    actions: list[tuple[list[str], list[str]]]
    #: the lines after 0, 1, 2, ... turns
    updates: list[list[str]]
    #: the game came to its end, and did not only break off
    finished: bool


def command_strings(action: object) -> list[str]:
    """The action strings of one seat as Kaggle takes them: a list, an object with `submission`, or none."""
    if isinstance(action, dict):
        action = action.get("submission")
    if not isinstance(action, list):
        return []
    return [order for order in action if isinstance(order, str)]


def read_replay(file: Path) -> Replay:
    """Read a replay, plain or gzip; raises `ReplayError` for what is none."""
    try:
        content = file.read_bytes()
        if content[:2] == b"\x1f\x8b":
            content = gzip.decompress(content)
        record = json.loads(content)
    except (OSError, EOFError, ValueError, zlib.error, RecursionError) as error:
        raise ReplayError(f"{file} cannot be read as JSON, plain or gzip: {_first_line(error)}") from error
    try:
        return take_apart(record)
    except ReplayError as error:
        raise ReplayError(f"{file} is no replay of {ENVIRONMENT}: {error}") from error


def take_apart(record: object) -> Replay:
    """Give what of a replay's JSON counts; raises `ReplayError`."""
    if not isinstance(record, dict):
        raise ReplayError(f"it is a {type(record).__name__} and should be an object")
    name = record.get("name", ENVIRONMENT)
    if name != ENVIRONMENT:
        raise ReplayError(f"its name is {str(name)[:40]!r}")
    configuration, steps = record.get("configuration"), record.get("steps")
    if not isinstance(configuration, dict) or not isinstance(steps, list) or not steps:
        raise ReplayError("it has no configuration, or no steps")
    episode_steps: Any = configuration.get("episodeSteps")
    if episode_steps is None:
        # It does not say how long games are: a game that came to its end did so with its last step.
        episode_steps = max(len(steps), 2) if _is_finished(steps[-1]) else MAX_TURNS + 1
    if not _is_integer(episode_steps) or not 2 <= episode_steps < 2**31:
        raise ReplayError(
            f"its episodeSteps is {str(episode_steps)[:40]!r}, which must be an integer from 2 on"
        )
    updates: list[list[str]] = []
    actions: list[tuple[list[str], list[str]]] = []
    for number, step in enumerate(steps):
        if not isinstance(step, list) or len(step) != 2 or not all(isinstance(seat, dict) for seat in step):
            raise ReplayError(f"step {number} is not a list of two seats")
        observation = step[0].get("observation")
        lines = observation.get("updates") if isinstance(observation, dict) else None
        if not isinstance(lines, list) or not all(isinstance(line, str) for line in lines):
            raise ReplayError(f"step {number} has no updates in seat 0's observation")
        updates.append(lines)
        if number > 0:
            actions.append((command_strings(step[0].get("action")), command_strings(step[1].get("action"))))
    finished = _is_finished(steps[-1])
    try:
        width, height = size_of(updates[0])
    except UpdatesError as error:
        raise ReplayError(str(error)) from error
    counts = [steps[0][0]["observation"].get(f"global{what}IDCount") for what in ("Unit", "City")]
    unit_id, city_id = (count if _is_integer(count) and 0 <= count < 2**31 else None for count in counts)
    return Replay(
        _seed_of(configuration), width, height, (unit_id, city_id), episode_steps, actions, updates, finished
    )


def _is_finished(step: object) -> bool:
    """Had the game come to its end with this step?"""
    seats = step if isinstance(step, list) else []
    return any(isinstance(seat, dict) and seat.get("status") == "DONE" for seat in seats)


def _seed_of(configuration: dict[str, Any]) -> int | None:
    """The seed that the map was made from; None if it was not."""
    seed: Any = configuration.get("seed")
    if seed is None or configuration.get("mapType", "random") != "random":
        return None
    if not _is_integer(seed) or abs(seed) > arc4.MAX_SEED:
        raise ReplayError(f"its seed is {str(seed)[:40]!r}, which must be an integer below 2**53")
    return int(seed)


def check_replay(replay: Replay) -> Difference | None:
    """Play a replay's actions through our rules; give the first turn and line that differ from what it shows."""
    games = LuxGames(1, replay.width, replay.height)
    board, state = games.board, games.state
    if replay.seed is None:
        try:
            read_updates(replay.updates[0], 0, 0, board, state, *replay.last_ids)
        except UpdatesError as error:
            raise ReplayError(f"its step 0 shows no game: {error}") from error
    else:
        games.start([replay.seed])
    difference = compare_lines(0, write_first_updates(0, board, state), replay.updates[0])
    for turn, actions in enumerate(replay.actions, start=1):
        if difference is not None:
            return difference
        if state.over[0]:
            return Difference(turn, "end of the game", "True", "False")
        seats = [read_orders(actions[team], 0, team, board, state) for team in range(2)]
        # The competition stops one turn before the official program does.
        games.play(pack_orders(seats), max_turns=replay.episode_steps - 1)
        difference = compare_lines(turn, write_updates(0, board, state), replay.updates[turn])
    if difference is None and replay.finished and not state.over[0]:
        difference = Difference(len(replay.actions), "end of the game", "False", "True")
    return difference


class Recorder:
    """Writes one game down as a replay while it is played: `note` after every turn, then `record`."""

    def __init__(self, games: LuxGames, g: int, seed: int, max_turns: int = MAX_TURNS) -> None:
        """Begin with game `g` as it stands at its start."""
        self.games, self.g, self.seed, self.max_turns = games, g, seed, max_turns
        self.steps: list[list[dict[str, Any]]] = []
        self._add(([], []), write_first_updates(g, games.board, games.state))

    def note(self, actions: tuple[Sequence[str], Sequence[str]]) -> None:
        """Write down the turn that has just been played with these action strings."""
        self._add(actions, write_updates(self.g, self.games.board, self.games.state))

    def _add(self, actions: tuple[Sequence[str], Sequence[str]], updates: list[str]) -> None:
        state, g, number = self.games.state, self.g, len(self.steps)
        over = bool(state.over[g]) or number >= self.max_turns
        seats: list[dict[str, Any]] = []
        for team in range(2):
            reward = 0 if number == 0 else self._points(team)
            observation: dict[str, Any] = {"remainingOverageTime": 60, "reward": reward, "player": team}
            if team == 0:
                observation |= {
                    "step": number,
                    "width": self.games.width,
                    "height": self.games.height,
                    "globalUnitIDCount": int(state.last_unit_id[g]),
                    "globalCityIDCount": int(state.last_city_id[g]),
                    "updates": updates,
                }
            seats.append(
                {
                    "action": list(actions[team]),
                    "reward": reward,
                    "info": {},
                    "observation": observation,
                    "status": "DONE" if over else "ACTIVE",
                }
            )
        self.steps.append(seats)

    def _points(self, team: int) -> int:
        state, g = self.games.state, self.g
        return TILE_POINTS * int(state.num_tiles[g, team]) + int(state.num_units[g, team])

    def record(self, names: tuple[str, str] = ("team 0", "team 1")) -> dict[str, Any]:
        """The replay as Kaggle writes it."""
        last = self.steps[-1]
        return {
            "id": f"lanista-{self.seed}",
            "name": ENVIRONMENT,
            "title": "Lux AI Challenge: 2021",
            "description": "A game of lanista's own rules",
            "version": ENVIRONMENT_VERSION,
            "schema_version": 1,
            "configuration": {
                "episodeSteps": self.max_turns + 1,
                "actTimeout": 3,
                "runTimeout": 1200,
                "width": self.games.width,
                "height": self.games.height,
                "seed": self.seed,
                "mapType": "random",
                "loglevel": 0,
                "annotations": False,
                "freeForm": True,
            },
            "info": {"TeamNames": list(names)},
            "rewards": [seat["reward"] for seat in last],
            "statuses": [seat["status"] for seat in last],
            "steps": self.steps,
        }


def _is_integer(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:120]
