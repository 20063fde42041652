"""The plugin host: finds plugins, asks them what they offer, keeps it by kind and name.

1. Every installed distribution with an entry point in the group ``lanista`` is a plugin, ours included.
2. Each is imported in a guard: one that raises is remembered as broken and does not take the others down.
3. Its `register_*` hooks fill the registry; a name that is already taken is refused, naming both owners.
"""

import difflib
import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from lanista.errors import PluginError, RecipeError


class NoSettings(BaseModel):
    """The settings model of things that have nothing to set."""

    model_config = ConfigDict(frozen=True, extra="forbid")


@dataclass(frozen=True)
class Entry:
    """One thing that a plugin offers."""

    kind: str
    name: str
    target: str
    settings: type[BaseModel]
    summary: str
    owner: str
    traits: Mapping[str, Any] = field(default_factory=dict)


class Registry:
    """What all plugins offer, by kind ("envs", "networks", ...) and name."""

    def __init__(self) -> None:
        """Start empty; the host fills it."""
        self._entries: dict[str, dict[str, Entry]] = {}

    def add(self, entry: Entry) -> None:
        """Take an entry in; refuse a name that is taken, naming both owners."""
        names = self._entries.setdefault(entry.kind, {})
        if entry.name in names:
            raise PluginError(
                f"{entry.kind} {entry.name!r} is offered twice, by {names[entry.name].owner} and by {entry.owner}; "
                f"rename one or block a plugin with LANISTA_PLUGINS_OFF"
            )
        names[entry.name] = entry

    def names(self, kind: str) -> list[str]:
        """The names offered for a kind, sorted."""
        return sorted(self._entries.get(kind, {}))

    def get(self, kind: str, name: str) -> Entry:
        """Look a name up; an unknown one is an error that names the nearest."""
        names = self._entries.get(kind, {})
        if name not in names:
            near = difflib.get_close_matches(name, names, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(sorted(names)) or 'none'}"
            raise RecipeError(f"no plugin offers {kind} {name!r}; {hint}")
        return names[name]

    def load(self, kind: str, name: str) -> Any:  # noqa: ANN401 - each kind has its own contract
        """Import the target of an entry (this is where torch or numba may come in)."""
        entry = self.get(kind, name)
        module, _, attribute = entry.target.partition(":")
        try:
            return getattr(importlib.import_module(module), attribute)
        except (ImportError, AttributeError) as error:
            raise PluginError(f"{kind} {name!r} of {entry.owner}: {entry.target} cannot be loaded: {error}") from error

    def settings(self, kind: str, name: str, table: Mapping[str, Any]) -> Any:  # noqa: ANN401 - a frozen model
        """Check a recipe table with the settings model of the plugin that it names."""
        entry = self.get(kind, name)
        try:
            return entry.settings.model_validate(dict(table))
        except ValidationError as error:
            raise RecipeError(f"{kind} {name!r}: {error}") from error


KINDS = (
    "envs", "networks", "heads", "learners", "players", "phases",
    "shapers", "distillers", "matchmakers", "loggers", "targets", "recipes",
)  # fmt: skip


class PluginHost:
    """The plugins of this process and the registry they filled."""

    def __init__(self) -> None:
        """Load every installed plugin (see `load_plugins`)."""
        self.registry = Registry()


def load_plugins(files: tuple[str, ...] = ()) -> PluginHost:
    """Find and load the installed plugins and the given single files."""
    from importlib.metadata import entry_points

    import pluggy

    from lanista import hookspecs

    host = PluginHost()
    manager = pluggy.PluginManager("lanista")
    manager.add_hookspecs(hookspecs)
    for point in entry_points(group="lanista"):
        module = point.load()
        manager.register(module, point.name)
        for kind in KINDS:
            hook = getattr(module, f"register_{kind}", None)
            if hook is None:
                continue

            def register(name: str, target: str, *, settings: Any = None, summary: str = "", _kind: str = kind,  # noqa: ANN401
                         _owner: str = point.name, **traits: Any) -> None:  # noqa: ANN401
                host.registry.add(Entry(_kind, name, target, settings or NoSettings, summary, _owner, traits))

            hook(register=register)
    return host
