"""Where the step loop's time goes, and that no hook and no Python loop over games is in it.

    python benchmarks/step_loop.py [--seconds 5] [--out results/step_loop.md]

1. Each case trains for some seconds; the collector's own clocks give the shares of env, infer, learn and copy.
2. `Collector.collect` is run under `sys.setprofile` at several numbers of games. Counted are the calls of Python
   functions and of C functions between one `env.step` and the next. A loop over games would multiply them; the
   most calls of any step must be the same at every size from 64 games on (a step in which no game ends, or in
   which an opponent has nothing to do, makes fewer). Calls into pluggy must not occur at all.

Exit code 1 if a step of more games makes more calls, or if a hook is called.
"""

import argparse
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter
from types import FrameType
from typing import Any

import torch

from lanista.phases import PhaseContext
from lanista.plugins import load_plugins
from lanista.tables import EnvTable

GAMES = (16, 64, 256, 1024)
#: more calls than this in a step of more games is a loop over games
ROOM = 1.02

LEAGUE = {"opponents": {"latest": 0.5, "pool": 0.3, "bots": 0.2}, "bots": ["random"]}
LEARNER = {"use": "ppo", "num_epochs": 4, "minibatch_size": 512}
#: name -> env and the table of its `train` phase
CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "cartpole, 64 games": (
        "cartpole",
        {"num_games": 64, "num_steps": 32, "network": {"use": "mlp", "hidden": [64, 64]}, "learner": LEARNER},
    ),
    "cartpole, 1,024 games": (
        "cartpole",
        {"num_games": 1024, "num_steps": 32, "network": {"use": "mlp", "hidden": [64, 64]}, "learner": LEARNER},
    ),
    "connectx, 128 games, self-play": (
        "connectx",
        {"num_games": 128, "num_steps": 32, "network": {"use": "mlp", "hidden": [128, 128]}, "learner": LEARNER},
    ),
    "connectx, 128 games, league": (
        "connectx",
        {
            "num_games": 128, "num_steps": 32, "network": {"use": "mlp", "hidden": [128, 128]},
            "learner": LEARNER, "league": LEAGUE,
        },
    ),
}  # fmt: skip


def start_phase(env: str, table: dict[str, Any], folder: Path) -> Any:
    """A started `train` phase that nothing ends."""
    registry = load_plugins().registry
    settings = registry.settings("phases", "train", {**table, "until": {"steps": 10**12}})
    phase = registry.load("phases", "train")(
        PhaseContext(registry, EnvTable(use=env), "loop", folder, 0, 1, {}), settings
    )
    phase.start()
    return phase


def shares(seconds: float) -> list[str]:
    """One row a case."""
    lines = [
        "| case | env steps/s | env | infer | copy | learn |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for name, (env, table) in CASES.items():
        with tempfile.TemporaryDirectory() as folder:
            phase = start_phase(env, table, Path(folder))
            phase.update()  # compiled functions come from the disk
            phase.collector.timing = type(phase.collector.timing)()
            steps, started = phase.steps, perf_counter()
            while perf_counter() - started < seconds:
                phase.update()
            speed = (phase.steps - steps) / (perf_counter() - started)
            found = phase.collector.timing.shares()
            phase.close()
        parts = " | ".join(f"{found[f'time/{part}']:.0%}" for part in ("env", "infer", "copy", "learn"))
        lines.append(f"| {name} | {speed:,.0f} | {parts} |")
    return lines


class CallCounter:
    """Counts calls between one `env.step` and the next; install it with `sys.setprofile`."""

    def __init__(self, step_code: Any) -> None:
        self.step_code = step_code
        self.python = self.c = self.hooks = 0
        #: (calls of Python functions, of C functions) of each step
        self.steps: list[tuple[int, int]] = []
        self.named: Counter[str] = Counter()

    def __call__(self, frame: FrameType, event: str, _: Any) -> None:
        if event == "c_call":
            self.c += 1
        elif event == "call":
            if frame.f_code is self.step_code:
                self.steps.append((self.python, self.c))
                self.python = self.c = 0
            self.python += 1
            self.named[frame.f_code.co_qualname] += 1
            self.hooks += frame.f_globals.get("__name__", "").partition(".")[0] == "pluggy"


def count_calls(env: str, table: dict[str, Any], games: int) -> tuple[int, int, int, int]:
    """Median and most Python calls of a step, most C calls, and calls into pluggy, over some rollouts."""
    table = {**table, "num_games": games}
    if "league" in table:
        # Each opponent in play, and each draw of one, costs some calls. Both are bounded by the pool's slots, not by
        # the games; so that every size has equally many there is one snapshot, early, and no draw after it.
        rare = {"snapshot_every": 3 * games * table["num_steps"], "redraw_every": 10**9}
        table["league"] = {**table["league"], **rare}
    with tempfile.TemporaryDirectory() as folder:
        phase = start_phase(env, table, Path(folder))
        for _ in range(5):
            phase.update()
        for _ in range(2):
            phase.collector.collect(0.0)  # games of before the snapshot come to their end
        collect: Callable[[float], Any] = phase.collector.collect
        counter = CallCounter(type(phase.env).step.__code__)
        for _ in range(8):
            sys.setprofile(counter)
            collect(0.0)
            sys.setprofile(None)
            # What comes before a rollout's first step and after its last is no step.
            counter.steps.pop(-phase.settings.num_steps)
            counter.python = counter.c = 0
        phase.close()
    python, c = zip(*counter.steps, strict=True)
    return int(median(python)), max(python), max(c), counter.hooks


def calls() -> tuple[list[str], list[str]]:
    """One row a case and size; and what is wrong."""
    lines = [
        "| case | games | Python calls a step, median | most | C calls a step, most | hook calls |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    wrong = []
    for name in ("cartpole, 64 games", "connectx, 128 games, self-play", "connectx, 128 games, league"):
        env, table = CASES[name]
        title = name.replace("64 games", "").replace("128 games, ", "").strip(", ")
        most: dict[int, tuple[int, int]] = {}
        for games in GAMES:
            middle, python, c, hooks = count_calls(env, table, games)
            most[games] = python, c
            lines.append(f"| {title} | {games:,} | {middle} | {python} | {c} | {hooks} |")
            if hooks:
                wrong.append(f"{title}: {hooks} hook calls inside the step loop at {games} games")
        for kind, small, large in zip(("Python", "C"), most[GAMES[1]], most[GAMES[-1]], strict=True):
            if large > small * ROOM:
                wrong.append(
                    f"{title}: {large} {kind} calls in a step of {GAMES[-1]} games, {small} at {GAMES[1]}"
                )
    return lines, wrong


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=5.0, help="of training a case")
    parser.add_argument("--out", type=Path, help="write the tables there too")
    words = parser.parse_args()
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)  # as a run does
    counted, wrong = calls()
    verdict = wrong or ["No step of more games makes more calls, and no hook is called inside the loop."]
    text = "\n".join([*shares(words.seconds), "", *counted, "", *verdict])
    print(text)
    if words.out:
        words.out.write_text(text + "\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
