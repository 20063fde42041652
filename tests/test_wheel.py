"""The wheel as a stranger gets it: installed elsewhere, called from an empty folder, recipes by name."""

import os
import re
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project's wheel, built from this checkout."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder)]
    built = subprocess.run([*command, str(ROOT)], capture_output=True, text=True)
    assert built.returncode == 0, built.stdout + built.stderr
    (path,) = folder.glob("lanista-*.whl")
    return path


@pytest.fixture(scope="module")
def scratch(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with the wheel; its dependencies are those of the one that runs the tests.

    The dependencies come through a path file, which lists their folder but runs none of the path files
    in it: the editable install of this checkout stays out, so only the wheel can give `lanista`.
    """
    folder = tmp_path_factory.mktemp("venv")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    site = folder / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}" / "site-packages"
    assert site.is_dir()
    # `pip --python` works inside that one; --prefix would first uninstall what runs the tests.
    inside = [sys.executable, "-m", "pip", "--python", str(folder / "bin" / "python")]
    subprocess.run([*inside, "install", "--quiet", "--no-deps", "--no-index", str(wheel)], check=True)
    (site / "dependencies.pth").write_text(
        f"{sysconfig.get_path('purelib')}\n{sysconfig.get_path('platlib')}\n"
    )
    return folder


def lanista(scratch: Path, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Call the installed script from `folder`."""
    return inside(scratch, folder, "lanista", *words)


def inside(scratch: Path, folder: Path, program: str, *words: str) -> subprocess.CompletedProcess[str]:
    """Call a program of the scratch environment from `folder`, as though nothing else were installed."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "LANISTA"))}
    return subprocess.run(
        [str(scratch / "bin" / program), *words],
        cwd=folder,
        env=env,
        capture_output=True,
        text=True,
        timeout=1000,
    )


def test_the_wheel_holds_five_packages_their_recipes_and_nothing_else(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.partition("/")[0] for name in names if ".dist-info/" not in name}
    packages = {"lanista", "lanista_agents", "lanista_envs", "lanista_plugins", "lanista_submission"}
    assert tops == packages | {"_lanista_gymnasium.py", "lanista_gymnasium.pth"}
    assert len([name for name in names if re.fullmatch(r"lanista_plugins/recipes/\w+\.toml", name)]) >= 3
    for root in ("core", "plugins", "envs", "agents", "submission"):
        (package,) = [path.parent for path in (ROOT / root).glob("*/__init__.py")]
        files = {path for path in package.rglob("*") if path.is_file() and "__pycache__" not in path.parts}
        assert {str(path.relative_to(ROOT / root)) for path in files} <= set(names)
    assert {f"{package}/py.typed" for package in packages} <= set(names)
    assert any(name.endswith("licenses/LICENSE") for name in names)


def test_an_empty_folder_knows_the_recipes_by_name(scratch, tmp_path):
    listed = lanista(scratch, tmp_path, "recipes")
    assert listed.returncode == 0, listed.stderr
    names = [line.split()[0] for line in listed.stdout.splitlines()]
    assert {"cartpole", "connectx", "mountaincar"} <= set(names)
    checks = [["run", name, "--check"] for name in names]
    each = f"from lanista.cli import main; print([main(words) for words in {checks}])"  # in one process, for speed
    shown = inside(scratch, tmp_path, "python", "-c", each)
    assert shown.stdout.splitlines()[-1] == str([0] * len(names)), shown.stderr
    for name in names:
        assert f'name = "{name}"' in shown.stdout
    assert list(tmp_path.iterdir()) == []


def test_the_code_is_that_of_the_wheel(scratch, tmp_path):
    told = lanista(scratch, tmp_path, "plugins")
    assert told.returncode == 0, told.stdout + told.stderr
    where = subprocess.run(
        [str(scratch / "bin" / "python"), "-c", "import lanista; print(lanista.__file__)"],
        cwd=tmp_path, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert where.stdout.startswith(str(scratch))


def test_gymnasium_knows_our_ids_once_the_wheel_is_installed(scratch, tmp_path):
    code = "import gymnasium; print(gymnasium.make_vec('lanista/CartPole-v1', num_envs=2).num_envs)"
    command = [str(scratch / "bin" / "python"), "-c", code]
    shown = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert shown.stdout == "2\n", shown.stderr


@pytest.mark.slow
def test_a_recipe_runs_by_name_from_an_empty_folder(scratch, tmp_path):
    changes = [
        "phases.0.until.steps=2048",
        "phases.0.num_games=16",
        "phases.1.until.steps=2048",
        "seed=5",
    ]
    argv = ["run", "mountaincar", "--out", "out", *(word for change in changes for word in ("--set", change))]
    ran = lanista(scratch, tmp_path, *argv)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert (tmp_path / "out" / "metrics.jsonl").read_text().strip()
