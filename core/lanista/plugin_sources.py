"""Where plugins come from: installed distributions and single files; and what is wrong with a broken one."""

import hashlib
import importlib
import importlib.util
import inspect
import re
import sys
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import Distribution, EntryPoint, distributions
from pathlib import Path
from types import ModuleType
from typing import Any

import pluggy

from lanista.errors import LanistaError, PluginError
from lanista.hints import hint, one_line, shown, told
from lanista.version import __version__

#: file plugins live in `sys.modules` under this prefix, where a file called random.py shadows nothing
FILE_MODULES = "lanista_file_plugins"


@dataclass(frozen=True)
class Broken:
    """Why a plugin is not in use: one sentence and, where known, the place in its own code."""

    cause: str
    file: str | None
    line: int | None

    def __str__(self) -> str:
        """Give place and cause as one line."""
        if self.file is None:
            return self.cause
        return f"{self.file}{f', line {self.line}' if self.line else ''}: {self.cause}"


@dataclass(eq=False)
class Plugin:
    """One plugin: where it is from, and what became of it."""

    #: the entry point's name; of a file plugin the file's name (``shaper.py``)
    name: str
    #: the distribution's name, or None for a file
    distribution: str | None
    version: str | None
    #: the module to import; of a file plugin the name under which the file becomes a module
    module: str
    #: path of a file plugin
    file: str | None = None
    sha256: str | None = None
    #: text of a file plugin, exactly as it was run
    source: bytes | None = None
    blocked: bool = False
    problem: Broken | None = None
    #: "import", "registration" or "register_commands": when it broke
    stage: str | None = None
    error: BaseException | None = None

    @property
    def origin(self) -> str:
        """The distribution with its version, or the file."""
        return self.file if self.file is not None else f"{self.distribution} {self.version}"

    def load(self) -> ModuleType:
        """Import the plugin's module (runs the plugin's code; anything may be raised)."""
        if self.source is None:
            return importlib.import_module(self.module)
        spec = importlib.util.spec_from_loader(self.module, loader=None, origin=self.file)
        assert spec is not None
        module = importlib.util.module_from_spec(spec)
        module.__file__ = self.file
        sys.modules[self.module] = module
        try:
            exec(compile(self.source, str(self.file), "exec"), module.__dict__)
        except BaseException:
            del sys.modules[self.module]
            raise
        return module

    def owns(self, filename: str) -> bool:
        """Whether a source file belongs to this plugin."""
        if self.file is not None:
            return filename == self.file
        try:
            spec = importlib.util.find_spec(self.module.partition(".")[0])
        except (ImportError, ValueError):
            return False
        if spec is None:
            return False
        if spec.submodule_search_locations is None:
            return filename == spec.origin
        return any(Path(filename).is_relative_to(folder) for folder in spec.submodule_search_locations)


def installed_plugins(blocked: Sequence[str]) -> list[Plugin]:
    """The entry points of the group ``lanista``: ours first, then by distribution and name.

    The order decides which of two equal names is refused, so it must not depend on the order of folders.
    """
    found: dict[str, list[Plugin]] = {}
    for distribution in distributions():
        plugins = _plugins_of(distribution, blocked)
        if plugins:  # the same distribution further down the path is hidden, as it is for an import
            found.setdefault(_name(distribution), plugins)
    names = sorted(found, key=lambda name: (name != "lanista", name))
    return [plugin for name in names for plugin in sorted(found[name], key=lambda plugin: plugin.name)]


def _plugins_of(distribution: Distribution, blocked: Sequence[str]) -> list[Plugin]:
    """The plugins of one distribution; one whose list cannot be read is a broken plugin of that name.

    `importlib.metadata.entry_points` would let one damaged list hide everybody's plugins.
    """
    try:
        points = [point for point in distribution.entry_points if point.group == "lanista"]
    except Exception as error:  # the standard library raises whatever its parser stumbles over
        if "[lanista]" not in (distribution.read_text("entry_points.txt") or ""):
            return []
        name = _name(distribution)
        plugin = Plugin(name, name, _version(distribution), "", blocked=name in blocked)
        plugin.problem = Broken(f"its entry_points.txt cannot be read: {told(error)}", None, None)
        return [plugin]
    plugins = []
    for point in points:
        name = _name(distribution)
        plugin = Plugin(one_line(point.name), name, _version(distribution), point.value.strip())
        plugin.blocked = point.name in blocked or name in blocked
        plugin.problem = _unfit(distribution, point)
        plugins.append(plugin)
    return plugins


def _name(distribution: Distribution) -> str:
    metadata = distribution.metadata
    name = one_line(metadata["Name"]) if "Name" in metadata else "unnamed"
    return name.lower().replace("_", "-").replace(".", "-")


