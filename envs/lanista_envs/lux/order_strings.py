"""Official action strings, to compact orders and back. Portable.

What the official program drops as malformed, or because it names a unit that its team does not have or a cell off
the map, has no compact form and is dropped here; everything else is left to the rules (`accept`).
"""

import re
from collections.abc import Iterable, Sequence

import numpy as np

from .state import (
    BUILD_CART,
    BUILD_CITY,
    BUILD_WORKER,
    MOVE,
    ORDER_COLUMNS,
    PILLAGE,
    RESEARCH,
    TRANSFER_URANIUM,
    TRANSFER_WOOD,
    Board,
    Games,
    Orders,
)
from .updates import RESOURCES

DIRECTIONS = "neswc"
#: more than any unit carries; an order's amount is an int16
MOST = 32767
_TILE_WORDS = {"bw": BUILD_WORKER, "bc": BUILD_CART, "r": RESEARCH}
_UNIT_WORDS = {"bcity": BUILD_CITY, "p": PILLAGE}
_WORDS = {kind: word for word, kind in (*_TILE_WORDS.items(), *_UNIT_WORDS.items())}
#: JavaScript's white space, a sign, then digits of either base
_SPACE = "[\t\n\v\f\r \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff]*"
_INTEGER = re.compile(rf"{_SPACE}([+-]?)(?:0[xX]([0-9a-fA-F]+)|(?!0[xX])([0-9]+))")

Order = tuple[int, int, int, int]


def parse_int(text: str) -> int | None:
    """Read an integer as JavaScript's ``parseInt`` does; None for its NaN."""
    match = _INTEGER.match(text)
    if match is None:
        return None
    sign, hexadecimal, decimal = match.groups()
    # More digits than any board or cargo has; a longer number would only take time.
    value = int(hexadecimal[:400], 16) if hexadecimal else int(decimal[:400])
    return -value if sign == "-" else value


def unit_slots(g: int, team: int, games: Games) -> dict[str, int]:
    """``u_N`` -> slot, for the units of a team."""
    ids = games.unit_id[g, team, : games.num_units[g, team]].tolist()
    return {f"u_{number}": slot for slot, number in enumerate(ids)}


def read_order(text: str, units: dict[str, int], board: Board) -> Order | None:
    """One action string as (kind, subject, target, amount); None if it is dropped whatever the state."""
    word, *rest = text.split(" ")
    if word in _TILE_WORDS:
        if len(rest) != 2:
            return None
        x, y = parse_int(rest[0]), parse_int(rest[1])
        if x is None or y is None or not (0 <= x < board.width and 0 <= y < board.height):
            return None
        return _TILE_WORDS[word], y * board.width + x, 0, 0
    if not rest or rest[0] not in units:
        return None
    unit = units[rest[0]]
    if word in _UNIT_WORDS and len(rest) == 1:
        return _UNIT_WORDS[word], unit, 0, 0
    if word == "m" and len(rest) == 2 and len(rest[1]) == 1 and rest[1] in DIRECTIONS:
        return MOVE, unit, DIRECTIONS.index(rest[1]), 0
    if word == "t" and len(rest) == 4 and rest[1] in units and rest[2] in RESOURCES:
        amount = parse_int(rest[3])
        if amount is not None and amount >= 0:
            return TRANSFER_WOOD + RESOURCES.index(rest[2]), unit, units[rest[1]], min(amount, MOST)
    return None


def read_orders(texts: Iterable[str], g: int, team: int, board: Board, games: Games) -> list[Order]:
    """The action strings of one seat as compact orders, in their order, without those that are dropped."""
    units = unit_slots(g, team, games)
    orders = (read_order(text, units, board) for text in texts)
    return [order for order in orders if order is not None]


def pack_orders(seats: Sequence[Sequence[Order]]) -> Orders:
    """Orders of all seats (game 0's seat 0, its seat 1, game 1's seat 0, ...) as one table."""
    offsets = np.zeros(len(seats) + 1, np.int64)
    np.cumsum([len(orders) for orders in seats], out=offsets[1:])
    rows = [order for orders in seats for order in orders]
    return Orders(np.array(rows, np.int16).reshape(-1, ORDER_COLUMNS), offsets)


def write_order(order: Sequence[int], g: int, team: int, board: Board, games: Games) -> str:
    """The action string of a compact order whose slots and cells exist."""
    kind, subject, target, amount = (int(number) for number in order)
    if kind >= BUILD_WORKER:
        return f"{_WORDS[kind]} {subject % board.width} {subject // board.width}"
    unit = f"u_{games.unit_id[g, team, subject]}"
    if kind == MOVE:
        return f"m {unit} {DIRECTIONS[target]}"
    if TRANSFER_WOOD <= kind <= TRANSFER_URANIUM:
        other = f"u_{games.unit_id[g, team, target]}"
        return f"t {unit} {other} {RESOURCES[kind - TRANSFER_WOOD]} {amount}"
    return f"{_WORDS[kind]} {unit}"
