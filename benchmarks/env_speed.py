"""Steps per second of the native envs, beside gymnasium's own vectorised CartPole in the same run.

    python benchmarks/env_speed.py [--games 1024 4096] [--seconds 1.0] [--rounds 7]

Actions are drawn before the clock starts. The contestants take turns, round by round, so that other work on
the machine meets all of them; a row shows the median round and the ratio of medians. Connect X replays legal
random moves that were drawn beforehand; its observations (five planes for both seats) are kept up to date in
every step, since the env knows no other way.
"""

import argparse
import platform
import statistics
import time

import gymnasium
import numpy as np
from rich.console import Console
from rich.table import Table

from lanista.actions import random_actions
from lanista_envs.cartpole.env import CartPole
from lanista_envs.connectx.env import ConnectX
from lanista_envs.mountaincar.env import MountainCar
from lanista_envs.pendulum.env import Pendulum

#: different action arrays that are played in a circle
ACTIONS = 64


def classic(make, games, threads):
    """Give a function that plays k steps of a one-seat env with random actions."""
    env = make(games, None, threads)
    env.reset(0)
    rng = np.random.default_rng(0)
    (head,) = env.spec.heads
    actions = [
        {head.name: random_actions(head, None, rng.random((games, 1, head.size)))} for _ in range(ACTIONS)
    ]

    def play(steps):
        for k in range(steps):
            env.step(actions[k % ACTIONS])

    return play


def gymnasium_cartpole(games):
    """The same for gymnasium's vectorised CartPole."""
    env = gymnasium.make_vec("CartPole-v1", num_envs=games, vectorization_mode="vector_entry_point")
    env.reset(seed=0)
    rng = np.random.default_rng(0)
    actions = [rng.integers(2, size=games) for _ in range(ACTIONS)]

    def play(steps):
        for k in range(steps):
            env.step(actions[k % ACTIONS])

    return play


def connectx(games, threads, moves=400):
    """The same for Connect X: after `moves` steps the games start anew, so that the drawn moves stay legal."""
    env = ConnectX(games, None, threads)
    env.reset(0)
    rng = np.random.default_rng(0)
    actions = []
    for _ in range(moves):
        draws = rng.random((games, 2, 7), dtype=np.float32)
        actions.append({"column": np.where(env.legal["column"], draws, -1).argmax(2)})
        env.step(actions[-1])

    def play(steps):
        for k in range(steps):
            if k % moves == 0:
                env.reset(0)
            env.step(actions[k % moves])

    return play


def steps_in(play, seconds):
    """How many steps fill about `seconds` (warms everything up, compilation included)."""
    play(ACTIONS)
    steps = ACTIONS
    while True:
        start = time.perf_counter()
        play(steps)
        spent = time.perf_counter() - start
        if spent > 0.05:
            return max(ACTIONS, int(steps * seconds / spent))
        steps *= 2


def measure(contestants, games, seconds, rounds):
    """Give {name: steps per second of each round}, all taking turns."""
    steps = {name: steps_in(play, seconds / rounds) for name, play in contestants.items()}
    speeds = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, play in contestants.items():
            start = time.perf_counter()
            play(steps[name])
            speeds[name].append(steps[name] * games / (time.perf_counter() - start))
    return speeds


def add_rows(table, games, speeds, reference):
    """One row a contestant, with the ratio to `reference`."""
    medians = {name: statistics.median(rates) for name, rates in speeds.items()}
    for name, rates in speeds.items():
        ratio = f"{medians[name] / medians[reference]:.2f}" if reference else ""
        spread = f"{min(rates) / 1e6:.1f} to {max(rates) / 1e6:.1f}"
        table.add_row(name, f"{games:,}", f"{medians[name] / 1e6:.1f}", spread, ratio)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--games", type=int, nargs="+", default=[1024, 4096], help="games stepped together")
    parser.add_argument("--seconds", type=float, default=3.0, help="time for each row, all rounds together")
    parser.add_argument("--rounds", type=int, default=7, help="rounds; the median counts")
    arguments = parser.parse_args()
    table = Table("env", "games", "million steps/s", "lowest to highest", "times gymnasium")
    for games in arguments.games:
        theirs = "gymnasium CartPole-v1, vectorised"
        speeds = measure(
            {
                theirs: gymnasium_cartpole(games),
                "cartpole, 1 thread": classic(CartPole, games, 1),
                "cartpole, 2 threads": classic(CartPole, games, 2),
            },
            games, arguments.seconds, arguments.rounds,
        )  # fmt: skip
        add_rows(table, games, speeds, theirs)
    for games in arguments.games:
        speeds = measure(
            {
                "mountaincar, 1 thread": classic(MountainCar, games, 1),
                "pendulum, 1 thread": classic(Pendulum, games, 1),
                "pendulum, 2 threads": classic(Pendulum, games, 2),
                "connectx with observations, 1 thread": connectx(games, 1),
                "connectx with observations, 2 threads": connectx(games, 2),
            },
            games, arguments.seconds, arguments.rounds,
        )  # fmt: skip
        add_rows(table, games, speeds, None)
    console = Console()
    console.print(table)
    console.print(
        f"numpy {np.__version__}, gymnasium {gymnasium.__version__}, Python {platform.python_version()}"
    )


if __name__ == "__main__":
    main()
