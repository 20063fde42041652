"""Plugins made up on the spot: distributions on the import path and single files."""

from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest

MakeDistribution = Callable[..., Path]
MakeFile = Callable[[str, str], Path]


@pytest.fixture
def make_distribution(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MakeDistribution:
    """Put a distribution with one plugin module on the import path, as pip would; gives the module's file."""

    def make(
        distribution: str,
        point: str,
        source: str,
        *,
        module: str | None = None,
        version: str = "1.0",
        requires: tuple[str, ...] = (),
        value: str | None = None,
    ) -> Path:
        site = tmp_path / f"site-{distribution}"
        info = site / f"{distribution.replace('-', '_')}-{version}.dist-info"
        info.mkdir(parents=True)
        lines = [f"Requires-Dist: {text}\n" for text in requires]
        (info / "METADATA").write_text(f"Name: {distribution}\nVersion: {version}\n{''.join(lines)}")
        name = module or f"{distribution.replace('-', '_')}_{tmp_path.name.replace('-', '_')}"
        (info / "entry_points.txt").write_text(f"[lanista]\n{point} = {value or name}\n")
        (site / f"{name}.py").write_text(dedent(source))
        monkeypatch.syspath_prepend(str(site))
        return site / f"{name}.py"

    return make


@pytest.fixture
def make_file(tmp_path: Path) -> MakeFile:
    """Write a file plugin."""

    def make(name: str, source: str) -> Path:
        path = tmp_path / name
        path.write_text(dedent(source))
        return path

    return make
