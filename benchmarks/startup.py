"""How long a person waits before anything happens: imports and the first commands, each in a fresh process.

    python benchmarks/startup.py [--repeats 20]

Prints median and range in seconds, beside an empty Python, and fails where a bar is missed:
`import lanista` under 0.3 s, `lanista --help` under 0.6 s.
"""

import argparse
import statistics
import subprocess
import sys
import time

MAIN = "import sys; from lanista.cli import main; sys.exit(main({words!r}))"
#: what is measured, its code, and its bar in seconds
CASES = {
    "python": ("pass", None),
    "import lanista": ("import lanista", 0.3),
    "import lanista.plugins": ("import lanista.plugins", None),
    "lanista --help": (MAIN.format(words=["--help"]), 0.6),
    "lanista plugins": (MAIN.format(words=["plugins"]), None),
    "lanista recipes": (MAIN.format(words=["recipes"]), None),
    "lanista verify --help": (MAIN.format(words=["verify", "--help"]), None),
}


def seconds(code: str, repeats: int) -> list[float]:
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=False, capture_output=True)
        times.append(time.perf_counter() - start)
    return times


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeats", type=int, default=20, help="fresh processes a case")
    repeats = parser.parse_args().repeats
    missed = []
    for name, (code, bar) in CASES.items():
        seconds(code, 1)  # the files come into the page cache
        times = seconds(code, repeats)
        median = statistics.median(times)
        told = "" if bar is None else f"  bar {bar} s: {'kept' if median < bar else 'MISSED'}"
        print(
            f"{name:24s} median {median:.3f} s  ({min(times):.3f} to {max(times):.3f}, n = {repeats}){told}"
        )
        if bar is not None and median >= bar:
            missed.append(name)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
