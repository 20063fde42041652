"""The official observation's `updates`, from a state and back, exactly. Portable.

`write_updates` gives the very lines of the official program; `read_updates` takes them apart, and refuses with
one sentence what no game can show.
"""

import re
from collections.abc import Sequence
from typing import NoReturn

import numpy as np

from .state import (
    CAPACITY,
    CART,
    MAX_ROAD,
    NO_RESOURCE,
    TILE_COOLDOWN,
    UPKEEP,
    UPKEEP_SAVED,
    WORKER,
    Board,
    Games,
    clear_game,
)
from .whole_boards import survey

RESOURCES = ("wood", "coal", "uranium")
END = "D_DONE"
#: the last lines' numbers in quarters
_QUARTERS = ("", ".25", ".5", ".75")
_BIGGEST = 2**31 - 1

_NUMBER = r"(0|[1-9][0-9]{0,9})"
_IN_QUARTERS = r"(0|[1-9][0-9]?)(|\.25|\.5|\.75)"
_LINES = {
    "rp": re.compile(rf"rp ([01]) {_NUMBER}"),
    "r": re.compile(rf"r (wood|coal|uranium) {_NUMBER} {_NUMBER} {_NUMBER}"),
    "u": re.compile(rf"u ([01]) ([01]) u_{_NUMBER} {_NUMBER} {_NUMBER} {_IN_QUARTERS} {_NUMBER} {_NUMBER} {_NUMBER}"),
    "c": re.compile(rf"c ([01]) c_{_NUMBER} {_NUMBER} {_NUMBER}"),
    "ct": re.compile(rf"ct ([01]) c_{_NUMBER} {_NUMBER} {_NUMBER} {_NUMBER}"),
    "ccd": re.compile(rf"ccd {_NUMBER} {_NUMBER} {_IN_QUARTERS}"),
}  # fmt: skip
_KINDS = tuple(_LINES)
_SIZE = re.compile(r"([1-9][0-9]{0,3}) ([1-9][0-9]{0,3})")


class UpdatesError(ValueError):
    """Lines that no game of Lux can show; one sentence names the line and what is wrong with it."""


def quarters(count: int) -> str:
    """The official writing of a number of quarters: 0.25, 1.5, 6."""
    return f"{count // 4}{_QUARTERS[count % 4]}"


def write_updates(g: int, board: Board, games: Games) -> list[str]:
    """The lines for game g as they stand in an observation after the first."""
    width, height = board.width, board.height
    cells = width * height
    lines = [f"rp {team} {games.research[g, team]}" for team in range(2)]
    kinds = games.resource_kind[g, :cells].reshape(height, width)
    for x, y in np.argwhere(kinds.T != NO_RESOURCE).tolist():
        amount = games.resource_amount[g, y * width + x]
        lines.append(f"r {RESOURCES[kinds[y, x] - 1]} {x} {y} {amount}")
    for team in range(2):
        for u in range(games.num_units[g, team]):
            y, x = divmod(int(games.unit_cell[g, team, u]), width)
            wood, coal, uranium = games.unit_cargo[g, team, u].tolist()
            lines.append(
                f"u {games.unit_kind[g, team, u]} {team} u_{games.unit_id[g, team, u]} {x} {y} "
                f"{quarters(int(games.unit_cooldown[g, team, u]))} {wood} {coal} {uranium}"
            )
    tiles = []
    for city in range(games.num_cities[g]):
        start = f"{games.city_team[g, city]} c_{games.city_id[g, city]}"
        lines.append(f"c {start} {games.city_fuel[g, city]} {games.city_upkeep[g, city]}")
        cell = int(games.city_first[g, city])
        while cell >= 0:
            y, x = divmod(cell, width)
            tiles.append(f"ct {start} {x} {y} {max(int(games.tile_ready[g, cell] - games.turn[g]), 0)}")
            cell = int(games.tile_next[g, cell])
    lines += tiles
    for cell in np.flatnonzero(games.road[g, :cells]).tolist():
        y, x = divmod(cell, width)
        lines.append(f"ccd {x} {y} {quarters(int(games.road[g, cell]))}")
    lines.append(END)
    return lines


def write_first_updates(g: int, board: Board, games: Games) -> list[str]:
    """The lines of a game's first observation, which begin with the agent's index and the size."""
    return ["0", f"{board.width} {board.height}", *write_updates(g, board, games)]


