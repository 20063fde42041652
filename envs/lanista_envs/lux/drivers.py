"""Order generators for holding the rules against the official program: they look for trouble, not for victory.

A driver gives the action strings of one team for one turn, from the state and its own stream of random numbers:

* ``legal``: every unit and city tile does something that it may do;
* ``odd``: any order at all, half of them broken: wrong words, foreign units, cells off the map, odd numbers;
* ``keeper``: collects, builds beside its cities, brings fuel home, so that games live long and cities grow;
* ``crowd``: a keeper with carts and transfers, whose units step on each other's feet.
"""

import random
from collections.abc import Callable

import numpy as np

from lanista_envs.lux.order_strings import DIRECTIONS
from lanista_envs.lux.state import CART, CITY_COST, CYCLE, NO_RESOURCE, RESEARCH_NEEDED, WORKER, Board, Games
from lanista_envs.lux.updates import RESOURCES

#: (game, team, board, games, stream) -> action strings
Driver = Callable[[int, int, Board, Games, random.Random], list[str]]

_NUMBERS = (
    "0", "1", "3", "20", "100", "2000", "99999999999", "-1", "-0", "-0.5", "1e3", "3abc", "abc", "", "0x10", "0X1f",
    "0x", "+7", "10.7", "NaN", "Infinity", "\t5", "\u00a06", "--2", "9" * 400,
)  # fmt: skip


