"""Seat-observations a second of the env `lux_s1`, with planes or unit rows, masks and facts, and what a reset takes.

    python benchmarks/lux_observations.py [--size 12 32] [--games 256] [--threads 2] [--players scripted keeper random]

A seat-observation is all that one seat is shown of one turn, the turn itself included: two a game and turn.

1. Games are played once from start to end and all choices are kept, so that no clock runs while choices are
   thought out: scripted players (woodland against prospector), the driver `keeper` of `lanista_envs.lux.drivers`
   (which keeps cities alive), or random legal choices.
2. The env plays them again, `--repeats` times; the best and the median are shown, then how the time is shared out
   between the turn with globals, planes and facts, and the table with unit rows.
3. To tell the limit: bytes that are written for a seat-observation, and the share of the time that numpy would take
   to copy as many. Far below 100 %, arithmetic is the limit, not memory.

The bars for two threads: 170,000 at 12 x 12 and 30,000 at 32 x 32, 300 and 150 times the 288 and 101 steps of two
seats a second that the season's winner's training environment makes on strong players' orders.
"""

import argparse
import os
import platform
import random
import statistics
import time

import numpy as np
from rich.console import Console
from rich.table import Table

from lanista_envs.lux.control import PLAY, ROWS, SHOW
from lanista_envs.lux.drivers import DRIVERS
from lanista_envs.lux.env import LuxS1
from lanista_envs.lux.order_strings import pack_orders, read_orders
from lanista_envs.lux.settings import LuxS1Settings

BARS = {12: 170_000, 32: 30_000}
PHASES = {PLAY: "turn, globals, planes, facts", ROWS: "table, unit rows"}


def lux(games, size, observation, threads):
    env = LuxS1(games, LuxS1Settings(size=size, observation=observation), threads)
    env.reset(0)
    return env


def random_choices(env, stream):
    """Legal choices of all rows."""
    return np.where(env.unit_legal, stream.random(env.unit_legal.shape), -1.0).argmax(1)


def scripted_choices(env, stream):
    """What the scripted players choose, one on each seat."""
    from lanista_envs.lux.scripted.habits import PROSPECTOR_V1, WOODLAND_V1
    from lanista_envs.lux.scripted.orders import plan_games

    return env.choices_of(plan_games([WOODLAND_V1, PROSPECTOR_V1], env.board, env.games))[0]


def keeper_choices(env, stream):
    """What the driver that keeps cities alive chooses."""
    seats = []
    for g in range(env.num_games):
        for team in range(2):
            texts = DRIVERS["keeper"](g, team, env.board, env.games, stream)
            seats.append(read_orders(texts, g, team, env.board, env.games))
    return env.choices_of(pack_orders(seats))[0]


PLAYERS = {"scripted": scripted_choices, "keeper": keeper_choices, "random": random_choices}


def record(games, size, turns, players):
    """Play once; give the choices of every turn, the rows a seat, and the city tiles a seat had on average."""
    env = lux(games, size, "planes", 1)
    stream = random.Random(0) if players == "keeper" else np.random.default_rng(0)
    choices, tiles = [], []
    for _ in range(turns):
        choices.append(PLAYERS[players](env, stream))
        tiles.append(env.facts["city_tiles"].mean())
        env.step({"orders": choices[-1]})
    return choices, sum(map(len, choices)) / (2 * games * turns), statistics.mean(tiles)


def watch(env):
    """Let the env write down the seconds that the phases of its step take."""
    spent = dict.fromkeys((*PHASES, SHOW), 0.0)
    share = env._share

    def timed(phase):
        start = time.perf_counter()
        share(phase)
        spent[phase] += time.perf_counter() - start

    env._share = timed
    return spent


def play(env, choices):
    """Seconds for all turns."""
    env.reset(0)
    start = time.perf_counter()
    for chosen in choices:
        env.step({"orders": chosen})
    return time.perf_counter() - start


def written(env, rows):
    """Bytes that a seat-observation writes: what is shown, and the lanes and drawings that unit rows are made of."""
    size = env.settings.size
    shown = sum(part[0, 0].nbytes for part in env.observation.values()) + 4 * len(env.facts)
    shown += rows * (env.unit_legal.shape[1] + 4 * 8)
    if env.unit_observation:
        shown += rows * sum(part[0].nbytes for part in env.unit_observation.values())
        # Sixteen lanes of int32, written five times for both seats together; five float32 a cell for each seat.
        shown += size * size * (16 * 4 * 5 / 2 + 5 * 4)
    return shown


def copy_rate():
    """Bytes a second that one thread of numpy copies within 256 kB, which is what the kernels work in."""
    source = np.zeros(128 * 1024, np.uint8)
    target = source.copy()
    start = time.perf_counter()
    for _ in range(20_000):
        np.copyto(target, source)
    return 20_000 * len(source) / (time.perf_counter() - start)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--size", type=int, nargs="+", default=[12, 32], help="sides of the board")
    parser.add_argument("--games", type=int, default=256, help="games stepped together")
    parser.add_argument("--threads", type=int, nargs="+", default=[2], help="threads")
    parser.add_argument("--turns", type=int, default=360, help="turns that are played")
    parser.add_argument("--repeats", type=int, default=3, help="runs")
    parser.add_argument("--players", nargs="+", default=["scripted", "random"], choices=list(PLAYERS))
    parser.add_argument("--observation", nargs="+", default=["planes", "units"], help="planes, units, both")
    arguments = parser.parse_args()
    table = Table(
        "board", "players", "threads", "shown", "rows a seat", "tiles a seat", "seat-obs/s, best", "median", "times bar",
        *(f"us: {part}" for part in PHASES.values()), "kB written", "share of copying",
    )  # fmt: skip
    rate = copy_rate()
    resets = []
    for size in arguments.size:
        for players in arguments.players:
            choices, rows, tiles = record(arguments.games, size, arguments.turns, players)
            seats = 2 * arguments.games * arguments.turns
            for threads in arguments.threads:
                for observation in arguments.observation:
                    env = lux(arguments.games, size, observation, threads)
                    env.step({"orders": np.zeros(len(env.unit_row), np.int64)})
                    spent = watch(env)
                    runs = sorted(play(env, choices) for _ in range(arguments.repeats))
                    plays = arguments.repeats * seats
                    speed = seats / runs[0]
                    bar = f"{speed / BARS[size]:.2f}" if size in BARS else ""
                    kilobytes = written(env, rows) / 1000
                    table.add_row(
                        f"{size} x {size}", players, str(threads), observation, f"{rows:.1f}", f"{tiles:.1f}",
                        f"{speed:,.0f}", f"{seats / statistics.median(runs):,.0f}", bar,
                        *(f"{1e6 * spent[name] / plays:.2f}" for name in PHASES),
                        f"{kilobytes:.1f}", f"{speed * kilobytes * 1000 / (rate * threads):.0%}",
                    )  # fmt: skip
        env = lux(arguments.games, size, "planes", 1)
        start = time.perf_counter()
        env.reset(1)
        resets.append((size, (time.perf_counter() - start) / arguments.games))
    console = Console(width=max(Console().width, 200))
    console.print(table)
    for size, seconds in resets:
        console.print(
            f"a reset with a fresh map takes {1000 * seconds:.2f} ms a game at {size} x {size}, one thread"
        )
    load = ", ".join(f"{number:.1f}" for number in os.getloadavg())
    console.print(
        f"copying: {rate / 1e9:.1f} GB/s a thread; load {load}; numpy {np.__version__}, Python {platform.python_version()}"
    )


if __name__ == "__main__":
    main()
