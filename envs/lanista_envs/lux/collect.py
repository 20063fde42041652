"""Workers collect: uranium for everybody, then coal, then wood. All ask before anybody is served. Portable.

A worker on a city tile asks for its city, as much as it has room itself; equal requests from one cell count once.
Tiles are served in the order in which they were first asked. Everybody gets the same, as often as the least that
is asked for allows; what cannot be divided is lost, and so is what a worker has no room for.
"""

from .scratch import Scratch
from .state import (
    CAPACITY,
    COLLECT_RATE,
    FUEL_VALUE,
    GOT_WOOD,
    NO_RESOURCE,
    RESEARCH_NEEDED,
    URANIUM,
    WOOD,
    WORKER,
    Board,
    Games,
)


def collect(first: int, last: int, block: int, board: Board, games: Games, scratch: Scratch) -> None:
    """Play the collection of the games first..last-1."""
    num_units, unit_kind, unit_cell = games.num_units, games.unit_kind, games.unit_cell
    kinds_near, research, gatherer = games.kinds_near, games.research, scratch.gatherer
    cells = unit_cell.shape[2]
    for g in range(first, last):
        if games.over[g]:
            continue
        workers = 0
        seen = 0
        for team in range(2):
            open_kinds = 1 << WOOD
            for kind in range(WOOD + 1, URANIUM + 1):
                if research[g, team] >= RESEARCH_NEEDED[kind - 1]:
                    open_kinds |= 1 << kind
            for u in range(num_units[g, team]):
                kinds = kinds_near[g, unit_cell[g, team, u]] & open_kinds
                if kinds != 0 and unit_kind[g, team, u] == WORKER:
                    seen |= kinds
                    gatherer[block, workers] = team * cells + u
                    workers += 1
        for kind in range(URANIUM, NO_RESOURCE, -1):
            if seen & (1 << kind) != 0:
                tiles = ask(g, block, kind, workers, board, games, scratch)
                for k in range(tiles):
                    serve(g, block, scratch.stack[block, k], kind, board, games, scratch)


def ask(g: int, block: int, kind: int, workers: int, board: Board, games: Games, scratch: Scratch) -> int:
    """Write down all requests for `kind`; give the number of tiles asked, which lie in `stack`."""
    near, resource_kind, kinds_near = board.near, games.resource_kind, games.kinds_near
    unit_cell, unit_cargo, research = games.unit_cell, games.unit_cargo, games.research
    tile_team, tile_city = games.tile_team, games.tile_city
    head, link, stack, gatherer = scratch.head, scratch.link, scratch.stack, scratch.gatherer
    ask_from, ask_amount, ask_who = scratch.ask_from, scratch.ask_amount, scratch.ask_who
    cells = unit_cell.shape[2]
    rate = COLLECT_RATE[kind - 1]
    tiles = 0
    asks = 0
    for k in range(workers):
        who = gatherer[block, k]
        team = 1 if who >= cells else 0
        u = who - team * cells
        here = unit_cell[g, team, u]
        if kinds_near[g, here] & (1 << kind) == 0 or research[g, team] < RESEARCH_NEEDED[kind - 1]:
            continue
        reachable = 0
        for side in range(5):
            reachable += 1 if resource_kind[g, near[here, side]] == kind else 0
        room = CAPACITY[WORKER] - (
            unit_cargo[g, team, u, 0] + unit_cargo[g, team, u, 1] + unit_cargo[g, team, u, 2]
        )
        wanted = min((room + reachable - 1) // reachable, rate)
        in_city = tile_team[g, here] == team
        if in_city:
            who = -1 - tile_city[g, here]
        for side in range(5):
            cell = near[here, side]
            if resource_kind[g, cell] != kind:
                continue
            entry = head[block, cell]
            if entry == 0:
                stack[block, tiles] = cell
                tiles += 1
            elif in_city:
                while entry > 0 and not (
                    ask_from[block, entry - 1] == here and ask_amount[block, entry - 1] == wanted
                ):
                    entry = link[block, entry - 1]
                if entry > 0:
                    continue
            ask_from[block, asks] = here
            ask_amount[block, asks] = wanted
            ask_who[block, asks] = who
            link[block, asks] = head[block, cell]
            asks += 1
            head[block, cell] = asks
    return tiles


def serve(g: int, block: int, cell: int, kind: int, board: Board, games: Games, scratch: Scratch) -> None:
    """Share one tile out among those who asked for it, and forget their requests."""
    head, link, ask_amount = scratch.head, scratch.link, scratch.ask_amount
    left = int(games.resource_amount[g, cell])
    while head[block, cell] > 0 and left > 0:
        count = 0
        least = 32767
        total = 0
        entry = head[block, cell]
        while entry > 0:
            count += 1
            least = min(least, int(ask_amount[block, entry - 1]))
            total += ask_amount[block, entry - 1]
            entry = link[block, entry - 1]
        if total == 0:
            break
        share = min(least, left // count)
        before = 0
        entry = head[block, cell]
        while entry > 0:
            if share > 0:
                give(g, scratch.ask_who[block, entry - 1], share, kind, games)
            ask_amount[block, entry - 1] -= share
            after = link[block, entry - 1]
            if ask_amount[block, entry - 1] > 0:
                before = entry
            elif before > 0:
                link[block, before - 1] = after
            else:
                head[block, cell] = after
            entry = after
        left -= share * count
        if left < count:
            left = 0
    head[block, cell] = 0
    games.resource_amount[g, cell] = left
    if left == 0:
        games.resource_kind[g, cell] = NO_RESOURCE
        for side in range(5):
            look_around(g, board.near[cell, side], board, games)


def give(g: int, who: int, amount: int, kind: int, games: Games) -> None:
    """Give `amount` to a worker, as far as it has room, or as fuel to a city."""
    if who < 0:
        games.city_fuel[g, -1 - who] += amount * FUEL_VALUE[kind - 1]
        team = int(games.city_team[g, -1 - who])
    else:
        cells = games.unit_cell.shape[2]
        team = 1 if who >= cells else 0
        u = who - team * cells
        cargo = games.unit_cargo
        room = CAPACITY[WORKER] - (cargo[g, team, u, 0] + cargo[g, team, u, 1] + cargo[g, team, u, 2])
        amount = min(amount, int(room))
        cargo[g, team, u, kind - 1] += amount
    games.flows[g, team, GOT_WOOD + kind - 1] += amount


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
