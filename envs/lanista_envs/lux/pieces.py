"""Sharing the work of a call out among threads, piece by piece, within machine code. Imports numba: import it late.

One thread leads: it publishes how many pieces there are, takes pieces until none is left, and waits for those that
others took. Threads that help take pieces, too; when none is left they look out for the next call a moment longer,
so that a call that follows at once finds them awake: to wake a thread takes as long as playing some hundred games.
Nobody waits for a helper that has not come, and whoever is held up takes fewer pieces. The lead takes pieces from
the front and helpers take them from the back, so that from call to call a thread mostly meets the games that its
core's cache still holds: with games that wander between cores, two threads were hardly faster than one.

Pieces are ranges of games that have nothing in common, so who plays them makes no difference.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import extending, types
from numba.core import cgutils

from lanista_envs.lux.control import DONE, LEAVE, PLAY, ROWS, WORK, Control
from lanista_envs.lux.rules import play_turn, start_games
from lanista_envs.lux.scratch import Scratch
from lanista_envs.lux.sights import Table, make_sights
from lanista_envs.lux.state import Board, Games, Orders
from lanista_envs.lux.stepping import Draws, Shown, play_choices, show_games, show_units

#: fields of WORK from the right: the first piece that is left and the end of those that are left, how many there
#: were, the phase, the call
_FIELD, _PHASE_BITS, _CALLS = 14, 4, 1 << 16
_MASK = (1 << _FIELD) - 1
_END_AT, _COUNT_AT, _PHASE_AT = _FIELD, 2 * _FIELD, 3 * _FIELD
_CALL_AT = _PHASE_AT + _PHASE_BITS
#: how often one looks for work, or for others to be done, before one gives up: about a tenth of a millisecond
PATIENCE = 60_000


#: numba's types tell little of either
_intrinsic: Any = extending.intrinsic
_cgutils: Any = cgutils


def _place(context: Any, builder: Any, kind: Any, array: Any, index: Any) -> Any:  # noqa: ANN401 - numba's own
    """The address of a word."""
    made = context.make_array(kind)(context, builder, array)
    return _cgutils.gep(builder, made.data, index)


@_intrinsic  # type: ignore[untyped-decorator, unused-ignore]
def load(typing: Any, control: Any, index: Any) -> Any:  # noqa: ANN401 - numba's own
    """Read a word, and see all that was written before it was stored."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:  # noqa: ANN401
        place = _place(context, builder, signature.args[0], values[0], values[1])
        return builder.load_atomic(place, "acquire", 8)

    return types.int64(control, types.int64), generate


@_intrinsic  # type: ignore[untyped-decorator, unused-ignore]
def store(typing: Any, control: Any, index: Any, value: Any) -> Any:  # noqa: ANN401 - numba's own
    """Write a word, after all that was written before."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:  # noqa: ANN401
        place = _place(context, builder, signature.args[0], values[0], values[1])
        builder.store_atomic(values[2], place, "release", 8)
        return context.get_dummy_value()

    return types.void(control, types.int64, types.int64), generate


@_intrinsic  # type: ignore[untyped-decorator, unused-ignore]
def add(typing: Any, control: Any, index: Any, value: Any) -> Any:  # noqa: ANN401 - numba's own
    """Add to a word, and give what it was."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:  # noqa: ANN401
        place = _place(context, builder, signature.args[0], values[0], values[1])
        return builder.atomic_rmw("add", place, values[2], "acq_rel")

    return types.int64(control, types.int64, types.int64), generate


