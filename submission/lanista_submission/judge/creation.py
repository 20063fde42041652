"""Makes the judging environment: ``python -m venv``, then pip with pip's own settings.

It is made in its final place, because a virtual environment's scripts know their folder: a mark is written
first and a stamp last, and a folder with the mark but no stamp is thrown away and made anew.
"""

import contextlib
import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from lanista.errors import LanistaError
from lanista.files import write_atomically
from lanista.judge import (
    PART,
    PLATFORM_PYTHON,
    STAMP,
    VARIABLE,
    Judge,
    NoJudgeError,
    ask,
    find_judge,
    is_half_made,
    judge_folder,
    judge_python,
    stamp_of,
)
from lanista_submission.judge.pins import constraints_file, constraints_hash

Say = Callable[[str], None]


def cpu_torch(python: str, package: str) -> str:
    """The command that gives `python` torch without its CUDA libraries; uv knows where that build lies."""
    return f"pip install uv && uv pip install --python {python} --torch-backend=cpu {package}"


def create_judge(extra: Sequence[str] = (), say: Say = print) -> Judge:
    """Make the environment if it is not there, and install the `extra` packages that it lacks.

    Needs no network if nothing is missing. `say` gets one line a step.
    """
    folder = judge_folder()
    stamp = stamp_of(folder)
    if is_half_made(folder):
        say(f"{folder} was only half made: making it anew")
        shutil.rmtree(folder)
        stamp = None
    elif stamp is not None and stamp.get("constraints") != constraints_hash():
        say(f"{folder} was made for other versions: making it anew")
        shutil.rmtree(folder)
        stamp = None
    if stamp is None and _is_foreign(folder):
        _check_foreign(folder)
        say(f"the judging environment is there: {folder} (not made by lanista, left as it is)")
    elif stamp is None:
        _make(folder, say)
    else:
        say(f"the judging environment is there: {folder}")
    _install_extra(folder, extra, say)
    return find_judge()


def choose_python() -> Path:
    """The Python to make the environment with: the platform's 3.11 if there is one, else our own."""
    if sys.version_info[:2] == PLATFORM_PYTHON:
        return Path(sys.executable)
    named = shutil.which("python{}.{}".format(*PLATFORM_PYTHON))
    if named is not None:
        with contextlib.suppress(NoJudgeError):  # a pyenv shim is there even if the version behind it is not
            if str(ask(Path(named), ())["python"]).startswith("{}.{}.".format(*PLATFORM_PYTHON)):
                return Path(named)
    return Path(sys.executable)


def _is_foreign(folder: Path) -> bool:
    """Is there something that `create_judge` did not make?"""
    return folder.exists() and (not folder.is_dir() or any(folder.iterdir()))


def _check_foreign(folder: Path) -> None:
    """Accept a working environment of the user's own, refuse anything else rather than delete it."""
    try:
        find_judge()
    except NoJudgeError as error:
        raise LanistaError(
            f"{folder} is no judging environment and lanista did not make it, so it is left alone ({error}); "
            f"move it away or let {VARIABLE} name another folder"
        ) from error


def _make(folder: Path, say: Say) -> None:
    python = choose_python()
    say(f"making the judging environment in {folder} with {python} (263 MB on disk; takes about a minute)")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / PART).write_text("being made\n")
    _run(
        [str(python), "-m", "venv", str(folder)],
        "the virtual environment could not be made",
        "on Debian and Ubuntu: apt install python3-venv",
    )
    say("installing kaggle-environments and the little that it needs")
    _pip(folder, ["--no-deps", "-r", str(constraints_file())])
    version = str(ask(judge_python(folder), ())["python"])
    stamp = {"constraints": constraints_hash(), "python": version}
    write_atomically(folder / STAMP, json.dumps(stamp).encode())
    (folder / PART).unlink()
    say(f"the judging environment is ready: {folder} (Python {version})")


def _install_extra(folder: Path, extra: Sequence[str], say: Say) -> None:
    python = judge_python(folder)
    for package in extra:
        name = package.partition("=")[0].partition("<")[0].partition(">")[0].strip()
        have = ask(python, (_import_name(name),))["found"]
        if have and name == package:
            say(f"{name} is in the judging environment")
            continue
        if name == "torch" and may_take_cuda(python):
            say(
                f"on Linux pip by itself takes torch's CUDA build, a download of gigabytes; for the CPU build (0.4 GB) "
                f"stop here and run: {cpu_torch(str(python), package)}"
            )
        say(f"installing {package} into the judging environment")
        _pip(folder, ["-c", str(constraints_file()), package])


def _import_name(package: str) -> str:
    """The name to import a package by."""
    return {"scikit-learn": "sklearn", "pyyaml": "yaml", "opencv-python": "cv2"}.get(
        package.lower(), package.replace("-", "_")
    )


def may_take_cuda(python: Path) -> bool:
    """May pip bring CUDA libraries along? On Linux it does, unless its settings name an index of CPU builds.

    Asking pip's resolver would tell for sure, and may download the very wheel to find out.
    """
    if sys.platform != "linux":
        return False
    settings = subprocess.run(
        [str(python), "-m", "pip", "config", "list"], capture_output=True, text=True, check=False
    )
    return "cpu" not in settings.stdout


def _pip(folder: Path, arguments: list[str]) -> None:
    _run(
        [
            str(judge_python(folder)),
            "-m",
            "pip",
            "install",
            "--disable-pip-version-check",
            "--quiet",
            *arguments,
        ],
        "pip could not install into the judging environment",
        "check the network and pip's settings (`pip config list`), then run `lanista doctor --fix` again",
    )


def _run(command: list[str], what: str, advice: str) -> None:
    """Run a command; its last line of complaint goes into the error."""
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    if answer.returncode != 0:
        lines = (answer.stderr or answer.stdout).strip().splitlines()
        errors = [line for line in lines if line.lower().startswith("error")] or lines[-1:] or ["no message"]
        raise LanistaError(f"{what} ({errors[-1].strip()}); {advice}")
