"""Unit rows: a vector for every row of the table of units, so that a small network can play unit by unit. Portable.

A row holds, one after another: itself; the city that it stands in or that is nearest; the cluster of the nearest
resource that may be collected; how near and in which direction the nearest of eleven things is. Beside it stands the
window of cells around it, in bytes. What a seat knows of the whole game is the same for all its rows and not repeated
in them: a network gives it to each.
"""

import math

import numpy as np
import numpy.typing as npt

from . import clusters, nearest
from .choices import TILE, Rows
from .overview import cover
from .state import (
    CAPACITY,
    CENTER,
    COAL,
    FUEL_VALUE,
    MAX_SIDE,
    NO_RESOURCE,
    RESEARCH_NEEDED,
    UNIT_UPKEEP,
    UPKEEP,
    URANIUM,
    WOOD,
    WORKER,
    Board,
    Games,
)
from .tally import nights_due, nights_left
from .window import Cells, Drawing, count_others_beside, write_window

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
)  # fmt: skip
_CITY_AT = len(SELF)
_CLUSTER_AT = _CITY_AT + len(CITY)
_NEAR_AT = _CLUSTER_AT + len(CLUSTER)
NUM_FEATURES = len(FEATURES)
#: ``[2, 11]``: the lanes of a seat
_LANES = np.array(
    [
        [lane + (0 if whose == 0 else seat if whose > 0 else 1 - seat) for _, lane, whose in NEAR]
        for seat in range(2)
    ]
)

#: the numbers of CITY that are a city's own, all but the last; LACKS: what it lacks for the night
NUM_OF_CITY, LACKS = len(CITY) - 1, 4

#: ``[C, NUM_OF_CITY]`` float32, by slot of the city
Cities = npt.NDArray[np.float32]
#: ``[longer side, 2]`` float32: columns and rows as numbers from -1 to 1
Places = npt.NDArray[np.float32]
#: 1 / (1 + steps), for all steps that a board has
NEARNESS = (1.0 / (1.0 + np.arange(2 * MAX_SIDE))).astype(np.float32)

#: ``[U, NUM_FEATURES]`` float32, and a row of it
Features = npt.NDArray[np.float32]
FeatureRow = npt.NDArray[np.float32]


def root(number: int) -> float:
    """A square root, which keeps large and small amounts apart."""
    return math.sqrt(1.0 * max(number, 0))


def make_places(width: int, height: int) -> Places:
    """Columns and rows as numbers from -1 to 1."""
    places = np.zeros((max(width, height), 2), np.float32)
    for x in range(width):
        places[x, 0] = 2.0 * x / max(1.0, width - 1.0) - 1.0
    for y in range(height):
        places[y, 1] = 2.0 * y / max(1.0, height - 1.0) - 1.0
    return places


def write_features(
    g: int,
    seat: int,
    first: int,
    last: int,
    board: Board,
    games: Games,
    lanes: nearest.Lanes,
    labels: clusters.Labels,
    masses: clusters.Shown,
    cities: Cities,
    places: Places,
    drawing: Drawing,
    ground: Cells,
    kinds: Rows,
    slots: Rows,
    cells: Rows,
    features: Features,
    windows: Cells,
) -> None:
    """Write the rows first..last-1, all of one seat; what is given beside the state was made for it.

    All arrays are looked up here, once for a seat, and the functions below get numbers: handing the whole state on
    from row to row takes longer than all the rest.
    """
    unit_cargo, row_of, column_of = games.unit_cargo, board.row_of, board.column_of
    tile_team, tile_city, road = games.tile_team, games.tile_city, games.road
    resource_kind = games.resource_kind
    due = nights_due(int(games.turn[g]))
    coal = games.research[g, seat] >= RESEARCH_NEEDED[1]
    uranium = games.research[g, seat] >= RESEARCH_NEEDED[2]
    for row in range(first, last):
        kind, slot, cell = kinds[row], slots[row], cells[row]
        y, x = int(row_of[cell]), int(column_of[cell])
        out = features[row]
        lane = lanes[y, x]
        begin = out[:_NEAR_AT]
        for k in range(begin.size):
            begin[k] = 0.0
        out[kind] = 1.0
        at_home = tile_team[g, cell] == seat
        if kind != TILE:
            wood = int(unit_cargo[g, seat, slot, 0])
            write_cargo(
                kind, wood, int(unit_cargo[g, seat, slot, 1]), int(unit_cargo[g, seat, slot, 2]), due, at_home, out
            )  # fmt: skip
        out[8] = 1.0 if at_home else 0.0
        out[9] = 1.0 if tile_team[g, cell] < 0 and resource_kind[g, cell] == NO_RESOURCE else 0.0
        out[10] = int(road[g, cell]) / 24.0
        write_reach(g, seat, cell, coal, uranium, board.near, tile_team, resource_kind, out)
        out[16] = count_others_beside(y, x, drawing) / 4.0
        out[17] = places[x, 0]
        out[18] = places[y, 1]
        found = int(lane[nearest.TILES + seat])
        if found < nearest.NONE:
            city = tile_city[g, nearest.cell_of(found, board.width)]
            for k in range(NUM_OF_CITY):
                out[_CITY_AT + k] = cities[city, k]
            found = int(lane[nearest.HUNGRY + seat])
            if found < nearest.NONE:
                out[_CITY_AT + NUM_OF_CITY] = cities[tile_city[g, nearest.cell_of(found, board.width)], LACKS]
        found = int(lane[nearest.OPEN + seat])
        if found < nearest.NONE:
            there = nearest.cell_of(found, board.width)
            out[_CLUSTER_AT + int(resource_kind[g, there]) - WOOD] = 1.0
            write_cluster(labels[there], seat, masses, out)
        for k in range(len(NEAR)):
            write_near(int(lane[_LANES[seat, k]]), y, x, _NEAR_AT + 3 * k, out)
        write_window(y, x, ground, windows[row])


