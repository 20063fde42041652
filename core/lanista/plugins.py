"""The plugin host: finds plugins, asks them what they offer, tells them what happens.

1. Every installed distribution with an entry point in the group ``lanista`` is a plugin, ours included, and
   so is each ``--plugin FILE.py``.
2. Each is imported in a guard: one that raises, exits or hides a misspelt hook is remembered as broken, with
   file, line and cause, and does not take the others down.
3. Its `register_*` hooks offer entries. They go into the registry together or not at all: a name that is
   taken is refused, naming both owners, and leaves the later plugin broken as a whole.
4. Events (`run_started`, ...) go to the plugins that are left.
"""

import contextlib
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pluggy

from lanista import hookspecs
from lanista.errors import PluginError
from lanista.hints import hint, shown, told
from lanista.plugin_sources import Broken, Plugin, diagnose, file_plugin, installed_plugins, misfits
from lanista.registry import KINDS, Entry, NoSettings, Registry, checked_entry

if TYPE_CHECKING:
    import typer

__all__ = [
    "KINDS", "Entry", "NoSettings", "Plugin", "PluginHost", "Registry",
    "current_host", "load_plugins", "start_host",
]  # fmt: skip

#: after this many seconds of import a line says what the program is waiting for
SLOW_IMPORT = 5.0


