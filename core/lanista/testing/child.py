"""The child process of `lanista check plugin`: runs checks and writes one JSON line for each.

``python -m lanista.testing.child`` reads its task as JSON from stdin. A line ``{"begin": title}`` comes before each
check, ``{"end": title, "sentence": null or text}`` after it. A check that takes longer than `timeout` ends the process,
after the stack was written to `stacks`, so that the parent can say where it hung.
"""

import faulthandler
import json
import os
import sys
from pathlib import Path
from typing import Any

from lanista.errors import LanistaError
from lanista.plugin_sources import Plugin
from lanista.plugins import PluginHost, load_plugins


def main() -> None:
    """Do the task on stdin."""
    task = json.loads(sys.stdin.read())
    lines = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what plugins print is not part of the report

    def tell(**line: Any) -> None:  # noqa: ANN401 - JSON values
        lines.write(json.dumps(line) + "\n")
        lines.flush()

    with Path(task["stacks"]).open("w") as stacks:

        def clock() -> None:
            faulthandler.dump_traceback_later(task["timeout"], exit=True, file=stacks)

        clock()
        tell(begin="import and registration")
        host = load_plugins([task["file"]] if task["file"] else [])
        plugin = find(host, task["name"])
        tell(end="import and registration", sentence=_broken(plugin), owner=plugin.origin)
        if plugin.problem is None:
            _run_checks(host, plugin, task, tell, clock)
        faulthandler.cancel_dump_traceback_later()


def _run_checks(host: PluginHost, plugin: Plugin, task: dict[str, Any], tell: Any, clock: Any) -> None:  # noqa: ANN401
    from lanista.testing.plugin_check import Wish, checks_of, verdict

    wish = Wish(task["kind"], task["env"], tuple(task["changes"]))
    try:
        checks = list(checks_of(host, plugin, wish))
    except LanistaError as error:
        tell(end="settings", sentence=str(error))
        return
    for check in checks:
        if check.title in task["skip"]:
            continue
        clock()
        tell(begin=check.title)
        tell(end=check.title, sentence=verdict(check, plugin))


def find(host: PluginHost, name: str) -> Plugin:
    """The plugin of that name; the parent has looked it up already."""
    return next(plugin for plugin in host.plugins if plugin.name == name)


def _broken(plugin: Plugin) -> str | None:
    if plugin.problem is None:
        return None
    return (
        f"plugin {plugin.name} breaks at {plugin.stage or 'its metadata'}: {plugin.problem}; mend that line"
    )


if __name__ == "__main__":
    main()
