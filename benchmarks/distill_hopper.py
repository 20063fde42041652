"""Hopper, trpo (made for v3, played on v4) into 64x64: a slip ends the episode, so who drives matters.

    python benchmarks/distill_hopper.py [--seeds 5] [--starts 100] [--drives DAgger "teacher drives"]

Each seed twice, in rounds of 2,560 states and 500 updates of 512 and without shoves, after which a
Hopper lies: with DAgger as the phase has it, and with the teacher driving alone. Student, teacher and random moves then
play the same starts, and the share is the student's of the teacher's distance from random moves.
"""

import argparse
from pathlib import Path
from time import perf_counter
from typing import Any

import torch
from distill_ant import PHASE, SLIM

from lanista.phases import PhaseContext
from lanista.plugins import load_plugins
from lanista.tables import EnvTable
from lanista_plugins.phases.distill import Distill
from lanista_plugins.phases.paired import SharedStarts
from lanista_plugins.phases.settings import DistillSettings

ENV: dict[str, Any] = {"use": "gymnasium:Hopper-v4", "workers": 2}
#: after 51,200 states the student still slips, and has 0.87 of the teacher's return (seed 0)
STEPS = 153_600
DRIVES: dict[str, dict[str, Any]] = {"DAgger": {}, "teacher drives": {"student_share": 0.0}}


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--starts", type=int, default=100)
    parser.add_argument("--drives", nargs="+", choices=list(DRIVES), default=list(DRIVES))
    parser.add_argument("--workers", type=int, default=2, help="processes that step the envs; 0: none")
    args = parser.parse_args()
    ENV["workers"] = args.workers
    torch.set_num_threads(1)
    registry = load_plugins().registry
    context = PhaseContext(registry, EnvTable(**ENV), "student", Path(), 0, 1, {})
    starts = SharedStarts(context.make_env, args.starts, 50, 4242)
    passed = dict.fromkeys(args.drives, 0)
    for seed in range(args.seeds):
        for drive in args.drives:
            # The teacher's layers are tanh, and a student of the same kind copies them best.
            network = {"use": "mlp", "hidden": [64, 64], "activation": "tanh"}
            values = {**PHASE, "network": network, "teacher": f"npz:{SLIM / 'trpo-Hopper-v3.npz'}"}
            values |= {"shove": 0, "stretch": 200, "num_steps": 160, "minibatch_size": 512}
            values |= {"student_share": {"start": 0.0, "end": 1.0, "by": 0.25}, "until": {"steps": STEPS}}
            values |= DRIVES[drive]
            phase = Distill(
                PhaseContext(registry, EnvTable(**ENV), "student", Path(), seed, 1, {}),
                DistillSettings.model_validate(values),
            )
            phase.start()
            started = perf_counter()
            while not phase.finished:
                phase.update()
            seconds = perf_counter() - started
            standing = starts.standing(phase.policy, phase.teacher)
            phase.close()
            low, high = standing.share_interval()
            passed[drive] += standing.share >= 0.95
            print(
                f"seed {seed}, {drive}: student {standing.student.mean():.0f} ± {standing.student.std():.0f}, worst "
                f"{standing.student.min():.0f}; teacher {standing.teacher.mean():.0f} ± {standing.teacher.std():.0f}, "
                f"worst {standing.teacher.min():.0f}; random {standing.random.mean():.0f}; share {standing.share:.3f} "
                f"({low:.3f} to {high:.3f}); {phase.steps:,} samples, {seconds:.0f} s",
                flush=True,
            )
    starts.close()
    for drive, count in passed.items():
        print(f"{drive}: {count} of {args.seeds} seeds at least 0.95")


if __name__ == "__main__":
    main()
