"""One command, one or several runs: every student with every seed in a folder of its own.

One run's folder is the one that was asked for; several lie below it, with ``frontier.json`` beside them. The same
command again goes on with what is missing.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lanista.distillation.card import ORIGIN, write_card, write_origin
from lanista.distillation.wish import (
    Student,
    Wish,
    ask_teachers,
    like_teachers,
    own_heads,
    recipe_values,
)
from lanista.errors import UsageError
from lanista.files import write_atomically
from lanista.plugins import PluginHost
from lanista.recipe import Recipe, apply_changes, check_recipe, resolved_toml, resolved_values

if TYPE_CHECKING:
    from lanista.run import Run

FRONTIER = "frontier.json"


@dataclass(frozen=True)
class Planned:
    """One run to come."""

    name: str
    student: Student
    recipe: Recipe


class Sweep:
    """The runs of one command. Make it, `lay_out`, then `play` each of `folders`."""

    def __init__(
        self, wish: Wish, runs: Sequence[tuple[Student, int]], changes: Sequence[str], host: PluginHost
    ) -> None:
        """Ask the teachers, and check every recipe; nothing is written."""
        self.host = host
        teachers, spec = ask_teachers(wish, Path(), host.registry)
        if not wish.heads:
            wish = replace(wish, heads=own_heads(teachers))
        self.wish = replace(wish, seats=spec.seats)
        told = {teacher.card.name: teacher.card.history.get("teacher", {}) for teacher in teachers}
        self.teachers = [
            {"source": table["source"], **told.get(table["source"], {})} for table in wish.teachers
        ]
        many_students = len({student.name for student, _ in runs}) > 1
        many_seeds = len({seed for _, seed in runs}) > 1
        self.plans = []
        for student, seed in runs:
            student = like_teachers(student, teachers)
            values = apply_changes(recipe_values(self.wish, student, seed), changes)
            recipe = check_recipe(values, host.registry)
            # As the folder will keep it, so that the same command finds it again.
            recipe = check_recipe(resolved_values(recipe, host.registry), host.registry)
            parts = [student.name] if many_students or not many_seeds else []
            parts += [f"seed-{seed}"] if many_seeds else []
            self.plans.append(Planned("-".join(parts), student, recipe))
        self.folder = Path()

    @property
    def notes(self) -> list[str]:
        """What was found beside the teachers."""
        return [note for teacher in self.teachers for note in teacher.get("notes", [])]

    @property
    def folders(self) -> list[Path]:
        """The folder of each run, in order."""
        if len(self.plans) == 1:
            return [self.folder]
        return [self.folder / plan.name for plan in self.plans]

    def texts(self) -> list[str]:
        """Each recipe as TOML."""
        return [resolved_toml(plan.recipe, self.host.registry) for plan in self.plans]

    def lay_out(self, folder: Path) -> None:
        """Say where the runs go; refuses a folder that holds other ones."""
        self.folder = folder
        for place, text in zip(self.folders, self.texts(), strict=True):
            kept = place / "recipe.toml"
            if kept.exists() and kept.read_text(encoding="utf-8") != text:
                raise UsageError(
                    f"{place} holds another run; go on with it by `lanista resume {place}`, or name another folder "
                    "with --out"
                )
        if len(self.plans) > 1 and (folder / "recipe.toml").exists():
            raise UsageError(f"{folder} holds a single run; name another folder for several with --out")

    def open(self, place: int) -> "Run":
        """Begin a run, or go on with what its folder holds."""
        from lanista.run import Run

        folder, plan = self.folders[place], self.plans[place]
        if (folder / "recipe.toml").exists():
            run = Run.open(folder, self.host)
        else:
            run = Run.create(folder, plan.recipe, self.host)
        if not (folder / ORIGIN).exists():
            write_origin(folder, plan.student.name, self.teachers, self.wish.env, self.wish.losses)
        return run

    def write_frontier(self, cards: Sequence[dict[str, Any]]) -> Path:
        """Keep all cards in one file beside the runs."""
        file = self.folder / FRONTIER
        write_atomically(file, json.dumps(list(cards), indent=1, allow_nan=False).encode())
        return file


def finish(run: "Run", say: Callable[[str], None]) -> dict[str, Any]:
    """Export a finished run's policy, measure what was written, and make the card and the curve's picture."""
    from lanista.delivery import deliver
    from lanista.distillation.pictures import write_curve
    from lanista.progress import NoProgress

    say(f"exporting {run.folder / 'final'}, comparing three runtimes and timing them ...")
    shown, run.progress = run.progress, NoProgress()
    try:
        deliver(run)
    finally:
        run.progress = shown
    card = write_card(run.folder)
    write_curve(card, run.folder / "curve.png")
    return card
