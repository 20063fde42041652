"""What phases bring: recipes of equal budget, seed by seed, and how strong their final policies are.

    python benchmarks/phases.py lux-quick lux-quick-flat --steps 3000000 --seeds 5 --against lux_woodland_v1 --sample

Each seed plays all recipes in turn, so that what else the machine does falls on all of them. A run that is there is not
played again, one that was stopped goes on. Then every final policy plays the same held-out games, both seats, against
`--against` and against the first recipe's policy of the same seed. CPU seconds are those of all updates, measured by
the runs themselves; the interval over seeds is Student's.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import tomli_w
from scipy import stats

from lanista.metrics import read_metrics
from lanista.plugins import load_plugins
from lanista.recipe import read_recipe


def lanista(*words: str) -> str:
    """What a command prints; a command that fails ends this one."""
    done = subprocess.run([sys.executable, "-m", "lanista", *words], stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit(f"lanista {' '.join(words)} ended with exit code {done.returncode}")
    return done.stdout


def budgeted(recipe: str, steps: int, folder: Path) -> str:
    """A copy of a recipe whose `train` phases share `steps` as they shared their own, and which has no other phases."""
    values = read_recipe(recipe, load_plugins().registry)
    phases = [phase for phase in values["phases"] if phase["kind"] == "train"]
    own = sum(phase["until"]["steps"] for phase in phases)
    for phase in phases:
        phase["until"]["steps"] = round(phase["until"]["steps"] * steps / own)
    kept = {key: value for key, value in values.items() if key not in {"target", "verify"}}
    copy = folder / f"{Path(recipe).stem}.toml"
    copy.write_text(tomli_w.dumps({**kept, "phases": phases}))
    return str(copy)


def trained(recipe: str, seed: int, folder: Path, changes: list[str]) -> Path:
    """The finished run of a recipe and seed, played or gone on with where it is not there."""
    run = folder / f"{Path(recipe).stem}-{seed}"
    if not (run / "final" / "policy.json").is_file():
        if (run / "recipe.toml").is_file():
            lanista("resume", str(run))
        else:
            settings = [word for change in changes for word in ("--set", change)]
            lanista("run", recipe, "--seed", str(seed), "--out", str(run), *settings)
    return run


def matches(run: Path, opponents: list[str], games: int, sample: bool) -> list[dict[str, Any]]:
    """The results of a run's policy, kept beside it."""
    named = [word for opponent in opponents for word in ("--against", opponent)]
    words = [str(run), *named, "--games", str(games), *(["--sample"] if sample else []), "--json"]
    kept = run / "matches.json"
    if kept.is_file():
        found = json.loads(kept.read_text())
        if found["words"] == words:
            return found["matches"]
    results = json.loads(lanista("eval", *words))["matches"]
    kept.write_text(json.dumps({"words": words, "matches": results}))
    return results


def interval(scores: list[float]) -> str:
    """The mean with Student's 95 % interval over seeds."""
    mean = float(np.mean(scores))
    if len(scores) < 2:
        return f"{mean:.3f}"
    reach = float(stats.t.ppf(0.975, len(scores) - 1) * stats.sem(scores))
    return f"{mean:.3f} ({mean - reach:.3f} to {mean + reach:.3f})"


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "recipes", nargs="+", help="names or TOML files; the first is what the others are held against"
    )
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--against", action="append", required=True, help="a player; repeatable")
    parser.add_argument("--games", type=int, default=100, help="games in each seat order")
    parser.add_argument("--sample", action="store_true", help="policies draw their actions")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="change all recipes")
    parser.add_argument(
        "--steps", type=int, help="env steps an arm, shared by its train phases; others are left out"
    )
    parser.add_argument("--out", type=Path, default=Path("runs/phases"))
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    if args.steps:
        args.recipes = [budgeted(recipe, args.steps, args.out) for recipe in args.recipes]
    scores: dict[tuple[str, str], list[float]] = {}
    print("| recipe | seed | CPU s | steps | against | won/drawn/lost | score (95 %) |")
    print("| --- | ---: | ---: | ---: | --- | --- | --- |")
    for seed in range(args.seeds):
        runs = {recipe: trained(recipe, seed, args.out, args.set) for recipe in args.recipes}
        first = runs[args.recipes[0]]
        for recipe, run in runs.items():
            rows = read_metrics(run / "metrics.jsonl")
            cpu = sum(float(row.get("cpu_seconds", 0.0)) for row in rows)
            steps = max(int(row["step"]) for row in rows)
            opponents = [*args.against, *([] if run == first else [str(first)])]
            for result in matches(run, opponents, args.games, args.sample):
                against = args.recipes[0] if result["against"] == first.name else result["against"]
                scores.setdefault((recipe, against), []).append(result["score"])
                won = "/".join(str(result[kind]) for kind in ("wins", "draws", "losses"))
                bounds = f"{result['low']:.3f} to {result['high']:.3f}"
                print(
                    f"| {Path(recipe).stem} | {seed} | {cpu:.0f} | {steps:,} | {against} | {won} | "
                    f"{result['score']:.3f} ({bounds}) |",
                    flush=True,
                )
    print("\n| recipe | against | mean score over seeds (95 %) |\n| --- | --- | --- |")
    for (recipe, against), found in scores.items():
        print(f"| {Path(recipe).stem} | {against} | {interval(found)} |")


if __name__ == "__main__":
    main()
