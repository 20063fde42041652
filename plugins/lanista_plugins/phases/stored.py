"""States out of kept games, for a teacher to label: drawn evenly from all decisions of all games."""

from pathlib import Path

import numpy as np
import torch

from lanista.arrays import AnyArray
from lanista.errors import RecipeError
from lanista.games.parts import games_folder, read_games
from lanista.games.settings import StatesSettings
from lanista.phases import PhaseContext
from lanista.policy import Policy


class StoredStates:
    """What was seen and what was legal, all games in memory; draws come from a stream of their own."""

    def __init__(self, context: PhaseContext, settings: StatesSettings, student: Policy) -> None:
        """Read the games; they must be of an env that shows and asks what the student's does."""
        self.share = settings.share
        self.generator = torch.Generator().manual_seed(context.derive("states"))
        folder = find_games(context, settings.games)
        spec = student.card.spec
        collected: dict[str, list[AnyArray]] = {}
        for part in read_games(folder):
            for what in ("observation", "heads"):
                ours, theirs = getattr(spec, what), getattr(part.source.spec, what)
                if ours != theirs:
                    raise RecipeError(
                        f"phase {context.name!r}: the games in {folder} are of another {what} ({theirs} against "
                        f"{ours}); take games of the same env and settings"
                    )
            for name, array in part.arrays.items():
                if name.startswith(("observation.", "legal.")):
                    collected.setdefault(name, []).append(array)
        self._arrays = {name: np.concatenate(arrays) for name, arrays in collected.items()}

    def draw(self, rows: int) -> tuple[dict[str, AnyArray], dict[str, AnyArray]]:
        """Observation and masks of `rows` decisions, drawn with replacement."""
        total = len(next(iter(self._arrays.values())))
        index = torch.randint(total, (rows,), generator=self.generator).numpy()
        drawn = {name: array[index] for name, array in self._arrays.items()}

        def under(group: str) -> dict[str, AnyArray]:
            return {name[len(group) :]: array for name, array in drawn.items() if name.startswith(group)}

        return under("observation."), under("legal.")


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
