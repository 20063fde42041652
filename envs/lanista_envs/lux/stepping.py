"""One step of N games of Lux: choices become orders, a turn is played, ended games restart, everything is shown.

1. `find_illegal`: is every choice legal?
2. `play_choices`: every row's choice becomes an order, and a turn is played.
3. `show_games`: globals, planes and facts of all games; a game that is over is kept in the final arrays and begins
   anew on the next map of its stream; the rows of the table are counted.
4. `show_units`: the flat table, once it is known how long it is and that there is room for it.

All but the first take a range of the blocks of `rules`, which threads may share out.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from lanista_envs.lux.choices import NOTHING, TILE, read_order, write_orders
from lanista_envs.lux.facts import REWARD, result, write_facts
from lanista_envs.lux.planes import turn_planes, write_planes
from lanista_envs.lux.rules import play_block, start_game
from lanista_envs.lux.scratch import BLOCK, Scratch
from lanista_envs.lux.sights import Sights, Table, look_for_rows, survey_game, write_rows
from lanista_envs.lux.state import BUILD_WORKER, KIND, SUBJECT, Board, Games, Orders
from lanista_envs.lux.table import count_rows
from lanista_envs.streams import draw_bits, stream_of

#: maps that are tried for one episode; boards with an odd side put both teams into one place now and then
ATTEMPTS = 200
#: what `find_illegal` gives when every choice is legal
ALL_LEGAL = -1


class Shown(NamedTuple):
    """What the env exposes of N games, the table of units apart, and what it must remember of them."""

    #: ``[N, 2, NUM_PLANES, C]``, or ``[N, 2, 0, C]`` where no planes are wanted
    planes: npt.NDArray[np.uint8]
    #: ``[N, 2, NUM_GLOBALS]``
    knows: npt.NDArray[np.float32]
    #: ``[NUM_FACTS, N, 2]``
    facts: npt.NDArray[np.float32]
    #: ``[N]`` bool, ``[N, 2]`` bool, ``[N, 2]`` float32
    ended: npt.NDArray[np.bool_]
    terminated: npt.NDArray[np.bool_]
    outcome: npt.NDArray[np.float32]
    final_planes: npt.NDArray[np.uint8]
    final_knows: npt.NDArray[np.float32]
    final_facts: npt.NDArray[np.float32]
    #: ``[N]`` int64: how many episodes a game has begun; the seed of its map; its fault, if it could not start
    episode: npt.NDArray[np.int64]
    map_seed: npt.NDArray[np.int64]
    fault: npt.NDArray[np.int64]
    #: ``[2 N]`` int64: the rows of each seat; ``[2 N + 1]`` int64: their sums, from 0 on
    counts: npt.NDArray[np.int64]
    offsets: npt.NDArray[np.int64]


def find_illegal(choices: npt.NDArray[np.int64], table: Table) -> int:
    """The first row whose choice is not legal, or `ALL_LEGAL`."""
    for row in range(choices.shape[0]):
        choice = choices[row]
        if choice < 0 or choice >= table.legal.shape[1] or not table.legal[row, choice]:
            return row
    return ALL_LEGAL


class Draws(NamedTuple):
    """Which maps the games begin on; never written to."""

    #: ``[N]`` int64: the number of a game in its stream; a game's own where the env plays one size of board
    number: npt.NDArray[np.int64]
    #: ``[2]`` int64: the lowest seed of a map, and how many follow it
    seeds: npt.NDArray[np.int64]


def begin_episode(g: int, seed: int, draws: Draws, board: Board, games: Games, shown: Shown) -> None:
    """Start the next episode of game g on a map from its stream."""
    stream = stream_of(seed, draws.number[g], shown.episode[g])
    shown.episode[g] += 1
    for attempt in range(ATTEMPTS):
        drawn = draw_bits(stream, attempt) % np.uint64(draws.seeds[1])
        map_seed = draws.seeds[0] + np.int64(drawn)
        shown.map_seed[g] = map_seed
        shown.fault[g] = start_game(g, int(map_seed), board, games)
        # Without room for a map there is none for any seed, and looking for one takes a second.
        if shown.fault[g] <= 1:
            break


def keep_ending(g: int, lead: int, shown: Shown) -> None:
    """Keep what is shown of game g, which has ended with `lead` for seat 0, in the final arrays."""
    shown.ended[g] = True
    for seat in range(2):
        for plane in range(shown.planes.shape[2]):
            for cell in range(shown.planes.shape[3]):
                shown.final_planes[g, seat, plane, cell] = shown.planes[g, seat, plane, cell]
        for k in range(shown.knows.shape[2]):
            shown.final_knows[g, seat, k] = shown.knows[g, seat, k]
        for k in range(shown.facts.shape[0]):
            shown.final_facts[k, g, seat] = shown.facts[k, g, seat]
        shown.terminated[g, seat] = True
        shown.outcome[g, seat] = lead if seat == 0 else -lead
        shown.final_facts[REWARD, g, seat] = shown.outcome[g, seat]


def show_planes(g: int, board: Board, games: Games, planes: npt.NDArray[np.uint8]) -> None:
    """Write both seats' planes, if there are any."""
    if planes.shape[2] > 0:
        write_planes(g, 0, board, games, planes[g, 0])
        turn_planes(planes[g, 0], planes[g, 1])


