"""Turns a second of the Lux rules alone, beside the official program in the same run.

    python benchmarks/lux_engine.py JUDGE_PYTHON [--size 12] [--games 256] [--threads 2] [--orders scripted]

1. `--distinct` games are played once by the scripted players, one on each seat, or by a driver of
   `lanista_envs.lux.drivers`, and all orders are kept, so that no clock ever runs while orders are thought out.
2. Ours: `--games` games (the distinct ones, each as often as fits) are played from start to end with those orders;
   the best and all of `--repeats` runs are shown, and what a restart with a fresh official map takes.
3. The official program gets the action strings of the same games, over its raw pipe, and, in JUDGE_PYTHON, through
   `env.step` of kaggle-environments.
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from lanista_envs.lux.drivers import DRIVERS
from lanista_envs.lux.games import LuxGames
from lanista_envs.lux.official import Official, find_program
from lanista_envs.lux.order_strings import pack_orders
from lanista_envs.lux.order_strings import read_orders as read_strings
from lanista_envs.lux.state import MAX_TURNS, Orders

#: run in the judge's Python: plays the games of a JSON file through env.step, prints turns and seconds
ENV_STEP = """
import json, sys, time
from kaggle_environments import make
size, games = json.load(open(sys.argv[1]))
turns = seconds = 0
for seed, actions in games:
    env = make("lux_ai_2021", configuration={"seed": seed, "width": size, "height": size})
    env.reset(2)
    start = time.perf_counter()
    for pair in actions:
        env.step(pair)
        turns += 1
    seconds += time.perf_counter() - start
print(json.dumps([turns, seconds]))
"""


def scripted(g, team, board, games, stream):
    """The orders of a scripted player."""
    from lanista_envs.lux.scripted.habits import PROSPECTOR_V1, WOODLAND_V1
    from lanista_envs.lux.scripted.orders import plan_strings

    return plan_strings((WOODLAND_V1, PROSPECTOR_V1)[team], g, team, board, games)


ORDERS = {"scripted": scripted, **DRIVERS}


def play_drivers(size, distinct, driver):
    """Give the action strings of every game, [game][turn] -> (team 0's, team 1's), and the tiles at the end."""
    games, strings = LuxGames(distinct, size), [[] for _ in range(distinct)]
    streams = [random.Random(f"{driver} {g}") for g in range(distinct)]
    games.start(list(range(distinct)))
    while not games.state.over.all():
        seats = []
        for g in range(distinct):
            pair = ([], [])
            if not games.state.over[g]:
                pair = tuple(ORDERS[driver](g, t, games.board, games.state, streams[g]) for t in range(2))
                strings[g].append(pair)
            seats += [read_strings(pair[t], g, t, games.board, games.state) for t in range(2)]
        games.play(pack_orders(seats))
    return strings, games.state.num_tiles.sum(1).mean()


def compact(size, strings):
    """The same orders in compact form, turn by turn: [(rows, counts a seat)]."""
    games = LuxGames(len(strings), size)
    games.start(list(range(len(strings))))
    taken = []
    for turn in range(MAX_TURNS):
        seats = []
        for g, game in enumerate(strings):
            pair = game[turn] if turn < len(game) else ([], [])
            seats += [read_strings(pair[t], g, t, games.board, games.state) for t in range(2)]
        taken.append(pack_orders(seats))
        games.play(taken[-1])
    return taken


def repeat(orders, times):
    """The orders of a turn for `times` times as many games."""
    counts = np.tile(np.diff(orders.offsets), times)
    offsets = np.zeros(len(counts) + 1, np.int64)
    np.cumsum(counts, out=offsets[1:])
    return Orders(np.tile(orders.rows, (times, 1)), offsets)


def measure_ours(size, taken, num_games, threads, repeats):
    """Give (turns a second of each run, milliseconds a restart)."""
    distinct = (len(taken[0].offsets) - 1) // 2
    times = max(1, num_games // distinct)
    turns = [repeat(orders, times) for orders in taken]
    games = LuxGames(distinct * times, size, num_threads=threads)
    seeds = np.tile(np.arange(distinct), times)
    games.start(seeds)
    games.play(turns[0])
    rates, restarts = [], []
    for _ in range(repeats):
        start = time.perf_counter()
        games.start(seeds)
        begun = time.perf_counter()
        for orders in turns:
            games.play(orders)
        ended = time.perf_counter()
        rates.append(int(games.state.turn.sum()) / (ended - begun))
        restarts.append(1000 * (begun - start) * threads / len(seeds))
    return rates, min(restarts)


def measure_pipe(program, size, strings):
    """Turns a second of the official program over its pipe."""
    turns = seconds = 0
    with Official(program) as official:
        official.start(0, size, size)
        for seed, game in enumerate(strings):
            official.start(seed, size, size)
            start = time.perf_counter()
            for pair in game:
                official.step(pair)
            seconds += time.perf_counter() - start
            turns += len(game)
    return turns / seconds


def measure_env_step(python, size, strings):
    """Turns a second of kaggle-environments' env.step."""
    with tempfile.TemporaryDirectory() as folder:
        script, data = Path(folder) / "play.py", Path(folder) / "games.json"
        script.write_text(ENV_STEP)
        data.write_text(json.dumps([size, list(enumerate(strings))]))
        out = subprocess.run([python, script, data], capture_output=True, text=True, check=True).stdout
    turns, seconds = json.loads(out.splitlines()[-1])
    return turns / seconds


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("python", type=Path, help="a Python with kaggle-environments")
    parser.add_argument("--size", type=int, default=12)
    parser.add_argument("--games", type=int, default=256)
    parser.add_argument("--distinct", type=int, default=16)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--official-games", type=int, default=6)
    parser.add_argument("--orders", default="scripted", choices=list(ORDERS), help="who gives them")
    given = parser.parse_args()
    strings, tiles = play_drivers(given.size, given.distinct, given.orders)
    taken = compact(given.size, strings)
    orders = sum(len(turn.rows) for turn in taken) / sum(map(len, strings))
    rates, restart = measure_ours(given.size, taken, given.games, given.threads, given.repeats)
    some = strings[: given.official_games]
    pipe = measure_pipe(find_program(given.python), given.size, some)
    step = measure_env_step(given.python, given.size, some)
    best = max(rates)
    print(
        f"{given.size} x {given.size}, orders of {given.orders}: {orders:.1f} a turn, {tiles:.1f} city tiles at the end"
    )
    print(f"ours, {given.games} games, {given.threads} threads: {best:,.0f} turns/s (runs: "
          f"{', '.join(f'{rate:,.0f}' for rate in rates)}), restart {restart:.3f} ms a game and thread")  # fmt: skip
    print(f"official, raw pipe: {pipe:,.0f} turns/s; ours is {best / pipe:,.0f} times that")
    print(f"official, env.step: {step:,.0f} turns/s; ours is {best / step:,.0f} times that")


if __name__ == "__main__":
    sys.exit(main())
