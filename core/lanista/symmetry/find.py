"""The symmetries of an env by its name, as its plugin declares them by the trait ``symmetries``."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from lanista.errors import PluginError
from lanista.hints import shown, told
from lanista.registry import Registry
from lanista.spec import EnvSpec
from lanista.symmetry.declared import Symmetries, SymmetryError
from lanista.symmetry.group import Group, group_of

#: the trait's name
TRAIT = "symmetries"


def declared_symmetries(
    registry: Registry, env: str, settings: Mapping[str, Any], spec: EnvSpec
) -> Symmetries | None:
    """What the plugin of an env declares for these settings; None where it declares nothing."""
    entry = registry.get("envs", env)
    named = entry.traits.get(TRAIT)
    if named is None:
        return None
    where = f"{entry.words} of plugin {entry.owner}: trait {TRAIT}"
    module, colon, name = str(named).partition(":")
    if not colon or not name:
        raise PluginError(
            f"{where} is {shown(named)}; write {TRAIT}=\"package.module:function\", or ':function' beside the env"
        )
    try:
        function = getattr(import_module(module or entry.target.partition(":")[0]), name)
    except Exception as error:
        raise PluginError(f"{where} = {named!r} cannot be had ({told(error)}); mend that") from error
    try:
        found = function(spec, registry.settings("envs", env, settings))
    except SymmetryError:
        raise
    except Exception as error:
        raise PluginError(
            f"{where}: {named} raised {told(error)} when it was called as function(spec, settings); mend that"
        ) from error
    if found is not None and not isinstance(found, Symmetries):
        raise PluginError(
            f"{where}: {named} gave a {type(found).__name__}; return lanista.symmetry.Symmetries, or None"
        )
    return found


def find_group(registry: Registry, env: str, settings: Mapping[str, Any], spec: EnvSpec) -> Group:
    """The group of an env's symmetries; raises `SymmetryError` where it declares none."""
    declared = declared_symmetries(registry, env, settings, spec)
    if declared is None:
        raise SymmetryError(
            f"env {env} declares no symmetries (its plugin gives no trait {TRAIT}, or none for these settings); leave the "
            f"symmetry out, or declare them as docs/plugins.md says"
        )
    return group_of(spec, declared)
