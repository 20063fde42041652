"""One game of Lux as text, for people."""

from lanista_envs.lux.state import CART, CYCLE, Board, Games, is_night

_GROUND = ".wcu"
_TILES = "#%"
#: by team, then kind
_UNITS = ("xX", "oO")


def draw_game(g: int, board: Board, games: Games) -> str:
    """The board, north first, two letters a cell: the ground, then a unit.

    w, c, u are resources, # and % the city tiles of seats 0 and 1; x and o their workers, X and O their carts.
    """
    ground = [_GROUND[kind] for kind in games.resource_kind[g, :-1].tolist()]
    for cell, team in enumerate(games.tile_team[g, :-1].tolist()):
        if team >= 0:
            ground[cell] = _TILES[team]
    units = [" "] * len(ground)
    for team in range(2):
        for u in range(games.num_units[g, team]):
            units[games.unit_cell[g, team, u]] = _UNITS[team][int(games.unit_kind[g, team, u] == CART)]
    turn = int(games.turn[g])
    lines = [f"turn {turn} ({'night' if is_night(turn) else 'day'}, {turn % CYCLE} of {CYCLE})"]
    for team in range(2):
        cities = games.city_team[g, : games.num_cities[g]] == team
        fuel = int(games.city_fuel[g, : games.num_cities[g]][cities].sum())
        lines.append(
            f"seat {team} {_TILES[team]}: {games.num_tiles[g, team]} city tiles in {int(cities.sum())} cities, "
            f"{games.num_units[g, team]} units, {games.research[g, team]} research, {fuel} fuel"
        )
    for y in range(board.height):
        row = range(y * board.width, (y + 1) * board.width)
        lines.append("".join(ground[cell] + units[cell] for cell in row).rstrip())
    return "\n".join(lines)