def _version(distribution: Distribution) -> str:
    metadata = distribution.metadata
    return one_line(metadata["Version"]) if "Version" in metadata else "of unknown version"


def _unfit(distribution: Distribution, point: EntryPoint) -> Broken | None:
    """Say what the metadata alone shows, before any of the plugin's code runs."""
    if ":" in point.value or "[" in point.value:
        return Broken(
            f"the entry point reads {one_line(point.value)!r}; a lanista plugin is a whole module, "
            f'written {point.name} = "package"',
            None,
            None,
        )
    wanted = [text for text in distribution.requires or [] if text.lower().startswith("lanista")]
    if not wanted or _name(distribution) == "lanista":
        return None
    from packaging.requirements import InvalidRequirement, Requirement

    for text in wanted:
        try:
            asked = Requirement(text)
        except InvalidRequirement:
            continue
        if asked.name.lower() != "lanista" or (asked.marker and not asked.marker.evaluate({"extra": ""})):
            continue
        if not asked.specifier.contains(__version__, prereleases=True):
            cause = f"asks for {asked}, and this is lanista {__version__}; upgrade one of them"
            return Broken(cause, None, None)
    return None


def file_plugin(path: Path, blocked: Sequence[str]) -> Plugin:
    """Read one file as a plugin; it is not run yet."""
    stem = path.stem
    if not stem.isidentifier():  # my-shaper.py is a fine file name, but a target is made of identifiers
        stem = f"{re.sub(r'[^0-9A-Za-z_]', '_', stem)}_{hashlib.sha256(stem.encode()).hexdigest()[:8]}"
    plugin = Plugin(path.name, None, None, f"{FILE_MODULES}.{stem}", file=str(path.absolute()))
    plugin.blocked = plugin.name in blocked
    if path.suffix != ".py":
        plugin.problem = Broken("--plugin takes a Python file whose name ends in .py", plugin.file, None)
        return plugin
    try:
        plugin.source = path.read_bytes()
    except OSError as error:
        cause = f"cannot be read: {error.strerror}; --plugin takes a Python file"
        plugin.problem = Broken(cause, plugin.file, None)
        return plugin
    plugin.sha256 = hashlib.sha256(plugin.source).hexdigest()
    return plugin


def misfits(module: ModuleType, plugin: Plugin, manager: pluggy.PluginManager) -> None:
    """Refuse hooks that pluggy would pass over: misspelt, unmarked, or with arguments that no hook has."""
    specs = {name: hook for name, hook in vars(manager.hook).items() if hook.has_spec()}
    for name, member in list(vars(module).items()):
        if not inspect.isfunction(member):
            continue
        options = manager.parse_hookimpl_opts(module, name)
        if options is None:
            if name in specs and member.__module__ == module.__name__:
                raise MisfitError(f"{name} is not marked; write @lanista.hookimpl above it", member)
            continue
        hook = options.get("specname") or name
        if hook not in specs:
            raise MisfitError(f"there is no hook {hook!r}; {hint(hook, specs)}", member)
        spec = specs[hook].spec
        unknown = [name for name in inspect.signature(member).parameters if name not in spec.argnames]
        if unknown:
            given = ", ".join(spec.argnames)
            raise MisfitError(f"{hook} has no argument {unknown[0]!r}; it is called with: {given}", member)


class MisfitError(PluginError):
    """A hook that does not fit; remembers its function for file and line."""

    def __init__(self, text: str, function: Any) -> None:  # noqa: ANN401 - a function
        """Say what does not fit, and keep where `function` begins."""
        super().__init__(text)
        code = inspect.unwrap(function).__code__
        self.place = (code.co_filename, code.co_firstlineno)


def diagnose(error: BaseException, plugin: Plugin) -> Broken:
    """Say what was raised and where: the innermost line that lies in the plugin's own files."""
    cause = one_line(error) if isinstance(error, LanistaError) else told(error)
    if isinstance(error, SystemExit):
        cause = f"it called sys.exit({'' if error.code is None else shown(error.code)})"
    if isinstance(error, MisfitError):
        return Broken(cause, *error.place)
    if isinstance(error, SyntaxError) and error.filename is not None and plugin.owns(error.filename):
        return Broken(f"SyntaxError: {one_line(error.msg)}", error.filename, error.lineno)
    own = [frame for frame in traceback.extract_tb(error.__traceback__) if plugin.owns(frame.filename)]
    if own:
        return Broken(cause, own[-1].filename, own[-1].lineno)
    return Broken(cause, plugin.file, None)
