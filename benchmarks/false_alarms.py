"""How often two groups of runs that do not differ are told apart, by the bootstrap interval alone and by `lanista compare`.

    python benchmarks/false_alarms.py --pairs 400

Runs are drawn from one distribution: a normal one, and one of two values (solved, not solved) as saturated returns are.
"""

import argparse
from collections.abc import Callable

import numpy as np

from lanista.statistics.difference import iqm_difference

SOURCES: dict[str, Callable[[np.random.Generator, int], np.ndarray]] = {
    "normal": lambda rng, runs: rng.normal(size=runs),
    "200 or 500": lambda rng, runs: rng.choice([200.0, 500.0], size=runs),
}


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--pairs", type=int, default=400)
    words.add_argument("--seed", type=int, default=0)
    given = words.parse_args()
    rng = np.random.default_rng(given.seed)
    print("| scores | runs a group | interval leaves out 0 | shown by `lanista compare` |")
    print("| --- | ---: | ---: | ---: |")
    for name, draw in SOURCES.items():
        for runs in (3, 4, 5, 10):
            alone = shown = 0
            for pair in range(given.pairs):
                found = iqm_difference(draw(rng, runs), draw(rng, runs), seed=pair)
                alone += found.interval.low > 0 or found.interval.high < 0
                shown += found.shown()
            print(f"| {name} | {runs} | {alone / given.pairs:.3f} | {shown / given.pairs:.3f} |", flush=True)


if __name__ == "__main__":
    main()
