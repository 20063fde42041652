"""AntBullet, ppo 256x256 into 64x64: how soon a student is as good as its teacher, and how steady it ends.

    python benchmarks/distill_ant.py speed  [--seeds 5] [--anchor CHECKOUT --python PYTHON --zips TEACHERS]
    python benchmarks/distill_ant.py steady [--seeds 5] [--teacher npz:FILE]

`speed` plays the phase until the first test of 5 whole episodes whose mean is at least the teacher's (its mean over
50 starts, played before any clock runs), tests counted. With --anchor it does the same with
policy-distillation-baselines in turn, in the same run on the same machine, as `distill_anchor_child.py` says; its
clock is its own, from "Training student policy" on. TEACHERS is a folder of the zoo's zips.

`steady` plays the whole phase, and then student and teacher from 50 fixed starts that no training saw.

Both are the one setting below, which is that of `lanista distill`.
"""

import argparse
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np
import torch

from lanista.phases import PhaseContext
from lanista.plugins import Registry, load_plugins
from lanista.tables import EnvTable
from lanista_plugins.phases.distill import Distill
from lanista_plugins.phases.paired import SharedStarts, greedy_player
from lanista_plugins.phases.settings import DistillSettings

HERE = Path(__file__).parent
SLIM = HERE.parent / "tests" / "teachers" / "slim"
ENV: dict[str, Any] = {"use": "gymnasium:AntBulletEnv-v0", "wrappers": ["TimeFeatureWrapper"], "workers": 2}
PHASE: dict[str, Any] = {
    "network": {"use": "mlp", "hidden": [64, 64], "activation": "relu"},
    "num_games": 16,
    "num_steps": 160,
    "steps_per_rollout": 500,
    "until": {"steps": 51_200},
}
#: rounds before the first test
UNTESTED = 2
STARTS = 50


def begun(registry: Registry, teacher: str, seed: int) -> tuple[Distill, PhaseContext]:
    """A phase whose env and networks are built."""
    context = PhaseContext(registry, EnvTable(**ENV), "student", Path(), seed, 1, {})
    phase = Distill(context, DistillSettings.model_validate({**PHASE, "teacher": teacher}))
    phase.start()
    return phase, context


def tests(context: PhaseContext) -> SharedStarts:
    """Five episodes, five envs; they stand before the clock runs."""
    starts = SharedStarts(context.make_env, 5, 5, 0)
    starts.returns(greedy_player(untrained(context), 0))
    return starts


def untrained(context: PhaseContext) -> Any:  # a policy
    """Any policy of the env: it is played so that the test's envs are made."""
    env = context.make_env(1)
    from lanista.policy import build_policy

    options = context.registry.settings("networks", "mlp", {}).model_dump(mode="json")
    policy = build_policy(context.card(env, "mlp", options), context.registry)
    env.close()
    return policy


def ours(registry: Registry, teacher: str, seed: int, goal: float) -> tuple[float, int, int]:
    """Seconds, samples and updates up to the first test at the goal."""
    phase, context = begun(registry, teacher, seed)
    tested = tests(context)
    started, rounds, found = perf_counter(), 0, 0.0
    while not phase.finished:
        phase.update()
        rounds += 1
        if rounds <= UNTESTED:
            continue
        found = float(tested.returns(greedy_player(phase.policy, 0), seed=1000 * seed + rounds).mean())
        if found >= goal:
            break
    seconds = perf_counter() - started
    phase.close()
    tested.close()
    print(f"ours   seed {seed}: {found:.0f} after {seconds:.1f} s, {phase.steps:,} samples", flush=True)
    return (seconds if found >= goal else float("inf")), phase.steps, phase.fitting.steps


def lines_of(command: list[str]) -> Iterator[tuple[float, str]]:
    """Each line that a child prints, with the clock's time; the child ends with the loop."""
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert child.stdout is not None
    try:
        for line in child.stdout:
            yield perf_counter(), line.strip()
    finally:
        child.kill()
        child.wait()


