"""Time to solve CartPole-v1: one plain `train` phase beside Stable-Baselines3's PPO and CleanRL's ppo.py.

    python benchmarks/solve_cartpole.py --seeds 10 --steadiness --out results/cartpole \\
        --peers-python PEERS/bin/python --cleanrl CLEANRL/cleanrl/ppo.py

Solved: 100 greedy episodes average at least 475 and a second, independent 100 agree, on gymnasium's own env of 500
steps; checked between updates, at most once in 1,024 env steps. The clock starts with torch, numba and torch's first
optimiser imported, on every side, and runs from building the envs to the evaluation that crosses; evaluations
are not counted. numba's disk cache is filled beforehand; loading our functions from it is counted. One thread each.
Two further rows of ours are the same run from another start: with nothing imported beforehand (what `from process
start` is held against), and with numba having loaded some function before, as torch has made an optimiser step.
With `--steadiness` each run goes on for 50,000 env steps on the same schedule.

The peers' environment needs stable-baselines3, tyro and tensorboard. Ours: the settings in solve_cartpole.toml.
"""

import argparse
from pathlib import Path

from solving.duel import BENCHMARKS, Peer, duel, fill_kernel_cache, machine, own_python
from solving.tables import heading, speed_table, steadiness_table, write_report

BAR = 475.0
EVERY = 1_024
STEADY_STEPS = 50_000
OURS, BARE, READY = "lanista", "lanista, nothing imported", "lanista, numba used before"


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=10, help="how many seeds")
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("runs/solve-cartpole"), help="folder for the report")
    parser.add_argument("--recipe", default=str(BENCHMARKS / "solve_cartpole.toml"), help="our settings")
    parser.add_argument("--set", action="append", default=[], help="change them, as in `lanista run`")
    parser.add_argument(
        "--peers-python", help="interpreter that has the peers; without it only ours is played"
    )
    parser.add_argument("--cleanrl", type=Path, help="CleanRL's ppo.py; without it CleanRL is left out")
    parser.add_argument("--steadiness", action="store_true", help="go on after solving and evaluate")
    parser.add_argument(
        "--limit", type=float, default=120.0, help="seconds of training after which a run is given up"
    )
    return parser.parse_args()


def main() -> None:
    words = parse()
    task = {
        "env_id": "CartPole-v1",
        "bar": BAR,
        "every": EVERY,
        "after": STEADY_STEPS if words.steadiness else 0,
        "limit_s": words.limit,
    }
    own = {"recipe": words.recipe, "changes": words.set}
    ours = Peer(OURS, own_python(), "solving.play_lanista", {**own, "warm": True})
    # Further processes of ours, whose steps are the same: only their clocks are of interest.
    bare = Peer(BARE, own_python(), "solving.play_lanista", {**own, "warm": False, "after": 0})
    ready = Peer(
        READY, own_python(), "solving.play_lanista", {**own, "warm": True, "numba_used": True, "after": 0}
    )
    peers = [ours, bare, ready]
    if words.peers_python:
        peers.append(Peer("Stable-Baselines3 PPO, zoo", words.peers_python, "solving.play_sb3"))
    if words.peers_python and words.cleanrl:
        options = {"cleanrl": str(words.cleanrl.resolve())}
        peers.append(Peer("CleanRL ppo.py", words.peers_python, "solving.play_cleanrl", options))
    fill_kernel_cache(ours, task)
    runs = duel(peers, task, range(words.first_seed, words.first_seed + words.seeds), words.out)
    names = [peer.name for peer in peers]
    parts = [heading("CartPole-v1: time to solve", machine(), runs), speed_table(runs, names, OURS, BARE)]
    if words.steadiness:
        title = f"\n## Steadiness in the {STEADY_STEPS:,} env steps after solving\n"
        parts += [title, steadiness_table(runs, names, BAR)]
    write_report(words.out, parts)


if __name__ == "__main__":
    main()
