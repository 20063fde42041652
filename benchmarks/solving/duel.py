"""The parent process: every (peer, seed) in a process of its own, interleaved so that noise meets all alike."""

import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from time import monotonic
from typing import Any

BENCHMARKS = Path(__file__).resolve().parent.parent
ONE_THREAD = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS")
#: seconds beyond a run's own limit after which its process is ended
GRACE = 600.0


@dataclass(frozen=True)
class Peer:
    """A toolkit and how it is played."""

    name: str
    python: str
    #: module below `benchmarks`
    module: str
    #: what this peer's wish has beside the task's
    options: dict[str, Any] = field(default_factory=dict)
    #: seeds it plays at most, for what takes long; None: all
    most_seeds: int | None = None


class PeerFailed(Exception):  # noqa: N818 - reads as the sentence it is
    """A playing process ended without a record."""


def play(peer: Peer, task: dict[str, Any], seed: int) -> dict[str, Any]:
    """Play one seed in a fresh process in an empty folder and give its record."""
    with tempfile.TemporaryDirectory() as folder:
        record = Path(folder) / "record.json"
        wish = {**task, **peer.options, "seed": seed, "record": str(record)}
        env = {**os.environ, **dict.fromkeys(ONE_THREAD, "1"), "PYTHONPATH": str(BENCHMARKS)}
        load, born = os.getloadavg()[0], monotonic()
        command = [peer.python, "-W", "ignore", "-m", peer.module, json.dumps({**wish, "born": born})]
        ended = subprocess.run(
            command, cwd=folder, env=env, capture_output=True, text=True, check=False,
            timeout=task["limit_s"] + GRACE,
        )  # fmt: skip
        if ended.returncode or not record.is_file():
            raise PeerFailed(
                f"{peer.name}, seed {seed}: ended with {ended.returncode} and no record; its last words:\n"
                f"{ended.stderr[-2000:]}"
            )
        found: dict[str, Any] = json.loads(record.read_text())
    return {"peer": peer.name, "seed": seed, "load": load, **found}


def duel(
    peers: Sequence[Peer], task: dict[str, Any], seeds: Iterable[int], out: Path
) -> list[dict[str, Any]]:
    """Play all seeds peer by peer; `out`/runs.json is written anew after every run."""
    out.mkdir(parents=True, exist_ok=True)
    runs: list[dict[str, Any]] = []
    for count, seed in enumerate(seeds):
        for peer in peers:
            if peer.most_seeds is not None and count >= peer.most_seeds:
                continue
            run = play(peer, task, seed)
            runs.append(run)
            told = "solved" if run["solved"] else "NOT solved"
            print(
                f"seed {seed} {peer.name:24s} {told} after {run['steps']:8,.0f} steps, {run['seconds']:7.3f} s; "
                f"from process start {run['start_seconds'] + run['seconds']:6.2f} s",
                flush=True,
            )
            (out / "runs.json").write_text(
                json.dumps({"machine": machine(), "task": task, "runs": runs}, indent=1)
            )
    return runs


def machine() -> dict[str, Any]:
    """Where and when."""
    return {
        "date": date.today().isoformat(),
        "cpus": os.cpu_count(),
        "processor": _processor(),
        "python": platform.python_version(),
        "system": platform.system(),
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.machine()
    return next(
        (line.partition(": ")[2] for line in lines if line.startswith("model name")), platform.machine()
    )


def fill_kernel_cache(peer: Peer, task: dict[str, Any]) -> None:
    """Let our compiled functions come to rest on the disk, where a user's second run finds them."""
    print("filling numba's cache on disk (not measured) ...", flush=True)
    play(peer, {**task, "limit_s": 2.0, "after": 0}, 999_983)


def own_python() -> str:
    """The interpreter that runs this: ours has lanista installed."""
    return sys.executable
