"""Unit rows: a vector for every row of the table of units, so that a small network can play unit by unit. Portable.

A row holds, one after another: itself; the city that it stands in or that is nearest; the cluster of the nearest
resource that may be collected; how near and in which direction the nearest of eleven things is; the window of
cells around it; the globals of its seat.
"""

import math

import numpy as np
import numpy.typing as npt

from . import clusters, nearest
from .choices import TILE, room_of
from .overview import NUM_GLOBALS, Globals, cover
from .state import (
    CAPACITY,
    FUEL_VALUE,
    NO_RESOURCE,
    RESEARCH_NEEDED,
    UNIT_UPKEEP,
    UPKEEP,
    WOOD,
    WORKER,
    Board,
    Games,
)
from .tally import nights_due, nights_left
from .window import CHANNELS, NUM_WINDOW, Drawing, count_others_beside, write_window

SELF = (
    "worker", "cart", "city tile", "wood / capacity", "coal / capacity", "uranium / capacity", "room / capacity",
    "root of the cargo's fuel / 64", "stands on a city tile", "stands on a free cell", "road / 6",
    "wood cells in reach / 5", "open coal cells in reach / 5", "open uranium cells in reach / 5",
    "cargo's fuel against the night outside, at most 2", "own city tiles beside / 4", "other's units beside / 4",
    "x, -1 to 1", "y, -1 to 1",
)  # fmt: skip
CITY = (
    "the city's fuel against the night, at most 2", "against all nights left, at most 2", "root of its tiles / 4",
    "upkeep a tile / 23", "root of the fuel it lacks for the night / 64", "it starves",
    "root of the fuel that the nearest starving city lacks / 64",
)  # fmt: skip
CLUSTER = (
    "wood", "coal", "uranium", "root of its cells / 4", "root of its amount / 64", "own units at it n / (n + 4)",
    "other's units at it n / (n + 4)", "own city tiles at it n / (n + 4)", "other's city tiles at it n / (n + 4)",
)  # fmt: skip
#: things -> (lane, whose: 0 nobody's, 1 own, -1 other's)
NEAR = (
    ("wood", nearest.WOOD_LANE, 0), ("coal", nearest.COAL_LANE, 0), ("uranium", nearest.URANIUM_LANE, 0),
    ("a free cell", nearest.FREE, 0), ("a resource that may be collected", nearest.OPEN, 1),
    ("own city tile", nearest.TILES, 1), ("other's city tile", nearest.TILES, -1), ("other's unit", nearest.UNITS, -1),
    ("own starving city", nearest.HUNGRY, 1), ("a free cell beside an own city", nearest.HOME_SITES, 1),
    ("a free cell beside a resource that may be collected", nearest.CAMP_SITES, 1),
)  # fmt: skip
FEATURES = (
    *SELF, *CITY, *CLUSTER,
    *(f"{thing}: {number}" for thing, _, _ in NEAR for number in ("1 / (1 + steps)", "steps east / 16", "steps south / 16")),
    *(f"window cell {cell}: {channel}" for cell in range(25) for channel in CHANNELS),
)  # fmt: skip
_CITY_AT = len(SELF)
_CLUSTER_AT = _CITY_AT + len(CITY)
_NEAR_AT = _CLUSTER_AT + len(CLUSTER)
_WINDOW_AT = _NEAR_AT + 3 * len(NEAR)
_GLOBALS_AT = _WINDOW_AT + NUM_WINDOW
NUM_FEATURES = _GLOBALS_AT + NUM_GLOBALS
_LANES = np.array([lane for _, lane, _ in NEAR])
_WHOSE = np.array([whose for _, _, whose in NEAR])

#: ``[NUM_FEATURES]`` float32
Features = npt.NDArray[np.float32]


def root(number: int) -> float:
    """A square root, which keeps large and small amounts apart."""
    return math.sqrt(1.0 * max(number, 0))


def few(number: int) -> float:
    """n / (n + 4)."""
    return number / (number + 4.0)


def write_row(
    g: int,
    seat: int,
    kind: int,
    slot: int,
    cell: int,
    max_turns: int,
    board: Board,
    games: Games,
    lanes: nearest.Lanes,
    labels: clusters.Labels,
    numbers: clusters.Numbers,
    drawing: Drawing,
    knows: Globals,
    out: Features,
) -> None:
    """Write the row of one unit or tile; what is given beside the state was made for this game and seat."""
    y, x = cell // board.width, cell % board.width
    write_self(g, seat, kind, slot, cell, board, games, out)
    out[16] = count_others_beside(y, x, drawing) / 4.0
    home = int(lanes[y, x, nearest.TILES + seat])
    write_city(g, seat, home, int(lanes[y, x, nearest.HUNGRY + seat]), max_turns, games, out)
    write_cluster(g, seat, int(lanes[y, x, nearest.OPEN + seat]), games, labels, numbers, out)
    for k in range(_LANES.shape[0]):
        lane = _LANES[k] if _WHOSE[k] == 0 else _LANES[k] + (seat if _WHOSE[k] > 0 else 1 - seat)
        write_near(int(lanes[y, x, lane]), y, x, board, _NEAR_AT + 3 * k, out)
    write_window(cell, board, drawing, out[_WINDOW_AT:_GLOBALS_AT])
    for k in range(NUM_GLOBALS):
        out[_GLOBALS_AT + k] = knows[k]


