"""Workers collect: uranium for everybody, then coal, then wood. All ask before anybody is served. Portable.

A worker on a city tile asks for its city, as much as it has room itself; equal requests from one cell count once.
Tiles are served in the order in which they were first asked. Everybody gets the same, as often as the least that
is asked for allows; what cannot be divided is lost, and so is what a worker has no room for.
"""

from .scratch import Scratch
from .state import (
    CAPACITY,
    COAL,
    COLLECT_RATE,
    FUEL_VALUE,
    GOT_WOOD,
    NO_RESOURCE,
    RESEARCH_NEEDED,
    URANIUM,
    WOOD,
    WOOD_CAP,
    WORKER,
    Board,
    Games,
)


def collect(first: int, last: int, block: int, board: Board, games: Games, scratch: Scratch) -> None:
    """Play the collection of the games first..last-1.

    One long function, since a call that hands over all arrays takes longer than a worker's whole turn.
    """
    near, over, num_units, research = board.near, games.over, games.num_units, games.research
    unit_kind, unit_cell, unit_cargo = games.unit_kind, games.unit_cell, games.unit_cargo
    resource_kind, resource_amount = games.resource_kind, games.resource_amount
    kinds_near, flows = games.kinds_near, games.flows
    tile_team, tile_city, city_fuel = games.tile_team, games.tile_city, games.city_fuel
    head, link, stack, gatherer = scratch.head, scratch.link, scratch.stack, scratch.gatherer
    ask_from, ask_amount, ask_who = scratch.ask_from, scratch.ask_amount, scratch.ask_who
    cells = unit_cell.shape[2]
    for g in range(first, last):
        if over[g]:
            continue
        # Workers beside something that their team may collect.
        workers = 0
        seen = 0
        for team in range(2):
            open_kinds = 1 << WOOD
            for kind in range(COAL, URANIUM + 1):
                if research[g, team] >= RESEARCH_NEEDED[kind - 1]:
                    open_kinds |= 1 << kind
            for u in range(num_units[g, team]):
                kinds = kinds_near[g, unit_cell[g, team, u]] & open_kinds
                if kinds != 0 and unit_kind[g, team, u] == WORKER:
                    seen |= kinds
                    gatherer[block, workers] = team * cells + u
                    workers += 1
        for kind in range(URANIUM, NO_RESOURCE, -1):
            if seen & (1 << kind) == 0:
                continue
            rate, value = COLLECT_RATE[kind - 1], FUEL_VALUE[kind - 1]
            # All requests, in the order of the workers.
            tiles = 0
            asks = 0
            for k in range(workers):
                team = 1 if gatherer[block, k] >= cells else 0
                u = gatherer[block, k] - team * cells
                here = unit_cell[g, team, u]
                if kinds_near[g, here] & (1 << kind) == 0 or research[g, team] < RESEARCH_NEEDED[kind - 1]:
                    continue
                reachable = 0
                for side in range(5):
                    reachable += 1 if resource_kind[g, near[here, side]] == kind else 0
                room = (
                    CAPACITY[WORKER]
                    - unit_cargo[g, team, u, 0]
                    - unit_cargo[g, team, u, 1]
                    - unit_cargo[g, team, u, 2]
                )
                wanted = min((room + reachable - 1) // reachable, rate)
                in_city = tile_team[g, here] == team
                for side in range(5):
                    cell = near[here, side]
                    if resource_kind[g, cell] != kind:
                        continue
                    entry = head[block, cell] - 1
                    if entry < 0:
                        stack[block, tiles] = cell
                        tiles += 1
                    elif in_city:
                        while entry >= 0 and not (
                            ask_from[block, entry] == here and ask_amount[block, entry] == wanted
                        ):
                            entry = link[block, entry] - 1
                        if entry >= 0:
                            continue
                    ask_from[block, asks] = here
                    ask_amount[block, asks] = wanted
                    ask_who[block, asks] = -1 - here if in_city else gatherer[block, k]
                    link[block, asks] = head[block, cell]
                    asks += 1
                    head[block, cell] = asks
            # Tile by tile, in rounds in which everybody gets what the smallest request allows.
            for k in range(tiles):
                tile = stack[block, k]
                before = int(resource_amount[g, tile])
                left = before
                while left > 0 and head[block, tile] > 0:
                    count = 0
                    least = left
                    total = 0
                    entry = head[block, tile] - 1
                    while entry >= 0:
                        count += 1
                        least = min(least, int(ask_amount[block, entry]))
                        total += int(ask_amount[block, entry])
                        entry = link[block, entry] - 1
                    if total == 0:
                        break
                    share = min(least, left // count)
                    previous = -1
                    entry = head[block, tile] - 1
                    while entry >= 0:
                        who = ask_who[block, entry]
                        got = share
                        if who < 0:
                            team = int(tile_team[g, -1 - who])
                            city_fuel[g, tile_city[g, -1 - who]] += share * value
                        else:
                            team = 1 if who >= cells else 0
                            u = who - team * cells
                            room = (
                                CAPACITY[WORKER]
                                - unit_cargo[g, team, u, 0]
                                - unit_cargo[g, team, u, 1]
                                - unit_cargo[g, team, u, 2]
                            )
                            got = min(share, room)
                            unit_cargo[g, team, u, kind - 1] += got
                        flows[g, team, GOT_WOOD + kind - 1] += got
                        ask_amount[block, entry] -= share
                        if ask_amount[block, entry] > 0:
                            previous = entry
                        elif previous >= 0:
                            link[block, previous] = link[block, entry]
                        else:
                            head[block, tile] = link[block, entry]
                        entry = link[block, entry] - 1
                    left -= share * count
                    if left < count:
                        left = 0
                head[block, tile] = 0
                resource_amount[g, tile] = left
                if left == 0:
                    use_up(g, tile, board, games)
                elif kind == WOOD and before >= WOOD_CAP and left < WOOD_CAP:
                    grow_again(g, tile, games)


def use_up(g: int, cell: int, board: Board, games: Games) -> None:
    """Take an empty resource tile off the map."""
    games.resource_kind[g, cell] = NO_RESOURCE
    for side in range(5):
        look_around(g, board.near[cell, side], board, games)


def grow_again(g: int, cell: int, games: Games) -> None:
    """Write a wood tile down as one that regrows."""
    games.growing[g, games.num_growing[g]] = cell
    games.num_growing[g] += 1


def look_around(g: int, cell: int, board: Board, games: Games) -> None:
    """Bring `kinds_near` of one cell up to date."""
    near = board.near
    if cell == near.shape[0] - 1:
        return
    kinds = 0
    for side in range(5):
        kind = games.resource_kind[g, near[cell, side]]
        if kind != NO_RESOURCE:
            kinds |= 1 << kind
    games.kinds_near[g, cell] = kinds


def survey(g: int, board: Board, games: Games) -> None:
    """Find what follows from the resources of a game: `kinds_near` and `growing`."""
    games.num_growing[g] = 0
    for cell in range(board.near.shape[0] - 1):
        look_around(g, cell, board, games)
        if games.resource_kind[g, cell] == WOOD and games.resource_amount[g, cell] < WOOD_CAP:
            grow_again(g, cell, games)
