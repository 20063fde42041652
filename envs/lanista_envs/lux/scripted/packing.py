"""Plans of single seats, and the one table that the rules and the env take. Portable."""

import numpy as np
import numpy.typing as npt


def pack_seats(
    which: npt.NDArray[np.int64],
    teams: npt.NDArray[np.int64],
    rows: npt.NDArray[np.int16],
    offsets: npt.NDArray[np.int64],
    packed: npt.NDArray[np.int16],
) -> None:
    """Copy the plan of each seat, ``rows[k]``, to its place in a table of orders (see `state.Orders`)."""
    for k in range(which.shape[0]):
        seat = 2 * which[k] + teams[k]
        first = offsets[seat]
        for row in range(offsets[seat + 1] - first):
            packed[first + row] = rows[k, row]


def pick_rows(
    which: npt.NDArray[np.int64],
    teams: npt.NDArray[np.int64],
    offsets: npt.NDArray[np.int64],
    choices: npt.NDArray[np.int64],
    picked: npt.NDArray[np.int64],
) -> int:
    """Write the choices of the seats ``(which[k], teams[k])``, one after another, into `picked`; give their number."""
    count = 0
    for k in range(which.shape[0]):
        seat = 2 * which[k] + teams[k]
        for row in range(offsets[seat], offsets[seat + 1]):
            picked[count] = choices[row]
            count += 1
    return count