def write_self(
    g: int, seat: int, kind: int, slot: int, cell: int, board: Board, games: Games, out: Features
) -> None:
    """The unit's own numbers; a tile carries nothing."""
    out[:_CITY_AT] = 0.0
    out[kind] = 1.0
    outside_city = games.tile_team[g, cell] != seat
    if kind != TILE:
        capacity = 1.0 * CAPACITY[kind]
        fuel = 0
        for resource in range(3):
            load = int(games.unit_cargo[g, seat, slot, resource])
            out[3 + resource] = load / capacity
            fuel += load * FUEL_VALUE[resource]
        out[6] = room_of(g, seat, slot, games) / capacity
        out[7] = root(fuel) / 64.0
        out[14] = cover(fuel, UNIT_UPKEEP[kind] * nights_due(int(games.turn[g]))) if outside_city else 2.0
    out[8] = 0.0 if outside_city else 1.0
    free = games.tile_team[g, cell] < 0 and games.resource_kind[g, cell] == NO_RESOURCE
    out[9] = 1.0 if free else 0.0
    out[10] = int(games.road[g, cell]) / 24.0
    own_tiles = 0
    wood = 0
    coal = 0
    uranium = 0
    for side in range(5):
        there = board.near[cell, side]
        own_tiles += 1 if side < 4 and games.tile_team[g, there] == seat else 0
        resource = games.resource_kind[g, there]
        if resource != NO_RESOURCE and games.research[g, seat] >= RESEARCH_NEEDED[resource - 1]:
            wood += 1 if resource == WOOD else 0
            coal += 1 if resource == WOOD + 1 else 0
            uranium += 1 if resource == WOOD + 2 else 0
    out[11] = wood / 5.0
    out[12] = coal / 5.0
    out[13] = uranium / 5.0
    out[15] = own_tiles / 4.0
    out[17] = 2.0 * (cell % board.width) / max(1.0, board.width - 1.0) - 1.0
    out[18] = 2.0 * (cell // board.width) / max(1.0, board.height - 1.0) - 1.0


def write_city(
    g: int, seat: int, home: int, starving: int, max_turns: int, games: Games, out: Features
) -> None:
    """The nearest own city, the one that it stands in first of all; `home` and `starving` are lanes' values."""
    turn = int(games.turn[g])
    for k in range(_CITY_AT, _CLUSTER_AT):
        out[k] = 0.0
    if home >= nearest.NONE:
        return
    due = nights_due(turn)
    city = games.tile_city[g, home % nearest.STEP]
    fuel, upkeep = int(games.city_fuel[g, city]), int(games.city_upkeep[g, city])
    size = int(games.city_size[g, city])
    out[_CITY_AT] = cover(fuel, upkeep * due)
    out[_CITY_AT + 1] = cover(fuel, upkeep * nights_left(turn, max_turns))
    out[_CITY_AT + 2] = root(size) / 4.0
    out[_CITY_AT + 3] = upkeep / (1.0 * UPKEEP * size)
    out[_CITY_AT + 4] = root(upkeep * due - fuel) / 64.0
    out[_CITY_AT + 5] = 1.0 if fuel < upkeep * due else 0.0
    if starving < nearest.NONE:
        city = games.tile_city[g, starving % nearest.STEP]
        lacks = int(games.city_upkeep[g, city]) * due - int(games.city_fuel[g, city])
        out[_CITY_AT + 6] = root(lacks) / 64.0


def write_cluster(
    g: int,
    seat: int,
    found: int,
    games: Games,
    labels: clusters.Labels,
    numbers: clusters.Numbers,
    out: Features,
) -> None:
    """The cluster of the nearest resource that may be collected; `found` is the lane's value."""
    for k in range(_CLUSTER_AT, _NEAR_AT):
        out[k] = 0.0
    if found >= nearest.NONE:
        return
    cell = found % nearest.STEP
    label = labels[cell]
    out[_CLUSTER_AT + int(games.resource_kind[g, cell]) - WOOD] = 1.0
    out[_CLUSTER_AT + 3] = root(int(numbers[label, clusters.TILES])) / 4.0
    out[_CLUSTER_AT + 4] = root(int(numbers[label, clusters.AMOUNT])) / 64.0
    for k in range(2):
        team = seat if k == 0 else 1 - seat
        out[_CLUSTER_AT + 5 + k] = few(int(numbers[label, clusters.UNIT_HOLDS + team]))
        out[_CLUSTER_AT + 7 + k] = few(int(numbers[label, clusters.TILE_HOLDS + team]))


def write_near(found: int, y: int, x: int, board: Board, at: int, out: Features) -> None:
    """How near a thing is, and in which direction; zeros if there is none. `found` is its lane's value."""
    if found >= nearest.NONE:
        out[at] = 0.0
        out[at + 1] = 0.0
        out[at + 2] = 0.0
        return
    cell = found % nearest.STEP
    out[at] = 1.0 / (1.0 + found // nearest.STEP)
    out[at + 1] = (cell % board.width - x) / 16.0
    out[at + 2] = (cell // board.width - y) / 16.0


assert WORKER == 0
