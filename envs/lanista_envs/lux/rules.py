"""The rules of Lux AI Season 1 for N games at a time: starting games, and one turn of all of them. Portable.

A turn, phase by phase (each plays a block of games, so that its arrays are looked up once for all of them):

1. orders are accepted or dropped, research counts (`accept`); moves are cancelled (`moves`);
2. city tiles build (`cities`);
3. units act one after another (`units`);
4. workers collect (`collect`);
5. cargo on city tiles becomes fuel; at night cities and units pay or are lost; units cool down (`dusk`);
6. wood regrows, the game may end, the turn is over (`dusk`).

Source: the program inside kaggle-environments 1.33.2, environment `lux_ai_2021`. Given its orders, a game does
not depend on the number of games or of threads.
"""

import numpy as np
import numpy.typing as npt

from .accept import accept_orders
from .cities import act_cities, create_unit, found_tile
from .collect import collect, survey
from .dusk import burn_in_cities, burn_in_units, cool_units, end_turns, store_cargo
from .mapgen import make_map
from .moves import cancel_moves
from .scratch import BLOCK, Scratch
from .state import WORKER, Board, Games, Orders, clear_game
from .units import act_units


def play_block(
    block: int, orders: Orders, max_turns: int, board: Board, games: Games, scratch: Scratch
) -> None:
    """Play one turn of the games of one block."""
    first = block * BLOCK
    last = min(first + BLOCK, games.turn.shape[0])
    games.flows[first:last] = 0
    accept_orders(first, last, orders, board, games, scratch)
    cancel_moves(first, last, block, games, scratch)
    act_cities(first, last, games, scratch)
    act_units(first, last, orders, board, games, scratch)
    collect(first, last, block, board, games, scratch)
    store_cargo(first, last, games)
    burn_in_cities(first, last, games)
    burn_in_units(first, last, games)
    cool_units(first, last, games)
    end_turns(first, last, max_turns, games)


def play_turn(
    first: int, last: int, orders: Orders, max_turns: int, board: Board, games: Games, scratch: Scratch
) -> None:
    """Play one turn of the games of the blocks first..last-1 that are not over.

    `max_turns` is the length of a game (360 on Kaggle). Blocks have nothing in common, so threads may share them out.
    """
    for block in range(first, last):
        play_block(block, orders, max_turns, board, games, scratch)


def start_game(g: int, seed: int, board: Board, games: Games) -> int:
    """Start game g on the official map of `seed`; give 0, or what is wrong with the map (see `make_map`).

    1: the board has no room for a good map; 2: both teams would start in the same place. The game is then over.
    """
    clear_game(g, games)
    home, away = make_map(seed, board.width, board.height, games.resource_kind[g], games.resource_amount[g])
    if home < 0 or home == away:
        clear_game(g, games)
        games.over[g] = True
        return 1 if home < 0 else 2
    survey(g, board, games)
    # Numbers of one type, here as in the other calls of these two: numba compiles them for each type anew.
    for team in range(2):
        create_unit(g, team, np.int64(WORKER), home if team == 0 else away, games)
        found_tile(g, team, home if team == 0 else away, board, games)
    games.flows[g] = 0
    return 0


def start_games(
    first: int,
    last: int,
    which: npt.NDArray[np.int64],
    seeds: npt.NDArray[np.int64],
    faults: npt.NDArray[np.int64],
    board: Board,
    games: Games,
) -> None:
    """Start the games ``which[k]`` on the maps of ``seeds[k]``, k from `first` to `last` - 1; `faults` as in `start_game`.

    The three are ``[M]``; threads may share them out.
    """
    for k in range(first, last):
        faults[k] = start_game(which[k], seeds[k], board, games)