def anchor(args: argparse.Namespace, seed: int, goal: float) -> float:
    """Seconds of policy-distillation-baselines up to its first test at the goal."""
    folder = args.zips / "ppo" / "AntBulletEnv-v0_1"
    command = [
        args.python, str(HERE / "distill_anchor_child.py"), str(args.anchor), str(folder / "AntBulletEnv-v0.zip"),
        str(folder / "AntBulletEnv-v0" / "vecnormalize.pkl"), "--seed", str(seed + 1), "--iterations", "10000",
    ]  # fmt: skip
    started, iteration = None, ""
    for at, line in lines_of(command):
        if line.startswith("Training student policy"):
            started = at
        elif line.startswith("Itr "):
            iteration = line.split()[1]
        elif line.startswith("Students_average_reward") and started is not None:
            found = float(line.split()[1])
            print(f"anchor seed {seed}: {found:.0f} at {iteration}, {at - started:.1f} s", flush=True)
            if found >= goal:
                return at - started
    if started is None:
        sys.exit("the anchor did not begin; run its command by hand to see why:\n" + " ".join(command))
    return float("inf")


def speed(args: argparse.Namespace, registry: Registry) -> None:
    """First test at the teacher's return, both in turn."""
    context = PhaseContext(registry, EnvTable(**ENV), "student", Path(), 0, 1, {})
    starts = SharedStarts(context.make_env, STARTS, STARTS, 4242)
    goal = float(starts.returns(greedy_player(context.policy_of(args.teacher), 0)).mean())
    starts.close()
    print(f"the teacher's mean over {STARTS} starts is {goal:.1f}", flush=True)
    pairs = []
    for seed in range(args.seeds):
        theirs = anchor(args, seed, goal) if args.anchor else float("nan")
        pairs.append((theirs, ours(registry, args.teacher, seed, goal)[0]))
    print(f"ours: median {median(mine for _, mine in pairs):.1f} s")
    if args.anchor:
        print(f"anchor: median {median(theirs for theirs, _ in pairs):.1f} s")
        print(f"ours / anchor: median 1/{median(theirs / mine for theirs, mine in pairs):.1f}")


def steady(args: argparse.Namespace, registry: Registry) -> None:
    """The whole phase, then 50 fixed starts."""
    passed, starts = 0, None
    for seed in range(args.seeds):
        phase, context = begun(registry, args.teacher, seed)
        started = perf_counter()
        while not phase.finished:
            phase.update()
        seconds = perf_counter() - started
        # The same starts for all seeds: the teacher plays them once.
        starts = starts or SharedStarts(context.make_env, STARTS, STARTS, 4242)
        standing = starts.standing(phase.policy, phase.teacher)
        phase.close()
        mine, theirs = standing.student, standing.teacher
        mean, worst = mine.mean() / theirs.mean(), mine.min() / theirs.min()
        passed += bool(mean >= 0.99 and worst >= 0.9)
        print(
            f"seed {seed}: student {mine.mean():.0f} ± {mine.std():.0f}, worst {mine.min():.0f}; teacher "
            f"{theirs.mean():.0f} ± {theirs.std():.0f}, worst {theirs.min():.0f}; random "
            f"{standing.random.mean():.0f}; mean {mean:.3f}, worst {worst:.3f} of the teacher's; "
            f"{phase.steps:,} samples, {phase.fitting.steps:,} updates, {seconds:.0f} s",
            flush=True,
        )
    if starts is not None:
        starts.close()
    print(f"{passed} of {args.seeds} seeds: mean at least 0.99 and worst at least 0.90 of the teacher's")


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=["speed", "steady"])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--teacher", default=f"npz:{SLIM / 'ppo-AntBulletEnv-v0.npz'}")
    parser.add_argument("--anchor", type=Path)
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--zips", type=Path)
    parser.add_argument("--workers", type=int, default=2, help="processes that step the envs; 0: none")
    args = parser.parse_args()
    ENV["workers"] = args.workers
    torch.set_num_threads(1)
    np.seterr(all="raise", under="ignore")
    registry = load_plugins().registry
    speed(args, registry) if args.what == "speed" else steady(args, registry)


if __name__ == "__main__":
    main()
