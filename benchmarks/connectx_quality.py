"""The share of moves that keep the solved value, on 1,000 fixed Connect X positions.

    python benchmarks/connectx_quality.py runs/demo submission.tar.gz policy.onnx connectx_negamax:depth=4 random

A player is a run's, policy's or member's folder (its greedy choice), an ONNX file, an archive (or its `main.py`,
played the way Kaggle loads it), or a scripted player of the registry. A win that becomes a draw or a loss, and
a draw that becomes a loss, is a value given away. Every position has a move that keeps the value and one that
does not (`connectx_positions.py`); the last line says what a player that chooses at random would score.
Intervals: Wilson, 95 %.
"""

import argparse
import json
import os
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
from connectx_positions import COLUMNS, ROWS, Positions, read_positions

from lanista.contenders import find_contender
from lanista.intervals import wilson
from lanista.plugins import load_plugins

#: ``[P]`` the column that a player chooses in each position
Choices = npt.NDArray[np.int64]

#: Plays an archive as the platform loads it; reads boards from stdin, writes columns to stdout's own file.
AGENT = """
import contextlib, json, os, sys
main, answer = sys.argv[1], sys.argv[2]
boards = json.load(sys.stdin)
found = {}
sys.path.append(os.path.dirname(main))
exec(compile(open(main).read(), main, "exec"), found)
sys.path.pop()
agent = [value for value in found.values() if callable(value)][-1]
config = {"rows": 6, "columns": 7, "inarow": 4, "actTimeout": 2, "episodeSteps": 1000, "timeout": 2,
          "runTimeout": 1200, "__raw_path__": main}
take = agent.__code__.co_argcount if hasattr(agent, "__code__") else 2
moves = []
for board in boards:
    stones = sum(cell != 0 for cell in board)
    obs = {"board": board, "mark": stones % 2 + 1, "step": stones, "remainingOverageTime": 60.0}
    moves.append(int(agent(*(obs, config)[:take])))
json.dump(moves, open(answer, "w"))
"""


def choices_of_archive(path: Path, positions: Positions) -> Choices:
    """Unpack if need be, and play in a fresh process with another current folder."""
    with tempfile.TemporaryDirectory() as folder:
        main, answer = path.resolve(), Path(folder) / "answer.json"
        if path.suffix != ".py":
            with tarfile.open(path) as archive:
                archive.extractall(Path(folder) / "agent", filter="data")
            main = Path(folder) / "agent" / "main.py"
        elsewhere = Path(folder) / "elsewhere"
        elsewhere.mkdir()
        subprocess.run(
            [sys.executable, "-c", AGENT, str(main), str(answer)],
            input=json.dumps(positions.boards().tolist()), text=True, check=True, cwd=elsewhere,
            env={**os.environ, "OMP_NUM_THREADS": "1"}, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        return np.array(json.loads(answer.read_text()), np.int64)


def choices_of_onnx(path: Path, positions: Positions) -> Choices:
    """All positions in one batch."""
    import onnxruntime

    from lanista_envs.connectx.codec import observe

    config = {"rows": ROWS, "columns": COLUMNS, "inarow": 4}
    seen = [
        observe({"board": board, "mark": np.count_nonzero(board) % 2 + 1}, config)
        for board in positions.boards().tolist()
    ]
    feeds = {name: np.stack([observation[name] for observation, _ in seen]) for name in seen[0][0]}
    feeds |= {f"legal_{name}": np.stack([legal[name] for _, legal in seen]) for name in seen[0][1]}
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    (logits,) = session.run(["logits_column"], feeds)
    return np.asarray(logits).argmax(axis=1).astype(np.int64)


def choices_of_contender(text: str, positions: Positions) -> Choices:
    """A policy plays greedily; a scripted player draws from its own stream, seed 0."""
    registry = load_plugins().registry
    settings = registry.settings("envs", "connectx", {"rows": ROWS, "columns": COLUMNS})
    env = registry.load("envs", "connectx")(1, settings, 1)
    player = find_contender(text, registry).player(registry, env.spec, seed=0, sample=False)
    chosen = []
    for board in positions.boards():
        env.start_from(board)
        env.reset(0)
        seat = np.flatnonzero(env.acting[0])
        chosen.append(int(player.act(env, np.zeros(1, np.int64), seat)["column"][0]))
    return np.array(chosen, np.int64)


def choices(text: str, positions: Positions) -> Choices:
    """Let the player that `text` names choose in every position."""
    path = Path(text)
    if path.is_file():
        way: Callable[[Path, Positions], Choices] = (
            choices_of_onnx if path.suffix == ".onnx" else choices_of_archive
        )
        return way(path, positions)
    return choices_of_contender(text, positions)


def share(kept: npt.NDArray[np.bool_]) -> str:
    """Share and interval as text."""
    low, high = wilson(float(kept.sum()), len(kept))
    return f"{kept.mean():.3f} ({low:.3f} to {high:.3f})"


def report(players: list[str], positions: Positions) -> str:
    """One row a player."""
    keeps = positions.keeps()
    best = np.where(positions.values == 2, -2, positions.values).max(axis=1)
    stones = (positions.moves >= 0).sum(axis=1)
    groups = {
        f"all {len(best):,}": np.ones(len(best), np.bool_),
        f"won {int((best == 1).sum())}": best == 1,
        f"drawn {int((best == 0).sum())}": best == 0,
        "8 to 16 stones": stones <= 16,
        "17 to 25": (stones > 16) & (stones <= 25),
        "26 to 33": stones > 25,
    }
    lines = [f"| player | {' | '.join(groups)} |", f"| --- |{' ---: |' * len(groups)}"]
    for player in players:
        chosen = choices(player, positions)
        if ((chosen < 0) | (chosen >= COLUMNS)).any():
            raise SystemExit(
                f"{player} chose column {chosen[(chosen < 0) | (chosen >= COLUMNS)][0]}, which is none"
            )
        kept = keeps[np.arange(len(chosen)), chosen]
        lines.append(f"| {player} | {' | '.join(share(kept[group]) for group in groups.values())} |")
    chance = keeps.sum(axis=1) / (positions.values != 2).sum(axis=1)
    expected = " | ".join(f"{chance[group].mean():.3f}" for group in groups.values())
    return "\n".join([*lines, f"| any legal move, expected | {expected} |"])


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("players", nargs="+", help="folders, files or scripted players")
    parser.add_argument("--out", type=Path, help="write the table there too")
    words = parser.parse_args()
    table = report(words.players, read_positions())
    print(table)
    if words.out:
        words.out.write_text(table + "\n")


if __name__ == "__main__":
    main()
