"""The official map generator: the same seed, width and height give the same map, to the cell. Portable.

1. One stream of random numbers for everything. The first chooses the size, drawn even if a size was given.
2. The second chooses the mirror. Only one half of the map is made; what lies in the other is overwritten.
3. Wood, coal, uranium: scattered, settled by two steps of a life game, drawn together by ten passes of gravity,
   scattered once more around what is there; then mirrored. Maps with too little of a resource are made again.
4. A start for each team, and 800 wood on cells around it.

Every sum of doubles is kept in the official order, since rounding decides whether a force is zero.
"""

import numpy as np
import numpy.typing as npt

# relative, because targets copy these files together into another package
from . import arc4
from .state import COAL, URANIUM, WOOD

#: sizes that a seed chooses from
SIZES = (12, 16, 24, 32)
#: per resource: density, its range, a live cell dies below, a dead cell is born above this many neighbours
_LIFE = ((0.21, 0.01, 2, 4), (0.11, 0.02, 2, 4), (0.055, 0.04, 1, 6))
#: per resource: the least amount of a tile, and how much a draw may add
_AMOUNT = ((300, 100.0), (350, 75.0), (300, 50.0))
#: the least that a whole map must have of each
_LEAST = (2000, 1500, 300)
GRAVITY_PASSES = 10
#: gravity reaches from 5 cells before to 4 after, so differences run from 5 down to -4
_BEFORE, _AFTER = 5, 4
#: neighbours (dx, dy) in the official order
_AROUND_X = (0, -1, -1, -1, 0, 1, 1, 1)
_AROUND_Y = (1, 1, 0, -1, -1, -1, 0, 1)
_SPREAD = 0.05
START_WOOD, START_TILES = 800, 6
#: small boards may have no room for a good map; the official program then never comes back
MAX_ATTEMPTS = 20_000

Kinds = npt.NDArray[np.int8]
Amounts = npt.NDArray[np.int16]


def _pull(along: int, across: int) -> float:
    """The force along one axis from a resource that is (`along`, `across`) away."""
    if along == 0:
        return 0.0
    share = along / (abs(along) + abs(across))
    return share * share if along > 0 else -(share * share)


#: ``[10, 10]``: force along an axis by (difference along it + 4, difference across it + 4)
_PULL = np.array([[_pull(a, b) for b in range(-_AFTER, _BEFORE + 1)] for a in range(-_AFTER, _BEFORE + 1)])


def chosen_size(seed: int) -> int:
    """The size that the official program takes if none is given."""
    generator = np.empty(arc4.SIZE, np.int64)
    arc4.seed_generator(seed, generator)
    return SIZES[arc4.draw_below(generator, 4.0)]


def draw_amount(generator: arc4.Generator, kind: int) -> int:
    """Draw the amount of one resource tile."""
    least, more = _AMOUNT[kind - 1]
    return least + arc4.draw_below(generator, more)


def scatter(
    generator: arc4.Generator,
    width: int,
    rows: int,
    columns: int,
    alive: Kinds,
    kinds: Kinds,
    amounts: Amounts,
) -> None:
    """Strew wood, coal and uranium over the first `rows` x `columns`, later ones over earlier ones."""
    for kind in range(WOOD, URANIUM + 1):
        density, spread, dies_below, born_above = _LIFE[kind - 1]
        density = density - spread / 2.0 + spread * arc4.draw(generator)
        for y in range(rows):
            for x in range(columns):
                alive[y * width + x] = 1 if arc4.draw(generator) < density else 0
        for _ in range(2):
            for y in range(1, rows - 1):
                for x in range(1, columns - 1):
                    cell = y * width + x
                    count = 0
                    for row in range(cell - width - 1, cell + width, width):
                        count += alive[row] + alive[row + 1] + alive[row + 2]
                    if alive[cell] == 1:
                        if count - 1 < dies_below:
                            alive[cell] = 0
                    elif count > born_above:
                        alive[cell] = 1
        for y in range(rows):
            for x in range(columns):
                if alive[y * width + x] == 1:
                    kinds[y * width + x] = kind
                    amounts[y * width + x] = draw_amount(generator, kind)


def find_force(x: int, y: int, width: int, height: int, kinds: Kinds) -> tuple[float, float]:
    """The force on the resource at (x, y): away from its own kind, towards the others."""
    kind = kinds[y * width + x]
    force_x, force_y = 0.0, 0.0
    for other_y in range(max(y - _BEFORE, 0), min(y + _AFTER, height - 1) + 1):
        dy = y - other_y + _AFTER
        for other_x in range(max(x - _BEFORE, 0), min(x + _AFTER, width - 1) + 1):
            other = kinds[other_y * width + other_x]
            if other != 0:
                dx = x - other_x + _AFTER
                if other == kind:
                    force_x -= _PULL[dx, dy]
                    force_y -= _PULL[dy, dx]
                else:
                    force_x += _PULL[dx, dy]
                    force_y += _PULL[dy, dx]
    return force_x, force_y


def sign(value: float) -> int:
    """-1, 0 or 1."""
    return (1 if value > 0.0 else 0) - (1 if value < 0.0 else 0)


