"""Time to solve MountainCar-v0: the recipe `mountaincar` beside its own reward alone and Stable-Baselines3's PPO.

    python benchmarks/solve_mountaincar.py --seeds 10 --peer-seeds 3 --out results/mountaincar \\
        --peers-python PEERS/bin/python

Solved: 100 greedy episodes average at least -110 and a second, independent 100 agree, on gymnasium's own env.
The recipe (shaped by a potential, then the sparse reward only) is played as `lanista run` plays it, run folder and
checkpoints included, and judged at its end. `sparse only` is the recipe's first phase without its shapers; like the
peer's, its checks come between updates, at most once in 4,096 env steps, and it is given up after `--limit` seconds.
The clock starts with torch, numba and torch's first optimiser imported and leaves evaluations out. One thread each.
"""

import argparse
from pathlib import Path

from solving.duel import Peer, duel, fill_kernel_cache, machine, own_python
from solving.tables import heading, phases_table, speed_table, write_report

BAR = -110.0
EVERY = 4_096
RECIPE, BARE, SPARSE = "recipe", "recipe, nothing imported", "sparse only"


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=10, help="how many seeds of the recipe")
    parser.add_argument("--peer-seeds", type=int, default=3, help="how many of the peer and of `sparse only`")
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument(
        "--out", type=Path, default=Path("runs/solve-mountaincar"), help="folder for the report"
    )
    parser.add_argument("--recipe", default="mountaincar", help="a recipe's name or TOML file")
    parser.add_argument("--set", action="append", default=[], help="change it, as in `lanista run`")
    parser.add_argument(
        "--peers-python", help="interpreter that has the peer; without it only ours is played"
    )
    parser.add_argument(
        "--limit", type=float, default=200.0, help="seconds of training after which a run is given up"
    )
    parser.add_argument(
        "--sparse-steps", type=int, default=10_000_000, help="env steps that schedules of `sparse only` span"
    )
    return parser.parse_args()


def main() -> None:
    words = parse()
    task = {"env_id": "MountainCar-v0", "bar": BAR, "every": EVERY, "after": 0, "limit_s": words.limit}
    file = Path(words.recipe)
    own = {"recipe": str(file.resolve()) if file.is_file() else words.recipe, "changes": words.set}
    recipe = Peer(RECIPE, own_python(), "solving.play_recipe", {**own, "warm": True})
    bare = Peer(BARE, own_python(), "solving.play_recipe", {**own, "warm": False})
    changes = [*words.set, "phases.0.shapers=[]", f"phases.0.until.steps={words.sparse_steps}"]
    sparse = Peer(
        SPARSE,
        own_python(),
        "solving.play_lanista",
        {**own, "changes": changes, "warm": True},
        words.peer_seeds,
    )
    peers = [recipe, bare, sparse]
    if words.peers_python:
        peers.append(
            Peer(
                "Stable-Baselines3 PPO, zoo",
                words.peers_python,
                "solving.play_sb3",
                most_seeds=words.peer_seeds,
            )
        )
    fill_kernel_cache(recipe, task)
    runs = duel(peers, task, range(words.first_seed, words.first_seed + words.seeds), words.out)
    names = [peer.name for peer in peers]
    parts = [
        heading("MountainCar-v0: time to solve", machine(), runs),
        speed_table(runs, names, RECIPE, BARE),
        "\n## The recipe, phase by phase\n",
        phases_table(runs, RECIPE),
    ]
    write_report(words.out, parts)


if __name__ == "__main__":
    main()