def size_of(lines: Sequence[str]) -> tuple[int, int]:
    """Width and height from the lines of a game's first observation."""
    match = _SIZE.fullmatch(lines[1]) if len(lines) > 1 and isinstance(lines[1], str) else None
    if match is None:
        found = repr(lines[1])[:60] if len(lines) > 1 else f"{len(lines)} lines"
        raise UpdatesError(
            f"the second line of a first observation is the size, such as '12 12', and {found} is there"
        )
    return int(match[1]), int(match[2])


def read_updates(
    lines: Sequence[str],
    turn: int,
    g: int,
    board: Board,
    games: Games,
    last_unit_id: int | None = None,
    last_city_id: int | None = None,
) -> None:
    """Make game g what `lines` show; the ids' counters stand in the observation, else they are the highest seen.

    Raises `UpdatesError` and leaves game g empty if the lines are none of a game's.
    """
    clear_game(g, games)
    try:
        _Reader(turn, g, board, games).read(lines)
    except UpdatesError:
        clear_game(g, games)
        raise
    games.turn[g] = turn
    games.last_unit_id[g] = max(int(games.unit_id[g].max()), last_unit_id or 0)
    games.last_city_id[g] = max(int(games.city_id[g].max()), last_city_id or 0)


class _Reader:
    """Fills one empty game line by line."""

    def __init__(self, turn: int, g: int, board: Board, games: Games) -> None:
        self.turn, self.g, self.board, self.games = turn, g, board, games
        #: city id -> its slot
        self.cities: dict[int, int] = {}
        self.line = ""

    def read(self, lines: Sequence[str]) -> None:
        """Read all lines, which must come in the official order, and check what hangs together."""
        if len(lines) > 1 and _SIZE.fullmatch(str(lines[1])):
            if size_of(lines) != (self.board.width, self.board.height):
                raise UpdatesError(
                    f"the lines are those of a board of {lines[1]}, and this one is "
                    f"{self.board.width} {self.board.height}"
                )
            lines = lines[2:]
        if not lines or lines[-1] != END:
            raise UpdatesError(
                f"the last line must be {END}, and {repr(lines[-1])[:60] if lines else 'nothing'} is there"
            )
        order = 0
        for line in lines[:-1]:
            self.line = line
            kind = line.split(" ", 1)[0] if isinstance(line, str) else ""
            if kind not in _LINES:
                self.refuse("no line begins like that")
            if _KINDS.index(kind) < order:
                self.refuse(f"it must come before the lines with {_KINDS[order]}")
            order = _KINDS.index(kind)
            match = _LINES[kind].fullmatch(line)
            if match is None:
                self.refuse("it is malformed")
            getattr(self, f"read_{kind}")(*match.groups())
        self.check_cities()
        self.check_units()
        survey(self.g, self.board, self.games)

    def refuse(self, reason: str) -> NoReturn:
        """Raise with the line that is being read."""
        raise UpdatesError(f"line {str(self.line)[:60]!r}: {reason}")

    def number(self, text: str, most: int = _BIGGEST) -> int:
        """An integer from 0 to `most`."""
        value = int(text)
        if value > most:
            self.refuse(f"{value} is more than {most}")
        return value

    def cell(self, x: str, y: str) -> int:
        """A cell of the board."""
        if int(x) >= self.board.width or int(y) >= self.board.height:
            self.refuse(f"({x}, {y}) is not on a board of {self.board.width} x {self.board.height}")
        return int(y) * self.board.width + int(x)

    def quarters(self, whole: str, part: str, most: int) -> int:
        """A number of quarters from 0 to `most`."""
        value = int(whole) * 4 + _QUARTERS.index(part)
        if value > most:
            self.refuse(f"{whole}{part} is more than {quarters(most)}")
        return value

    def read_rp(self, team: str, points: str) -> None:
        self.games.research[self.g, int(team)] = self.number(points)

    def read_r(self, kind: str, x: str, y: str, amount: str) -> None:
        cell = self.cell(x, y)
        if self.games.resource_kind[self.g, cell] != NO_RESOURCE:
            self.refuse("this cell has a resource already")
        if self.number(amount, 32767) == 0:
            self.refuse("a tile that is used up is not shown")
        self.games.resource_kind[self.g, cell] = RESOURCES.index(kind) + 1
        self.games.resource_amount[self.g, cell] = int(amount)

    def read_u(
        self, kind: str, team_: str, id_: str, x: str, y: str, whole: str, part: str, *cargo: str
    ) -> None:
        games, g, team = self.games, self.g, int(team_)
        u = int(games.num_units[g, team])
        if u == games.unit_cell.shape[2]:
            self.refuse(f"a team of more than {u} units cannot be on this board")
        if u > 0 and games.unit_id[g, team, u - 1] >= self.number(id_):
            self.refuse("the units of a team come in the order of their ids")
        games.unit_id[g, team, u] = self.number(id_)
        games.unit_kind[g, team, u] = WORKER if kind == "0" else CART
        games.unit_cell[g, team, u] = self.cell(x, y)
        games.unit_cooldown[g, team, u] = self.quarters(whole, part, 27)
        games.unit_cargo[g, team, u] = [self.number(amount, CAPACITY[CART]) for amount in cargo]
        if games.unit_cargo[g, team, u].sum() > CAPACITY[int(kind)]:
            self.refuse(f"such a unit carries at most {CAPACITY[int(kind)]}")
        games.num_units[g, team] += 1

    def read_c(self, team: str, id_: str, fuel: str, upkeep: str) -> None:
        games, g, city = self.games, self.g, len(self.cities)
        if city == games.city_id.shape[1]:
            self.refuse(f"more than {city} cities cannot be on this board")
        if city > 0 and games.city_id[g, city - 1] >= self.number(id_):
            self.refuse("cities come in the order of their ids")
        games.city_id[g, city] = self.number(id_)
        games.city_team[g, city] = int(team)
        games.city_fuel[g, city] = self.number(fuel)
        games.city_upkeep[g, city] = self.number(upkeep)
        games.city_first[g, city] = -1
        self.cities[int(id_)] = city
        games.num_cities[g] += 1

    def read_ct(self, team: str, id_: str, x: str, y: str, cooldown: str) -> None:
        games, g, cell = self.games, self.g, self.cell(x, y)
        city = self.cities.get(int(id_), -1)
        if city < 0 or games.city_team[g, city] != int(team):
            self.refuse(f"team {team} has no city c_{id_}")
        if games.tile_team[g, cell] >= 0 or games.resource_kind[g, cell] != NO_RESOURCE:
            self.refuse("this cell is taken already")
        if games.city_first[g, city] < 0:
            games.city_first[g, city] = cell
        else:
            games.tile_next[g, games.city_last[g, city]] = cell
        games.city_last[g, city] = cell
        games.city_size[g, city] += 1
        games.tile_team[g, cell] = int(team)
        games.tile_city[g, cell] = city
        games.tile_ready[g, cell] = self.turn + self.number(cooldown, TILE_COOLDOWN)
        games.road[g, cell] = MAX_ROAD
        games.num_tiles[g, int(team)] += 1

    def read_ccd(self, x: str, y: str, whole: str, part: str) -> None:
        games, g, cell = self.games, self.g, self.cell(x, y)
        road = self.quarters(whole, part, MAX_ROAD)
        if games.tile_team[g, cell] >= 0 and road != MAX_ROAD:
            self.refuse(f"a city tile is a road of {quarters(MAX_ROAD)}")
        games.road[g, cell] = road

    def check_cities(self) -> None:
        """Count neighbours; upkeep must be what the tiles cost, neighbours must be one city."""
        games, g = self.games, self.g
        for city in range(games.num_cities[g]):
            beside = 0
            cell = int(games.city_first[g, city])
            while cell >= 0:
                others = [int(other) for other in self.board.near[cell, :4]]
                others = [o for o in others if games.tile_team[g, o] == games.city_team[g, city]]
                if any(games.tile_city[g, other] != city for other in others):
                    raise UpdatesError(
                        f"city c_{games.city_id[g, city]} lies beside another city of its team, and they would be one"
                    )
                games.tile_near[g, cell] = len(others)
                beside += len(others)
                cell = int(games.tile_next[g, cell])
            size = int(games.city_size[g, city])
            if size == 0 or games.city_upkeep[g, city] != UPKEEP * size - UPKEEP_SAVED * beside:
                raise UpdatesError(
                    f"city c_{games.city_id[g, city]} has {size} tiles with {beside} neighbours and "
                    f"an upkeep of {games.city_upkeep[g, city]}, which do not fit"
                )

    def check_units(self) -> None:
        """Outside cities there is one unit a cell, and none on a city tile of the other team."""
        games, g = self.games, self.g
        seen: set[int] = set()
        ids: set[int] = set()
        for team in range(2):
            for u in range(games.num_units[g, team]):
                cell, name = int(games.unit_cell[g, team, u]), int(games.unit_id[g, team, u])
                if games.tile_team[g, cell] == 1 - team or (games.tile_team[g, cell] < 0 and cell in seen):
                    raise UpdatesError(f"unit u_{name} stands where another one or the other team's city is")
                if name in ids:
                    raise UpdatesError(f"there are two units u_{name}")
                seen.add(cell)
                ids.add(name)
