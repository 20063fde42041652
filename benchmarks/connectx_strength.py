"""An archive against the official `negamax` and `random`, 200 games in each seat order, in the judging environment.

    python benchmarks/connectx_strength.py runs/demo/exported/submission.tar.gz [--games 200] [--out strength.md]

It is `lanista verify ARCHIVE --games 200 --json` and the bars held against it: a score of 0.8 against `negamax`
over both seat orders (a draw is half a win), the worst turn under 50 ms, import under 1 s. The platform imports at
the first turn, so that one pays for the import as well: it is shown, and the bar of a turn is held against all
later ones.
Exit code 1 if a bar is missed or the archive has a fault.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

LEAST_SCORE, MOST_TURN_S, MOST_IMPORT_S = 0.8, 0.05, 1.0


def verify(archive: Path, games: int, seed: int) -> dict[str, Any]:
    """The report of `lanista verify`."""
    command = ["verify", str(archive), "--games", str(games), "--seed", str(seed), "--json"]
    main = f"import sys; from lanista.cli import main; sys.exit(main({command!r}))"
    ended = subprocess.run([sys.executable, "-c", main], stdout=subprocess.PIPE, text=True, check=False)
    if not ended.stdout.strip():
        raise SystemExit(f"lanista verify {archive} printed no report; run it without --json to see why")
    report: dict[str, Any] = json.loads(ended.stdout)
    return report


def table(report: dict[str, Any]) -> str:
    """Pairings, then both seat orders together, then times."""
    lines = [
        "| against | seat | games | won | drawn | lost | score (Wilson, 95 %) | different games |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for tally in (*report["games"]["pairings"], *report["games"]["opponents"].values()):
        seat = "both" if tally["seat"] is None else f"{tally['seat'] + 1}"
        score = f"{tally['score']:.3f} ({tally['low']:.3f} to {tally['high']:.3f})"
        counts = " | ".join(str(tally[key]) for key in ("games", "wins", "draws", "losses"))
        lines.append(f"| {tally['opponent']} | {seat} | {counts} | {score} | {tally['different_games']} |")
    timing = report["timing"]
    lines += [
        "",
        f"import {timing['import_s']:.3f} s; worst turn {timing['worst_turn_s'] * 1e3:.1f} ms (turn "
        f"{timing['worst_turn']}; the first includes the import); "
        f"worst later turn {timing['worst_later_turn_s'] * 1e3:.1f} ms; {timing['turns']:,} turns, "
        f"mean {timing['mean_turn_s'] * 1e3:.2f} ms; {report['size']['packed']:,} bytes packed",
    ]
    return "\n".join(lines)


def missed(report: dict[str, Any]) -> list[str]:
    """What does not hold."""
    wrong = [f"fault: {problem['message']}" for problem in report["problems"]]
    negamax = report["games"].get("opponents", {}).get("negamax")
    if negamax is None or negamax["score"] < LEAST_SCORE:
        score = "no games" if negamax is None else f"{negamax['score']:.3f}"
        wrong.append(f"score against negamax: {score}, asked is {LEAST_SCORE}")
    timing = report["timing"]
    for name, key, most in (
        ("worst turn after the first", "worst_later_turn_s", MOST_TURN_S),
        ("import", "import_s", MOST_IMPORT_S),
    ):
        if timing and timing[key] >= most:
            wrong.append(f"{name}: {timing[key]:.3f} s, asked is less than {most} s")
    return wrong


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("archive", type=Path)
    parser.add_argument("--games", type=int, default=200, help="in each seat order")
    parser.add_argument("--seed", type=int, default=0, help="of the official agents")
    parser.add_argument("--out", type=Path, help="write the table there too")
    words = parser.parse_args()
    report = verify(words.archive, words.games, words.seed)
    wrong = missed(report)
    parts = [table(report)] if report["timing"] else []
    text = "\n".join([*parts, "", *(wrong or ["All bars are kept."])])
    print(text)
    if words.out:
        words.out.write_text(text + "\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
