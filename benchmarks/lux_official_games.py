"""The scripted Lux players against the official `simple_agent`, in kaggle-environments.

    python benchmarks/lux_official_games.py JUDGE_PYTHON LOG [--sizes 12,16,24,32] [--games 100] [--children 2]
    python benchmarks/lux_official_games.py --table LOG

JUDGE_PYTHON has kaggle-environments (`lanista doctor` names it). Seeds are 0, 1, 2, ...; our player takes seat 0 in the
even ones and seat 1 in the odd ones. Each finished game is a line of LOG (JSON); a run goes on where the last one
stopped, since games that are in LOG are not played again.

In every game our side sees nothing but the official observations: each turn's `updates` become our state, the player
plans on it, and its orders go back as action strings. Two more things are held against the official program on the way:
`lux_simple` must order what `simple_agent` ordered, every turn, and our engine, playing the same two on the same map,
must end with the same city tiles and units.
"""

import argparse
import json
import math
import queue
import subprocess
import sys
import threading
from collections import defaultdict
from pathlib import Path

from lanista_envs.lux.games import LuxGames
from lanista_envs.lux.scripted.orders import plan_games, plan_strings
from lanista_envs.lux.scripted.players import CHARACTERS
from lanista_envs.lux.state import allocate, make_board
from lanista_envs.lux.updates import read_updates

CHILD = Path(__file__).with_name("lux_official_child.py")


class Judge:
    """A child process of the judge's Python that plays games against `simple_agent`."""

    def __init__(self, python):
        self.child = subprocess.Popen(
            [python, str(CHILD)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def send(self, message):
        self.child.stdin.write(json.dumps(message) + "\n")
        self.child.stdin.flush()

    def take(self):
        """Wait for a line that is JSON; the environments print others while they load."""
        for line in self.child.stdout:
            if line.startswith("{"):
                return json.loads(line)
        raise SystemExit("the judge's Python ended; does it have kaggle-environments, and is node in PATH?")

    def game(self, name, size, seed):
        """Play one game and give its line of the log."""
        seat = seed % 2
        board, games = make_board(size, size), allocate(1, size, size)
        expected = []
        self.send({"seed": seed, "size": size, "seat": seat})
        while "rewards" not in (said := self.take()):
            read_updates(said["updates"], said["step"], 0, board, games)
            self.send(plan_strings(CHARACTERS[name], 0, seat, board, games))
            expected.append(plan_strings(CHARACTERS["lux_simple"], 0, 1 - seat, board, games))
        ends = [[sum(line.startswith(f"{what} {mark}") for line in said["updates"]) for mark in marks]
                for what, marks in (("ct", ("0", "1")), ("u", ("0 0", "0 1")), ("u", ("1 0", "1 1")))]  # fmt: skip
        tiles, units = ends[0], [a + b for a, b in zip(ends[1], ends[2], strict=True)]
        pair = [CHARACTERS[name], CHARACTERS["lux_simple"]]
        ours = play_ours(pair if seat == 0 else pair[::-1], seed, size)
        return {
            "player": name, "size": size, "seed": seed, "seat": seat, "rewards": said["rewards"],
            "statuses": said["statuses"], "tiles": tiles, "units": units, "turns": len(said["theirs"]),
            "simple_equal": expected == [strings or [] for strings in said["theirs"]],
            "engine_equal": ours == [tiles, units],
        }  # fmt: skip

    def close(self):
        self.child.stdin.close()
        self.child.wait()


def play_ours(pair, seed, size):
    """City tiles and units, by seat, at the end of the same game in our engine."""
    games = LuxGames(1, size)
    games.start([seed])
    while not games.state.over[0]:
        games.play(plan_games(pair, games.board, games.state))
    return [games.state.num_tiles[0].tolist(), games.state.num_units[0].tolist()]


def play_all(python, log, wanted, children):
    """Play the games `wanted`, each a (player, size, seed), and append their lines to the log."""
    waiting, lock = queue.SimpleQueue(), threading.Lock()
    for game in wanted:
        waiting.put(game)
    faults = []

    def work():
        judge = Judge(python)
        try:
            while not faults:
                line = json.dumps(judge.game(*waiting.get_nowait()))
                with lock, log.open("a") as file:
                    file.write(line + "\n")
        except queue.Empty:
            judge.close()
        except BaseException as fault:
            faults.append(fault)
            judge.child.kill()
            raise

    # What is compiled is looked up by one thread, before there are several.
    play_ours([CHARACTERS[wanted[0][0]], CHARACTERS["lux_simple"]], 0, 12)
    threads = [threading.Thread(target=work) for _ in range(children)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return not faults


def wilson(won, count):
    """The 95 % Wilson interval of a share."""
    z = 1.959964
    middle = (won + z * z / 2) / (count + z * z)
    half = z / (count + z * z) * math.sqrt(won * (count - won) / count + z * z / 4)
    return middle - half, middle + half


def print_table(lines):
    """Print a line for every player and size."""
    groups = defaultdict(list)
    for line in lines:
        groups[line["player"], line["size"]].append(line)
    print(
        f"{'player':18} size games  won   95 % interval  drawn  own tiles  by seat      theirs  equal to ours"
    )
    for (name, size), games in sorted(groups.items()):
        leads = [g["rewards"][g["seat"]] - g["rewards"][1 - g["seat"]] for g in games]
        won, count = sum(lead > 0 for lead in leads), len(games)
        low, high = wilson(won, count)
        own = [g["tiles"][g["seat"]] for g in games]
        seats = [[g["tiles"][s] for g in games if g["seat"] == s] for s in range(2)]
        sides = " ".join(f"{sum(s) / max(len(s), 1):5.1f}" for s in seats)
        theirs = sum(g["tiles"][1 - g["seat"]] for g in games) / count
        equal = sum(g["simple_equal"] and g["engine_equal"] for g in games)
        print(
            f"{name:18} {size:4} {count:5}  {won / count:6.1%}  {low:6.1%} {high:6.1%} {sum(x == 0 for x in leads):5}  "
            f"{sum(own) / count:9.2f}  {sides}  {theirs:6.2f}  {equal} of {count}"
        )
    odd = [g for g in lines if g["statuses"] != ["DONE", "DONE"]]
    for g in odd:
        print(f"not to its end: {g}")
    return not odd and all(g["simple_equal"] and g["engine_equal"] for g in lines)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("python", nargs="?", help="the judge's Python")
    parser.add_argument("log", type=Path)
    parser.add_argument("--table", action="store_true", help="print the table of LOG and play nothing")
    parser.add_argument("--sizes", default="12,16,24,32")
    parser.add_argument("--games", type=int, default=100)
    parser.add_argument("--players", default="lux_woodland_v1,lux_prospector_v1")
    parser.add_argument("--children", type=int, default=2)
    given = parser.parse_args()
    lines = [json.loads(line) for line in given.log.read_text().splitlines()] if given.log.exists() else []
    if not given.table:
        if given.python is None:
            parser.error("name the judge's Python before the log")
        finished = {(g["player"], g["size"], g["seed"]) for g in lines}
        sizes, names = [int(size) for size in given.sizes.split(",")], given.players.split(",")
        wanted = [(name, size, seed) for size in sizes for seed in range(given.games) for name in names]
        wanted = [game for game in wanted if game not in finished]
        if wanted and not play_all(given.python, given.log, wanted, given.children):
            return 2
        lines = [json.loads(line) for line in given.log.read_text().splitlines()]
    return 0 if print_table(lines) else 1


if __name__ == "__main__":
    sys.exit(main())
