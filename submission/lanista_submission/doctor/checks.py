"""The doctor's checks: each looks at one thing and gives a line with a verdict and what to do."""

import json
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Literal

from lanista.errors import LanistaError
from lanista.hints import one_line
from lanista.judge import VARIABLE, find_judge
from lanista_submission.judge.creation import cpu_torch

PYTHON_FROM, PYTHON_BELOW = (3, 11), (3, 14)
TORCH = "2.13.0"
#: less memory than this is tight for training and judging side by side, in bytes
LITTLE_MEMORY = 4 << 30
#: bfloat16 is recommended where it is faster than float32 by this factor: it learns from coarser numbers
WORTH_IT = 1.25


@dataclass(frozen=True)
class Check:
    """One line of the doctor's report."""

    name: str
    verdict: Literal["ok", "warn", "fault"]
    found: str
    #: what to do; empty if nothing
    advice: str = ""

    def line(self) -> str:
        """The line as it is printed."""
        advice = f"; {self.advice}" if self.advice else ""
        return f"{self.verdict:<6}{self.name:<14}{one_line(self.found + advice)}"


def run_checks() -> list[Check]:
    """Look at everything; a check that cannot look says so in its line."""
    looks: list[tuple[str, Callable[[], Check]]] = [
        ("python", check_python),
        ("torch", check_torch),
        ("precision", check_precision),
        ("numba", lambda: check_package("numba", "lanista's own games and training need it")),
        ("numpy", lambda: check_package("numpy", "everything needs it")),
        ("onnxruntime", lambda: check_package("onnxruntime", "`lanista export` needs it")),
        ("cores", check_cores),
        ("memory", check_memory),
        ("cache", check_cache),
        ("judge", check_judge),
        ("git", check_git),
    ]
    checks = []
    for name, look in looks:
        try:
            checks.append(look())
        except OSError as error:
            checks.append(Check(name, "warn", f"could not be looked at: {error}"))
    return checks


def check_python() -> Check:
    """Is this a Python that lanista runs on?"""
    version = platform.python_version()
    if PYTHON_FROM <= sys.version_info[:2] < PYTHON_BELOW:
        return Check("python", "ok", f"{version} ({sys.executable})")
    return Check(
        "python", "fault", f"{version}", "lanista needs 3.11, 3.12 or 3.13: make install PYTHON=python3.11"
    )


def check_torch() -> Check:
    """Which build of torch is installed? Read from its files: importing it takes seconds."""
    try:
        version = metadata.version("torch")
    except metadata.PackageNotFoundError:
        return Check(
            "torch",
            "warn",
            "absent (verify and doctor work without it, run and export do not)",
            f"pip install torch=={TORCH}; for the CPU build: {cpu_torch(sys.executable, f'torch=={TORCH}')}",
        )
    build = torch_build(version)
    if version.partition("+")[0] != TORCH:
        return Check("torch", "warn", f"{version}, {build}", f"lanista is tested with {TORCH}")
    return Check("torch", "ok", f"{version}, {build}")


def torch_build(version: str) -> str:
    """``CPU build``, ``CUDA 13.0 build`` or ``build unknown``, from torch's own version file."""
    local = version.partition("+")[2]
    if local == "cpu":
        return "CPU build"
    file = next(
        (file for file in metadata.files("torch") or [] if file.as_posix() == "torch/version.py"), None
    )
    text = Path(str(file.locate())).read_text() if file is not None else ""
    found = re.search(r"^cuda\b[^=\n]*=\s*(None|'([^']*)')", text, re.MULTILINE)
    if found is None:
        return f"{local} build" if local else "build unknown"
    return f"CUDA {found[2]} build" if found[2] else "CPU build"


def check_precision() -> Check:
    """Which precision trains convolutions faster here? A process of its own measures it, in a few seconds."""
    command = [sys.executable, "-m", f"{__package__}.precision"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120.0)
        speed: dict[str, float] = json.loads(answer.stdout)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired, ValueError) as error:
        said = str(getattr(error, "stderr", None) or error).strip().splitlines()
        return Check("precision", "warn", f"could not be measured: {said[-1]}", "leave precision at float32")
    return recommended(speed["float32"], speed["bfloat16"])


def recommended(single: float, half: float) -> Check:
    """The line for so many positions a second in float32 and in bfloat16."""
    found = (
        f"{half / single:.2f} times as fast in bfloat16 as in float32 "
        f"({half:,.0f} and {single:,.0f} positions/s forward and back, 8 convolutions, 12 x 12, one thread)"
    )
    if half >= WORTH_IT * single:
        return Check("precision", "ok", found, 'give grid_resnet precision = "bfloat16"')
    return Check("precision", "ok", found, "leave precision at float32")


def check_package(name: str, why: str) -> Check:
    """Is a package installed, and in which version?"""
    try:
        return Check(name, "ok", metadata.version(name))
    except metadata.PackageNotFoundError:
        return Check(name, "warn", f"absent ({why})", f"pip install {name}")


def check_cores() -> Check:
    """How many cores may be used?"""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return Check("cores", "ok", f"{usable} usable of {os.cpu_count()}")


def check_memory() -> Check:
    """How much memory has this machine?"""
    if not hasattr(os, "sysconf") or "SC_PHYS_PAGES" not in os.sysconf_names:
        return Check("memory", "ok", "size unknown on this system")
    size = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    found = f"{size / 2**30:.1f} GiB"
    if size < LITTLE_MEMORY:
        return Check("memory", "warn", found, "train with fewer games at once, verify with --jobs 1")
    return Check("memory", "ok", found)


def check_cache() -> Check:
    """Can compiled kernels be kept on disk?"""
    from platformdirs import user_cache_path

    folder = user_cache_path("lanista")
    probe = folder / f".probe-{os.getpid()}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.write_bytes(b"x")
        probe.unlink()
    except OSError as error:
        return Check(
            "cache",
            "warn",
            f"{folder} cannot be written ({error.strerror}), so kernels are compiled anew in every process",
            "make it writable or set XDG_CACHE_HOME",
        )
    return Check("cache", "ok", f"{folder} is writable")


def check_judge() -> Check:
    """Is the judging environment there, and is it the platform's Python?"""
    try:
        judge = find_judge(("torch",))
    except LanistaError as error:
        return Check("judge", "fault", str(error))
    source = f" ({VARIABLE})" if os.environ.get(VARIABLE) else ""
    extra = ", torch" if "torch" in judge.packages else ""
    versions = f"kaggle-environments {judge.kaggle_environments}, Python {judge.python_version}{extra}"
    found = f"{versions} in {judge.python}{source}"
    if not judge.is_platform_python:
        return Check(
            "judge", "warn", found, "the platform runs Python 3.11: install one and run doctor --fix anew"
        )
    return Check("judge", "ok", found)


def check_git() -> Check:
    """Is git there? A run records the state of its checkout."""
    git = shutil.which("git")
    if git is None:
        return Check(
            "git", "warn", "absent, so runs cannot record the state of their checkout", "install git"
        )
    answer = subprocess.run([git, "--version"], capture_output=True, text=True, check=False)
    return Check("git", "ok", answer.stdout.strip().removeprefix("git version ") or git)
