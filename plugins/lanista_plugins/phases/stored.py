"""States out of kept games, for a teacher to label: drawn evenly from all decisions of all games."""

from pathlib import Path
from typing import Any

import numpy as np
import torch

from lanista.arrays import AnyArray
from lanista.errors import RecipeError
from lanista.games.parts import games_folder, read_games
from lanista.games.settings import StatesSettings
from lanista.phases import PhaseContext
from lanista.policy import Policy
from lanista.spec import UNITS
from lanista.units import UnitTable


class StoredStates:
    """What was seen and what was legal, all games in memory; draws come from a stream of their own."""

    def __init__(self, context: PhaseContext, settings: StatesSettings, student: Policy) -> None:
        """Read the games; they must be of an env that shows and asks what the student's does."""
        self.share = settings.share
        self.generator = torch.Generator().manual_seed(context.derive("states"))
        folder = find_games(context, settings.games)
        spec = student.card.spec
        collected: dict[str, list[AnyArray]] = {}
        tables: list[UnitTable] = []
        for part in read_games(folder):
            for what in ("observation", "heads", "unit_observation"):
                ours, theirs = getattr(spec, what), getattr(part.source.spec, what)
                if ours != theirs:
                    raise RecipeError(
                        f"phase {context.name!r}: the games in {folder} are of another {what} ({theirs} against "
                        f"{ours}); take games of the same env and settings"
                    )
            for name, array in part.arrays.items():
                if name.startswith(("observation.", "legal.")):
                    collected.setdefault(name, []).append(array)
            if spec.units_head is not None:
                names = {name: name.removeprefix("unit_") for name in part.arrays if name.startswith("unit_")}
                tables.append(UnitTable.of_arrays({to: part.arrays[name] for name, to in names.items()}))
        self._tensors = {name: torch.from_numpy(np.concatenate(arrays)) for name, arrays in collected.items()}
        self._unit_head = None if spec.units_head is None else spec.units_head.name
        self._units = UnitTable.joined(tables) if tables else None

    def draw(self, rows: int) -> tuple[dict[str, Any], dict[str, Any]]:
        """Observation and masks of `rows` decisions, drawn with replacement, units in their table."""
        total = len(next(iter(self._tensors.values())))
        index = torch.randint(total, (rows,), generator=self.generator)
        drawn = {name: tensor.index_select(0, index) for name, tensor in self._tensors.items()}

        def under(group: str) -> dict[str, Any]:
            return {name[len(group) :]: tensor for name, tensor in drawn.items() if name.startswith(group)}

        observation, legal = under("observation."), under("legal.")
        if self._units is not None and self._unit_head is not None:
            observation[UNITS] = legal[self._unit_head] = self._units[index]
        return observation, legal


def find_games(context: PhaseContext, source: str) -> Path:
    """The folder of the games that a recipe names; raises `RecipeError` that lists the phases that have some."""
    root = context.run_folder / "games"
    own = games_folder(context.run_folder, source)
    for folder in (own, Path(source)):
        if any(folder.glob("*.npz")):
            return folder
    kept = sorted(folder.name for folder in root.iterdir() if folder.is_dir()) if root.is_dir() else []
    raise RecipeError(
        f"phase {context.name!r}: {source!r} is neither a phase of this run that kept games "
        f"({', '.join(kept) or 'none did'}) nor a folder of kept games; set keep_games in an earlier phase"
    )
