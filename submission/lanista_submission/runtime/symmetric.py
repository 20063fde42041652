"""A network that is asked about a position as several symmetries of the game show it. Portable: numpy alone.

The tables are those of `lanista.symmetry.group`, for E elements: ``order/<input>`` ``[E, K]``, with ``sign/<input>`` and
``shift/<input>`` where numbers do more than change places; ``choices/<head>`` and ``places/<head>`` ``[E, kinds, A]``;
``cells`` ``[E, C]`` where cells matter.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from .activations import Array
from .execute import Executor

ROW, CELL, KIND = "unit_row", "unit_cell", "unit_kind"


class Symmetric:
    """Runs as an `Executor` of one row does; the mean of the elements' logits comes out. It plays choices only."""

    def __init__(self, network: Executor, tables: Mapping[str, Array]) -> None:
        """`network` may be asked by itself, too: arrays are overwritten by the next run of either."""
        self._network, self._tables = network, dict(tables)
        self.shapes, self.unit_inputs = network.shapes, network.unit_inputs
        self.fits = network.fits
        self._elements = next(len(table) for name, table in tables.items() if name.startswith("choices/"))

    def run(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """Map one row's inputs, ``[1, ...]`` and ``[U, ...]``, to the logits of its heads."""
        kind = inputs.get(KIND)
        outputs = self._network.run({name: self._shown(name, part, kind) for name, part in inputs.items()})
        found: dict[str, Array] = {}
        for name, scores in outputs.items():
            head = name.removeprefix("logits_")
            by_element = scores.reshape(self._elements, -1, scores.shape[1])
            choices = self._rows(f"choices/{head}", head, kind)
            translated = np.take_along_axis(by_element, choices, axis=2)
            # In float64: illegal entries are float32's lowest number, and their sum would not fit.
            found[name] = translated.mean(axis=0, dtype=np.float64).astype(np.float32)
        return found

    def _rows(self, table: str, head: str, kind: Array | None) -> Array:
        """A table of choices for every row, ``[E, 1, A]``, of units ``[E, U, A]`` by their kinds."""
        found = self._tables[table]
        return found[:, kind.astype(np.int64)] if kind is not None and self._is_of_units(head) else found

    def _is_of_units(self, head: str) -> bool:
        return f"legal_{head}" in self.unit_inputs

    def _shown(self, name: str, part: Array, kind: Array | None) -> Array:
        """``[E * B, ...]``: an input as each element shows it."""
        elements, tables = self._elements, self._tables
        if name == ROW:
            return np.repeat(np.arange(elements), len(part))
        if name == CELL and "cells" in tables:
            return tables["cells"][:, part.astype(np.int64)].reshape(-1)
        if name.startswith("legal_"):
            head = name.removeprefix("legal_")
            places = self._rows(f"places/{head}", head, kind)
            masks = np.broadcast_to(part, (elements, *part.shape))
            return np.take_along_axis(masks, places, axis=2).reshape(-1, part.shape[1])
        if f"order/{name}" not in tables:
            return np.tile(part, (elements, *[1] * (part.ndim - 1)))
        flat = part.reshape(len(part), tables[f"order/{name}"].shape[1])
        shown = flat[:, tables[f"order/{name}"]].swapaxes(0, 1)
        if f"sign/{name}" in tables:
            sign, shift = tables[f"sign/{name}"][:, None], tables[f"shift/{name}"][:, None]
            shown = (sign * shown + shift).astype(part.dtype)
        return shown.reshape(-1, *part.shape[1:])


def with_symmetries(network: Executor, tables: Path) -> Symmetric:
    """Read the tables of a network."""
    with np.load(tables, allow_pickle=False) as arrays:
        return Symmetric(network, {name: arrays[name] for name in arrays.files})
