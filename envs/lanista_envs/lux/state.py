"""The whole state of N games of Lux AI Season 1 as arrays, and the compact form of orders. Portable.

**Cells.** A cell is a number: ``cell = y * width + x``, x to the east, y to the south; ``C = width * height``.
Arrays over cells have ``C + 1`` entries: the last is *nowhere*, where all neighbours off the map point to. It
holds no resource, no city tile and no road, so that looking around needs no test for the border. Drop it with
``array[:, :-1].reshape(N, height, width)`` to have a plane.

**Lists.** Units lie in a list a team, cities in one list a game, both dense and in the official order (of
creation, which is of rising id); ``num_units`` and ``num_cities`` say how many entries count, what lies behind
them is leftover. A *slot* is a place in such a list. Slots move up when somebody before them is lost; ids never
change. The tiles of a city are a linked list over cells in the official order (of joining): ``city_first`` ->
``tile_next`` -> ... -> ``city_last``, ended by -1.

**Quarters.** Roads and unit cooldowns are official numbers times four: a unit may act while its cooldown is
below 4. A city tile is a road of 24.

The arrays belong to whoever called `allocate`; the kernels of `rules` overwrite them in place, one row a game,
and nothing else may write to them between steps but the codec and a restart.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

# Resources. A cargo is indexed by ``kind - 1``.
NO_RESOURCE, WOOD, COAL, URANIUM = 0, 1, 2, 3
# Units.
WORKER, CART = 0, 1
# Directions, columns of `Games.near` too. CENTER is the cell itself.
NORTH, EAST, SOUTH, WEST, CENTER = 0, 1, 2, 3, 4

# Kinds of orders: column 0 of `orders`. A transfer's kind says which resource: TRANSFER_WOOD + resource - 1.
MOVE = 0
TRANSFER_WOOD, TRANSFER_COAL, TRANSFER_URANIUM = 1, 2, 3
BUILD_CITY, PILLAGE = 4, 5
BUILD_WORKER, BUILD_CART, RESEARCH = 6, 7, 8
NUM_ORDER_KINDS = 9
#: columns of an order: its kind; the acting unit's slot, or the acting tile's cell; a move's direction, or
#: the slot of the unit that receives a transfer; a transfer's amount
KIND, SUBJECT, TARGET, AMOUNT = 0, 1, 2, 3
ORDER_COLUMNS = 4

# What `Games.flows` counts.
NEW_UNITS, NEW_TILES, LOST_UNITS, LOST_TILES = 0, 1, 2, 3
GOT_WOOD, GOT_COAL, GOT_URANIUM, FUEL_STORED, FUEL_BURNT = 4, 5, 6, 7, 8
NUM_FLOWS = 9

CAPACITY = (100, 2000)
#: fuel of one unit of wood, coal, uranium
FUEL_VALUE = (1, 10, 40)
#: most that a worker asks of one tile a turn
COLLECT_RATE = (20, 5, 2)
RESEARCH_NEEDED = (0, 50, 200)
CITY_COST = 100
UPKEEP, UPKEEP_SAVED = 23, 5
#: fuel that a worker, a cart needs for a night turn outside a city
UNIT_UPKEEP = (4, 10)
#: a unit may act while its cooldown is below this, in quarters
READY = 4
#: quarters of cooldown for an action by day
UNIT_COOLDOWN = (8, 12)
TILE_COOLDOWN = 10
MAX_ROAD, CART_ROAD, PILLAGED_ROAD = 24, 3, 2
CYCLE, DAY = 40, 30
WOOD_CAP = 500
#: the competition plays this many turns; the official program alone, with Kaggle's settings, one more
MAX_TURNS = 360
#: longest side of a board: cells, slots and counts of units are int16
MAX_SIDE = 120


#: a whole number that kernels hand on: one type for numba, which compiles a function for each type anew
Number = int | np.int64


class Games(NamedTuple):
    """The state of N games; C cells, lists of C entries a team (units never outnumber the tiles there were)."""

    #: ``[N]`` int32: turns played; the turn about to be played has this index
    turn: npt.NDArray[np.int32]
    #: ``[N]`` bool: the game has ended; a step leaves it alone
    over: npt.NDArray[np.bool_]
    #: ``[N]`` int32: the last id given to a unit, to a city (`globalUnitIDCount`, `globalCityIDCount`)
    last_unit_id: npt.NDArray[np.int32]
    last_city_id: npt.NDArray[np.int32]
    #: ``[N, 2]`` int32, by team
    research: npt.NDArray[np.int32]
    num_units: npt.NDArray[np.int32]
    num_tiles: npt.NDArray[np.int32]
    #: ``[N]`` int32: cities of both teams
    num_cities: npt.NDArray[np.int32]

    #: ``[N, C + 1]`` int8: NO_RESOURCE, WOOD, COAL or URANIUM; a tile that is used up has none
    resource_kind: npt.NDArray[np.int8]
    #: ``[N, C + 1]`` int16: 0 where there is none
    resource_amount: npt.NDArray[np.int16]
    #: ``[N]`` int32, ``[N, C]`` int16: the wood tiles with less than 500, which regrow, in any order; derived,
    #: kept up to date
    num_growing: npt.NDArray[np.int32]
    growing: npt.NDArray[np.int16]
    #: ``[N, C + 1]`` int8: bit ``1 << kind`` for every kind on the cell or beside it; derived, kept up to date
    kinds_near: npt.NDArray[np.int8]
    #: ``[N, C + 1]`` int8: quarters, 0 to 24; 24 on city tiles
    road: npt.NDArray[np.int8]
    #: ``[N, C + 1]`` int8: the team whose city tile stands here, -1 if none does
    tile_team: npt.NDArray[np.int8]
    #: ``[N, C + 1]`` int16: slot of the tile's city, -1 if no tile stands here
    tile_city: npt.NDArray[np.int16]
    #: ``[N, C + 1]`` int32: the turn from which on the tile may act; ``max(tile_ready - turn, 0)`` is the
    #: official cooldown. 0 where there is none
    tile_ready: npt.NDArray[np.int32]
    #: ``[N, C + 1]`` int8: tiles of the same team beside this one, 0 to 4
    tile_near: npt.NDArray[np.int8]
    #: ``[N, C + 1]`` int16: the next tile of the same city, -1 at the end and where there is none
    tile_next: npt.NDArray[np.int16]

    #: ``[N, 2, C]`` int32: N of ``u_N``
    unit_id: npt.NDArray[np.int32]
    #: ``[N, 2, C]`` int8: WORKER or CART
    unit_kind: npt.NDArray[np.int8]
    #: ``[N, 2, C]`` int16
    unit_cell: npt.NDArray[np.int16]
    #: ``[N, 2, C]`` int8: quarters, 0 to 27; may act below 4
    unit_cooldown: npt.NDArray[np.int8]
    #: ``[N, 2, C, 3]`` int16: wood, coal, uranium
    unit_cargo: npt.NDArray[np.int16]

    #: ``[N, C]`` int32: N of ``c_N``
    city_id: npt.NDArray[np.int32]
    #: ``[N, C]`` int8
    city_team: npt.NDArray[np.int8]
    #: ``[N, C]`` int32
    city_fuel: npt.NDArray[np.int32]
    #: ``[N, C]`` int32: fuel for one night turn; derived, kept up to date
    city_upkeep: npt.NDArray[np.int32]
    #: ``[N, C]`` int16: how many tiles it has; derived, kept up to date
    city_size: npt.NDArray[np.int16]
    #: ``[N, C]`` int16: cells of its first and its last tile
    city_first: npt.NDArray[np.int16]
    city_last: npt.NDArray[np.int16]

    #: ``[N, 2, NUM_FLOWS]`` int32: what the last step did for each team: units and city tiles that are new or
    #: lost; wood, coal and uranium taken from the map; fuel brought into cities; fuel burnt by cities
    flows: npt.NDArray[np.int32]


class Board(NamedTuple):
    """What all boards of one size share; never written to."""

    width: int
    height: int
    #: ``[C + 1, 5]`` int16: the cell to the north, east, south, west, and itself; C is nowhere
    near: npt.NDArray[np.int16]
    #: ``[C + 1]`` int16: a cell's row and column; looked up, because divisions would take longer than what is done there
    row_of: npt.NDArray[np.int16]
    column_of: npt.NDArray[np.int16]


def make_board(width: int, height: int) -> Board:
    """The tables for a size."""
    cells = width * height
    near = np.full((cells + 1, 5), cells, np.int16)
    cell = np.arange(cells).reshape(height, width)
    inner = near[:-1].reshape(height, width, 5)
    inner[1:, :, NORTH] = cell[:-1]
    inner[:, :-1, EAST] = cell[:, 1:]
    inner[:-1, :, SOUTH] = cell[1:]
    inner[:, 1:, WEST] = cell[:, :-1]
    inner[:, :, CENTER] = cell
    rows, columns = np.divmod(np.arange(cells + 1), width)
    return Board(width, height, near, rows.astype(np.int16), columns.astype(np.int16))


def allocate(num_games: int, width: int, height: int) -> Games:
    """Arrays for `num_games` empty boards."""
    n, cells = num_games, width * height
    return Games(
        turn=np.zeros(n, np.int32),
        over=np.zeros(n, np.bool_),
        last_unit_id=np.zeros(n, np.int32),
        last_city_id=np.zeros(n, np.int32),
        research=np.zeros((n, 2), np.int32),
        num_units=np.zeros((n, 2), np.int32),
        num_tiles=np.zeros((n, 2), np.int32),
        num_cities=np.zeros(n, np.int32),
        resource_kind=np.zeros((n, cells + 1), np.int8),
        resource_amount=np.zeros((n, cells + 1), np.int16),
        num_growing=np.zeros(n, np.int32),
        growing=np.zeros((n, cells), np.int16),
        kinds_near=np.zeros((n, cells + 1), np.int8),
        road=np.zeros((n, cells + 1), np.int8),
        tile_team=np.full((n, cells + 1), -1, np.int8),
        tile_city=np.full((n, cells + 1), -1, np.int16),
        tile_ready=np.zeros((n, cells + 1), np.int32),
        tile_near=np.zeros((n, cells + 1), np.int8),
        tile_next=np.full((n, cells + 1), -1, np.int16),
        unit_id=np.zeros((n, 2, cells), np.int32),
        unit_kind=np.zeros((n, 2, cells), np.int8),
        unit_cell=np.zeros((n, 2, cells), np.int16),
        unit_cooldown=np.zeros((n, 2, cells), np.int8),
        unit_cargo=np.zeros((n, 2, cells, 3), np.int16),
        city_id=np.zeros((n, cells), np.int32),
        city_team=np.zeros((n, cells), np.int8),
        city_fuel=np.zeros((n, cells), np.int32),
        city_upkeep=np.zeros((n, cells), np.int32),
        city_size=np.zeros((n, cells), np.int16),
        city_first=np.zeros((n, cells), np.int16),
        city_last=np.zeros((n, cells), np.int16),
        flows=np.zeros((n, 2, NUM_FLOWS), np.int32),
    )


def clear_game(g: int, games: Games) -> None:
    """Empty the board and the lists of game g; what lies behind the ends of lists is cleared, too."""
    games.turn[g] = 0
    games.over[g] = False
    games.last_unit_id[g] = 0
    games.last_city_id[g] = 0
    games.num_cities[g] = 0
    games.research[g] = 0
    games.num_units[g] = 0
    games.num_tiles[g] = 0
    games.resource_kind[g] = 0
    games.resource_amount[g] = 0
    games.kinds_near[g] = 0
    games.road[g] = 0
    games.tile_team[g] = -1
    games.tile_city[g] = -1
    games.num_growing[g] = 0
    games.growing[g] = 0
    games.tile_ready[g] = 0
    games.tile_near[g] = 0
    games.tile_next[g] = -1
    games.unit_id[g] = 0
    games.unit_kind[g] = 0
    games.unit_cell[g] = 0
    games.unit_cooldown[g] = 0
    games.unit_cargo[g] = 0
    games.city_id[g] = 0
    games.city_team[g] = 0
    games.city_fuel[g] = 0
    games.city_upkeep[g] = 0
    games.city_size[g] = 0
    games.city_first[g] = 0
    games.city_last[g] = 0
    games.flows[g] = 0


class Orders(NamedTuple):
    """The orders of one turn of N games, in the order in which they were given.

    Any order of the rules with any amount has a place here; what the rules refuse is dropped by the step.
    """

    #: ``[K, 4]`` int16: columns KIND, SUBJECT, TARGET, AMOUNT; columns that a kind does not need are ignored
    rows: npt.NDArray[np.int16]
    #: ``[N * 2 + 1]`` int64: rows ``offsets[2 * n + s]`` to ``offsets[2 * n + s + 1]`` are those of seat s of game n
    offsets: npt.NDArray[np.int64]


def is_night(turn: int) -> bool:
    """Is the turn with this index a night turn?"""
    return turn % CYCLE >= DAY
