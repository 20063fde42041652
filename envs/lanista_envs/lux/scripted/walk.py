"""The shortest ways from one cell to all others, around what blocks them. Portable."""

from lanista_envs.lux.state import CENTER, Games

from .room import BLOCKED, Sight


def walk(start: int, team: int, loaded: bool, sight: Sight) -> int:
    """Fill `steps`, `way` and `reached` from `start`; give how many cells were reached.

    Enemy city tiles are walls; own ones too for the `loaded`, who would lose their load there. Units are in the
    way of the first step only: until the others are reached they will have moved.
    """
    near, tile_team = sight.near, sight.tile_team
    steps, way, reached, claim = sight.steps, sight.way, sight.reached, sight.claim
    nowhere = near.shape[0] - 1
    wall = 1 - team
    # Who is not loaded passes own tiles; no tile is of team 2.
    home = team if loaded else 2
    steps[:] = -1
    # Marks nowhere as seen, so that no walk leaves the board.
    steps[nowhere] = 0
    steps[start] = 0
    way[start] = CENTER
    reached[0] = start
    count = 1
    for d in range(4):
        other = near[start, d]
        owner = tile_team[other]
        if other == nowhere or owner in (wall, home) or (owner < 0 and claim[other] & BLOCKED != 0):
            continue
        steps[other] = 1
        way[other] = d
        reached[count] = other
        count += 1
    k = 1
    while k < count:
        cell = reached[k]
        ahead = steps[cell] + 1
        direction = way[cell]
        k += 1
        for d in range(4):
            other = near[cell, d]
            if steps[other] >= 0:
                continue
            owner = tile_team[other]
            if owner in (wall, home):
                continue
            steps[other] = ahead
            way[other] = direction
            reached[count] = other
            count += 1
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
