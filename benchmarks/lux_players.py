"""How strong and how fast the scripted Lux players are, in our engine and in kaggle-environments.

Run: python benchmarks/lux_players.py [--sizes 12,16,24,32] [--games 100]
     python benchmarks/lux_players.py --official JUDGE_PYTHON [--sizes 12] [--games 100] [--players woodland_v1]

Games alternate seats. Against the official `simple_agent` the seeds are 0, 1, 2, ...; between the two players each
seed is played from both seats. Microseconds are of one thread and count both sides of one turn of one game.
"""

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from lanista_envs.lux.games import LuxGames
from lanista_envs.lux.scripted.habits import PROSPECTOR_V1, WOODLAND_V1
from lanista_envs.lux.scripted.orders import Character, plan_games, plan_strings
from lanista_envs.lux.state import MAX_TURNS, allocate, make_board
from lanista_envs.lux.updates import read_updates

PLAYERS: dict[str, Character] = {"woodland_v1": WOODLAND_V1, "prospector_v1": PROSPECTOR_V1, "simple": None}


def play(
    characters: tuple[Character, Character], seeds: list[int], size: int
) -> tuple[np.ndarray, np.ndarray, float]:
    """Tiles and units at the end, ``[games, 2]`` by seat, and the players' microseconds a turn and game."""
    games = LuxGames(len(seeds), size)
    games.start(seeds)
    spent = 0.0
    turns = 0
    for turn in range(MAX_TURNS):
        alive = int((~games.state.over).sum())
        start = time.thread_time()
        orders = plan_games(characters, games.board, games.state)
        if turn > 0:  # the first call may compile
            spent += time.thread_time() - start
            turns += alive
        games.play(orders)
    return games.state.num_tiles.copy(), games.state.num_units.copy(), spent / max(turns, 1) * 1e6


def against(first: str, second: str, seeds: list[int], size: int, both_seats: bool) -> None:
    """Print one line on `first` against `second`."""
    results = []
    slowest = 0.0
    for seat in range(2):
        mine = seeds if both_seats else seeds[seat::2]
        pair = (PLAYERS[first], PLAYERS[second])
        tiles, units, micros = play(pair if seat == 0 else pair[::-1], mine, size)
        slowest = max(slowest, micros)
        score = tiles * 10_000 + units
        results += [
            (*row, *marks)
            for row, marks in zip(tiles[:, :: 1 - 2 * seat], score[:, :: 1 - 2 * seat], strict=True)
        ]
    table = np.array(results)
    won = float((table[:, 2] > table[:, 3]).mean())
    drawn = float((table[:, 2] == table[:, 3]).mean())
    print(
        f"{size:3} {first:>14} - {second:<14} {len(table):4} games  won {won:6.1%}  drawn {drawn:5.1%}  "
        f"tiles {table[:, 0].mean():6.2f} : {table[:, 1].mean():5.2f}  {slowest:6.1f} us a turn",
        flush=True,
    )


class Officials:
    """A child process of the judge's Python that plays games against `simple_agent`."""

    def __init__(self, python: str) -> None:
        script = Path(__file__).with_name("lux_official_games.py")
        self.child = subprocess.Popen(
            [python, str(script)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def send(self, message: object) -> None:
        """Send one line."""
        assert self.child.stdin is not None
        self.child.stdin.write(json.dumps(message) + "\n")
        self.child.stdin.flush()

    def take(self) -> dict[str, Any]:
        """Wait for a line that is JSON; the environments print others while they load."""
        assert self.child.stdout is not None
        for line in self.child.stdout:
            if line.startswith("{"):
                answer: dict[str, Any] = json.loads(line)
                return answer
        raise SystemExit("the judge's Python ended; does it have kaggle-environments, and is node in PATH?")

    def game(
        self, character: Character, seed: int, size: int, seat: int
    ) -> tuple[list[float], list[str], int]:
        """Play one game; rewards, statuses and our city tiles at its end."""
        board, games = make_board(size, size), allocate(1, size, size)
        self.send({"seed": seed, "size": size, "seat": seat})
        while "rewards" not in (said := self.take()):
            read_updates(said["updates"], said["step"], 0, board, games)
            self.send(plan_strings(character, 0, seat, board, games))
        tiles = sum(line.startswith(f"ct {seat} ") for line in said["updates"])
        return said["rewards"], said["statuses"], tiles


def official(python: str, names: list[str], sizes: list[int], num_games: int) -> None:
    """Play against `simple_agent` where the competition is judged."""
    judge = Officials(python)
    for name in names:
        for size in sizes:
            won = drawn = tiles = 0
            for seed in range(num_games):
                seat = seed % 2
                rewards, statuses, own = judge.game(PLAYERS[name], seed, size, seat)
                assert statuses == ["DONE", "DONE"], (seed, statuses)
                won += rewards[seat] > rewards[1 - seat]
                drawn += rewards[seat] == rewards[1 - seat]
                tiles += own
            print(
                f"{size:3} {name:>14} - simple_agent in kaggle-environments {num_games:4} games  "
                f"won {won / num_games:6.1%}  drawn {drawn / num_games:5.1%}  tiles {tiles / num_games:6.2f}",
                flush=True,
            )


def main() -> None:
    """Read the command line and play."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--official", metavar="JUDGE_PYTHON", help="play in kaggle-environments with this Python"
    )
    parser.add_argument("--sizes", default="12,16,24,32")
    parser.add_argument("--games", type=int, default=100)
    parser.add_argument("--players", default="woodland_v1,prospector_v1")
    options = parser.parse_args()
    sizes = [int(size) for size in options.sizes.split(",")]
    names = options.players.split(",")
    if options.official:
        official(options.official, names, sizes, options.games)
        return
    seeds = list(range(options.games))
    for size in sizes:
        for name in names:
            against(name, "simple", seeds, size, both_seats=False)
        if len(names) == 2:
            against(names[0], names[1], seeds, size, both_seats=True)


if __name__ == "__main__":
    sys.exit(main())
