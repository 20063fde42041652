"""What one game needs to know before its unit rows can be written: made once, for both seats. Portable."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from . import clusters, nearest, whole_boards, window
from .choices import NUM_CHOICES
from .overview import NUM_GLOBALS, Globals, sum_resources, write_globals
from .state import Board, Games
from .table import count_rows, forget_room, list_rows, mark_room, write_masks
from .tally import NUM_TALLIES, Tally, count_teams
from .unit_rows import NUM_OF_CITY, Cities, Places, describe_cities, make_places, write_features


class Sights(NamedTuple):
    """Working memory for one game at a time; C cells."""

    #: ``[2, NUM_TALLIES]``, and ``[4]`` amounts of resources by kind
    tally: Tally
    totals: npt.NDArray[np.int64]
    #: ``[2, NUM_GLOBALS]``
    knows: Globals
    lanes: nearest.Lanes
    labels: clusters.Labels
    numbers: clusters.Numbers
    #: ``[C]``: room to work in
    stack: npt.NDArray[np.int64]
    #: what rows show of clusters and cities
    masses: clusters.Shown
    cities: Cities
    places: Places
    #: ``[height + 6, (width + 6) * NUM_CHANNELS]``, the margin cleared, and the same memory cell by cell
    drawing: window.Drawing
    ground: window.Cells
    ores: window.Ores
    #: ``[C + 1]``, zeros between calls
    room: npt.NDArray[np.int64]


class Table(NamedTuple):
    """The flat table of units, with room for at least U rows."""

    #: ``[U]``: see `VecEnv`; slots are places in a team's list of units, or cells of tiles
    row: npt.NDArray[np.int64]
    cell: npt.NDArray[np.int64]
    kind: npt.NDArray[np.int64]
    slot: npt.NDArray[np.int64]
    #: ``[U, NUM_CHOICES]``
    legal: npt.NDArray[np.bool_]
    #: ``[U, NUM_FEATURES]``, or ``[U, 0]`` where no unit rows are wanted
    features: npt.NDArray[np.float32]
    #: ``[U, NUM_CELLS]``, or ``[U, 0]``; seen as int8 the channels of `window`
    windows: window.Cells


def make_sights(width: int, height: int) -> Sights:
    """Working memory for boards of one size."""
    cells = width * height
    ground = np.zeros((height + 2 * window.REACH, width + 2 * window.REACH), np.int64)
    drawing = ground.view(np.int8)
    window.clear_drawing(drawing)
    return Sights(
        np.zeros((2, NUM_TALLIES), np.int64), np.zeros(4, np.int64), np.zeros((2, NUM_GLOBALS), np.float32),
        np.zeros((height, width, nearest.NUM_LANES), np.int32), np.zeros(cells + 1, np.int64),
        np.zeros((cells, clusters.NUM_NUMBERS), np.int64), np.zeros(cells, np.int64),
        np.zeros((cells, clusters.NUM_SHOWN), np.float32), np.zeros((cells, NUM_OF_CITY), np.float32),
        make_places(width, height), drawing, ground, np.zeros(cells + 1, np.int64),
        np.zeros(cells + 1, np.int64),
    )  # fmt: skip


def make_table(rows: int, num_features: int) -> Table:
    """Room for `rows` rows."""
    return Table(
        np.zeros(rows, np.int64), np.zeros(rows, np.int64), np.zeros(rows, np.int64), np.zeros(rows, np.int64),
        np.zeros((rows, NUM_CHOICES), np.bool_), np.zeros((rows, num_features), np.float32),
        np.zeros((rows, window.NUM_CELLS if num_features else 0), np.int64),
    )  # fmt: skip


def survey_game(g: int, max_turns: int, board: Board, games: Games, sights: Sights) -> None:
    """Count what both teams have and fill `tally`, `totals` and `knows`."""
    count_teams(g, games, sights.tally)
    sum_resources(g, games, sights.totals)
    for seat in range(2):
        write_globals(g, seat, max_turns, board, games, sights.tally, sights.totals, sights.knows[seat])


def look_for_rows(g: int, max_turns: int, board: Board, games: Games, sights: Sights) -> None:
    """Find what unit rows tell of the whole board."""
    nearest.find_nearest(g, board, games, sights.lanes)
    describe_board(g, max_turns, board, games, sights)
    window.draw_ground(g, board, games, sights.drawing, sights.ores)


def describe_board(g: int, max_turns: int, board: Board, games: Games, sights: Sights) -> None:
    """Say of clusters and cities what unit rows tell."""
    count = clusters.find_clusters(g, board, games, sights.labels, sights.numbers, sights.stack)
    clusters.describe_clusters(count, sights.numbers, sights.masses)
    describe_cities(g, max_turns, games, sights.cities)


def write_rows(
    g: int,
    seat: int,
    first: int,
    board: Board,
    games: Games,
    sights: Sights,
    table: Table,
) -> int:
    """Write the table's rows of one seat from `first` on and give the end."""
    end = list_rows(g, seat, first, games, table.cell, table.kind, table.slot)
    if end == first:
        return end
    for row in range(first, end):
        table.row[row] = 2 * g + seat
    mark_room(g, seat, games, sights.room)
    write_masks(g, seat, first, end, board, games, sights.room, table.kind, table.slot, table.legal)
    forget_room(g, seat, games, sights.room)
    if table.features.shape[1] > 0:
        window.draw_seat(g, seat, board, games, sights.drawing, sights.ores)
        write_features(
            g, seat, first, end, board, games, sights.lanes, sights.labels, sights.masses, sights.cities,
            sights.places, sights.drawing, sights.ground, table.kind, table.slot, table.cell, table.features,
            table.windows,
        )  # fmt: skip
    return end


def see(
    g: int, seat: int, max_turns: int, board: Board, games: Games, sights: Sights, num_features: int
) -> tuple[Globals, Table]:
    """What one seat knows and its table of units, in plain numpy: for bundles."""
    count_teams(g, games, sights.tally)
    whole_boards.sum_resources(g, games, sights.totals)
    write_globals(g, seat, max_turns, board, games, sights.tally, sights.totals, sights.knows[seat])
    if num_features > 0:
        whole_boards.find_nearest(g, board, games, sights.lanes)
        describe_board(g, max_turns, board, games, sights)
        whole_boards.draw_ground(g, board, games, sights.drawing, sights.ores)
    table = make_table(count_rows(g, seat, games), num_features)
    write_rows(g, seat, 0, board, games, sights, table)
    return sights.knows[seat].copy(), table
