"""The extractor: what is refused, in which words, and that nothing is ever written outside."""

import contextlib
import gzip
import io
import tarfile
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lanista.errors import UsageError
from lanista_submission.verify import verify_archive
from lanista_submission.verify.problem import ArchiveError
from lanista_submission.verify.profile import Limit, own_profiles
from lanista_submission.verify.unpack import unpack

from .conftest import GOOD, Pack

PROFILE = own_profiles()["kaggle:connectx"]


def entry(name: str, kind: bytes = tarfile.REGTYPE, target: str = "", size: int = 0) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname, member.size = kind, target, size
    return member


def limited(**limits: int) -> object:
    return PROFILE.model_copy(
        update={name: Limit(value=value, source="a test", date="2026-11") for name, value in limits.items()}
    )


REFUSED = [
    ("unsafe_path", {"../escaped.py": "x"}, "'../escaped.py', a path outside the archive"),
    ("unsafe_path", {"a/../../escaped.py": "x"}, "a path outside the archive"),
    ("unsafe_path", {"/tmp/escaped.py": "x"}, "'/tmp/escaped.py', an absolute path"),
    ("unsafe_path", {"C:\\escaped.py": "x"}, "an absolute path"),
    ("unsafe_path", {"a\\b.py": "x"}, "a name that not every system can write"),
    ("unsafe_path", {"a\nb.py": "x"}, "a name that not every system can write"),
    ("unsafe_path", {"x" * 256: "x"}, "a name that not every system can write"),
    ("unsafe_path", {".": "x"}, "an entry without a name"),
    ("link", {"s": entry("weights", tarfile.SYMTYPE, "/etc/passwd")}, "a symbolic link to '/etc/passwd'"),
    ("link", {"s": entry("weights", tarfile.LNKTYPE, "main.py")}, "a hard link to 'main.py'"),
    ("device", {"s": entry("pipe", tarfile.FIFOTYPE)}, "'pipe', a device or pipe"),
    ("device", {"s": entry("null", tarfile.CHRTYPE)}, "'null', a device or pipe"),
    ("device", {"s": entry("odd", b"Z")}, "a special entry"),
    ("duplicate", {"./main.py": "x"}, "'main.py' twice"),
    ("duplicate", {"a": "x", "a/b.py": "x"}, "'a' as a file and as a folder"),
    ("case_twin", {"MAIN.PY": "x"}, "'main.py' and 'MAIN.PY', which are one file on some systems"),
]


@pytest.mark.parametrize(
    ("code", "extra", "words"), REFUSED, ids=[f"{code}-{place}" for place, (code, _, _) in enumerate(REFUSED)]
)
def test_an_entry_that_is_not_plain_is_refused(
    code: str, extra: dict[str, object], words: str, pack: Pack, tmp_path: Path
) -> None:
    archive = pack({"main.py": GOOD, **extra})
    folder = tmp_path / "in" / "folder"
    folder.mkdir(parents=True)
    with pytest.raises(ArchiveError) as caught:
        unpack(archive, folder, PROFILE)
    assert caught.value.problem.code == code
    assert words in caught.value.problem.message
    assert list(folder.iterdir()) == [], "nothing is written before every header was read"
    report = verify_archive(archive)
    assert (report.exit_code, [problem.code for problem in report.problems]) == (1, [code])


def test_folders_and_files_arrive_as_they_are(pack: Pack, tmp_path: Path) -> None:
    archive = pack(
        {
            "root": entry("./", tarfile.DIRTYPE),
            "empty": entry("empty", tarfile.DIRTYPE),
            "./main.py": GOOD,
            "deep/er/weights.npz": b"\x00" * 100_000,
        }
    )
    folder = tmp_path / "out"
    folder.mkdir()
    unpacked = unpack(archive, folder, PROFILE)
    assert unpacked.names == ("main.py", "deep/er/weights.npz")
    assert unpacked.unpacked == len(GOOD) + 100_000
    assert unpacked.packed == archive.stat().st_size
    assert (folder / "main.py").read_text() == GOOD
    assert (folder / "deep/er/weights.npz").read_bytes() == b"\x00" * 100_000
    assert (folder / "main.py").stat().st_mode & 0o7777 == 0o644


def test_sizes_and_counts_are_limited_exactly(pack: Pack, tmp_path: Path) -> None:
    archive = pack({"main.py": b"x" * 1000, "more.py": b"x" * 24})
    packed = archive.stat().st_size

    def verdict(**limits: int) -> str:
        folder = tmp_path / f"{sorted(limits.items())}"
        folder.mkdir()
        try:
            unpack(archive, folder, limited(**limits))  # type: ignore[arg-type]
        except ArchiveError as error:
            return error.problem.code if "leave files out" in error.problem.message else error.problem.message
        return "ok"

    assert [verdict(unpacked=size) for size in (1023, 1024, 1025)] == ["too_large", "ok", "ok"]
    assert [verdict(files=count) for count in (1, 2, 3)] == ["too_many_files", "ok", "ok"]
    assert [verdict(packed=size) for size in (packed - 1, packed, packed + 1)] == ["too_large", "ok", "ok"]


