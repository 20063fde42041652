"""Between the competition's observation and the network: what a seat sees, and what its units' choices are called.

Portable. `obs` is what the competition hands an agent: a mapping with ``updates`` (all lines of the turn), ``step``,
``player`` and, beside them or in `config`, ``width`` and ``height``. Every turn's lines say all, so nothing has to be
remembered from one turn to the next; the arrays of one board size are kept to work in.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

# relative, because targets copy these files together into another package
from . import order_strings, planes, settling, sights, unit_rows, updates, window
from .choices import Rows, write_orders
from .state import KIND, MAX_TURNS, ORDER_COLUMNS, Board, Games, allocate, make_board

HEAD = "orders"
PLANES, INSIDE, KNOWS, FEATURES, WINDOW = "planes", "inside", "globals", "features", "window"
#: names of the columns that say which units there are, as graphs of lanista call them
ROW, CELL, KIND_OF_UNIT = "unit_row", "unit_cell", "unit_kind"

Arrays = dict[str, npt.NDArray[Any]]


class Desk:
    """Boards of one size: the state that the lines showed last, and room to work in."""

    def __init__(self, width: int, height: int) -> None:
        """Allocate."""
        self.board: Board = make_board(width, height)
        self.games: Games = allocate(1, width, height)
        self.sights = sights.make_sights(width, height)
        self.table = sights.make_table(0, 0)


_desks: dict[tuple[int, int], Desk] = {}
#: what the networks read; all of it until `prepare` is called
_wanted: set[str] = {PLANES, INSIDE, KNOWS, FEATURES, WINDOW}


def prepare(inputs: Collection[str]) -> None:
    """Take in which inputs the networks have: what nobody reads is not computed."""
    _wanted.clear()
    _wanted.update(inputs)


def observe(obs: Mapping[str, Any], config: Mapping[str, Any]) -> tuple[Arrays, Arrays]:
    """Give (parts of the seat and columns ``[U, ...]`` of its units, by name; ``{"orders": [U, 19] bool}``)."""
    lines: Sequence[str] = obs["updates"]
    seat, turn = int(obs["player"]), int(obs["step"])
    width, height = updates.size_of(lines) if turn == 0 else _size(obs, config)
    desk = _desks.get((width, height))
    if desk is None:
        desk = _desks[width, height] = Desk(width, height)
    updates.read_updates(lines, turn, 0, desk.board, desk.games)
    max_turns = int(config["episodeSteps"]) - 1 if "episodeSteps" in config else MAX_TURNS
    num_features = unit_rows.NUM_FEATURES if _wanted & {FEATURES, WINDOW} else 0
    knows, table = sights.see(0, seat, max_turns, desk.board, desk.games, desk.sights, num_features)
    desk.table = table
    arrays: Arrays = {
        KNOWS: knows,
        ROW: np.zeros(len(table.row), np.int64),
        CELL: table.cell,
        KIND_OF_UNIT: table.kind,
    }
    if num_features:
        arrays[FEATURES] = table.features
        arrays[WINDOW] = table.windows.view(np.int8).reshape(-1, window.NUM_CELLS, window.NUM_CHANNELS)
    if PLANES in _wanted:
        drawn = np.zeros((planes.NUM_PLANES, width * height), np.uint8)
        planes.write_planes(0, seat, desk.board, desk.games, drawn)
        arrays[PLANES] = drawn.reshape(planes.NUM_PLANES, height, width)
    if INSIDE in _wanted:
        arrays[INSIDE] = np.ones((1, height, width), np.uint8)
    return arrays, {HEAD: table.legal}


def settle(
    scores: npt.NDArray[np.float32], choices: Rows, obs: Mapping[str, Any], config: Mapping[str, Any]
) -> Rows:
    """Keep units out of each other's way; `observe` was called for the same turn."""
    desk = _desks[_size(obs, config)]
    table = desk.table
    return settling.settle_choices(
        0, int(obs["player"]), table.kind, table.slot, table.legal, scores, choices, desk.board, desk.games
    )


def act(choices: Rows, obs: Mapping[str, Any], config: Mapping[str, Any]) -> list[str]:
    """Give the competition's orders for the choices of all rows; `observe` was called for the same turn."""
    desk = _desks[_size(obs, config)]
    table, seat = desk.table, int(obs["player"])
    chosen = np.asarray(choices, np.int64)
    orders = np.zeros((len(chosen), ORDER_COLUMNS), np.int16)
    write_orders(
        0, len(chosen), table.row, table.kind, table.slot, chosen, desk.board, desk.games, orders
    )  # fmt: skip
    return [
        order_strings.write_order(order.tolist(), 0, seat, desk.board, desk.games)
        for order in orders
        if order[KIND] >= 0
    ]


def _size(obs: Mapping[str, Any], config: Mapping[str, Any]) -> tuple[int, int]:
    """Width and height; without them in the observation those of the configuration."""
    found = obs if "width" in obs and "height" in obs else config
    return int(found["width"]), int(found["height"])