def show_game(g: int, max_turns: int, board: Board, games: Games, sights: Sights, shown: Shown) -> None:
    """Bring everything up to date that is shown of game g, but its rows of the table, which are counted."""
    survey_game(g, max_turns, board, games, sights)
    show_planes(g, board, games, shown.planes)
    write_facts(g, games, sights.tally, shown.facts)
    for seat in range(2):
        for k in range(shown.knows.shape[2]):
            shown.knows[g, seat, k] = sights.knows[seat, k]
        shown.counts[2 * g + seat] = count_rows(g, seat, games)


def show_games(
    first: int,
    last: int,
    seed: int,
    draws: Draws,
    max_turns: int,
    board: Board,
    games: Games,
    sights: Sights,
    shown: Shown,
) -> None:
    """Bring up to date what is shown of the games of blocks first..last-1; those that are over begin anew.

    A game of episode 0 has not been played, so it has not ended. `counts` have to be added up to `offsets`.
    """
    for g in range(first * BLOCK, min(last * BLOCK, games.turn.shape[0])):
        for _ in range(2):
            show_game(g, max_turns, board, games, sights, shown)
            if not games.over[g]:
                break
            if shown.episode[g] > 0:
                keep_ending(g, result(g, sights.tally), shown)
            begin_episode(g, seed, draws, board, games, shown)


def play_choices(
    first: int,
    last: int,
    choices: npt.NDArray[np.int64],
    orders: npt.NDArray[np.int16],
    max_turns: int,
    board: Board,
    games: Games,
    scratch: Scratch,
    table: Table,
    offsets: npt.NDArray[np.int64],
) -> None:
    """Play a turn of the games of blocks first..last-1.

    `choices` (``[U]``), which must be legal, belong to the rows of `table`, which `offsets` shares out; `orders`
    (``[U, 4]``) is room for what they mean.
    """
    given = Orders(orders, offsets)
    for block in range(first, last):
        start, end = block * BLOCK, min((block + 1) * BLOCK, games.turn.shape[0])
        write_orders(
            offsets[2 * start], offsets[2 * end], table.row, table.kind, table.slot, choices, board, games, orders
        )  # fmt: skip
        play_block(block, given, max_turns, board, games, scratch)


def show_units(
    first: int,
    last: int,
    max_turns: int,
    board: Board,
    games: Games,
    sights: Sights,
    table: Table,
    shown: Shown,
) -> None:
    """Write the rows of the games of blocks first..last-1; the table must have room for the last of `offsets`."""
    for g in range(first * BLOCK, min(last * BLOCK, games.turn.shape[0])):
        if table.features.shape[1] > 0:
            look_for_rows(g, max_turns, board, games, sights)
        for seat in range(2):
            write_rows(g, seat, shown.offsets[2 * g + seat], board, games, sights, table)


def read_choices(
    given: Orders, board: Board, games: Games, table: Table, offsets: npt.NDArray[np.int64],
    choices: npt.NDArray[np.int64],
) -> int:  # fmt: skip
    """Write the choices (``[U]``) that come nearest to orders; give how many legal choices they make.

    An actor's first order that is a legal choice counts, as it does for the rules.
    """
    choices[:] = NOTHING
    count = 0
    for at in range(offsets.shape[0] - 1):
        first, rows = offsets[at], offsets[at + 1] - offsets[at]
        last = 0
        for order in range(given.offsets[at], given.offsets[at + 1]):
            what = given.rows[order]
            is_tile = what[KIND] >= BUILD_WORKER
            for k in range(rows):
                # Orders mostly come in the order of the rows, so the next row is looked at first.
                place = (last + k) % rows
                row = first + place
                if table.slot[row] == what[SUBJECT] and (table.kind[row] == TILE) == is_tile:
                    choice = read_order(at // 2, at % 2, what, board, games)
                    if choices[row] == NOTHING and choice != NOTHING and table.legal[row, choice]:
                        choices[row] = choice
                        count += 1
                    last = place + 1
                    break
    return count