def draw_together(
    width: int, height: int, kinds: Kinds, amounts: Amounts, new_kinds: Kinds, new_amounts: Amounts
) -> None:
    """One pass of gravity over the whole map; the result lies in `kinds` and `amounts` again."""
    cells = width * height
    new_kinds[:cells] = 0
    new_amounts[:cells] = 0
    for y in range(height):
        for x in range(width):
            cell = y * width + x
            if kinds[cell] == 0:
                continue
            force_x, force_y = find_force(x, y, width, height, kinds)
            to_x = min(max(x + sign(force_x), 0), width - 1)
            to_y = min(max(y + sign(force_y), 0), height - 1)
            to = to_y * width + to_x
            if new_kinds[to] != 0:
                to = cell
            new_kinds[to] = kinds[cell]
            new_amounts[to] = amounts[cell]
    kinds[:cells] = new_kinds[:cells]
    amounts[:cells] = new_amounts[:cells]


def spread_out(
    generator: arc4.Generator, width: int, rows: int, columns: int, kinds: Kinds, amounts: Amounts
) -> None:
    """Let resources of the first half grow offshoots; new ones further on grow some, too."""
    for y in range(rows):
        for x in range(columns):
            kind = kinds[y * width + x]
            if kind == 0:
                continue
            for k in range(8):
                to_x, to_y = x + _AROUND_X[k], y + _AROUND_Y[k]
                # The official program holds x against the rows and y against the columns.
                if to_x < 0 or to_y < 0 or to_x >= rows or to_y >= columns:
                    continue
                if arc4.draw(generator) < _SPREAD:
                    amount = draw_amount(generator, URANIUM)
                    if kind != URANIUM:
                        amount = draw_amount(generator, kind)
                    kinds[to_y * width + to_x] = kind
                    amounts[to_y * width + to_x] = amount


def mirrored(cell: int, width: int, height: int, in_x: bool) -> int:
    """The cell on the other side."""
    x, y = cell % width, cell // width
    return y * width + width - 1 - x if in_x else (height - 1 - y) * width + x


def is_rich(width: int, height: int, kinds: Kinds, amounts: Amounts) -> bool:
    """Has the whole map enough of each resource?"""
    total = np.zeros(4, np.int64)
    for cell in range(width * height):
        total[kinds[cell]] += amounts[cell]
    return bool(total[WOOD] >= _LEAST[0] and total[COAL] >= _LEAST[1] and total[URANIUM] >= _LEAST[2])


def make_resources(
    generator: arc4.Generator, width: int, height: int, in_x: bool, kinds: Kinds, amounts: Amounts
) -> None:
    """One attempt at the resources of a whole map; spread-out offshoots may lie anywhere in the arrays."""
    columns = (width + 1) // 2 if in_x else width
    rows = height if in_x else (height + 1) // 2
    cells = width * height
    kinds[:cells] = 0
    amounts[:cells] = 0
    alive = np.empty(cells, np.int8)
    new_kinds = np.empty(cells, np.int8)
    new_amounts = np.empty(cells, np.int16)
    scatter(generator, width, rows, columns, alive, kinds, amounts)
    for _ in range(GRAVITY_PASSES):
        draw_together(width, height, kinds, amounts, new_kinds, new_amounts)
    spread_out(generator, width, rows, columns, kinds, amounts)
    for y in range(rows):
        for x in range(columns):
            cell = y * width + x
            other = mirrored(cell, width, height, in_x)
            kinds[other] = kinds[cell]
            amounts[other] = amounts[cell]


def make_map(seed: int, width: int, height: int, kinds: Kinds, amounts: Amounts) -> tuple[int, int]:
    """Write the resources of a map (``[C]`` or longer, both); give the cells where teams 0 and 1 start.

    (-1, -1): this board has no room for a good map. Equal cells: the mirror of a board with an odd side has put
    both teams into the same place, where there is no game to play.
    """
    generator = np.empty(arc4.SIZE, np.int64)
    arc4.seed_generator(seed, generator)
    arc4.draw(generator)
    in_x = arc4.draw(generator) < 0.5
    attempts = 0
    while True:
        make_resources(generator, width, height, in_x, kinds, amounts)
        attempts += 1
        if is_rich(width, height, kinds, amounts):
            break
        if attempts == MAX_ATTEMPTS:
            return -1, -1
    half_width = width / 2.0 if in_x else 1.0 * width
    half_height = 1.0 * height if in_x else height / 2.0
    home = -1
    while home < 0 or kinds[home] != 0:
        x = arc4.draw_below(generator, half_width - 1.0) + 1
        y = arc4.draw_below(generator, half_height - 1.0) + 1
        home = y * width + x
    away = mirrored(home, width, height, in_x)
    plant_wood(arc4.draw_below(generator, 8.0), width, height, in_x, home, away, kinds, amounts)
    return home, away


def plant_wood(
    first: int, width: int, height: int, in_x: bool, home: int, away: int, kinds: Kinds, amounts: Amounts
) -> None:
    """Put wood on cells around both starts, from neighbour number `first` on."""
    planted = 0
    for k in range(first, first + 7):
        x, y = home % width + _AROUND_X[k % 8], home // width + _AROUND_Y[k % 8]
        if not (0 <= x < width and 0 <= y < height):
            continue
        cell = y * width + x
        for place in (cell, mirrored(cell, width, height, in_x)):
            if kinds[place] == 0 and place not in (home, away):
                kinds[place] = WOOD
                amounts[place] = START_WOOD
                planted += 1
        if planted == START_TILES:
            break


assert COAL == WOOD + 1
assert URANIUM == COAL + 1
