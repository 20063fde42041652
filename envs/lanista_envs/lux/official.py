"""The official program, driven over its pipes: start a game, send action strings, get `updates` back.

The program is the ``main.js`` that kaggle-environments brings along (``envs/lux_ai_2021/dimensions``); node runs
it. It is what our rules are held against, and no part of playing.
"""

import json
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lanista.errors import LanistaError

#: where it lies under the site-packages of a Python with kaggle-environments
PROGRAM = Path("kaggle_environments/envs/lux_ai_2021/dimensions/main.js")
#: settings under which it plays 361 turns, as on Kaggle (where only the first 360 are played)
EPISODE_STEPS = 361


class NoOfficialError(LanistaError):
    """The official program cannot be run here."""


def find_program(python: Path) -> Path:
    """The program of the Python that kaggle-environments is installed for."""
    code = "import sysconfig; print(sysconfig.get_path('purelib'))"
    folder = subprocess.run(
        [str(python), "-c", code], capture_output=True, text=True, check=False
    ).stdout.strip()
    program = Path(folder) / PROGRAM
    if not program.is_file():
        raise NoOfficialError(
            f"{python} has no official Lux program, looked for {program}; run lanista doctor --fix"
        )
    return program


@dataclass
class Observation:
    """What the program says after a turn."""

    updates: list[str]
    #: `globalUnitIDCount`, `globalCityIDCount`
    last_unit_id: int
    last_city_id: int
    finished: bool


class Official:
    """One running program; it plays one game after another."""

    def __init__(self, program: Path) -> None:
        """Start `program`; raises `NoOfficialError` where there is no node."""
        node = shutil.which("node")
        if node is None:
            raise NoOfficialError(
                "the official Lux program needs node, and there is none in PATH; install Node.js 20"
            )
        self.process = subprocess.Popen(
            [node, str(program)], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )

    def __enter__(self) -> "Official":
        """Give itself; leaving the block ends the program."""
        return self

    def __exit__(self, *problem: object) -> None:
        """End the program."""
        self.close()

    def start(self, seed: int, width: int = -1, height: int = -1) -> Observation:
        """Start a game; -1 lets the seed choose."""
        config = {
            "seed": seed, "width": width, "height": height, "episodeSteps": EPISODE_STEPS, "mapType": "random",
            "loglevel": 0, "annotations": False,
        }  # fmt: skip
        self._send({"type": "start", "agent_names": [], "config": config})
        return self._observation(started=True)

    def step(self, actions: Sequence[Sequence[str]]) -> Observation:
        """Play one turn with the action strings of both teams."""
        self._send([{"action": list(strings)} for strings in actions])
        return self._observation(started=False)

    def close(self) -> None:
        """End the program."""
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stderr):
            if pipe is not None:
                pipe.close()

    def _send(self, message: object) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write((json.dumps(message) + "\n").encode())
        self.process.stdin.flush()

    def _read(self) -> Any:  # noqa: ANN401 - JSON
        assert self.process.stderr is not None
        line = self.process.stderr.readline()
        try:
            return json.loads(line)
        except ValueError:
            said = line.decode(errors="replace").strip()[:200]
            raise NoOfficialError(
                f"the official Lux program said {said!r} instead of JSON; it has broken down"
            ) from None

    def _observation(self, started: bool) -> Observation:
        updates = self._read()
        self._read()
        meta = self._read()
        status = {} if started else self._read()
        return Observation(
            updates, meta["globalUnitIDCount"], meta["globalCityIDCount"], status.get("status") == "finished"
        )
