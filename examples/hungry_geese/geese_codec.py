"""Hungry Geese for a small network: what each of the four moves leads to, the move nearest to food first.

The board is a torus, kept as a Python integer with a bit a cell, so that a whole flood fill takes microseconds.
Choice k is the k-th of the four moves in an order of their own: those that do not kill at once, by distance to food,
then by room. So the network need not learn the same lesson once for each direction.

The platform's observation: ``geese`` (lists of cells, head first), ``food`` (cells), ``index`` (own seat), ``step``;
its configuration: ``rows``, ``columns``, ``hunger_rate``. Rules: kaggle-environments hungry_geese 1.0.0.
"""

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

import numpy as np

MOVES = ("NORTH", "EAST", "SOUTH", "WEST")
#: numbers for each move, and for the game as a whole
PER_MOVE, OVERALL = 13, 15
#: distances are cut here, and unreachable food is this far
FAR = 20


class Torus:
    """The cells of a board of `rows` x `columns` as bits: cell c is bit ``1 << c``."""

    def __init__(self, rows: int, columns: int) -> None:
        """Prepare the masks of the edges that a shift must not cross."""
        self.rows, self.columns = rows, columns
        self.all = (1 << rows * columns) - 1
        first = sum(1 << row * columns for row in range(rows))
        self.not_first, self.first = self.all & ~first, first
        last = first << columns - 1
        self.not_last, self.last = self.all & ~last, last
        self.wrap = (rows - 1) * columns

    def around(self, cells: int) -> int:
        """All cells beside any of `cells`."""
        columns, wrap = self.columns, self.wrap
        return (
            (cells >> columns | cells << wrap | cells << columns | cells >> wrap) & self.all
            | (cells & self.not_last) << 1
            | (cells & self.last) >> columns - 1
            | (cells & self.not_first) >> 1
            | (cells & self.first) << columns - 1
        )

    def towards(self, cell: int) -> tuple[int, ...]:
        """The four neighbours of a cell, in the order of MOVES."""
        row, column = divmod(cell, self.columns)
        return (
            (row - 1) % self.rows * self.columns + column,
            row * self.columns + (column + 1) % self.columns,
            (row + 1) % self.rows * self.columns + column,
            row * self.columns + (column - 1) % self.columns,
        )


_boards: dict[tuple[int, int], Torus] = {}
#: id -> (the observation itself, so that its id stays its own; order of its moves)
_seen: dict[int, tuple[Any, list[int]]] = {}

Obs = Mapping[str, Any]
Arrays = dict[str, "np.ndarray[Any, Any]"]


def observe(obs: Obs, config: Obs) -> tuple[Arrays, Arrays]:
    """Give the numbers ``[4 * PER_MOVE + OVERALL]`` float32 and the legal choices ``[4]`` bool."""
    size = config["rows"], config["columns"]
    board = _boards.get(size) or _boards.setdefault(size, Torus(*size))
    moves, legal, overall = _look(obs, config, board)
    order = sorted(range(4), key=lambda m: (not legal[m], moves[m][1], -moves[m][3], m))
    numbers = [number for move in order for number in moves[move]] + overall
    if len(_seen) > 4096:
        _seen.clear()
    _seen[id(obs)] = obs, order
    mask = np.array([legal[move] for move in order])
    return {"moves": np.array(numbers, np.float32)}, {"move": mask}


def act(index: int, obs: Obs, config: Obs) -> str:
    """Give the name of the k-th move in the order of `observe`."""
    found = _seen.get(id(obs))
    if found is None or found[0] is not obs:
        observe(obs, config)
        found = _seen[id(obs)]
    return MOVES[found[1][index]]


