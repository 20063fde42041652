"""Between the competition's observation and the network: what a seat sees, what it may play. Portable.

`obs` and `config` are what the competition hands an agent: mappings with ``board`` (flat list, row-major from
the top), ``mark`` (1 or 2), and with ``rows``, ``columns``, ``inarow``.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

# relative, because targets copy this file beside rules.py into another package
from . import rules


def observe(
    obs: Mapping[str, Any], config: Mapping[str, Any]
) -> tuple[dict[str, npt.NDArray[np.uint8]], dict[str, npt.NDArray[np.bool_]]]:
    """Give ({"board": ``[5, rows, columns]`` uint8}, {"column": ``[columns]`` bool, True = not full})."""
    rows, columns, inarow = int(config["rows"]), int(config["columns"]), int(config["inarow"])
    board = [int(cell) for cell in obs["board"]] or [0] * (rows * columns)
    planes = np.zeros((rules.NUM_PLANES, rows, columns), np.uint8)
    rules.write_planes(board, int(obs["mark"]), rows, columns, inarow, planes)
    return {"board": planes}, {"column": np.array([cell == 0 for cell in board[:columns]])}


def act(index: int, obs: Mapping[str, Any], config: Mapping[str, Any]) -> int:
    """Give the competition's action for the network's choice: the column itself, as a plain int."""
    return int(index)