@_intrinsic  # type: ignore[untyped-decorator, unused-ignore]
def exchange(typing: Any, control: Any, index: Any, before: Any, after: Any) -> Any:  # noqa: ANN401 - numba's own
    """Write `after` into a word that holds `before`; say whether it did."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:  # noqa: ANN401
        place = _place(context, builder, signature.args[0], values[0], values[1])
        return builder.extract_value(builder.cmpxchg(place, values[2], values[3], "acq_rel", "acquire"), 1)

    return types.boolean(control, types.int64, types.int64, types.int64), generate


def publish(control: Control, phase: int, pieces: int) -> None:
    """Begin a call of `pieces` pieces; all earlier ones must be done."""
    store(control, DONE, 0)
    call = ((load(control, WORK) >> _CALL_AT) + 1) % _CALLS
    store(control, WORK, call << _CALL_AT | phase << _PHASE_AT | pieces << _COUNT_AT | pieces << _END_AT)


def take(control: Control, helps: bool) -> int:
    """Take a piece: a word for `piece_of`; or -1, when none is left to lead, or to help with for a while."""
    idle = 0
    while True:
        work: int = load(control, WORK)
        first, end = work & _MASK, work >> _END_AT & _MASK
        if first < end:
            if helps:
                if exchange(control, WORK, work, work - (1 << _END_AT)):
                    return work - first + end - 1
            elif exchange(control, WORK, work, work + 1):
                return work
            continue
        idle += 1
        if not helps or idle > PATIENCE or load(control, LEAVE) != 0:
            return -1


def piece_of(work: int) -> int:
    """Which piece was taken."""
    return work & _MASK


def count_of(work: int) -> int:
    """Of how many."""
    return work >> _COUNT_AT & _MASK


def phase_of(work: int) -> int:
    """What to do."""
    return work >> _PHASE_AT & ((1 << _PHASE_BITS) - 1)


def await_others(control: Control, pieces: int) -> bool:
    """Wait until all pieces are done, for a while; say whether they are."""
    idle = 0
    while load(control, DONE) < pieces and idle < PATIENCE:
        idle += 1
    return idle < PATIENCE


def share_turn(
    control: Control, phase: int, pieces: int, items: int,
    orders: Orders, max_turns: int, board: Board, games: Games, scratch: Scratch,
) -> bool:  # fmt: skip
    """Play a turn of `items` blocks of games; say whether all is done. Lead a call of `pieces` pieces, or, with 0, help."""
    if pieces > 0:
        publish(control, phase, pieces)
    while True:
        work = take(control, pieces == 0)
        if work < 0:
            break
        piece, count = piece_of(work), count_of(work)
        play_turn(
            items * piece // count, items * (piece + 1) // count, orders, max_turns, board, games, scratch
        )
        add(control, DONE, 1)
    return await_others(control, pieces)


def share_starts(
    control: Control, phase: int, pieces: int, items: int,
    which: npt.NDArray[np.int64], seeds: npt.NDArray[np.int64], faults: npt.NDArray[np.int64],
    board: Board, games: Games,
) -> bool:  # fmt: skip
    """Start `items` games; see `share_turn`."""
    if pieces > 0:
        publish(control, phase, pieces)
    while True:
        work = take(control, pieces == 0)
        if work < 0:
            break
        piece, count = piece_of(work), count_of(work)
        start_games(items * piece // count, items * (piece + 1) // count, which, seeds, faults, board, games)
        add(control, DONE, 1)
    return await_others(control, pieces)


def share_step(
    control: Control, phase: int, pieces: int, items: int,
    choices: npt.NDArray[np.int64], orders: npt.NDArray[np.int16], seed: int, draws: Draws, max_turns: int,
    board: Board, games: Games, scratch: Scratch, table: Table, shown: Shown,
) -> bool:  # fmt: skip
    """Do the step's phase for `items` blocks of games; see `share_turn`. Helpers do whatever is published."""
    sights = make_sights(board.width, board.height)
    if pieces > 0:
        publish(control, phase, pieces)
    while True:
        work = take(control, pieces == 0)
        if work < 0:
            break
        piece, count, todo = piece_of(work), count_of(work), phase_of(work)
        first, last = items * piece // count, items * (piece + 1) // count
        if todo == ROWS:
            show_units(first, last, max_turns, board, games, sights, table, shown)
        else:
            if todo == PLAY:
                play_choices(
                    first, last, choices, orders, max_turns, board, games, scratch, table, shown.offsets
                )
            show_games(first, last, seed, draws, max_turns, board, games, sights, shown)
        add(control, DONE, 1)
    return await_others(control, pieces)
