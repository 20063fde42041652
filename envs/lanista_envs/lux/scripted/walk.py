"""The shortest ways from one cell to all others, around what blocks them. Portable."""

from ..state import Board, Games
from .room import BLOCKED, Room


def walk(start: int, g: int, team: int, b: int, loaded: bool, board: Board, games: Games, room: Room) -> int:
    """Fill `steps`, `way` and `reached` from `start`; give how many cells were reached.

    Enemy city tiles are walls; own ones too for the `loaded`, who would lose their load there. Units are in the
    way of the first step only: until the others are reached they will have moved.
    """
    near, tile_team = board.near, games.tile_team
    steps, way, reached, claim = room.steps, room.way, room.reached, room.claim
    nowhere = near.shape[0] - 1
    steps[b] = -1
    # Marks nowhere as seen, so that no walk leaves the board.
    steps[b, nowhere] = 0
    steps[b, start] = 0
    way[b, start] = 4
    reached[b, 0] = start
    count = 1
    for d in range(4):
        other = near[start, d]
        owner = tile_team[g, other]
        if (
            other == nowhere
            or owner == 1 - team
            or (loaded and owner == team)
            or (owner < 0 and claim[b, other] & BLOCKED != 0)
        ):
            continue
        steps[b, other] = 1
        way[b, other] = d
        reached[b, count] = other
        count += 1
    k = 1
    while k < count:
        cell = reached[b, k]
        k += 1
        for d in range(4):
            other = near[cell, d]
            if (
                steps[b, other] >= 0
                or tile_team[g, other] == 1 - team
                or (loaded and tile_team[g, other] == team)
            ):
                continue
            steps[b, other] = steps[b, cell] + 1
            way[b, other] = way[b, cell]
            reached[b, count] = other
            count += 1
    return count


def spread(g: int, team: int, b: int, board: Board, games: Games, room: Room) -> None:
    """Fill `away`: steps from the nearest own city tile or unit, enemy city tiles walked around; -1 out of reach."""
    near, tile_team = board.near, games.tile_team
    away, reached = room.away, room.reached
    away[b] = -1
    away[b, near.shape[0] - 1] = 0
    count = 0
    for city in range(games.num_cities[g]):
        if games.city_team[g, city] == team:
            cell = int(games.city_first[g, city])
            while cell >= 0:
                away[b, cell] = 0
                reached[b, count] = cell
                count += 1
                cell = int(games.tile_next[g, cell])
    for u in range(games.num_units[g, team]):
        cell = int(games.unit_cell[g, team, u])
        if away[b, cell] < 0:
            away[b, cell] = 0
            reached[b, count] = cell
            count += 1
    k = 0
    while k < count:
        cell = int(reached[b, k])
        k += 1
        for d in range(4):
            other = near[cell, d]
            if away[b, other] < 0 and tile_team[g, other] != 1 - team:
                away[b, other] = away[b, cell] + 1
                reached[b, count] = other
                count += 1
