"""What a seat sees of the board as planes, in hundredths: 100 stands for one. Portable.

Small integers instead of floats make a rollout four times smaller and every copy as much faster; the network
divides by 100. Numbers that would not fit stop at 250.
"""

import numpy as np
import numpy.typing as npt

from .state import CART, NO_RESOURCE, RESEARCH_NEEDED, WOOD, Board, Games

#: in the order of the planes: shared ones, then pairs of own and other
PLANES = (
    "wood / 500", "coal / 400", "uranium / 400", "road / 6",
    "a resource that own may collect", "the same of other",
    *(f"{team} {what}" for what in (
        "city tiles", "cities' fuel in night turns / 10", "city tiles' cooldown / 10", "workers / 2", "carts / 2",
        "units that may act / 2", "units' cooldown in turns",
        "wood carried / 100", "coal carried / 100", "uranium carried / 100",
    ) for team in ("own", "other")),
)  # fmt: skip
NUM_PLANES = len(PLANES)
WOOD_PLANE, ROAD, OPEN = 0, 3, 4
TILES, FUEL, TILE_COOLDOWN, WORKERS, CARTS, READY, COOLDOWN, WOOD_CARRIED = 6, 8, 10, 12, 14, 16, 18, 20
#: planes from here on are pairs, own before other
FIRST_PAIR = OPEN
MOST = 250

Planes = npt.NDArray[np.uint8]

#: what one unit of an amount is in a plane of wood, coal, uranium: / 5, / 4, / 4
_AMOUNT_OF_HUNDREDTH = (5, 4, 4)


def carried(amount: int) -> int:
    """A cargo in hundredths of what a worker holds; a cart's rest beyond that counts a twentieth."""
    return amount if amount <= 100 else min(100 + (amount - 100) // 20, MOST)


def write_planes(g: int, seat: int, board: Board, games: Games, planes: Planes) -> None:
    """Write what `seat` sees (``[NUM_PLANES, C]``)."""
    cells = board.width * board.height
    turn = int(games.turn[g])
    planes[:] = 0
    for cell in range(cells):
        kind = int(games.resource_kind[g, cell])
        if kind != NO_RESOURCE:
            amount = int(games.resource_amount[g, cell])
            planes[WOOD_PLANE + kind - WOOD, cell] = min(amount // _AMOUNT_OF_HUNDREDTH[kind - 1], MOST)
            for k in range(2):
                team = seat if k == 0 else 1 - seat
                if games.research[g, team] >= RESEARCH_NEEDED[kind - 1]:
                    planes[OPEN + k, cell] = 100
        planes[ROAD, cell] = 4 * int(games.road[g, cell])
    for city in range(games.num_cities[g]):
        k = 0 if games.city_team[g, city] == seat else 1
        lasts = min(10 * int(games.city_fuel[g, city]) // int(games.city_upkeep[g, city]), MOST)
        cell = games.city_first[g, city]
        while cell >= 0:
            planes[TILES + k, cell] = 100
            planes[FUEL + k, cell] = lasts
            planes[TILE_COOLDOWN + k, cell] = 10 * max(int(games.tile_ready[g, cell]) - turn, 0)
            cell = games.tile_next[g, cell]
    for k in range(2):
        team = seat if k == 0 else 1 - seat
        for u in range(games.num_units[g, team]):
            show_unit(g, team, u, k, games, planes)


def show_unit(g: int, team: int, u: int, k: int, games: Games, planes: Planes) -> None:
    """Add one unit to the planes of own (k = 0) or other (k = 1)."""
    cell = games.unit_cell[g, team, u]
    cooldown = int(games.unit_cooldown[g, team, u])
    sort = CARTS if games.unit_kind[g, team, u] == CART else WORKERS
    planes[sort + k, cell] = min(int(planes[sort + k, cell]) + 50, MOST)
    if cooldown < 4:
        planes[READY + k, cell] = min(int(planes[READY + k, cell]) + 50, MOST)
    # In hundredths of a turn this stops at two and a half turns: who can act soon matters, not who cannot for long.
    planes[COOLDOWN + k, cell] = max(int(planes[COOLDOWN + k, cell]), min(25 * cooldown, MOST))
    for resource in range(3):
        at = WOOD_CARRIED + 2 * resource + k
        planes[at, cell] = min(
            int(planes[at, cell]) + carried(int(games.unit_cargo[g, team, u, resource])), MOST
        )


def turn_planes(planes: Planes, turned: Planes) -> None:
    """Write what the other seat sees, given what one seat sees: pairs change places."""
    for plane in range(FIRST_PAIR):
        for cell in range(planes.shape[1]):
            turned[plane, cell] = planes[plane, cell]
    for plane in range(FIRST_PAIR, planes.shape[0], 2):
        for cell in range(planes.shape[1]):
            turned[plane, cell] = planes[plane + 1, cell]
            turned[plane + 1, cell] = planes[plane, cell]


assert len(PLANES) == WOOD_CARRIED + 6
