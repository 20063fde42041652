"""The shortest ways from one cell to others, ring by ring, around what blocks them. Portable.

A walk grows only as far as somebody looks: ring d holds the cells that are d steps away, and the next one is made when
it is asked for. Most workers find what they want within a few steps, so most of the board is never walked.
"""

from lanista_envs.lux.state import CENTER, Games

from .room import BLOCKED, RINGS, Sight


def set_out(start: int, sight: Sight) -> None:
    """Begin a walk from `start`, which alone is ring 0."""
    sight.steps[:] = -1
    # Marks nowhere as seen, so that no walk leaves the board.
    sight.steps[sight.near.shape[0] - 1] = 0
    sight.steps[start] = 0
    sight.way[start] = CENTER
    sight.reached[0] = start
    sight.ring[0] = 0
    sight.ring[1] = 1
    sight.total[RINGS] = 1


def end_of_ring(d: int, team: int, loaded: bool, sight: Sight) -> int:
    """Where ring d ends in `reached` (it begins where ring d - 1 ends); walks on to it if it is the next one.

    Enemy city tiles are walls; own ones too for the `loaded`, who would lose their load there. Units are in the
    way of the first step only: until the others are reached they will have moved.
    """
    ring = sight.ring
    if d < sight.total[RINGS]:
        return int(ring[d + 1])
    near, tile_team, claim = sight.near, sight.tile_team, sight.claim
    steps, way, reached = sight.steps, sight.way, sight.reached
    wall = 1 - team
    # Who is not loaded passes own tiles; no tile is of team 2.
    home = team if loaded else 2
    count = int(ring[d])
    for k in range(int(ring[d - 1]), count):
        cell = reached[k]
        direction = way[cell]
        for side in range(4):
            other = near[cell, side]
            if steps[other] >= 0:
                continue
            owner = tile_team[other]
            if owner in (wall, home):
                continue
            if d == 1:
                if owner < 0 and claim[other] & BLOCKED != 0:
                    continue
                direction = side
            steps[other] = d
            way[other] = direction
            reached[count] = other
            count += 1
    ring[d + 1] = count
    sight.total[RINGS] = d + 1
    return count


def spread(g: int, team: int, games: Games, sight: Sight) -> None:
    """Fill `away`: steps from the nearest own city tile or unit, enemy city tiles walked around; -1 out of reach."""
    near, tile_team, away, reached = sight.near, sight.tile_team, sight.away, sight.reached
    away[:] = -1
    away[near.shape[0] - 1] = 0
    count = 0
    for cell in range(near.shape[0] - 1):
        if tile_team[cell] == team:
            away[cell] = 0
            reached[count] = cell
            count += 1
    for u in range(games.num_units[g, team]):
        cell = int(games.unit_cell[g, team, u])
        if away[cell] < 0:
            away[cell] = 0
            reached[count] = cell
            count += 1
    k = 0
    while k < count:
        cell = int(reached[k])
        k += 1
        for d in range(4):
            other = near[cell, d]
            if away[other] < 0 and tile_team[other] != 1 - team:
                away[other] = away[cell] + 1
                reached[count] = other
                count += 1
