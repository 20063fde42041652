"""Play games in the official program and write them down, for the tests that hold the rules against them.

Needs node and a Python that has kaggle-environments; from the checkout's root, with lanista's own Python:

    python tests/envs/lux/record_lux_games.py JUDGE_PYTHON tests/envs/lux/lux_games.npz

Kept are the action strings of every turn, and of everything that the official program said a checksum a turn and
kind of line, so that a test can name the first turn and field that differ. Each game takes its orders from its own
seeded stream.
"""

import json
import sys
import zlib
from pathlib import Path

import numpy as np

from lanista_envs.lux.games import LuxGames
from lanista_envs.lux.official import Official, find_program
from lanista_envs.lux.parity import play_match

FIELDS = ("rp", "r", "u", "c", "ct", "ccd", "D_DONE", "globalUnitIDCount", "globalCityIDCount", "end")
#: side, drivers, games
GAMES = (
    (12, ("keeper", "keeper"), 6), (12, ("crowd", "odd"), 4), (12, ("odd", "crowd"), 4), (12, ("legal", "odd"), 2),
    (16, ("keeper", "crowd"), 4), (16, ("odd", "keeper"), 3), (24, ("keeper", "crowd"), 3),
    (24, ("crowd", "keeper"), 2), (32, ("keeper", "keeper"), 3), (32, ("crowd", "odd"), 3), (20, ("keeper", "odd"), 2),
    (8, ("crowd", "keeper"), 2),
)  # fmt: skip
#: sides (0: the seed chooses) and seeds of the maps
MAPS = ((12, 150), (16, 100), (24, 100), (32, 100), (0, 60), (8, 40), (20, 20), (13, 20))


def checksums(updates, last_unit_id, last_city_id, finished):
    """One number for each of `FIELDS`."""
    lines = {name: [] for name in FIELDS}
    for line in updates:
        lines.get(line.split(" ", 1)[0], lines["rp"]).append(line)
    texts = ["\n".join(lines[name]) for name in FIELDS[:7]]
    texts += [str(int(number)) for number in (last_unit_id, last_city_id, finished)]
    return [zlib.crc32(text.encode()) for text in texts]


def record(program):
    """Give everything as a dictionary of arrays."""
    about, actions, sums, maps, sizes = [], [], [], [], []
    with Official(program) as official:
        for side, drivers, count in GAMES:
            games = LuxGames(1, side)
            for seed in range(count):
                match = play_match(official, games, 1000 * side + seed, drivers)
                print(match)
                if match.difference is not None:
                    raise AssertionError(
                        "the record must be made with rules that agree with the official program"
                    )
                about.append((match.seed, side, match.turns))
                actions += match.actions
                sums += [checksums(s.updates, s.last_unit_id, s.last_city_id, s.finished) for s in match.seen]
        for side, count in MAPS:
            for seed in range(count):
                seen = official.start(seed, side or -1, side or -1)
                maps.append((seed, side, zlib.crc32("\n".join(seen.updates).encode())))
                sizes.append(int(seen.updates[1].split()[0]))
    return {
        "fields": np.array(FIELDS),
        "games": np.array(about, np.int64),
        "actions": np.frombuffer(json.dumps(actions, separators=(",", ":")).encode(), np.uint8),
        "checksums": np.array(sums, np.uint32),
        "maps": np.array(maps, np.int64),
        "sizes": np.array(sizes, np.int64),
    }


if __name__ == "__main__":
    np.savez_compressed(sys.argv[2], **record(find_program(Path(sys.argv[1]))))