@pytest.mark.parametrize("header_type", [tarfile.REGTYPE, tarfile.XHDTYPE, tarfile.GNUTYPE_LONGNAME])
def test_a_bomb_is_refused_by_its_declared_size(header_type: bytes, tmp_path: Path) -> None:
    member = entry("zeros", header_type, size=64 << 30)
    path = tmp_path / "bomb.tar.gz"
    path.write_bytes(gzip.compress(member.tobuf() + bytes(10_240)))
    folder = tmp_path / "out"
    folder.mkdir()
    with pytest.raises(ArchiveError) as caught:
        unpack(path, folder, PROFILE)
    assert caught.value.problem.code in ("too_large", "not_archive")
    assert list(folder.iterdir()) == []


def zip_bytes() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as file:
        file.writestr("main.py", GOOD)
    return stream.getvalue()


def tar_bytes(mode: str) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode=mode) as tar:  # type: ignore[call-overload]
        tar.addfile(entry("main.py"))
    return stream.getvalue()


@pytest.mark.parametrize(
    ("raw", "code", "words"),
    [
        (
            zip_bytes(),
            "zip",
            "a zip, which the platform does not unpack but compiles as Python; pack again with: tar",
        ),
        (tar_bytes("w"), "not_tar_gz", "tar without gzip"),
        (tar_bytes("w:bz2"), "not_tar_gz", "tar.bz2"),
        (tar_bytes("w:xz"), "not_tar_gz", "tar.xz"),
        (b"", "empty", "the file is empty"),
        (gzip.compress(b""), "not_archive", "no readable tar.gz"),
        (gzip.compress(bytes(1024)), "empty", "holds no file"),
        (gzip.compress(b"hello " * 400), "not_archive", "no readable tar.gz"),
        (tar_bytes("w:gz")[:60], "not_archive", "no readable tar.gz"),
        (b"\x7fELF and so on", "not_archive", "neither a tar.gz nor a .py file"),
    ],
    ids=[
        "zip",
        "tar",
        "bz2",
        "xz",
        "nothing",
        "gzip of nothing",
        "zeros",
        "gzip of text",
        "cut short",
        "elf",
    ],
)
def test_what_is_no_tar_gz_is_named(raw: bytes, code: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / "submission.tar.gz"
    path.write_bytes(raw)
    report = verify_archive(path)
    assert [problem.code for problem in report.problems] == [code]
    assert words in report.problems[0].message
    assert report.exit_code == 1


def test_a_main_that_is_not_at_the_root_is_found(pack: Pack) -> None:
    report = verify_archive(pack({"agent/main.py": GOOD, "agent/deep/main.py": GOOD}))
    assert [problem.code for problem in report.problems] == ["wrong_depth"]
    assert (
        "main.py lies in the folder 'agent' and must lie at the archive's root" in report.problems[0].message
    )
    report = verify_archive(pack({"Main.py": GOOD}))
    assert [problem.code for problem in report.problems] == ["no_main"]
    assert "found 'Main.py'" in report.problems[0].message
    report = verify_archive(pack({"bot.py": GOOD}))
    assert "no main.py at its root (found bot.py)" in report.problems[0].message


def test_a_folder_and_a_missing_file_are_wrong_usage(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"is a folder; pack again with: tar -czf submission\.tar\.gz -C"):
        verify_archive(tmp_path)
    with pytest.raises(UsageError, match="there is no file"):
        verify_archive(tmp_path / "none.tar.gz")


names = st.text(st.sampled_from("aA./\\\x00é\udc80") | st.characters(), min_size=1, max_size=12)
kinds = st.sampled_from(
    [tarfile.REGTYPE, tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, b"Z"]
)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(entries=st.lists(st.tuples(names, kinds, names), max_size=4), cut=st.integers(0, 20))
def test_no_archive_writes_outside_or_leaves_a_link(
    entries: list[tuple[str, bytes, str]], cut: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    root = tmp_path_factory.mktemp("any")
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz", errors="surrogatepass", format=tarfile.GNU_FORMAT) as tar:
        tar.addfile(entry("main.py"))
        for name, kind, target in entries:
            tar.addfile(entry(name, kind, target))
    raw = stream.getvalue()
    archive = root / "any.tar.gz"
    archive.write_bytes(raw[: len(raw) - cut])
    folder = root / "up" / "folder"
    folder.mkdir(parents=True)
    unpacked = None
    with contextlib.suppress(ArchiveError):
        unpacked = unpack(archive, folder, PROFILE)
    assert unpacked is None or "main.py" in unpacked.names
    outside = [
        path for path in root.rglob("*") if folder not in path.parents and path not in (folder, folder.parent)
    ]
    assert outside == [archive]
    assert all(path.is_file() or path.is_dir() for path in folder.rglob("*"))
    assert not any(path.is_symlink() for path in folder.rglob("*"))
