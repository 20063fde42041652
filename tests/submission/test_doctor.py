"""The doctor's lines: what it finds, which verdict, what to do."""

import sys
from collections import namedtuple
from importlib import metadata
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from lanista_submission.commands import doctor as command
from lanista_submission.doctor import Check, checks, run_checks

measure_precision = checks.check_precision
Version = namedtuple("Version", "major minor micro")


@pytest.fixture(autouse=True)
def measured(monkeypatch: pytest.MonkeyPatch) -> None:
    """Measuring takes seconds; one test below does it."""
    monkeypatch.setattr(checks, "check_precision", lambda: checks.recommended(1000.0, 900.0))


def run(*words: str) -> object:
    app = typer.Typer()
    command.attach(app)
    return CliRunner().invoke(app, list(words))


def test_every_line_has_a_verdict_and_a_name() -> None:
    found = run_checks()
    assert [check.name for check in found] == [
        "python", "torch", "precision", "numba", "numpy", "onnxruntime", "cores", "memory", "cache", "judge", "git",
    ]  # fmt: skip
    by_name = {check.name: check for check in found}
    assert by_name["python"].verdict == "ok"
    assert by_name["numpy"].found == metadata.version("numpy")
    assert all("\n" not in check.line() for check in found)


def test_a_check_with_something_to_do_says_so_in_its_line() -> None:
    assert Check("judge", "fault", "absent", "make it").line() == "fault judge         absent; make it"


def test_another_python_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    for version, verdict in (((3, 10), "fault"), ((3, 11), "ok"), ((3, 13), "ok"), ((3, 14), "fault")):
        monkeypatch.setattr(sys, "version_info", Version(*version, 0))
        assert checks.check_python().verdict == verdict
    assert "lanista needs 3.11, 3.12 or 3.13: make install PYTHON=python3.11" in checks.check_python().line()


class Files(list):  # type: ignore[type-arg]
    """The files of an installed torch, as `metadata.files` gives them: one version file."""

    def __init__(self, folder: Path, text: str) -> None:
        (folder / "version.py").write_text(text)
        path = folder / "version.py"
        super().__init__(
            [type("File", (), {"as_posix": lambda _: "torch/version.py", "locate": lambda _: path})()]
        )


@pytest.mark.parametrize(
    ("version", "text", "verdict", "words"),
    [
        ("2.13.0+cpu", "", "ok", "2.13.0+cpu, CPU build"),
        ("2.13.0+cu130", "cuda: Optional[str] = '13.0'\n", "ok", "CUDA 13.0 build"),
        ("2.13.0", "debug = False\ncuda: str | None = '13.0'\n", "ok", "CUDA 13.0 build"),
        ("2.13.0", "cuda = None\n", "ok", "CPU build"),
        ("2.13.0", "", "ok", "build unknown"),
        ("2.12.1+cpu", "", "warn", "lanista is tested with 2.13.0"),
    ],
)
def test_the_build_of_torch_is_read_from_its_files(
    version: str, text: str, verdict: str, words: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(checks.metadata, "version", lambda name: version)
    monkeypatch.setattr(checks.metadata, "files", lambda name: Files(tmp_path, text))
    check = checks.check_torch()
    assert check.verdict == verdict
    assert words in check.line()


def test_absent_packages_are_no_fault_of_the_verifier(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(checks.metadata, "version", absent)
    torch = checks.check_torch()
    assert torch.verdict == "warn"
    assert "verify and doctor work without it" in torch.found
    assert "pip install torch==2.13.0; for the CPU build: pip install uv" in torch.advice
    assert checks.check_package("numba", "games need it").line() == (
        "warn  numba         absent (games need it); pip install numba"
    )


def test_a_cache_that_cannot_be_written_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    check = checks.check_cache()
    if sys.platform == "linux":
        assert check.verdict == "warn"
        assert "kernels are compiled anew in every process" in check.found


def test_without_a_judge_the_exit_code_is_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LANISTA_JUDGE", str(tmp_path / "none"))
    result = run()
    assert result.exit_code == 1  # type: ignore[attr-defined]
    assert "fault judge         there is no judging environment in" in result.stdout  # type: ignore[attr-defined]
    assert "make it with `lanista doctor --fix`" in result.stdout  # type: ignore[attr-defined]


@pytest.mark.usefixtures("judge")
def test_with_one_it_is_zero_and_fix_has_nothing_to_do() -> None:
    result = run("--fix")
    assert result.exit_code == 0  # type: ignore[attr-defined]
    assert result.stdout.startswith("the judging environment is there: ")  # type: ignore[attr-defined]
    assert "ok    judge         kaggle-environments 1.33.2, Python 3.11." in result.stdout  # type: ignore[attr-defined]


def test_with_needs_fix() -> None:
    result = run("--with", "torch")
    assert (
        str(result.exception)
        == "--with torch installs something, which needs --fix; write --fix --with torch"
    )  # type: ignore[attr-defined]
    assert result.exception.exit_code == 64  # type: ignore[attr-defined]


def test_a_machine_without_git_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert checks.check_git().verdict == "warn"


def test_precision_is_measured_and_recommended() -> None:
    check = measure_precision()
    assert check.verdict == "ok"
    assert "positions/s forward and back" in check.found
    fast = float(check.found.partition(" ")[0]) >= checks.WORTH_IT
    assert ("bfloat16" in check.advice) == fast


@pytest.mark.parametrize(
    ("half", "words"), [(2000.0, 'precision = "bfloat16"'), (1200.0, "leave precision at float32")]
)
def test_bfloat16_is_recommended_where_it_is_clearly_faster(half: float, words: str) -> None:
    assert words in checks.recommended(1000.0, half).line()


def test_a_machine_without_torch_is_told_to_stay_with_float32(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "torch.py").write_text("raise ImportError('no torch here')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    check = measure_precision()
    assert check.verdict == "warn"
    assert "could not be measured: ImportError: no torch here; leave precision at float32" in check.line()