class Sight:
    """What a driver sees of one game."""

    def __init__(self, g: int, team: int, board: Board, games: Games) -> None:
        """Look at game `g` as `team`."""
        self.width, self.height, self.near = board.width, board.height, board.near
        self.cells = cells = board.width * board.height
        count = games.num_units[g, team]
        self.ids = [f"u_{number}" for number in games.unit_id[g, team, :count].tolist()]
        self.foreign = [f"u_{n}" for n in games.unit_id[g, 1 - team, : games.num_units[g, 1 - team]].tolist()]
        self.kinds = games.unit_kind[g, team, :count].tolist()
        self.places = games.unit_cell[g, team, :count].tolist()
        self.loads = games.unit_cargo[g, team, :count].sum(axis=1).tolist()
        self.ready = (games.unit_cooldown[g, team, :count] < 4).tolist()
        self.tile_team = games.tile_team[g].tolist()
        self.resource = games.resource_kind[g].tolist()
        self.tiles = np.flatnonzero(games.tile_team[g, :cells] == team)
        self.ready_tiles = self.tiles[games.tile_ready[g, self.tiles] <= games.turn[g]].tolist()
        self.room = len(self.tiles) - int(count)
        needed = np.array(RESEARCH_NEEDED)[np.maximum(games.resource_kind[g, :cells] - 1, 0)]
        open_ = (games.resource_kind[g, :cells] != NO_RESOURCE) & (needed <= games.research[g, team])
        self.open = np.flatnonzero(open_)
        self.turn = int(games.turn[g])

    def ways(self, team: int, cell: int) -> list[int]:
        """Directions in which a unit of `team` may go from `cell`."""
        return [
            d
            for d in range(4)
            if self.near[cell, d] < self.cells and self.tile_team[self.near[cell, d]] != 1 - team
        ]

    def way_to(self, cell: int, goals: np.ndarray, stream: random.Random) -> str:
        """A direction towards the nearest of `goals`; c if there is none."""
        if len(goals) == 0:
            return "c"
        y, x = divmod(cell, self.width)
        away = np.abs(goals // self.width - y) + np.abs(goals % self.width - x)
        goal_y, goal_x = divmod(int(goals[int(away.argmin())]), self.width)
        ways = ["s" if goal_y > y else "n"] * (goal_y != y) + ["e" if goal_x > x else "w"] * (goal_x != x)
        return stream.choice(ways) if ways else "c"


def legal(g: int, team: int, board: Board, games: Games, stream: random.Random) -> list[str]:
    """Something legal for everybody who may act."""
    sight = Sight(g, team, board, games)
    orders = []
    room = sight.room
    for cell in sight.ready_tiles:
        choice = stream.choice(("bw", "bc", "r", "r") if room > 0 else ("r",))
        room -= choice != "r"
        orders.append(f"{choice} {cell % sight.width} {cell // sight.width}")
    for u, name in enumerate(sight.ids):
        if sight.ready[u]:
            orders.append(legal_for_unit(u, name, team, sight, stream))
    stream.shuffle(orders)
    return orders


def legal_for_unit(u: int, name: str, team: int, sight: Sight, stream: random.Random) -> str:
    """A random legal order; building a city tile if it can."""
    cell = sight.places[u]
    free = sight.tile_team[cell] < 0 and sight.resource[cell] == NO_RESOURCE
    if sight.kinds[u] == WORKER and sight.loads[u] >= CITY_COST and free and stream.random() < 0.6:
        return f"bcity {name}"
    beside = [
        v
        for v, place in enumerate(sight.places)
        if v != u and (place == cell or place in sight.near[cell, :4])
    ]
    luck = stream.random()
    if beside and luck < 0.2:
        amount = stream.choice((0, 1, 20, 55, 100, 5000))
        return f"t {name} {sight.ids[stream.choice(beside)]} {stream.choice(RESOURCES)} {amount}"
    if luck < 0.25:
        return f"p {name}"
    if luck < 0.35:
        return f"m {name} c"
    ways = sight.ways(team, cell)
    return f"m {name} {DIRECTIONS[stream.choice(ways)] if ways else 'c'}"


def odd(g: int, team: int, board: Board, games: Games, stream: random.Random) -> list[str]:
    """A keeper's orders with any number of broken, doubled and foreign ones among them."""
    sight = Sight(g, team, board, games)
    orders = keeper(g, team, board, games, stream) if stream.random() < 0.9 else []
    for _ in range(stream.randrange(2 + len(sight.ids))):
        orders.insert(stream.randrange(len(orders) + 1), odd_order(sight, stream))
    return orders


def odd_order(sight: Sight, stream: random.Random) -> str:
    """An order that may mean nothing at all."""

    def unit() -> str:
        own = sight.ids or ["u_1"]
        return stream.choice((stream.choice(own), stream.choice(own), stream.choice(sight.foreign or own),
                              f"u_{stream.randrange(60)}", "u_", "U_1", ""))  # fmt: skip

    def number() -> str:
        return stream.choice((str(stream.randrange(-1, sight.width + 1)), stream.choice(_NUMBERS)))

    def place() -> str:
        cell = stream.choice(sight.tiles.tolist() or [0])
        return stream.choice((f"{cell % sight.width} {cell // sight.width}", f"{number()} {number()}"))

    word = stream.choice(("m", "m", "m", "t", "t", "bcity", "p", "bw", "bc", "r", "x", "dx", ""))
    if word == "m":
        text = f"m {unit()} {stream.choice((*DIRECTIONS, 'N', 'north', ''))}"
    elif word == "t":
        text = f"t {unit()} {unit()} {stream.choice((*RESOURCES, 'Wood', 'gold'))} {number()}"
    elif word in ("bcity", "p"):
        text = f"{word} {unit()}"
    elif word in ("bw", "bc", "r"):
        text = f"{word} {place()}"
    else:
        text = f"{word} {place()}"
    luck = stream.random()
    if luck < 0.03:
        return text.replace(" ", "  ", 1)
    if luck < 0.06:
        return text + stream.choice((" ", " 1", "\t"))
    if luck < 0.08:
        return text[: stream.randrange(len(text) + 1)]
    return text


def keeper(
    g: int,
    team: int,
    board: Board,
    games: Games,
    stream: random.Random,
    noise: float = 0.04,
    carts: float = 0.05,
) -> list[str]:
    """Collect, build beside own cities early in the day, else bring fuel home."""
    sight = Sight(g, team, board, games)
    orders = []
    room = sight.room
    for cell in sight.ready_tiles:
        word = "r"
        if room > 0:
            word = "bc" if stream.random() < carts else "bw"
            room -= 1
        orders.append(f"{word} {cell % sight.width} {cell // sight.width}")
    early = sight.turn % CYCLE < 22
    for u, name in enumerate(sight.ids):
        if not sight.ready[u]:
            continue
        cell = sight.places[u]
        if stream.random() < noise:
            orders.append(legal_for_unit(u, name, team, sight, stream))
        elif sight.kinds[u] == CART:
            orders.append(
                f"m {name} {sight.way_to(cell, sight.open if stream.random() < 0.5 else sight.tiles, stream)}"
            )
        elif sight.loads[u] < CITY_COST:
            if not any(sight.near[cell, d] in sight.open for d in range(5)):
                orders.append(f"m {name} {sight.way_to(cell, sight.open, stream)}")
        else:
            free = sight.tile_team[cell] < 0 and sight.resource[cell] == NO_RESOURCE
            home = any(sight.tile_team[sight.near[cell, d]] == team for d in range(4))
            if early and free and (home or len(sight.tiles) == 0 or stream.random() < 0.05):
                orders.append(f"bcity {name}")
            else:
                orders.append(f"m {name} {sight.way_to(cell, sight.tiles, stream)}")
    return orders


def crowd(g: int, team: int, board: Board, games: Games, stream: random.Random) -> list[str]:
    """A noisy keeper with many carts, some odd orders, and its orders shuffled."""
    orders = keeper(g, team, board, games, stream, noise=0.25, carts=0.3)
    if stream.random() < 0.3:
        orders += odd(g, team, board, games, stream)
    stream.shuffle(orders)
    return orders


DRIVERS: dict[str, Driver] = {"legal": legal, "odd": odd, "keeper": keeper, "crowd": crowd}