class PluginHost:
    """The plugins of this process and the registry that they filled."""

    def __init__(self) -> None:
        """Know the hooks but no plugin yet; `load_plugins` fills a host."""
        self.registry = Registry()
        #: every plugin found, broken and blocked ones included, in the order of loading
        self.plugins: list[Plugin] = []
        #: sentences about plugins that the user should see once
        self.notes: list[str] = []
        self._manager = pluggy.PluginManager("lanista")
        self._manager.add_hookspecs(hookspecs)
        self._events: dict[str, list[tuple[Plugin, Any]]] = {}
        if os.environ.get("LANISTA_TRACE_PLUGINS", "") not in ("", "0"):
            self._manager.add_hookcall_monitoring(_trace_call, _trace_result)

    @property
    def hook_names(self) -> list[str]:
        """Every hook that a plugin may implement."""
        return [name for name in vars(hookspecs) if name in vars(self._manager.hook)]

    @property
    def working(self) -> list[Plugin]:
        """The plugins that are in use."""
        return [plugin for plugin in self.plugins if plugin.problem is None and not plugin.blocked]

    @property
    def broken(self) -> list[Plugin]:
        """The plugins that could not be used; each has its `problem`."""
        return [plugin for plugin in self.plugins if plugin.problem is not None]

    def record(self) -> list[dict[str, str | None]]:
        """Say which plugins are in use, for a run's record; ``sha256`` is that of a file plugin's source."""
        return [
            {
                "name": plugin.name,
                "distribution": plugin.distribution,
                "version": plugin.version,
                "file": plugin.file,
                "sha256": plugin.sha256,
            }
            for plugin in self.working
        ]

    def sources(self) -> dict[str, bytes]:
        """The file plugins' source text by plugin name (``shaper.py``), for a run folder to keep."""
        return {plugin.name: plugin.source for plugin in self.working if plugin.source is not None}

    def attach_commands(self, app: "typer.Typer") -> None:
        """Let every plugin add its commands; one that fails is broken as a whole and adds none."""
        from lanista.cli.attach import command_names, merge

        owners = dict.fromkeys(command_names(app), "lanista itself")
        for plugin in self.working:
            hook = self._hook("register_commands", plugin)
            if hook is None:
                continue
            import typer

            fresh = typer.Typer()
            try:
                with _screen_on_stderr():
                    hook(app=fresh)
                if fresh.registered_callback is not None:
                    raise PluginError("register_commands may add commands and groups, not a callback")
                for name in command_names(fresh):
                    if name in owners:
                        raise PluginError(
                            f"command {name!r} is offered twice, by {owners[name]} and by {plugin.name}; "
                            f"rename one or block a plugin with LANISTA_PLUGINS_OFF"
                        )
                    owners[name] = plugin.name
            except KeyboardInterrupt:
                raise
            except BaseException as error:
                owners = {name: owner for name, owner in owners.items() if owner != plugin.name}
                self._break(plugin, error, "register_commands")
                continue
            merge(app, fresh)

    def require_files(self) -> None:
        """Raise if a file plugin is broken: it was asked for by name, so going on without it is no help."""
        for plugin in self.broken:
            if plugin.file is not None:
                raise PluginError(f"plugin {plugin.name} cannot be used: {plugin.problem}") from plugin.error

    def emit(self, event: str, **arguments: Any) -> None:  # noqa: ANN401 - each event has its own arguments
        """Tell every plugin what happened; one that raises ends the call with an error that names it."""
        if event not in self._events:
            if event not in self.hook_names or event.startswith("register_"):
                events = [name for name in self.hook_names if not name.startswith("register_")]
                raise ValueError(f"{event!r} is no event; {hint(event, events)}")
            hooks = [(plugin, self._hook(event, plugin)) for plugin in self.working]
            self._events[event] = [(plugin, hook) for plugin, hook in hooks if hook is not None]
        for plugin, hook in self._events[event]:
            try:
                hook(**arguments)
            except KeyboardInterrupt:
                raise
            except BaseException as error:
                raise PluginError(f"plugin {plugin.name}, hook {event}: {diagnose(error, plugin)}") from error

    def implements(self, hook: str, plugin: Plugin) -> bool:
        """Whether a working plugin has a function for a hook or event."""
        return plugin in self.working and self._hook(hook, plugin) is not None

    def load(self, plugin: Plugin) -> None:
        """Import one plugin and take in what it offers, or remember why not."""
        self.plugins.append(plugin)
        if plugin.problem is not None:
            self._note_missing()
        if plugin.problem is not None or plugin.blocked:
            return
        try:
            with _screen_on_stderr(), _told_if_slow(plugin):
                module = plugin.load()
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # a plugin that calls sys.exit must not end the program either
            self._break(plugin, error, "import")
            return
        try:
            misfits(module, plugin, self._manager)
            if module in self._manager.get_plugins():
                raise PluginError(f"{plugin.module} is already plugin {self._manager.get_name(module)!r}")
            self._manager.register(module, plugin.name)
            with _screen_on_stderr():
                self.registry.add_all(self._offers(plugin, module))
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            self._break(plugin, error, "registration")

    def _offers(self, plugin: Plugin, module: ModuleType) -> list[Entry]:
        """Call the plugin's `register_*` hooks and give what they offered."""
        offers: list[Entry] = []
        aliases = {Path(plugin.name).stem} if plugin.source is not None else set()
        open_kind: list[str] = []

        def registrar(kind: str) -> hookspecs.Register:
            def register(
                name: str,
                target: str,
                *,
                settings: Any = None,  # noqa: ANN401 - checked with a sentence below
                summary: str = "",
                **traits: Any,  # noqa: ANN401 - each kind documents its traits
            ) -> None:
                if open_kind != [kind]:
                    raise PluginError(f"register_{kind}: register was called after the hook had returned")
                given = {
                    "name": name,
                    "target": target,
                    "settings": settings,
                    "summary": summary,
                    "traits": traits,
                }
                offers.append(checked_entry(kind, plugin.name, module.__name__, aliases, given))

            return register

        for kind in KINDS:
            hook = self._hook(f"register_{kind}", plugin)
            if hook is not None:
                open_kind[:] = [kind]
                hook(register=registrar(kind))
        open_kind.clear()
        return offers

    def _hook(self, name: str, plugin: Plugin) -> Any:  # noqa: ANN401 - a pluggy hook caller
        """The caller of one hook of one plugin, or None where it does not implement it."""
        hook = getattr(self._manager.hook, name)
        if all(implementation.plugin_name != plugin.name for implementation in hook.get_hookimpls()):
            return None
        others = [module for other, module in self._manager.list_name_plugin() if other != plugin.name]
        return self._manager.subset_hook_caller(name, others)

    def _break(self, plugin: Plugin, error: BaseException, stage: str) -> None:
        """Remember a plugin as broken and take back all that it gave."""
        plugin.problem = diagnose(error, plugin)
        plugin.stage = stage
        plugin.error = error
        self.registry.drop(plugin.name)
        self._events.clear()
        if self._manager.has_plugin(plugin.name):
            self._manager.unregister(name=plugin.name)
        self._note_missing()

    def _note_missing(self) -> None:
        """Let a failed look-up say that what is missed may be in a broken plugin."""
        names = ", ".join(plugin.name for plugin in self.broken)
        self.registry.missing_note = f" (broken plugins offer nothing: {names}; see `lanista plugins`)"


