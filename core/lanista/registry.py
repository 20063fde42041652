"""What all plugins offer, by kind and name; a factory is imported when it is first asked for.

A registered name that ends with ":" is a *family* and answers for every longer name that begins with it:
``gymnasium:`` for ``gymnasium:CartPole-v1``. An exact name goes before a family, a longer prefix before a shorter.
What stands behind the prefix goes into the settings, into the field that the trait ``rest`` names.
"""

import importlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from lanista.errors import LanistaError, PluginError, RecipeError
from lanista.hints import hint, one_line, shown, told, validation_sentences

KINDS = (
    "envs", "networks", "heads", "learners", "players", "phases",
    "shapers", "distillers", "teachers", "matchmakers", "loggers", "targets", "recipes",
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
    #: of a family's member: the prefix that answers for it, such as "gymnasium:"; of all others ""
    family: str = ""

    @property
    def is_family(self) -> bool:
        """Does the entry stand for every name that begins with its own?"""
        return self.name.endswith(":")

    @property
    def listed(self) -> str:
        """The name as a list shows it: a family's with what goes on behind it, ``gymnasium:<id>``."""
        return f"{self.name}<{self.traits['rest']}>" if self.is_family else self.name

    @property
    def rest(self) -> str:
        """What the name of a family's member says beyond the prefix."""
        return self.name.removeprefix(self.family)

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
        """The names offered for a kind, sorted; a family is there by its prefix."""
        return sorted(self._entries.get(kind, {}))

    def entries(self, owner: str | None = None) -> list[Entry]:
        """All entries by kind and name, or those of one plugin."""
        kinds = sorted(self._entries, key=KINDS.index)
        found = [self._entries[kind][name] for kind in kinds for name in self.names(kind)]
        return [entry for entry in found if owner is None or entry.owner == owner]

    def get(self, kind: str, name: str) -> Entry:
        """Look a name up, exactly and then among the families; an unknown one is an error that names the nearest."""
        names = self._entries.get(kind, {})
        if name in names and not names[name].is_family:
            return names[name]
        families = [
            prefix for prefix in names if prefix.endswith(":") and name.startswith(prefix) and name != prefix
        ]
        if families:
            prefix = max(families, key=len)
            return replace(names[prefix], name=name, family=prefix)
        if name in names:
            entry = names[name]
            raise RecipeError(
                f"{entry.words} is a family, {entry.listed}: say which member is meant behind the colon"
                + (f" ({entry.summary})" if entry.summary else "")
            )
        raise RecipeError(
            f"no plugin offers {kind.removesuffix('s')} {name!r}; {hint(name, _nearby(name, names))}"
            f"{self.missing_note}"
        )

    def offers(self, kind: str, name: str) -> bool:
        """Does a plugin answer for this name, itself or by a family?"""
        names = self._entries.get(kind, {})
        return any(name == known if not known.endswith(":") else name.startswith(known) for known in names)

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
            return entry.settings.model_validate(_with_rest(entry, table))
        except ValidationError as error:
            raise RecipeError(f"{entry.words}: {validation_sentences(error, entry.settings)}") from error
        except LanistaError:
            raise
        except Exception as error:  # a validator of the plugin's own that fails instead of refusing
            model = entry.settings.__name__
            raise PluginError(
                f"{entry.words} of plugin {entry.owner}: its settings model {model} failed: {told(error)}"
            ) from error


def _nearby(name: str, names: Iterable[str]) -> list[str]:
    """The names that may be meant: a family's with the rest of this one, so that a slip in the prefix shows."""
    _, colon, rest = name.partition(":")
    return [known + rest if known.endswith(":") and colon and rest else known for known in names]


def _with_rest(entry: Entry, table: Mapping[str, Any]) -> dict[str, Any]:
    """A family's member says one of its settings by its name; a table that says it too must say the same."""
    if not entry.family:
        return dict(table)
    key = entry.traits["rest"]
    if table.get(key, entry.rest) != entry.rest:
        raise RecipeError(f"{entry.words}: {key} = {shown(table[key])} contradicts the name; leave {key} out")
    return {**table, key: entry.rest}


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
    traits = dict(arguments["traits"])
    if name.endswith(":"):
        _check_family(where, kind, settings, traits)
    return Entry(kind, name, target, settings, one_line(summary), owner, traits)


def _check_family(where: str, kind: str, settings: type[BaseModel], traits: Mapping[str, Any]) -> None:
    """A family needs a text field among its settings for the rest of a member's name."""
    if kind == "recipes":
        raise PluginError(f"{where}: a recipe is one file and no family; take the colon off its name")
    rest = traits.get("rest")
    if not isinstance(rest, str) or rest not in settings.model_fields:
        found = "no trait `rest`" if rest is None else f"rest={shown(rest)}"
        raise PluginError(
            f"{where}: a name that ends with a colon is a family, and what follows goes into its settings; "
            f'found {found} with the settings {settings.__name__}; register it with rest="field", a field of the model'
        )


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
