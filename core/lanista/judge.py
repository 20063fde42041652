"""Where the judging environment lies, and what is in it: a virtual environment in which kaggle-environments plays.

Only child processes enter it; lanista itself never imports what is in there. `lanista doctor --fix` makes it.

``LANISTA_JUDGE`` names a virtual environment's folder or a Python in one. Without it the environment is
``judge`` in the user's data folder (Linux: ``~/.local/share/lanista/judge``): the same place for an installed
wheel and for every checkout, so it is downloaded once. One that `create_judge` made holds
``lanista-judge.json``, written last; while it is being made it holds ``lanista-judge.part`` instead.
"""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from lanista.errors import LanistaError

VARIABLE = "LANISTA_JUDGE"
#: written last by `create_judge`: what was installed
STAMP = "lanista-judge.json"
#: written first by `create_judge`
PART = "lanista-judge.part"
#: the Python of the platform (platform_packages.toml names the source)
PLATFORM_PYTHON = (3, 11)
HOW_TO_MAKE = "make it with `lanista doctor --fix`"

#: seconds in which a Python must say what it is
_ASK_S = 60.0
_QUESTION = """
import importlib.metadata, importlib.util, json, platform, sys
try:
    version = importlib.metadata.version("kaggle-environments")
except importlib.metadata.PackageNotFoundError:
    version = None
found = [name for name in json.loads(sys.argv[1]) if importlib.util.find_spec(name) is not None]
print(json.dumps({"python": platform.python_version(), "kaggle_environments": version, "found": found}))
"""


class NoJudgeError(LanistaError):
    """There is no judging environment, so nothing can be judged."""

    exit_code = 2


@dataclass(frozen=True)
class Judge:
    """A judging environment that is there."""

    #: its Python
    python: Path
    #: "3.11.7"
    python_version: str
    #: "1.33.2"
    kaggle_environments: str
    #: those of the import names that were asked for that can be imported in it
    packages: frozenset[str]

    @property
    def is_platform_python(self) -> bool:
        """Is it the Python of the platform (3.11)?"""
        return tuple(int(part) for part in self.python_version.split(".")[:2]) == PLATFORM_PYTHON


def judge_folder() -> Path:
    """The folder of the environment, there or not."""
    named = os.environ.get(VARIABLE)
    if not named:
        from platformdirs import user_data_path

        return user_data_path("lanista") / "judge"
    path = Path(named).expanduser()
    if path.is_file() and path.parent.name in ("bin", "Scripts"):
        return path.absolute().parent.parent  # not resolved: a venv's python is a link to another one
    return path.absolute()


def judge_python(folder: Path) -> Path:
    """The Python of a virtual environment."""
    return folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")


def is_half_made(folder: Path) -> bool:
    """Did `create_judge` begin here and not come to the end?"""
    return (folder / PART).is_file()


def stamp_of(folder: Path) -> dict[str, str] | None:
    """What `create_judge` wrote when it was through; None if it did not make this folder."""
    try:
        stamp = json.loads((folder / STAMP).read_text())
    except (OSError, ValueError):
        return None
    return stamp if isinstance(stamp, dict) else None


def find_judge(packages: tuple[str, ...] = ()) -> Judge:
    """Find the environment and ask which of `packages` (import names) it has; raises `NoJudgeError`."""
    folder = judge_folder()
    python = judge_python(folder)
    named = os.environ.get(VARIABLE)
    if named and not python.is_file() and Path(named).expanduser().is_file():
        python = Path(named).expanduser().absolute()  # a Python outside a virtual environment
    if is_half_made(folder):
        raise NoJudgeError(f"the judging environment in {folder} was only half made; {HOW_TO_MAKE}")
    if not python.is_file():
        source = f" ({VARIABLE} names it)" if named else ""
        raise NoJudgeError(f"there is no judging environment in {folder}{source}; {HOW_TO_MAKE}")
    answer = ask(python, packages)
    version = answer["kaggle_environments"]
    if not isinstance(version, str):
        raise NoJudgeError(
            f"{python} has no kaggle-environments; {HOW_TO_MAKE}, or let {VARIABLE} name another"
        )
    found = answer["found"]
    names = frozenset(found) if isinstance(found, list) else frozenset()
    return Judge(python, str(answer["python"]), version, names)


def ask(python: Path, packages: tuple[str, ...]) -> dict[str, object]:
    """Let a Python say its version, that of its kaggle-environments, and which packages it has."""
    try:
        answer = subprocess.run(
            [str(python), "-I", "-c", _QUESTION, json.dumps(packages)],
            capture_output=True,
            text=True,
            timeout=_ASK_S,
            check=True,
        )
        told = json.loads(answer.stdout)
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        words = (
            (error.stderr or "").strip().splitlines()
            if isinstance(error, subprocess.CalledProcessError)
            else []
        )
        why = words[-1] if words else error
        raise NoJudgeError(
            f"{python} of the judging environment does not run ({why}); {HOW_TO_MAKE}"
        ) from error
    return dict(told)
