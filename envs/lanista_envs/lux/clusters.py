"""Clusters of resources: cells of one kind that touch, at corners too; how large they are and who holds them. Portable."""

import math

import numpy as np
import numpy.typing as npt

from .state import EAST, NO_RESOURCE, NORTH, SOUTH, WEST, Board, Games

#: what is known of a cluster; holds are counted for team 0, and one further on for team 1: pairs of a unit, or a
#: city tile, and a cell of the cluster that it stands on or beside
TILES, AMOUNT, UNIT_HOLDS, TILE_HOLDS = 0, 1, 2, 4
NUM_NUMBERS = 6

#: numbers of a cluster as unit rows show them: root of its cells / 4, root of its amount / 64, then its holds n as
#: n / (n + 4), which keeps few and many apart
NUM_SHOWN = 6
#: ``[C, NUM_SHOWN]`` float32
Shown = npt.NDArray[np.float32]
#: ``[C + 1]`` int64: a cell's cluster, -1 for none
Labels = npt.NDArray[np.int64]
#: ``[C, NUM_NUMBERS]`` int64
Numbers = npt.NDArray[np.int64]


def find_clusters(
    g: int, board: Board, games: Games, labels: Labels, numbers: Numbers, stack: npt.NDArray[np.int64]
) -> int:
    """Label the cells of all clusters and fill the first rows of `numbers`; `stack` (``[C]``) is room to work in."""
    near, kinds, amounts = board.near, games.resource_kind, games.resource_amount
    labels[:] = -1
    count = 0
    for start in range(near.shape[0] - 1):
        kind = kinds[g, start]
        if kind == NO_RESOURCE or labels[start] >= 0:
            continue
        numbers[count] = 0
        labels[start] = count
        stack[0] = start
        depth = 1
        while depth > 0:
            depth -= 1
            cell = stack[depth]
            numbers[count, TILES] += 1
            numbers[count, AMOUNT] += amounts[g, cell]
            north, south = near[cell, NORTH], near[cell, SOUTH]
            for k in range(8):
                # Nowhere's neighbours are nowhere, and it holds no resource.
                middle = north if k < 3 else (cell if k < 5 else south)
                if k == 0 or k == 3 or k == 5:
                    other = near[middle, WEST]
                elif k == 1 or k == 6:
                    other = middle
                else:
                    other = near[middle, EAST]
                if kinds[g, other] == kind and labels[other] < 0:
                    labels[other] = count
                    stack[depth] = other
                    depth += 1
        count += 1
    count_holds(g, board, games, labels, numbers)
    return count


def count_holds(g: int, board: Board, games: Games, labels: Labels, numbers: Numbers) -> None:
    """Count who stands on the clusters or beside them."""
    near, kinds_near, unit_cell, tile_next = board.near, games.kinds_near, games.unit_cell, games.tile_next
    for team in range(2):
        for u in range(games.num_units[g, team]):
            cell = unit_cell[g, team, u]
            if kinds_near[g, cell] != 0:
                for side in range(5):
                    label = labels[near[cell, side]]
                    if label >= 0:
                        numbers[label, UNIT_HOLDS + team] += 1
    for city in range(games.num_cities[g]):
        team = games.city_team[g, city]
        cell = games.city_first[g, city]
        while cell >= 0:
            if kinds_near[g, cell] != 0:
                for side in range(4):
                    label = labels[near[cell, side]]
                    if label >= 0:
                        numbers[label, TILE_HOLDS + team] += 1
            cell = tile_next[g, cell]


def describe_clusters(count: int, numbers: Numbers, shown: Shown) -> None:
    """Write what rows show of the first `count` clusters, once for all rows."""
    for label in range(count):
        shown[label, 0] = math.sqrt(1.0 * numbers[label, TILES]) / 4.0
        shown[label, 1] = math.sqrt(max(1.0 * numbers[label, AMOUNT], 0.0)) / 64.0
        for k in range(UNIT_HOLDS, NUM_NUMBERS):
            shown[label, k] = numbers[label, k] / (numbers[label, k] + 4.0)
