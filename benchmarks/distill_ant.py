"""AntBullet, ppo 256x256 into 64x64: how soon a student is as good as its teacher, and how steady it ends.

    python benchmarks/distill_ant.py speed  [--seeds 5] [--anchor CHECKOUT --python PYTHON --zips TEACHERS]
    python benchmarks/distill_ant.py steady [--seeds 5] [--teacher npz:FILE]

`speed` plays the phase until the first test of 5 whole episodes whose mean is at least the teacher's (its mean over
50 starts, played before any clock runs), tests counted. With --anchor it does the same with
policy-distillation-baselines in turn, in the same run on the same machine, as `distill_anchor_child.py` says; its
clock is its own, from "Training student policy" on. TEACHERS is a folder of the zoo's zips.

`steady` plays the whole phase, and then student and teacher from 50 fixed starts that no training saw.

Both play the one setting below.
"""

import argparse
import multiprocessing
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np
import torch

from lanista.phases import PhaseContext
from lanista.plugins import Registry, load_plugins
from lanista.tables import EnvTable, HeadTable
from lanista_plugins.phases.distill import Distill
from lanista_plugins.phases.paired import SharedStarts, greedy_player
from lanista_plugins.phases.settings import DistillSettings

HERE = Path(__file__).parent
SLIM = HERE.parent / "tests" / "teachers" / "slim"
ENV: dict[str, Any] = {"use": "gymnasium:AntBulletEnv-v0", "wrappers": ["TimeFeatureWrapper"], "workers": 2}
PHASE: dict[str, Any] = {
    "network": {"use": "mlp", "hidden": [64, 64], "activation": "relu"},
    "num_games": 16,
    "num_steps": 144,
    "minibatch_size": 256,
    # Many at first, so that the first test is passed; fewer later, since more of them make a student less steady.
    "steps_per_rollout": {"start": 800, "end": 500, "hold": 0.05, "by": 0.1},
    # A teacher that hardly ever stumbles shows hardly ever how to go on after it.
    "shove": 40,
    "stretch": 150,
    "student_share": {"start": 0.0, "end": 1.0, "by": 0.125},
    "until": {"steps": 103_680},
}
#: rounds before the first test
UNTESTED = 1
STARTS = 50


def begun(registry: Registry, teacher: str, seed: int) -> tuple[Distill, PhaseContext]:
    """A phase whose env and networks are built; a teacher that was distilled here says which head it has."""
    context = PhaseContext(registry, EnvTable(**ENV), "student", Path(), seed, 1, {})
    told = context.policy_of(teacher).card.heads
    context.heads = {name: HeadTable.model_validate(table) for name, table in told.items()}
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