def _look(obs: Obs, config: Obs, board: Torus) -> tuple[list[list[float]], list[bool], list[float]]:
    """PER_MOVE numbers for each move, which moves are legal, and the OVERALL numbers."""
    me, geese, step = obs["index"], obs["geese"], obs["step"]
    own = geese[me]
    others = [goose for seat, goose in enumerate(geese) if goose and seat != me]
    food = sum(1 << cell for cell in obs["food"])
    # A tail moves on, unless its goose eats; all that lies before it will still be there.
    bodies = tails = held_tails = 0
    for goose in others:
        for cell in goose[:-1]:
            bodies |= 1 << cell
        tails |= 1 << goose[-1]
        if board.around(1 << goose[0]) & food:
            held_tails |= 1 << goose[-1]
    for cell in own[:-1]:
        bodies |= 1 << cell
    free = board.all & ~bodies
    neighbours = board.towards(own[0])
    back = _backwards(own, neighbours)
    alive = [not (bodies >> cell & 1) and move not in back for move, cell in enumerate(neighbours)]
    legal = alive if any(alive) else [move not in back for move in range(4)]
    rivals = _rivals(board, others, free)
    own_tail = 1 << own[-1]
    moves = []
    for move, cell in enumerate(neighbours):
        moves.append(
            _move(board, 1 << cell, legal[move], len(own), free, food, tails, held_tails, own_tail, rivals)
        )
    hunger = config["hunger_rate"]
    lengths = sorted((len(goose) for goose in others), reverse=True) + [0] * 7
    overall = [
        len(own) / 20,
        step / 200,
        (hunger - step % hunger) / hunger,
        len(others) / 3,
        *(length / 20 for length in lengths[:3]),
        *(float(length > 0) for length in lengths[:3]),
        (len(own) - lengths[0]) / 10,
        float(len(own) > lengths[0]),
        sum(alive) / 4,
        float(len(own) == 1),
        free.bit_count() / (board.rows * board.columns),
    ]
    return moves, legal, overall


def _backwards(own: Sequence[int], neighbours: Sequence[int]) -> tuple[int, ...]:
    """Moves that kill because they undo the last one.

    A goose of one cell does not show where it came from; as long as it goes north and east only, it cannot go wrong.
    """
    if len(own) == 1:
        return (2, 3)
    return tuple(move for move, cell in enumerate(neighbours) if len(own) > 1 and cell == own[1])


def _rivals(
    board: Torus, others: Sequence[Sequence[int]], free: int
) -> tuple[list[tuple[int, float]], list[int]]:
    """For each rival the cells beside its head and its chance to take each; what any reaches in 0, 1, ... moves."""
    heads = []
    front = 0
    for goose in others:
        head = 1 << goose[0]
        beside = board.around(head) & free
        heads.append((beside, 1 / max(1, beside.bit_count())))
        front |= head
    reached, waves = front, [front]
    while len(waves) < FAR:
        front = board.around(front) & free & ~reached
        reached |= front
        waves.append(reached)
        if not front:
            break
    return heads, waves


def _move(
    board: Torus,
    cell: int,
    legal: bool,
    length: int,
    free: int,
    food: int,
    tails: int,
    held_tails: int,
    own_tail: int,
    rivals: tuple[list[tuple[int, float]], list[int]],
) -> list[float]:
    """The numbers of one move: room, distances and dangers of the cell that it leads to."""
    if not legal:
        return [0.0, 1.0] + [0.0] * (PER_MOVE - 2)
    heads, waves = rivals
    cells = board.rows * board.columns
    room = front = ours = own_front = cell
    food_in = 1 if cell & food else FAR
    tail_in = 1 if cell & own_tail else FAR
    for distance in range(2, FAR):
        front = board.around(front) & free & ~room
        if not front:
            break
        room |= front
        if food_in == FAR and front & food:
            food_in = distance
        if tail_in == FAR and front & own_tail:
            tail_in = distance
        # Ours is what no rival reaches as early.
        own_front = board.around(own_front) & free & ~ours & ~waves[min(distance, len(waves) - 1)]
        ours |= own_front
    chance = [share for beside, share in heads if beside & cell]
    food_wave = next((distance for distance, wave in enumerate(waves) if wave & food), FAR)
    size = room.bit_count()
    return [
        1.0,
        food_in / FAR,
        float(food_in == 1),
        size / cells,
        min(1.0, size / (length + 1)),
        (board.around(cell) & free).bit_count() / 4,
        len(chance) / 3,
        1 - prod(1 - share for share in chance),
        ours.bit_count() / cells,
        float(bool(cell & tails)),
        float(bool(cell & held_tails)),
        float(tail_in < FAR),
        max(-1.0, min(1.0, (food_wave - food_in) / 10)),
    ]
