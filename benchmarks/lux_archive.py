"""What a turn of a Lux archive costs: milliseconds of one core, on positions of two strong scripted players.

    OMP_NUM_THREADS=1 python benchmarks/lux_archive.py ARCHIVE.tar.gz [--sizes 12,32] [--every 12] [--seeds 5,6]

On each size two `lux_woodland_v1` play a game a seed; the archive orders for both seats every so many turns. Time is that
of the process, so other work on the machine hardly shows. Loading leaves out importing numpy, which the platform did before.
"""

import argparse
import os
import sys
import tarfile
import tempfile
import time
from pathlib import Path

import numpy as np

from lanista_envs.lux.games import LuxGames
from lanista_envs.lux.scripted.orders import plan_games
from lanista_envs.lux.scripted.players import CHARACTERS
from lanista_envs.lux.updates import write_first_updates, write_updates


def positions(size, seeds, every):
    """What both seats see, every so many turns."""
    found = []
    for seed in seeds:
        games = LuxGames(1, size)
        games.start([seed])
        pair = [CHARACTERS["lux_woodland_v1"]] * 2
        for turn in range(360):
            if games.state.over[0]:
                break
            if turn % every == 0:
                write = write_updates if turn else write_first_updates
                told = {
                    "updates": write(0, games.board, games.state),
                    "step": turn,
                    "width": size,
                    "height": size,
                }
                found += [{**told, "player": seat, "remainingOverageTime": 60.0} for seat in range(2)]
            games.play(plan_games(pair, games.board, games.state))
    return found


def load(archive, folder):
    """The agent as the platform takes it, and the milliseconds that it took to load."""
    with tarfile.open(archive) as tar:
        tar.extractall(folder, filter="data")
    sys.path.insert(0, folder)
    sys.dont_write_bytecode = True
    began, names = time.process_time(), {}
    exec(compile((Path(folder) / "main.py").read_text(), "main.py", "exec"), names)
    return names["agent"], (time.process_time() - began) * 1e3


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("archive")
    parser.add_argument("--sizes", default="12,32")
    parser.add_argument("--every", type=int, default=12)
    parser.add_argument("--seeds", default="5,6")
    given = parser.parse_args()
    os.environ["LANISTA_STRICT"] = "1"  # let out what an agent would hide
    with tempfile.TemporaryDirectory() as folder:
        agent, loading = load(given.archive, folder)
        print(f"loading: {loading:.0f} ms\n\n| board | worst turn | median | units there | positions |")
        print("| --- | ---: | ---: | ---: | ---: |")
        for size in map(int, given.sizes.split(",")):
            rows = []
            for obs in positions(size, [int(seed) for seed in given.seeds.split(",")], given.every):
                units = sum(line.startswith("u ") for line in obs["updates"])
                began = time.process_time()
                agent(obs, {"actTimeout": 3.0, "episodeSteps": 361})
                rows.append(((time.process_time() - began) * 1e3, units))
            worst, units = max(rows)
            print(
                f"| {size} x {size} | {worst:.0f} | {np.median([row[0] for row in rows]):.0f} | {units} | {len(rows)} |"
            )


if __name__ == "__main__":
    main()
