"""Which moves are cancelled: two into one cell, into somebody who stays, and what follows from that. Portable.

City tiles never collide. On every other cell all arrivals are cancelled, or none: two or more cancel each other
(a unit ordered to stay is an arrival at its own cell), and a single one is cancelled by a unit that stands there
without an accepted move. A unit whose move is cancelled stands where it was, so arrivals there are cancelled too.
"""

from .scratch import Scratch
from .state import Games

#: in `arrivals`: all moves into this cell are cancelled
CANCELLED = -1


def cancel_moves(first: int, last: int, block: int, games: Games, scratch: Scratch) -> None:
    """Take cancelled moves out of `plan` for the games first..last-1."""
    num_units, unit_cell, tile_team = games.num_units, games.unit_cell, games.tile_team
    plan, num_moves = scratch.plan, scratch.num_moves
    mover, move_to = scratch.mover, scratch.move_to
    arrivals, head, link, stack = scratch.arrivals, scratch.head, scratch.link, scratch.stack
    cells = unit_cell.shape[2]
    for g in range(first, last):
        moves = num_moves[g]
        if moves == 0:
            continue
        depth = 0
        for m in range(moves):
            to = move_to[g, m]
            if tile_team[g, to] < 0:
                arrivals[block, to] += 1
                link[block, m] = head[block, to]
                head[block, to] = m + 1
                if arrivals[block, to] == 2:
                    stack[block, depth] = to
                    depth += 1
        for k in range(depth):
            arrivals[block, stack[block, k]] = CANCELLED
        for team in range(2):
            for u in range(num_units[g, team]):
                cell = unit_cell[g, team, u]
                # Arrivals on city tiles are not counted, so a unit there blocks nobody.
                if arrivals[block, cell] == 1 and plan[g, team, u] >= 0:
                    arrivals[block, cell] = CANCELLED
                    stack[block, depth] = cell
                    depth += 1
        while depth > 0:
            depth -= 1
            m = head[block, stack[block, depth]] - 1
            while m >= 0:
                team = 1 if mover[g, m] >= cells else 0
                u = mover[g, m] - team * cells
                plan[g, team, u] = 0
                own = unit_cell[g, team, u]
                if arrivals[block, own] > 0:
                    arrivals[block, own] = CANCELLED
                    stack[block, depth] = own
                    depth += 1
                m = link[block, m] - 1
        for m in range(moves):
            arrivals[block, move_to[g, m]] = 0
            head[block, move_to[g, m]] = 0
