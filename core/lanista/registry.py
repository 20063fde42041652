"""What all plugins offer, by kind and name; a factory is imported when it is first asked for."""

import importlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from lanista.errors import LanistaError, PluginError, RecipeError
from lanista.hints import hint, one_line, shown, told, validation_sentences

KINDS = (
    "envs", "networks", "heads", "learners", "players", "phases",
    "shapers", "distillers", "matchmakers", "loggers", "targets", "recipes",
)  # fmt: skip

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]*")
_TARGET = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*")
_RECIPE = re.compile(r"[A-Za-z_][\w.]*:[\w./-]+\.toml")


class NoSettings(BaseModel):
    """The settings model of things that have nothing to set."""

    model_config = ConfigDict(frozen=True, extra="forbid")


@dataclass(frozen=True)
class Entry:
    """One thing that a plugin offers."""

    #: "envs", "networks", ...
    kind: str
    name: str
    #: "module:attribute"; of a recipe "package:path/inside/it.toml"
    target: str
    settings: type[BaseModel]
    summary: str
    #: the plugin's name
    owner: str
    traits: Mapping[str, Any] = field(default_factory=dict)

    @property
    def words(self) -> str:
        """The entry as an error names it: ``env 'cartpole'``."""
        return f"{self.kind.removesuffix('s')} {self.name!r}"


class Registry:
    """What all plugins offer, by kind ("envs", "networks", ...) and name."""

    def __init__(self) -> None:
        """Start empty; the host fills it."""
        self._entries: dict[str, dict[str, Entry]] = {}
        #: appended to "no plugin offers ...": which plugins are broken, and so may be what is missed
        self.missing_note = ""

    def add_all(self, entries: Iterable[Entry]) -> None:
        """Take all entries of a plugin in, or none: a name that is taken is refused, naming both owners."""
        fresh: dict[tuple[str, str], Entry] = {}
        for entry in entries:
            key = (entry.kind, entry.name)
            taken = fresh.get(key) or self._entries.get(entry.kind, {}).get(entry.name)
            if taken is not None:
                raise PluginError(
                    f"{entry.words} is offered twice, by {taken.owner} and by {entry.owner}; "
                    f"rename one or block a plugin with LANISTA_PLUGINS_OFF"
                )
            fresh[key] = entry
        for (kind, name), entry in fresh.items():
            self._entries.setdefault(kind, {})[name] = entry

    def drop(self, owner: str) -> None:
        """Forget everything that a plugin offered."""
        for names in self._entries.values():
            for name in [name for name, entry in names.items() if entry.owner == owner]:
                del names[name]

    def names(self, kind: str) -> list[str]:
        """The names offered for a kind, sorted."""
        return sorted(self._entries.get(kind, {}))

    def entries(self, owner: str | None = None) -> list[Entry]:
        """All entries by kind and name, or those of one plugin."""
        kinds = sorted(self._entries, key=KINDS.index)
        found = [self._entries[kind][name] for kind in kinds for name in self.names(kind)]
        return [entry for entry in found if owner is None or entry.owner == owner]

    def get(self, kind: str, name: str) -> Entry:
        """Look a name up; an unknown one is an error that names the nearest."""
        names = self._entries.get(kind, {})
        if name not in names:
            raise RecipeError(
                f"no plugin offers {kind.removesuffix('s')} {name!r}; {hint(name, names)}{self.missing_note}"
            )
        return names[name]

    def load(self, kind: str, name: str) -> Any:  # noqa: ANN401 - each kind has its own contract
        """Import the target of an entry (this is where torch or numba may come in)."""
        entry = self.get(kind, name)
        module, _, path = entry.target.partition(":")
        try:
            found: Any = importlib.import_module(module)
            for attribute in path.split("."):
                found = getattr(found, attribute)
        except (KeyboardInterrupt, LanistaError):
            raise
        except BaseException as error:  # a target that calls sys.exit must not end the program unexplained
            raise PluginError(
                f"{entry.words} of plugin {entry.owner}: {entry.target} cannot be loaded: {told(error)}"
            ) from error
        return found

    def settings(self, kind: str, name: str, table: Mapping[str, Any]) -> Any:  # noqa: ANN401 - a frozen model
        """Check a recipe table with the settings model of the plugin that it names."""
        entry = self.get(kind, name)
        try:
            return entry.settings.model_validate(dict(table))
        except ValidationError as error:
            raise RecipeError(f"{entry.words}: {validation_sentences(error, entry.settings)}") from error
        except LanistaError:
            raise
        except Exception as error:  # a validator of the plugin's own that fails instead of refusing
            model = entry.settings.__name__
            raise PluginError(
                f"{entry.words} of plugin {entry.owner}: its settings model {model} failed: {told(error)}"
            ) from error


def checked_entry(
    kind: str, owner: str, module: str, aliases: Iterable[str], arguments: Mapping[str, Any]
) -> Entry:
    """Make an entry of what a plugin handed to `register`, or say what is wrong with it.

    `module` is the plugin's own module: a target ":attribute", or one that starts with one of `aliases`,
    lies in it.
    """
    name, target = arguments["name"], arguments["target"]
    settings, summary = arguments["settings"], arguments["summary"]
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise PluginError(
            f"register_{kind}: a name is a text of letters, digits and _ . : -, found {shown(name)}; "
            f'write register("name", "module:attribute")'
        )
    where = f"register_{kind}, {name!r}"
    if isinstance(target, str) and kind != "recipes":
        start, colon, rest = target.partition(":")
        if colon and (not start or start in aliases):
            target = f"{module}:{rest}"
    form = _RECIPE if kind == "recipes" else _TARGET
    if not isinstance(target, str) or not form.fullmatch(target):
        asked = '"package:path/inside/it.toml"' if kind == "recipes" else '"module:attribute"'
        raise PluginError(f"{where}: the target must be a text {asked}, found {shown(target)}")
    if settings is None:
        settings = NoSettings
    if not isinstance(settings, type) or not issubclass(settings, BaseModel):
        raise PluginError(f"{where}: settings must be a pydantic model class, found {shown(settings)}")
    if settings.model_config.get("extra") != "forbid":
        raise PluginError(
            f"{where}: {settings.__name__} would let misspelt keys pass; "
            f'give it model_config = ConfigDict(frozen=True, extra="forbid")'
        )
    if not isinstance(summary, str):
        raise PluginError(f"{where}: the summary must be a text, found {shown(summary)}")
    return Entry(kind, name, target, settings, one_line(summary), owner, dict(arguments["traits"]))


def recipe_text(entry: Entry) -> str:
    """The TOML text behind a recipe's target ("package:path/inside/it.toml")."""
    from importlib import resources

    package, _, inside = entry.target.partition(":")
    try:
        return resources.files(package).joinpath(inside).read_text(encoding="utf-8")
    except (OSError, ImportError) as error:
        raise PluginError(
            f"recipe {entry.name!r} of plugin {entry.owner} cannot be read from {entry.target}: {error}"
        ) from error
