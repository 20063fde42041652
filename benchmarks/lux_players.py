"""How strong and how fast the scripted Lux players are, in our engine.

    python benchmarks/lux_players.py [--sizes 12,16,24,32] [--games 100] [--first-seed 0]
    python benchmarks/lux_players.py --speed [--sizes 12,32] [--num-games 256]

1. Strength: against `lux_simple` seeds count up from the first, seat 0 in the even games and seat 1 in the odd ones, as
   in `lux_official_games.py`, which plays the same games in kaggle-environments; between the two players each seed is
   played from both seats.
2. Speed (`--speed`): microseconds of one thread for the plans of both sides, a turn of one game. Every twelfth turn of
   the games is planned six times, and the quickest counts: other work on the machine only ever adds to the time.
"""

import argparse
import sys
import time

import numpy as np

from lanista_envs.lux.games import LuxGames
from lanista_envs.lux.scripted.orders import plan_games, plan_seats
from lanista_envs.lux.scripted.players import CHARACTERS
from lanista_envs.lux.state import MAX_TURNS

WOODLAND, PROSPECTOR, SIMPLE = CHARACTERS


def play(names, seeds, size):
    """Tiles and units at the end, each ``[games, 2]`` by seat."""
    games = LuxGames(len(seeds), size)
    games.start(seeds)
    characters = [CHARACTERS[name] for name in names]
    for _ in range(MAX_TURNS):
        games.play(plan_games(characters, games.board, games.state))
    return games.state.num_tiles.copy(), games.state.num_units.copy()


def against(first, second, seeds, size, both_seats):
    """Print one line on `first` against `second`."""
    own, other, leads = [], [], []
    for seat in range(2):
        mine = seeds if both_seats else [seed for seed in seeds if seed % 2 == seat]
        tiles, units = play((first, second) if seat == 0 else (second, first), mine, size)
        marks = tiles * 10_000 + units
        own += tiles[:, seat].tolist()
        other += tiles[:, 1 - seat].tolist()
        leads += (marks[:, seat] - marks[:, 1 - seat]).tolist()
    won, drawn = np.mean(np.array(leads) > 0), np.mean(np.array(leads) == 0)
    print(
        f"{size:3} {first:>18} - {second:<18} {len(leads):5} games  won {won:6.1%}  drawn {drawn:5.1%}  "
        f"tiles {np.mean(own):6.2f} : {np.mean(other):5.2f}",
        flush=True,
    )


def measure(first, second, size, num_games):
    """Print how long the plans of both sides take."""
    games = LuxGames(num_games, size)
    games.start(list(range(num_games)))
    characters = [CHARACTERS[first], CHARACTERS[second]]
    which = np.arange(num_games)
    spent = []
    for turn in range(MAX_TURNS):
        if turn % 12 == 5:
            both = 0.0
            for team in range(2):
                times = []
                for _ in range(6):
                    start = time.thread_time()
                    plan_seats(characters[team], which, np.full(num_games, team), games.board, games.state)
                    times.append(time.thread_time() - start)
                both += min(times)
            spent.append(both / num_games * 1e6)
        games.play(plan_games(characters, games.board, games.state))
    print(
        f"{size:3} {first:>18} - {second:<18} {num_games:5} games  {np.mean(spent):6.1f} us a turn for both sides, "
        f"{max(spent):6.1f} in the longest turn",
        flush=True,
    )


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sizes", default="12,16,24,32")
    parser.add_argument("--games", type=int, default=100)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--speed", action="store_true")
    parser.add_argument("--num-games", type=int, default=256)
    given = parser.parse_args()
    for size in (int(size) for size in given.sizes.split(",")):
        if given.speed:
            measure(WOODLAND, PROSPECTOR, size, given.num_games)
            measure(WOODLAND, SIMPLE, size, given.num_games)
            measure(PROSPECTOR, SIMPLE, size, given.num_games)
            continue
        seeds = list(range(given.first_seed, given.first_seed + given.games))
        for name in (WOODLAND, PROSPECTOR):
            against(name, SIMPLE, seeds, size, both_seats=False)
        against(WOODLAND, PROSPECTOR, seeds, size, both_seats=True)


if __name__ == "__main__":
    sys.exit(main())
