"""The globals: what a seat knows of the whole game, as numbers of about one. Portable.

Everything is computed in int64 and float64 and cast when it is stored, here and in the other observations.
"""

import numpy as np
import numpy.typing as npt

from .state import COAL, CYCLE, DAY, RESEARCH_NEEDED, URANIUM, WOOD, Board, Games
from .tally import (
    CARTS,
    CITIES,
    CITY_TILES,
    FUEL,
    HUNGRY_TILES,
    RESEARCHED,
    UNITS,
    UPKEEP_DUE,
    WORKERS,
    Tally,
    nights_due,
    nights_left,
)

#: in the order of the numbers; "own" and "other" are teams
GLOBALS = (
    "turn / turns of a game", "turn of the cycle / 40", "night now", "turns of daylight left / 30",
    "night turns until the morning / 10", "night turns left / 90",
    "board's width / 32", "board's height / 32",
    "wood on the map / 100 a cell", "coal / 100 a cell", "uranium / 100 a cell",
    "own room for units, share of tiles", "own share of city tiles", "own share of units",
    *(f"{team} {what}" for team in ("own", "other") for what in (
        "research / 200", "coal open", "uranium open", "city tiles n / (n + 16)", "cities n / (n + 4)",
        "workers n / (n + 16)", "carts n / (n + 4)", "fuel against the night, at most 2", "share of tiles that starve",
    )),
)  # fmt: skip
NUM_GLOBALS = len(GLOBALS)
_FIRST_OF_TEAM, _OF_TEAM = 14, 9

Globals = npt.NDArray[np.float32]


def share(own: float, other: float) -> float:
    """own / (own + other), one half of nothing."""
    return own / (own + other) if own + other > 0 else 0.5


def cover(fuel: int, need: int) -> float:
    """How many times `fuel` is what is needed, at most 2."""
    return 2.0 if fuel >= 2 * need else fuel / (1.0 * need)


def sum_resources(g: int, games: Games, totals: npt.NDArray[np.int64]) -> None:
    """Write the amounts of wood, coal and uranium on the map into ``totals[1:4]``."""
    totals[:] = 0
    for cell in range(games.resource_kind.shape[1] - 1):
        totals[games.resource_kind[g, cell]] += games.resource_amount[g, cell]


def write_globals(
    g: int,
    seat: int,
    max_turns: int,
    board: Board,
    games: Games,
    tally: Tally,
    totals: npt.NDArray[np.int64],
    out: Globals,
) -> None:
    """Write what `seat` knows (``[NUM_GLOBALS]``)."""
    turn = int(games.turn[g])
    due = nights_due(turn)
    cells = board.width * board.height
    hour = turn % CYCLE
    out[0] = turn / (1.0 * max_turns)
    out[1] = hour / 40.0
    out[2] = 1.0 if hour >= DAY else 0.0
    out[3] = max(DAY - hour, 0) / 30.0
    out[4] = due / 10.0
    out[5] = nights_left(turn, max_turns) / 90.0
    out[6] = board.width / 32.0
    out[7] = board.height / 32.0
    out[8] = int(totals[WOOD]) / (100.0 * cells)
    out[9] = int(totals[COAL]) / (100.0 * cells)
    out[10] = int(totals[URANIUM]) / (100.0 * cells)
    tiles, units = int(tally[seat, CITY_TILES]), int(tally[seat, UNITS])
    out[11] = max(tiles - units, 0) / (tiles + 1.0)
    out[12] = share(1.0 * tiles, 1.0 * tally[1 - seat, CITY_TILES])
    out[13] = share(1.0 * units, 1.0 * tally[1 - seat, UNITS])
    for k in range(2):
        team = seat if k == 0 else 1 - seat
        at = _FIRST_OF_TEAM + k * _OF_TEAM
        points = int(tally[team, RESEARCHED])
        tiles = int(tally[team, CITY_TILES])
        cities = int(tally[team, CITIES])
        workers = int(tally[team, WORKERS])
        carts = int(tally[team, CARTS])
        out[at] = min(points, 2 * RESEARCH_NEEDED[2]) / 200.0
        out[at + 1] = 1.0 if points >= RESEARCH_NEEDED[1] else 0.0
        out[at + 2] = 1.0 if points >= RESEARCH_NEEDED[2] else 0.0
        out[at + 3] = tiles / (tiles + 16.0)
        out[at + 4] = cities / (cities + 4.0)
        out[at + 5] = workers / (workers + 16.0)
        out[at + 6] = carts / (carts + 4.0)
        out[at + 7] = cover(int(tally[team, FUEL]), int(tally[team, UPKEEP_DUE]) * due)
        out[at + 8] = int(tally[team, HUNGRY_TILES]) / max(1.0, 1.0 * tiles)


assert len(GLOBALS) == _FIRST_OF_TEAM + 2 * _OF_TEAM
