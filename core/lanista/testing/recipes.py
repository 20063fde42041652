"""What must hold of a recipe: it reads, it is checked, it says how to run it, and all that it names can be loaded."""

import tomllib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from lanista.plugins import Registry
from lanista.registry import recipe_text
from lanista.testing.complaints import Complaints

if TYPE_CHECKING:
    from lanista.recipe import Recipe


def check_recipe_offer(registry: Registry, name: str) -> None:
    """Raise `LanistaError`, one sentence, for the first thing in which a recipe is broken."""
    from lanista.recipe import check_recipe

    entry = registry.get("recipes", name)
    complaints = Complaints.about(entry)
    text = recipe_text(entry)
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        complaints.complain(entry.target.partition(":")[2], f"is no TOML ({error})", "mend that line")
    first = text.partition("\n")[0]
    complaints.refuse(
        not first.startswith("# lanista run"), "its first line", f"is {first!r}"[:60],
        f"begin with the command that runs it: # lanista run {name}",
    )  # fmt: skip
    recipe = check_recipe(values, registry)
    for phase in recipe.phases:
        registry.load("phases", phase.kind)
    for kind, use in _named(recipe):
        registry.load(kind, use)


def _named(recipe: "Recipe") -> Iterator[tuple[str, str]]:
    from lanista.tables import PluginTable, tables

    models = [recipe.top, *(phase.settings for phase in recipe.phases)]
    found = [table for model in models for _, table in tables(model)]
    # A teacher's source may be a phase of the recipe itself; those of plugins were held against their settings.
    return ((table.kind, table.use) for table in found if isinstance(table, PluginTable))
