"""All checks of one plugin, in the order in which an author would mend what they find.

1. It is imported and registers what it offers.
2. Everything that it offers is held against the contract of its kind.
3. Its commands answer to --help, and its events are called by a run of a few steps.

Each check raises one sentence or is passed. `lanista check plugin` runs this in a child process, since a plugin may hang.
"""

import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lanista.errors import LanistaError, PluginError
from lanista.hints import hint
from lanista.plugin_sources import Plugin, diagnose
from lanista.plugins import PluginHost
from lanista.registry import Entry

EVENTS = ("run_started", "update_finished", "phase_finished", "run_finished")
#: a run of the practice game that is over in a moment
RUN: dict[str, Any] = {
    "name": "practice",
    "env": "practice",
    "phases": [
        {
            "name": "one", "kind": "train", "num_games": 4, "num_steps": 8, "network": {"use": "mlp", "hidden": [4]},
            "until": {"steps": 64},
        }
    ],
}  # fmt: skip


@dataclass(frozen=True)
class Wish:
    """What the author asked for beside the plugin's name."""

    #: only things of this kind ("shapers", ...), "commands" or "events"; None for all
    kind: str | None = None
    #: the env to try shapers and players in
    env: str | None = None
    #: settings by dotted path, the first part being the name of what the plugin offers
    changes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Check:
    """One check that can be run."""

    #: "shaper 'speed'", "commands", ...
    title: str
    run: Callable[[], None]


def checks_of(host: PluginHost, plugin: Plugin, wish: Wish) -> Iterator[Check]:
    """Give every check of a plugin that loaded; see the module for the first one, which loading is."""
    entries = host.registry.entries(plugin.name)
    options = options_of(entries, wish.changes)
    for entry in entries:
        if wish.kind in (None, entry.kind):
            yield Check(entry.words, _of_entry(host, entry, options.get(entry.name), wish.env))
    if wish.kind in (None, "commands") and implements(host, plugin, "register_commands"):
        yield Check("commands", lambda: _commands(host, plugin))
    events = [event for event in EVENTS if implements(host, plugin, event)]
    if wish.kind in (None, "events") and events:
        yield Check(f"events {', '.join(events)}", lambda: play_a_little(host))


def implements(host: PluginHost, plugin: Plugin, hook: str) -> bool:
    """Whether a plugin implements a hook."""
    return host.implements(hook, plugin)


def options_of(entries: list[Entry], changes: tuple[str, ...]) -> dict[str, dict[str, Any]]:
    """Read ``NAME.key=value`` changes: name -> the settings of that thing."""
    from lanista.recipe import apply_changes

    found: dict[str, dict[str, Any]] = {}
    names = sorted((entry.name for entry in entries), key=len, reverse=True)
    for change in changes:
        name = next((name for name in names if change.startswith(f"{name}.")), None)
        if name is None:
            said = change.partition(".")[0]
            raise PluginError(
                f"--set {change}: the plugin offers no {said!r}; write NAME.key=value, {hint(said, names)}"
            )
        apply_changes(found.setdefault(name, {}), [change.removeprefix(f"{name}.")])
    return found


def _of_entry(
    host: PluginHost, entry: Entry, options: Mapping[str, Any] | None, env: str | None
) -> Callable[[], None]:
    from lanista import testing

    registry, name = host.registry, entry.name
    simple: dict[str, Callable[..., None]] = {
        "envs": testing.check_env_offer,
        "networks": testing.check_network,
        "heads": testing.check_head,
        "learners": testing.check_learner,
        "phases": testing.check_phase,
        "distillers": testing.check_distiller,
        "matchmakers": testing.check_matchmaker,
        "loggers": testing.check_logger,
    }
    where: dict[str, Callable[..., None]] = {
        "players": testing.check_player,
        "shapers": testing.check_shaper,
        "targets": testing.check_target,
        "teachers": testing.check_teacher,
    }
    if entry.kind in simple:
        return lambda: simple[entry.kind](registry, name, options=options)
    if entry.kind in where:
        return lambda: where[entry.kind](registry, name, options=options, env=env)
    return lambda: testing.check_recipe_offer(registry, name)


def _commands(host: PluginHost, plugin: Plugin) -> None:
    from lanista.testing import check_commands

    check_commands(host, plugin.name)


def play_a_little(host: PluginHost) -> None:
    """Play a run of a few steps in a folder that is thrown away, so that every event happens."""
    from lanista.recipe import check_recipe
    from lanista.run import Run
    from lanista.testing.practice import offer_practice

    offer_practice(host.registry)
    with tempfile.TemporaryDirectory(prefix="lanista-check-") as folder:
        Run.create(Path(folder) / "run", check_recipe(RUN, host.registry), host).play()


def verdict(check: Check, plugin: Plugin) -> str | None:
    """Run a check; None if it is passed, else one sentence that names the plugin."""
    try:
        check.run()
    except KeyboardInterrupt:
        raise
    except LanistaError as error:
        sentence = str(error)
        named = plugin.name in sentence
        return sentence if named else f"plugin {plugin.name}, {check.title}: {sentence}"
    except BaseException as error:  # what a plugin raises is the finding; even sys.exit
        return f"plugin {plugin.name}, {check.title}: {raised(error, plugin)}"
    return None


def raised(error: BaseException, plugin: Plugin) -> str:
    """Say where in the plugin something was raised, and what."""
    import traceback

    problem = diagnose(error, plugin)
    own = [frame for frame in traceback.extract_tb(error.__traceback__) if plugin.owns(frame.filename)]
    if own:
        return f"{own[-1].name} raised {problem.cause} ({problem.file}, line {problem.line}); mend that line"
    last = traceback.extract_tb(error.__traceback__)[-1]
    return (
        f"{problem.cause}, raised outside of the plugin's own lines ({last.name}); hold what it gives and takes against "
        f"the contract in docs/plugins.md"
    )
