"""One recipe played with many seeds: a folder with an ordinary run folder for each.

::

    DIR/group.toml     the recipe as resolved, without a seed
    DIR/group.json     the seeds asked for, and the exit code of each that is over
    DIR/plugins/       copies of single-file plugins
    DIR/seed-0/ ...    run folders
    DIR/logs/seed-0.log ...

1. Each seed is played by a child process, `jobs` at once, as `lanista run` or `lanista resume` plays it.
2. What a child came to is noted at once, so whatever is interrupted goes on with the seeds that are missing.
3. A seed that fails is named with its last sentence; the others go on.
"""

import json
import os
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout

from lanista.errors import CheckpointError, UsageError
from lanista.files import write_atomically
from lanista.interrupts import StopRequest
from lanista.plugins import PluginHost
from lanista.recipe import Recipe, resolved_values

if TYPE_CHECKING:
    from multiprocessing.context import ForkServerProcess, SpawnProcess

    Child = ForkServerProcess | SpawnProcess

FORMAT = 1
#: exit code of a run that was stopped and can go on
STOPPED = 130
#: seconds between looks at whether a stop was asked for
_LOOK = 0.2


@dataclass
class SeedGroup:
    """The folder and its record. Make it with `lay_out` or `open`, then `play` it."""

    folder: Path
    seeds: list[int]
    #: seed -> exit code of its run, for those that are over
    codes: dict[int, int]

    @staticmethod
    def is_group(folder: Path) -> bool:
        """Whether `folder` was laid out for several seeds."""
        return (folder / "group.json").is_file()

    @staticmethod
    def lay_out(folder: Path, recipe: Recipe, host: PluginHost, seeds: Sequence[int]) -> "SeedGroup":
        """Make the folder, or take one up that holds the same recipe and add the seeds that it lacks."""
        import tomli_w

        if (folder / "recipe.toml").exists():
            raise UsageError(f"{folder} holds a single run; name another folder for the seeds with --out")
        values = resolved_values(recipe, host.registry)
        values.pop("seed")
        text, sources = tomli_w.dumps(values).encode(), host.sources()
        if SeedGroup.is_group(folder):
            group = SeedGroup.open(folder)
            same = (folder / "group.toml").read_bytes() == text
            if not same or any(_read(folder / "plugins" / name) != code for name, code in sources.items()):
                raise UsageError(
                    f"{folder} holds seeds of another recipe or of other plugin files; go on with them by `lanista "
                    f"resume {folder}`, or name another folder with --out"
                )
            group.seeds = sorted({*group.seeds, *seeds})
            group._write()
            return group
        folder.mkdir(parents=True, exist_ok=True)
        for name, source in sources.items():
            (folder / "plugins").mkdir(exist_ok=True)
            write_atomically(folder / "plugins" / name, source)
        write_atomically(folder / "group.toml", text)
        group = SeedGroup(folder, sorted(seeds), {})
        group._write()
        return group

    @staticmethod
    def open(folder: Path) -> "SeedGroup":
        """Read a group's record."""
        try:
            record = json.loads((folder / "group.json").read_bytes())
            if record["format"] != FORMAT:
                raise ValueError(f"format {record['format']}, this version reads {FORMAT}")
            seeds = [int(seed) for seed in record["seeds"]]
            codes = {int(seed): int(code) for seed, code in record["exit_codes"].items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise CheckpointError(
                f"{folder / 'group.json'} cannot be read ({error}); start the seeds anew"
            ) from error
        return SeedGroup(folder, seeds, codes)

    def run_folder(self, seed: int) -> Path:
        """Where the run of a seed lies."""
        return self.folder / f"seed-{seed}"

    @property
    def missing(self) -> list[int]:
        """The seeds that have not come to a good end."""
        return [seed for seed in self.seeds if self.codes.get(seed) != 0]

    def play(
        self, jobs: int, say: Callable[[str], None], count: Callable[[int, int, str], None]
    ) -> list[str]:
        """Play what is missing, `jobs` at once; gives a sentence for each seed that failed.

        Raises KeyboardInterrupt after a stop that the user asked for, once every child has written its checkpoint.
        """
        with self._owned(), StopRequest() as stop:
            waiting, playing, failures = self.missing, dict[int, "Child"](), list[str]()
            try:
                while playing or (waiting and not stop.asked):
                    while waiting and len(playing) < jobs and not stop.asked:
                        seed = waiting.pop(0)
                        playing[seed] = self._start(seed)
                    names = ", ".join(self.run_folder(seed).name for seed in playing)
                    count(len(self.seeds) - len(self.missing), len(self.seeds), f"playing {names}")
                    _wait(list(playing.values()))
                    if stop.asked:
                        _interrupt(playing.values())
                    for seed in [seed for seed, child in playing.items() if not child.is_alive()]:
                        failure = self._note(seed, playing.pop(seed))
                        if failure is not None and not stop.asked:
                            say(failure)
                            failures.append(failure)
            finally:
                for child in playing.values():  # a second Ctrl-C: at once
                    child.kill()
            if stop.asked:
                raise KeyboardInterrupt
            count(len(self.seeds) - len(self.missing), len(self.seeds), "")
            return failures

    def _start(self, seed: int) -> "Child":
        from multiprocessing import get_context

        folder, log = self.run_folder(seed), self.folder / "logs" / f"seed-{seed}.log"
        log.parent.mkdir(exist_ok=True)
        words = ["resume", str(folder)]
        if not (folder / "recipe.toml").exists():
            plugins = [f"--plugin={file}" for file in sorted((self.folder / "plugins").glob("*.py"))]
            words = ["run", str(self.folder / "group.toml"), f"--seed={seed}", f"--out={folder}", *plugins]
        if sys.platform == "win32":
            child: Child = get_context("spawn").Process(target=_play_seed, args=(words, str(log)))
        else:
            # A child begins with torch loaded: seconds for each seed.
            context = get_context("forkserver")
            context.set_forkserver_preload(["lanista.run"])
            child = context.Process(target=_play_seed, args=(words, str(log)))
        child.start()
        return child

    def _note(self, seed: int, child: "Child") -> str | None:
        """Write down what a child came to; a sentence if it failed."""
        code = child.exitcode if child.exitcode is not None else 1
        child.close()
        self.codes[seed] = code
        self._write()
        if code == 0:
            return None
        log = self.folder / "logs" / f"seed-{seed}.log"
        lines = [
            line for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()
        ]
        end = f"it was ended by signal {-code}" if code < 0 else f"exit code {code}"
        told = lines[-1].removeprefix("lanista: ") if lines and code > 0 else end
        return f"{self.run_folder(seed).name} failed: {told} (all it said: {log})"

    def _write(self) -> None:
        record: dict[str, Any] = {
            "format": FORMAT,
            "seeds": self.seeds,
            "exit_codes": {str(seed): code for seed, code in sorted(self.codes.items())},
        }
        write_atomically(self.folder / "group.json", json.dumps(record, indent=1).encode())

    def _owned(self) -> AbstractContextManager[Any]:
        lock = FileLock(self.folder / ".lock")
        try:
            return lock.acquire(timeout=0)
        except Timeout as error:
            raise UsageError(
                f"{self.folder} is being played by another process; wait for it or stop it"
            ) from error


def _read(file: Path) -> bytes | None:
    return file.read_bytes() if file.is_file() else None


def _wait(children: "Sequence[Child]") -> None:
    """Sleep until one of the children is over, a short while at most."""
    from multiprocessing.connection import wait

    wait([child.sentinel for child in children], timeout=_LOOK)


def _interrupt(children: Any) -> None:  # noqa: ANN401 - any iterable of children
    """Ask each child once to write its checkpoint and stop."""
    for child in children:
        if child.is_alive() and not getattr(child, "was_asked", False):
            child.was_asked = True
            os.kill(child.pid, signal.SIGINT)


def _play_seed(words: list[str], log: str) -> None:
    """What a child does: one command line, all that it says in a log."""
    if hasattr(os, "setsid"):
        os.setsid()  # Ctrl-C in the terminal reaches the parent alone, which asks the children once
    with open(log, "ab", buffering=0) as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    from lanista.cli import main

    sys.exit(main(words))
