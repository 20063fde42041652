"""What the network's choices become where they get in each other's way. Portable.

Each unit is asked by itself, so two may move into one cell, or more tiles may build than there is room for units. The
rules then refuse moves and builds, dearer than need be. Three things are put right, by the network's own scores:

1. More builds than room: the tiles that want it most build, the others take their best choice that builds nothing.
2. A move into a cell outside cities where somebody stays (an own unit that does not move, or another team's unit that
   cannot yet) would not be carried out.
3. Of several moves into one cell outside cities none would be carried out: the one that wants it most goes.

Who may not go takes its best other move, or stays, whichever is scored higher: a refused move costs nothing, so
nothing that costs something takes its place. How much a unit wants a choice is how far its score lies above that of the
best way out.
"""

import numpy as np
import numpy.typing as npt

from .choices import CART_HERE, MOVE_NORTH, NOTHING, RESEARCH_HERE, TILE, WORKER_HERE, Rows
from .state import READY, Board, Games

#: the last of the four moves
MOVE_WEST = MOVE_NORTH + 3

#: ``[U, NUM_CHOICES]``: the network's logits
Scores = npt.NDArray[np.float32]


def settle_choices(
    g: int, team: int, kinds: Rows, slots: Rows, legal: npt.NDArray[np.bool_], scores: Scores, choices: Rows,
    board: Board, games: Games,
) -> Rows:  # fmt: skip
    """Give the choices of a seat's rows (``[U]``) with conflicts settled; see the module."""
    open_scores = np.where(legal, scores.astype(np.float64), -np.inf)
    settled = choices.astype(np.int64, copy=True)
    settle_builds(g, team, kinds, open_scores, settled, games)
    settle_moves(g, team, kinds, slots, open_scores, settled, board, games)
    return settled


def settle_builds(
    g: int, team: int, kinds: Rows, scores: npt.NDArray[np.float64], settled: Rows, games: Games
) -> None:
    """Let no more tiles build than there is room for units."""
    room = max(int(games.num_tiles[g, team]) - int(games.num_units[g, team]), 0)
    builds = [
        row for row in range(len(settled)) if kinds[row] == TILE and settled[row] in (WORKER_HERE, CART_HERE)
    ]
    ways_out = (NOTHING, RESEARCH_HERE)
    wish = {row: scores[row, settled[row]] - max(scores[row, way] for way in ways_out) for row in builds}
    for row in sorted(builds, key=lambda row: (-wish[row], row))[room:]:
        settled[row] = max(ways_out, key=lambda way: scores[row, way])


def settle_moves(
    g: int, team: int, kinds: Rows, slots: Rows, scores: npt.NDArray[np.float64], settled: Rows,
    board: Board, games: Games,
) -> None:  # fmt: skip
    """Let no two units move into one cell, nor one where somebody stays."""
    units = [row for row in range(len(settled)) if kinds[row] != TILE]
    cell_of = {row: int(games.unit_cell[g, team, slots[row]]) for row in units}
    asked = {int(slots[row]) for row in units}
    fixed = {
        int(games.unit_cell[g, team, slot]) for slot in range(games.num_units[g, team]) if slot not in asked
    }
    other = 1 - team
    for slot in range(games.num_units[g, other]):
        if games.unit_cooldown[g, other, slot] >= READY:
            fixed.add(int(games.unit_cell[g, other, slot]))
    #: moves that a row has lost
    lost: dict[int, set[int]] = {row: set() for row in units}

    def target_of(row: int) -> int:
        choice = int(settled[row])
        return int(board.near[cell_of[row], choice - MOVE_NORTH]) if MOVE_NORTH <= choice <= MOVE_WEST else -1

    def way_out(row: int) -> int:
        ways = [way for way in range(NOTHING, MOVE_WEST + 1) if way not in lost[row] and way != settled[row]]
        return max(ways, key=lambda way: scores[row, way])

    # Each round takes a move away from somebody, so the rounds end.
    while True:
        arrivals: dict[int, list[int]] = {}
        stays = set(fixed)
        for row in units:
            target = target_of(row)
            if target < 0:
                stays.add(cell_of[row])
            elif games.tile_team[g, target] < 0:
                arrivals.setdefault(target, []).append(row)
        refused = []
        for target, rows in arrivals.items():
            rows.sort(key=lambda row: (scores[row, way_out(row)] - scores[row, settled[row]], row))
            refused += rows if target in stays else rows[1:]
        if not refused:
            return
        for row in refused:
            instead = way_out(row)
            lost[row].add(int(settled[row]))
            settled[row] = instead


assert NOTHING == 0