@dataclass(frozen=True)
class Seconds:
    """What the clock shows, and what processes have spent of the processors."""

    clock: float
    processor: float

    @classmethod
    def of(cls, processes: list[int]) -> "Seconds":
        """Now, of living processes (0 without /proc)."""
        spent = 0.0
        for process in processes:
            state = Path(f"/proc/{process}/stat")
            if state.exists():
                user, system = state.read_text().rpartition(")")[2].split()[11:13]
                spent += (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")
        return cls(perf_counter(), spent)

    def __sub__(self, earlier: "Seconds") -> "Seconds":
        return Seconds(self.clock - earlier.clock, self.processor - earlier.processor)

    def __str__(self) -> str:
        return f"{self.clock:.1f} s ({self.processor:.1f} s of processors)"


NEVER = Seconds(float("inf"), float("inf"))


def ours(registry: Registry, teacher: str, seed: int, goal: float) -> Seconds:
    """What it took up to the first test at the goal."""
    phase, context = begun(registry, teacher, seed)
    tested = tests(context)
    processes = [os.getpid(), *(child.pid or 0 for child in multiprocessing.active_children())]
    started, rounds, found = Seconds.of(processes), 0, 0.0
    while not phase.finished:
        phase.update()
        rounds += 1
        if rounds <= UNTESTED:
            continue
        found = float(tested.returns(greedy_player(phase.policy, 0), seed=1000 * seed + rounds).mean())
        if found >= goal:
            break
    seconds = Seconds.of(processes) - started
    phase.close()
    tested.close()
    print(f"ours   seed {seed}: {found:.0f} after {seconds}, {phase.steps:,} samples", flush=True)
    return seconds if found >= goal else NEVER


def lines_of(command: list[str]) -> Iterator[tuple[Seconds, str]]:
    """Each line that a child prints, and what it has taken by then; the child ends with the loop."""
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert child.stdout is not None
    try:
        for line in child.stdout:
            yield Seconds.of([child.pid]), line.strip()
    finally:
        child.kill()
        child.wait()


def anchor(args: argparse.Namespace, seed: int, goal: float) -> Seconds:
    """What policy-distillation-baselines took up to its first test at the goal."""
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
            print(f"anchor seed {seed}: {found:.0f} at {iteration}, {at - started}", flush=True)
            if found >= goal:
                return at - started
    if started is None:
        sys.exit("the anchor did not begin; run its command by hand to see why:\n" + " ".join(command))
    return NEVER


def speed(args: argparse.Namespace, registry: Registry) -> None:
    """First test at the teacher's return, both in turn."""
    goal = args.goal
    if goal is None:
        context = PhaseContext(registry, EnvTable(**ENV), "student", Path(), 0, 1, {})
        starts = SharedStarts(context.make_env, STARTS, STARTS, 4242)
        goal = float(starts.returns(greedy_player(context.policy_of(args.teacher), 0)).mean())
        starts.close()
        print(f"the teacher's mean over {STARTS} starts is {goal:.1f}", flush=True)
    mine, theirs = [], []
    for seed in range(args.first_seed, args.first_seed + args.seeds):
        if args.anchor:
            theirs.append(anchor(args, seed, goal))
        mine.append(ours(registry, args.teacher, seed, goal))
    print(f"ours: median {median(took.clock for took in mine):.1f} s")
    if args.anchor:
        print(f"anchor: median {median(took.clock for took in theirs):.1f} s")
        for what in ("clock", "processor"):
            shares = [getattr(a, what) / getattr(b, what) for a, b in zip(theirs, mine, strict=True)]
            print(f"ours / anchor, {what}: median 1/{median(shares):.1f}")


def steady(args: argparse.Namespace, registry: Registry) -> None:
    """The whole phase, then 50 fixed starts."""
    passed, starts, theirs = 0, None, np.zeros(STARTS)
    for seed in range(args.first_seed, args.first_seed + args.seeds):
        phase, context = begun(registry, args.teacher, seed)
        started = perf_counter()
        while not phase.finished:
            phase.update()
        seconds = perf_counter() - started
        if starts is None:  # the same starts for all seeds: the teacher plays them once
            starts = SharedStarts(context.make_env, STARTS, STARTS, 4242)
            theirs = starts.returns(greedy_player(phase.teacher, 0))
        mine = starts.returns(greedy_player(phase.policy, 0))
        phase.close()
        mean, worst = mine.mean() / theirs.mean(), mine.min() / theirs.min()
        passed += bool(mean >= 0.99 and worst >= 0.9)
        print(
            f"seed {seed}: student {mine.mean():.0f} ± {mine.std():.0f}, worst {mine.min():.0f}; teacher "
            f"{theirs.mean():.0f} ± {theirs.std():.0f}, worst {theirs.min():.0f}; mean {mean:.3f}, worst {worst:.3f} "
            f"of the teacher's; "
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
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--teacher", default=f"npz:{SLIM / 'ppo-AntBulletEnv-v0.npz'}")
    parser.add_argument("--anchor", type=Path)
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--zips", type=Path)
    parser.add_argument("--goal", type=float, help="the teacher's mean, where an earlier run has told it")
    parser.add_argument("--workers", type=int, default=2, help="processes that step the envs; 0: none")
    args = parser.parse_args()
    ENV["workers"] = args.workers
    torch.set_num_threads(1)
    np.seterr(all="raise", under="ignore")
    registry = load_plugins().registry
    speed(args, registry) if args.what == "speed" else steady(args, registry)


if __name__ == "__main__":
    main()
