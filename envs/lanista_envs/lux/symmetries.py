"""Lux has the eight symmetries of the square, made by a quarter turn and a mirror.

What of the rules is symmetric, and what is not (README.md says it too): all that happens on the board looks the same
from every side. Units act, move, collect and burn in the order of their lists, or in one that makes no difference, and
lists do not turn with the board. What does depend on the compass is

* in which order the cities beside a new tile, to its north, east, south and west, join: so is the order of tiles from then
  on, in which they stand in the table of units and build while there is room for units;
* which of several equally near things a unit row shows: the first, row by row from the north.

So a transformed state shows what it should, to the bit but for such ties (`Symmetries.loose`), and a game and its
transformed go on alike, to the bit, until the order of tiles differs: ``check="moments"``.
"""

from collections.abc import Callable
from functools import partial

import numpy as np

from lanista.arrays import AnyArray
from lanista.spec import EnvSpec
from lanista.symmetry import Symmetries, Symmetry
from lanista.symmetry.declared import State
from lanista_envs.lux import unit_rows, window
from lanista_envs.lux.choices import BUILD_CITY_HERE, MOVE_NORTH, UNITS
from lanista_envs.lux.settings import LuxS1Settings
from lanista_envs.lux.spec import FEATURES, HEAD, WINDOW
from lanista_envs.lux.state import CENTER

#: what is done to a board in the last two axes, and to what points (east, south): components of the new direction
Board = Callable[[AnyArray], AnyArray]
Directions = Callable[[AnyArray, AnyArray], tuple[AnyArray, AnyArray]]

#: (east, south) of the sides north, east, south, west
_SIDES = ((0, -1), (1, 0), (0, 1), (-1, 0))
#: places in a unit row of numbers that point: to the east, to the south
_EAST = [unit_rows.FEATURES.index("x, -1 to 1")]
_EAST += [place for place, name in enumerate(unit_rows.FEATURES) if name.endswith("steps east / 16")]
_SOUTH = [place + 1 for place in _EAST]
#: places that tell of the nearest city, the nearest cluster and where the nearest things lie, which may be tied
_TIED = [
    *range(len(unit_rows.SELF), len(unit_rows.SELF) + len(unit_rows.CITY) + len(unit_rows.CLUSTER)),
    *_EAST[1:],
    *_SOUTH[1:],
]
#: columns and rows of a window's cells, in a square of 7 x 7
_SIDE = 2 * window.REACH + 1
_DIAMOND = np.array(
    [
        (y, x)
        for y in range(_SIDE)
        for x in range(_SIDE)
        if abs(y - window.REACH) + abs(x - window.REACH) <= window.REACH
    ]
)
#: arrays of a saved state that have an entry a cell, and a last one for nowhere
_BY_CELL = (
    "resource_kind", "resource_amount", "kinds_near", "road", "tile_team", "tile_city", "tile_ready", "tile_near",
    "tile_next",
)  # fmt: skip
#: arrays of a saved state whose numbers are cells, or -1 for none
_CELLS = ("growing", "tile_next", "unit_cell", "city_first", "city_last")


def _mirror(board: AnyArray) -> AnyArray:
    return np.flip(board, axis=-1)


def _mirror_directions(east: AnyArray, south: AnyArray) -> tuple[AnyArray, AnyArray]:
    return -east, south


def _turn(board: AnyArray) -> AnyArray:
    """A quarter turn against the clock: what lay to the east lies to the north."""
    return np.rot90(board, axes=(-2, -1))


def _turn_directions(east: AnyArray, south: AnyArray) -> tuple[AnyArray, AnyArray]:
    return south, -east


def symmetries(spec: EnvSpec, settings: LuxS1Settings) -> Symmetries:
    """The eight symmetries. With several sizes a smaller board comes to lie in another corner of its planes."""
    size = settings.largest
    return Symmetries(
        (
            _symmetry("turn", spec, size, _turn, _turn_directions),
            _symmetry("mirror", spec, size, _mirror, _mirror_directions),
        ),
        board=(size, size),
        loose={FEATURES: _TIED} if spec.unit_observation else {},
        check="none" if settings.sizes else "moments",
    )


def _symmetry(name: str, spec: EnvSpec, size: int, board: Board, directions: Directions) -> Symmetry:
    boards = {part.name: board for part in spec.observation if len(part.shape) == 3}
    units = {FEATURES: partial(_features, directions=directions), WINDOW: partial(_window, board=board)}
    return Symmetry(
        name,
        parts=boards,
        unit_parts={part.name: units[part.name] for part in spec.unit_observation},
        heads={HEAD: {kind: _choices(count, directions) for kind, count in UNITS}},
        board=board,
        state=partial(_state, size=size, board=board),
    )


def _features(row: AnyArray, directions: Directions) -> AnyArray:
    found = row.copy()
    found[_EAST], found[_SOUTH] = directions(row[_EAST], row[_SOUTH])
    return found


def _window(cells: AnyArray, board: Board) -> AnyArray:
    square = np.zeros((cells.shape[1], _SIDE, _SIDE))
    square[:, _DIAMOND[:, 0], _DIAMOND[:, 1]] = cells.T
    return board(square)[:, _DIAMOND[:, 0], _DIAMOND[:, 1]].T


def _choices(count: int, directions: Directions) -> list[int]:
    """Moves and transfers go by the new sides; a city tile's choices (4 of them) have none."""
    choices = list(range(count))
    if count < BUILD_CITY_HERE:
        return choices
    for side, (east, south) in enumerate(_SIDES):
        after = _SIDES.index(tuple(int(part) for part in directions(np.array(east), np.array(south))))
        for first in range(MOVE_NORTH, BUILD_CITY_HERE, CENTER):
            choices[first + side] = first + after
    return choices


def _state(state: State, size: int, board: Board) -> State:
    """The same games on turned boards; lists of units, cities and tiles keep their order."""
    old_places = board(np.arange(size * size).reshape(size, size)).reshape(-1)
    cells = np.empty(size * size + 1, np.int64)
    cells[old_places], cells[-1] = np.arange(size * size), -1  # so that no cell, -1, stays none
    found = dict(state)
    for name in _CELLS:
        array = found[f"games.{name}"]
        found[f"games.{name}"] = cells[array].astype(array.dtype)
    for name in _BY_CELL:
        array = found[f"games.{name}"].copy()
        array[:, :-1] = array[:, old_places]
        found[f"games.{name}"] = array
    for name in ("shown.planes", "shown.final_planes"):
        planes = found[name]
        found[name] = board(planes.reshape(*planes.shape[:3], size, size)).reshape(planes.shape).copy()
    return found