def describe_cities(g: int, max_turns: int, games: Games, cities: Cities) -> None:
    """Write what rows tell of a city, once for every city of game g."""
    turn = int(games.turn[g])
    due, left = nights_due(turn), nights_left(turn, max_turns)
    for city in range(games.num_cities[g]):
        fuel, upkeep = int(games.city_fuel[g, city]), int(games.city_upkeep[g, city])
        size = int(games.city_size[g, city])
        cities[city, 0] = cover(fuel, upkeep * due)
        cities[city, 1] = cover(fuel, upkeep * left)
        cities[city, 2] = root(size) / 4.0
        cities[city, 3] = upkeep / (1.0 * UPKEEP * size)
        cities[city, LACKS] = root(upkeep * due - fuel) / 64.0
        cities[city, 5] = 1.0 if fuel < upkeep * due else 0.0


def write_cargo(
    kind: int, wood: int, coal: int, uranium: int, due: int, at_home: bool, out: FeatureRow
) -> None:
    """What a unit carries, and whether it could live through the night on it; in a city it could."""
    capacity = 1.0 * CAPACITY[kind]
    fuel = wood * FUEL_VALUE[0] + coal * FUEL_VALUE[1] + uranium * FUEL_VALUE[2]
    out[3] = wood / capacity
    out[4] = coal / capacity
    out[5] = uranium / capacity
    out[6] = (CAPACITY[kind] - wood - coal - uranium) / capacity
    out[7] = root(fuel) / 64.0
    out[14] = 2.0 if at_home else cover(fuel, UNIT_UPKEEP[kind] * due)


def write_reach(
    g: int,
    seat: int,
    cell: int,
    coal: bool,
    uranium: bool,
    near: npt.NDArray[np.int16],
    tile_team: npt.NDArray[np.int8],
    resource_kind: npt.NDArray[np.int8],
    out: FeatureRow,
) -> None:
    """What lies on the cell and on its four sides."""
    own_tiles = 0
    woods = 0
    coals = 0
    uraniums = 0
    for side in range(5):
        there = near[cell, side]
        kind = resource_kind[g, there]
        own_tiles += 1 if side < CENTER and tile_team[g, there] == seat else 0
        woods += 1 if kind == WOOD else 0
        coals += 1 if kind == COAL and coal else 0
        uraniums += 1 if kind == URANIUM and uranium else 0
    out[11] = woods / 5.0
    out[12] = coals / 5.0
    out[13] = uraniums / 5.0
    out[15] = own_tiles / 4.0


def write_cluster(label: int, seat: int, shown: clusters.Shown, out: FeatureRow) -> None:
    """The cluster of the nearest resource that may be collected."""
    units, tiles = clusters.UNIT_HOLDS, clusters.TILE_HOLDS
    out[_CLUSTER_AT + 3] = shown[label, 0]
    out[_CLUSTER_AT + 4] = shown[label, 1]
    out[_CLUSTER_AT + 5] = shown[label, units + seat]
    out[_CLUSTER_AT + 6] = shown[label, units + 1 - seat]
    out[_CLUSTER_AT + 7] = shown[label, tiles + seat]
    out[_CLUSTER_AT + 8] = shown[label, tiles + 1 - seat]


def write_near(found: int, y: int, x: int, at: int, out: FeatureRow) -> None:
    """How near a thing is, and in which direction; zeros if there is none. `found` is its lane's value."""
    if found >= nearest.NONE:
        out[at] = 0.0
        out[at + 1] = 0.0
        out[at + 2] = 0.0
        return
    out[at] = NEARNESS[found // nearest.STEP]
    out[at + 1] = (found % nearest.ROW - x) / 16.0
    out[at + 2] = (found // nearest.ROW % nearest.ROW - y) / 16.0


assert WORKER == 0
