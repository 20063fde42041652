"""What `lanista watch` needs of Lux: frames from states and from Kaggle's replays, and the renderer's script."""

from importlib import resources
from typing import Any

from lanista.env import VecEnv
from lanista.errors import UsageError
from lanista.viewer.recording import Recording, RecordingError
from lanista_envs.lux.env import LuxS1
from lanista_envs.lux.games import MIN_SIDE
from lanista_envs.lux.sizes import LuxSizes
from lanista_envs.lux.state import COLLECT_RATE, CYCLE, DAY, MAX_SIDE, Board, Games, allocate, make_board
from lanista_envs.lux.updates import UpdatesError, read_updates, size_of

SCRIPT = resources.files("lanista_envs.lux").joinpath("viewer.js").read_text(encoding="utf-8")

Frame = dict[str, list[Any]]


def draw_frame(g: int, board: Board, games: Games) -> Frame:
    """Game g as it stands: `score` (research, units, tiles, fuel by team) and flat lists of numbers.

    `resources`: cell, kind, amount. `units`: team, kind, id, cell, cooldown in quarters, wood, coal, uranium.
    `cities`: team, id, fuel, upkeep, tiles. `tiles`: cell, team, place of the city in `cities`, turns until it
    may act. `roads`: cell, quarters, without those of city tiles.
    """
    cells = board.width * board.height
    kinds, roads = games.resource_kind[g, :cells], games.road[g, :cells]
    count = int(games.num_cities[g])
    teams = games.city_team[g, :count].tolist()
    fuel = games.city_fuel[g, :count].tolist()
    frame: Frame = {"score": [], "resources": [], "units": [], "cities": [], "tiles": [], "roads": []}
    for team in range(2):
        own = sum(amount for amount, owner in zip(fuel, teams, strict=True) if owner == team)
        frame["score"].append(
            [int(games.research[g, team]), int(games.num_units[g, team]), int(games.num_tiles[g, team]), own]
        )
        for u in range(games.num_units[g, team]):
            numbers = (games.unit_kind, games.unit_id, games.unit_cell, games.unit_cooldown)
            frame["units"] += [team, *(int(array[g, team, u]) for array in numbers)]
            frame["units"] += games.unit_cargo[g, team, u].tolist()
    for cell in kinds.nonzero()[0].tolist():
        frame["resources"] += [cell, int(kinds[cell]), int(games.resource_amount[g, cell])]
    for city in range(count):
        columns = (games.city_id, games.city_fuel, games.city_upkeep, games.city_size)
        frame["cities"] += [teams[city], *(int(column[g, city]) for column in columns)]
    for cell in roads.nonzero()[0].tolist():
        if games.tile_team[g, cell] < 0:
            frame["roads"] += [cell, int(roads[cell])]
            continue
        wait = max(int(games.tile_ready[g, cell]) - int(games.turn[g]), 0)
        frame["tiles"] += [cell, int(games.tile_team[g, cell]), int(games.tile_city[g, cell]), wait]
    return frame


def make_settings(width: int, height: int, **more: object) -> dict[str, Any]:
    """What the renderer must know beside the frames."""
    return {"width": width, "height": height, "cycle": CYCLE, "day": DAY, "rates": list(COLLECT_RATE), **more}


def frame_of(env: VecEnv, game: int) -> Frame:
    """The frame of a game as it stands."""
    lux, place = _part_of(env, game)
    return draw_frame(place, lux.board, lux.games)


def settings_of(env: VecEnv) -> dict[str, Any]:
    """The settings of a recording, which is of the first game."""
    lux, _ = _part_of(env, 0)
    return make_settings(lux.board.width, lux.board.height)


def read_replay(replay: dict[str, Any]) -> Recording:
    """A Kaggle replay of `lux_ai_2021` as a recording."""
    turns = _turns(replay)
    try:
        width, height = size_of(turns[0])
    except UpdatesError as error:
        raise RecordingError(str(error)) from error
    if not (MIN_SIDE <= width <= MAX_SIDE and MIN_SIDE <= height <= MAX_SIDE):
        raise RecordingError(f"its board is {width} x {height}; sides go from {MIN_SIDE} to {MAX_SIDE}")
    board, games = make_board(width, height), allocate(1, width, height)
    frames = []
    for turn, lines in enumerate(turns):
        try:
            read_updates(lines, turn, 0, board, games)
        except UpdatesError as error:
            raise RecordingError(f"step {turn}: {error}") from error
        frames.append(draw_frame(0, board, games))
    configuration = replay.get("configuration")
    seed = configuration.get("seed") if isinstance(configuration, dict) else None
    title = f"Lux AI Season 1, {width} x {height}"
    if isinstance(seed, int):
        title += f", seed {seed}"
    seats = seat_names(replay)
    return Recording("lux_s1", title, seats, make_settings(width, height), frames, _result(replay, seats))


def _turns(replay: dict[str, Any]) -> list[list[str]]:
    """The lines of every step."""
    steps = replay.get("steps")
    if not isinstance(steps, list) or not steps:
        raise RecordingError("it has no steps")
    turns = []
    for number, step in enumerate(steps):
        seat = step[0] if isinstance(step, list) and step else None
        observation = seat.get("observation") if isinstance(seat, dict) else None
        lines = observation.get("updates") if isinstance(observation, dict) else None
        if not isinstance(lines, list) or not all(isinstance(line, str) for line in lines):
            raise RecordingError(f"step {number} has no updates in seat 0's observation")
        turns.append(lines)
    return turns


def seat_names(replay: dict[str, Any]) -> list[str]:
    """The teams' names, or seat 0 and seat 1."""
    info = replay.get("info")
    names = info.get("TeamNames") if isinstance(info, dict) else None
    if isinstance(names, list) and len(names) == 2 and all(isinstance(name, str) and name for name in names):
        return names if names[0] != names[1] else [f"{name} ({seat})" for seat, name in enumerate(names)]
    return ["seat 0", "seat 1"]


def _result(replay: dict[str, Any], seats: list[str]) -> str:
    """How it ended, from the rewards."""
    rewards = replay.get("rewards")
    if not isinstance(rewards, list) or len(rewards) != 2:
        return ""
    if not all(isinstance(reward, int | float) for reward in rewards):
        failed = [name for name, reward in zip(seats, rewards, strict=True) if reward is None]
        return f"{' and '.join(failed)} failed" if failed else ""
    if rewards[0] == rewards[1]:
        return "a draw"
    return f"{seats[int(rewards[1] > rewards[0])]} wins"


def _part_of(env: VecEnv, game: int) -> tuple[LuxS1, int]:
    """The games of one size of board that a game is among, and its place there."""
    if isinstance(env, LuxSizes):
        return env.part_of(game)
    if not isinstance(env, LuxS1):
        raise UsageError(f"the viewer of lux_s1 was given {type(env).__name__}; it shows lux_s1 only")
    return env, game
