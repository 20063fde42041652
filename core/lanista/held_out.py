"""Levels that training never plays, for the figures: an env of maps or levels says how to have them.

Its plugin registers the trait ``held_out={"maps": "held_out"}``: settings with which it plays levels that it never plays
without them. Whatever makes a figure lays them over the env's own: an `until` rule, a gate, a recipe's `evaluate`, the
comparison of a student with its teacher, `lanista eval`. Training takes the settings as they are. An env without the trait
has no levels, or draws starts so freely that none comes twice, and is played as it is.

Where the platform's games take a seed, ``first_held_out_seed=900`` says from which one on they are held-out levels: there
`lanista eval` begins, unless it is told another.
"""

from collections.abc import Mapping
from typing import Any

from lanista.errors import PluginError
from lanista.hints import hint
from lanista.registry import Registry


def held_out(registry: Registry, env: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """The options of an env's settings with which it plays levels that training never plays."""
    return {**options, **held_out_settings(registry, env)}


def held_out_settings(registry: Registry, env: str) -> dict[str, Any]:
    """The settings that the env's trait names; empty for an env without one. Raises `PluginError` if it names none."""
    entry = registry.get("envs", env)
    trait = entry.traits.get("held_out", {})
    fields = list(entry.settings.model_fields)
    if not isinstance(trait, Mapping):
        raise PluginError(
            f"{entry.words} of plugin {entry.owner}: its trait held_out is {trait!r}; name settings and their values, as "
            f'in held_out={{"maps": "held_out"}}'
        )
    for name in trait:
        if name not in fields:
            raise PluginError(
                f"{entry.words} of plugin {entry.owner}: its trait held_out names {name!r}, which its settings do not have; "
                f"{hint(str(name), fields)}"
            )
    return dict(trait)


def first_held_out_seed(registry: Registry, env: str) -> int:
    """From which seed on the platform's games are on held-out levels; 0 for an env that does not say."""
    entry = registry.get("envs", env)
    seed = entry.traits.get("first_held_out_seed", 0)
    if not isinstance(seed, int):
        raise PluginError(
            f"{entry.words} of plugin {entry.owner}: its trait first_held_out_seed is {seed!r}; give a whole number"
        )
    return seed
