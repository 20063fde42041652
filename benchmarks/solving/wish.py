"""What a parent process asks of a playing one, and the warm-up that the clock leaves out on every side."""

import json
import sys
from pathlib import Path
from typing import Any


def read_wish() -> dict[str, Any]:
    """The JSON object that is the program's one argument."""
    wish: dict[str, Any] = json.loads(sys.argv[1])
    return wish


def write_record(wish: dict[str, Any], record: dict[str, Any]) -> None:
    """Hand the record over; stdout belongs to the toolkit."""
    Path(wish["record"]).write_text(json.dumps(record))


def warm_torch() -> None:
    """One thread, and one step of Adam: torch imports about a second of code at its first optimiser."""
    import torch

    torch.set_num_threads(1)
    weight = torch.nn.Parameter(torch.zeros(2))
    optimizer = torch.optim.Adam([weight])
    weight.sum().backward()
    optimizer.step()


def use_numba() -> None:
    """Call a compiled function: at the first one numba imports what it needs for any, scipy's linear algebra too."""
    import numba

    @numba.njit
    def same(number: float) -> float:
        return number

    same(1.0)