def load_plugins(files: Sequence[str | Path] = (), *, strangers: bool = True) -> PluginHost:
    """Find and load the installed plugins, then the given single files, into a host of their own.

    Without `strangers` only lanista's own are loaded: for commands that must not hang on anybody else's import.
    """
    host = PluginHost()
    blocked = [name.strip() for name in os.environ.get("LANISTA_PLUGINS_OFF", "").split(",") if name.strip()]
    found = [
        *(plugin for plugin in installed_plugins(blocked) if strangers or plugin.distribution == "lanista"),
        *(file_plugin(Path(file), blocked) for file in dict.fromkeys(files)),
    ]
    known = {name for plugin in found for name in (plugin.name, plugin.distribution) if name}
    host.notes += [
        f"LANISTA_PLUGINS_OFF names {shown(name)}, but there is no such plugin; {hint(name, known)}"
        for name in blocked
        if name not in known
    ]
    holders: dict[str, Plugin] = {}
    for plugin in found:
        if not plugin.blocked and plugin.problem is None:
            holder = holders.setdefault(plugin.name, plugin)
            if holder is not plugin:
                cause = (
                    f"two plugins are called {plugin.name!r}, one of {holder.origin} and one of "
                    f"{plugin.origin}; the first is used: rename or uninstall one, or block a distribution "
                    f"with LANISTA_PLUGINS_OFF"
                )
                plugin.problem = Broken(cause, plugin.file, None)
        host.load(plugin)
    return host


_current: PluginHost | None = None


def current_host() -> PluginHost:
    """The host of this process; loads the installed plugins at the first call."""
    global _current
    if _current is None:
        _current = load_plugins()
    return _current


def start_host(
    files: Sequence[str | Path] = (), *, strict: bool = True, strangers: bool = True
) -> PluginHost:
    """Load the installed plugins and the given files, and make that the host of this process.

    A broken file is an error; `strict=False` only remembers it.
    """
    global _current
    _current = load_plugins(files, strangers=strangers)
    if strict:
        _current.require_files()
    return _current


@contextlib.contextmanager
def _screen_on_stderr() -> Iterator[None]:
    """Keep what a plugin prints while loading away from stdout, where `--json` must stand alone."""
    with contextlib.redirect_stdout(sys.stderr):
        yield


@contextlib.contextmanager
def _told_if_slow(plugin: Plugin) -> Iterator[None]:
    """Say on screen what the program waits for when an import takes long."""
    import threading

    text = f"lanista: still importing plugin {plugin.name} ({plugin.origin}) after {SLOW_IMPORT:g} s\n"
    timer = threading.Timer(SLOW_IMPORT, lambda: sys.stderr.write(text))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _trace_call(hook_name: str, hook_impls: Any, kwargs: Any) -> None:  # noqa: ANN401 - pluggy's own types
    """Print a hook call before it is made (LANISTA_TRACE_PLUGINS=1)."""
    owners = ", ".join(implementation.plugin_name for implementation in hook_impls)
    given = ", ".join(f"{name}={shown(value)}" for name, value in kwargs.items())
    print(f"hook {hook_name}({given}) -> {owners}", file=sys.stderr)


def _trace_result(outcome: Any, hook_name: str, hook_impls: Any, kwargs: Any) -> None:  # noqa: ANN401
    """Print what a hook call gave."""
    if outcome.exception is not None:
        print(f"hook {hook_name} raised {told(outcome.exception)}", file=sys.stderr)
    elif any(value is not None for value in outcome.get_result()):
        print(f"hook {hook_name} gave {shown(outcome.get_result())}", file=sys.stderr)
