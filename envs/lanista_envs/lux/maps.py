"""Which official maps are trained on, and which are held out: figures are taken on maps that no policy has seen.

The competition's map seeds lie below 10^9. The last hundredth of them is held out, ten million maps of each size; small
seeds, as people write them by hand, are maps to train on.
"""

from typing import Literal

SEEDS = 1_000_000_000
HELD_OUT = 990_000_000

#: the maps that are played
Maps = Literal["train", "held_out", "all"]


def seeds_of(maps: Maps) -> range:
    """The seeds of the maps that are played."""
    return range(HELD_OUT if maps == "held_out" else 0, HELD_OUT if maps == "train" else SEEDS)
