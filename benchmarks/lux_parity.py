"""Plays many games in our rules and in the official program, and compares the complete state every turn.

    python benchmarks/lux_parity.py JUDGE_PYTHON [--games 2000] [--maps 5000] [--first-seed 0] [--log FILE]

Games go through the sizes 12, 16, 12, 24, 32, 16 (so one in six is 32 x 32) and through pairs of order generators:
legal ones, broken ones, and such that keep cities alive. A line is printed for every game that differs, naming the
first turn and field, and a summary at the end; exit code 1 if anything differed. Maps are spread over 12, 16, 24, 32
and sizes that the seed chooses.
"""

import argparse
import json
import sys
import time
from collections import Counter
from pathlib import Path

from lanista_envs.lux.games import LuxGames
from lanista_envs.lux.mapgen import SIZES, chosen_size
from lanista_envs.lux.official import Official, find_program
from lanista_envs.lux.parity import compare_state, play_match

SIDES = (12, 16, 12, 24, 32, 16)
PAIRS = (
    ("keeper", "keeper"), ("keeper", "crowd"), ("crowd", "keeper"), ("legal", "odd"), ("odd", "legal"),
    ("crowd", "crowd"), ("odd", "odd"), ("keeper", "odd"), ("odd", "crowd"), ("legal", "legal"),
)  # fmt: skip


def compare_games(official, first, count, log):
    """Play `count` games; give how many differ."""
    boards = {side: LuxGames(1, side) for side in set(SIDES)}
    totals, sides, different = Counter(), Counter(), 0
    for seed in range(first, first + count):
        side, pair = SIDES[seed % len(SIDES)], PAIRS[seed // len(SIDES) % len(PAIRS)]
        match = play_match(official, boards[side], seed, pair)
        sides[side] += 1
        totals.update(turns=match.turns, orders=match.orders, lines=match.lines, full=match.turns == 361)
        totals["most tiles"] = max(totals["most tiles"], match.most_tiles)
        if match.difference is not None:
            different += 1
            print(match, flush=True)
        if log is not None:
            log.write(
                json.dumps({"game": str(match), "orders": match.orders, "tiles": match.most_tiles}) + "\n"
            )
            log.flush()
    print(f"{count} games, {different} different; by side {dict(sorted(sides.items()))}; {dict(totals)}")
    return different


def compare_maps(official, first, count):
    """Generate `count` maps; give how many differ."""
    boards = {side: LuxGames(1, side) for side in SIZES}
    asked, different = (*SIZES, -1), 0
    for seed in range(first, first + count):
        side = asked[seed % len(asked)]
        games = boards[side if side > 0 else chosen_size(seed)]
        games.start([seed])
        difference = compare_state(games, official.start(seed, side, side), 0)
        if difference is not None:
            different += 1
            print(f"map of seed {seed}, size {side}: {difference}", flush=True)
    print(f"{count} maps, {different} different")
    return different


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("python", type=Path, help="a Python with kaggle-environments")
    parser.add_argument("--games", type=int, default=2000)
    parser.add_argument("--maps", type=int, default=5000)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--log", type=Path, help="append a JSON line for every game")
    given = parser.parse_args()
    start = time.time()
    log = given.log.open("a") if given.log else None
    with Official(find_program(given.python)) as official:
        different = compare_maps(official, given.first_seed, given.maps)
        different += compare_games(official, given.first_seed, given.games, log)
    if log is not None:
        log.close()
    print(f"{time.time() - start:.0f} seconds")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
