"""Packages of `examples/`, offered to this process as installed ones, or truly installed into an environment."""

import os
import subprocess
import sys
import sysconfig
import tomllib
import venv
from collections.abc import Callable
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture
def offered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Put a package on the import path with the entry points that its pyproject names, as pip would."""

    def offer(name: str) -> Path:
        folder = EXAMPLES / name
        project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
        site = tmp_path / f"site-{name}"
        info = site / f"{name.replace('-', '_')}-{project['version']}.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Name: {name}\nVersion: {project['version']}\n")
        points = project["entry-points"]["lanista"].items()
        (info / "entry_points.txt").write_text(
            "[lanista]\n" + "".join(f"{key} = {at}\n" for key, at in points)
        )
        monkeypatch.syspath_prepend(str(site))
        monkeypatch.syspath_prepend(str(folder))
        return folder

    return offer


class Scratch:
    """A virtual environment of its own that sees the packages of the one that runs the tests."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        venv.create(folder, with_pip=False)
        self.python = folder / "bin" / "python"
        # A line of code in a .pth file also follows the .pth files there, editable installs among them.
        here = sysconfig.get_path("purelib")
        inside = sysconfig.get_path("purelib", vars={"base": str(folder), "platbase": str(folder)})
        (Path(inside) / "tests_of_lanista.pth").write_text(f"import site; site.addsitedir({here!r})\n")

    def install(self, name: str) -> None:
        """Build a package of `examples/` and install it here; nothing is downloaded."""
        options = [
            "--no-deps",
            "--no-build-isolation",
            "--no-index",
            "--quiet",
            "--disable-pip-version-check",
        ]
        self.run("pip", "install", *options, str(EXAMPLES / name), cwd=self.folder)

    def run(
        self, module: str, *words: str, cwd: Path, check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """``python -m MODULE WORDS`` in `cwd`; fails with what was printed."""
        done = subprocess.run(
            [str(self.python), "-m", module, *words], cwd=cwd, capture_output=True, text=True, timeout=900,
            check=False, env={**os.environ, "OMP_NUM_THREADS": "1"},
        )  # fmt: skip
        if check and done.returncode:
            pytest.fail(
                f"{module} {' '.join(words)}: exit code {done.returncode}\n{done.stdout}\n{done.stderr}"
            )
        return done


@pytest.fixture
def scratch(tmp_path: Path) -> Scratch:
    """A fresh environment; the tests' own Python must be 3.11 or later on a system with symbolic links."""
    if sys.platform == "win32":
        pytest.skip("scratch environments are made for systems with bin/python")
    return Scratch(tmp_path / "scratch")


@pytest.fixture(scope="session")
def make_scratch(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Scratch]:
    """Call it for an environment that several tests share."""
    return lambda: Scratch(tmp_path_factory.mktemp("environment") / "scratch")
