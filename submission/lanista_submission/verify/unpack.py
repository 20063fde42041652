"""Unpacks an archive that somebody else made: list first, write only what is plain.

Python's own extractor has followed links and ``..`` out of the folder more than once (CVE-2007-4559,
CVE-2025-4517). This one reads every header before it writes anything, accepts regular files and folders only,
one spelling a name, caps sizes and count from the declared sizes, and opens each file with ``O_EXCL`` and
``O_NOFOLLOW``, mode 0644.
"""

import gzip
import io
import os
import shutil
import tarfile
import unicodedata
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from lanista.errors import UsageError
from lanista.hints import shown
from lanista_submission.verify.problem import ArchiveError
from lanista_submission.verify.profile import TargetProfile

#: greatest piece that tarfile may ask for at once, in bytes: headers are small, contents are copied in pieces
_PIECE = 1 << 20
_FIX = "pack again with: tar -czf submission.tar.gz -C FOLDER ."


@dataclass(frozen=True)
class Unpacked:
    """What an archive held."""

    #: names of the files, with "/"
    names: tuple[str, ...]
    #: bytes
    packed: int
    #: bytes
    unpacked: int


class _Capped(io.RawIOBase):
    """A gzip stream that refuses to be read beyond a cap, or in large pieces."""

    def __init__(self, stream: gzip.GzipFile, cap: int) -> None:
        super().__init__()
        self._stream = stream
        self._cap = cap

    def _check(self, position: int) -> None:
        if position > self._cap:
            raise ArchiveError(
                "too_large", f"the archive unpacks to more than {self._cap:,} bytes; leave files out"
            )

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._stream.tell()

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        if whence == os.SEEK_SET:
            self._check(offset)
        return self._stream.seek(offset, whence)

    def read(self, size: int = -1) -> bytes:
        if size < 0 or size > _PIECE:
            raise ArchiveError(
                "not_archive", f"the archive has a header of {size:,} bytes, which none has; {_FIX}"
            )
        self._check(self._stream.tell() + size - _PIECE)
        return self._stream.read(size)


def unpack(archive: Path, folder: Path, profile: TargetProfile) -> Unpacked:
    """Unpack `archive` (tar.gz, or one .py file) into the empty `folder`; raises `ArchiveError`."""
    if archive.is_dir():
        raise UsageError(f"{archive} is a folder; {_FIX.replace('FOLDER', str(archive))}")
    if not archive.is_file():
        raise UsageError(f"there is no file {archive}; name an archive (tar.gz) or a main.py")
    packed = archive.stat().st_size
    if packed > profile.packed.value:
        raise ArchiveError(
            "too_large",
            f"the archive has {packed:,} bytes and {profile.packed.value:,} are allowed "
            f"({profile.packed.source}, {profile.packed.date}); leave files out or shrink the weights",
        )
    with archive.open("rb") as file:
        start = file.read(512)
        file.seek(0)
        _check_kind(archive, start)
        if start[:2] != b"\x1f\x8b":
            (folder / "main.py").write_bytes(file.read())
            return Unpacked(("main.py",), packed, packed)
        try:
            return _unpack_tar(file, folder, packed, profile)
        except (tarfile.TarError, OSError, EOFError, zlib.error, ValueError, OverflowError) as error:
            raise ArchiveError("not_archive", f"the file is no readable tar.gz ({error}); {_FIX}") from error


def _check_kind(archive: Path, start: bytes) -> None:
    """Refuse what the platform does not unpack; a file without a known signature must be a .py file."""
    if not start:
        raise ArchiveError("empty", f"the file is empty; {_FIX}")
    kinds = {
        b"PK\x03\x04": "zip",
        b"PK\x05\x06": "zip",
        b"BZh": "tar.bz2",
        b"\xfd7zXZ": "tar.xz",
        b"7z\xbc\xaf": "7z",
    }
    kind = next((name for sign, name in kinds.items() if start.startswith(sign)), None)
    if kind is None and start[257:262] == b"ustar":
        kind = "tar without gzip"
    if kind == "zip":
        raise ArchiveError(
            "zip", f"the file is a zip, which the platform does not unpack but compiles as Python; {_FIX}"
        )
    if kind is not None:
        raise ArchiveError("not_tar_gz", f"the file is a {kind}, and the platform takes a tar.gz; {_FIX}")
    if start[:2] != b"\x1f\x8b" and archive.suffix != ".py":
        raise ArchiveError("not_archive", f"the file is neither a tar.gz nor a .py file; {_FIX}")


def _unpack_tar(file: IO[bytes], folder: Path, packed: int, profile: TargetProfile) -> Unpacked:
    # Headers and padding come on top of the contents: two blocks an entry at most, long names apart.
    cap = profile.unpacked.value + 4096 * profile.files.value
    with gzip.GzipFile(fileobj=file) as stream, tarfile.open(fileobj=_Capped(stream, cap), mode="r:") as tar:
        entries = _listed(tar, profile)
        if not entries:
            raise ArchiveError("empty", f"the archive holds no file; {_FIX}")
        _check_main(entries)
        for name, member in entries.items():
            source = tar.extractfile(member)
            assert source is not None, "regular files only"
            _write(folder / name, source)
    return Unpacked(tuple(entries), packed, sum(member.size for member in entries.values()))


def _listed(tar: tarfile.TarFile, profile: TargetProfile) -> dict[str, tarfile.TarInfo]:
    """Read every header and give the files by name; nothing is written yet."""
    entries: dict[str, tarfile.TarInfo] = {}
    spellings: dict[str, str] = {}
    folders: set[str] = set()
    size = count = 0
    for member in tar:
        count += 1
        if count > profile.files.value:
            raise ArchiveError(
                "too_many_files",
                f"the archive has more than {profile.files.value:,} entries; leave files out",
            )
        name = _plain_name(member)
        if member.isdir():
            folders.add(name)
            continue
        _check_type(member)
        if not name:
            raise ArchiveError("unsafe_path", f"the archive has an entry without a name; {_FIX}")
        size += member.size
        if size > profile.unpacked.value:
            raise ArchiveError(
                "too_large",
                f"the archive unpacks to more than {profile.unpacked.value:,} bytes "
                f"({profile.unpacked.source}); leave files out",
            )
        if name in entries:
            raise ArchiveError("duplicate", f"the archive holds {shown(name)} twice; {_FIX}")
        spelling = unicodedata.normalize("NFKC", name).casefold()
        if spelling in spellings:
            raise ArchiveError(
                "case_twin",
                f"the archive holds {shown(spellings[spelling])} and {shown(name)}, which are one file on "
                f"some systems; rename one",
            )
        spellings[spelling] = name
        entries[name] = member
    parents = {parent for name in entries for parent in _parents(name)} | folders
    for name in entries:
        if name in parents:
            raise ArchiveError(
                "duplicate", f"the archive holds {shown(name)} as a file and as a folder; {_FIX}"
            )
    return entries


def _parents(name: str) -> list[str]:
    parts = name.split("/")
    return ["/".join(parts[:depth]) for depth in range(1, len(parts))]


def _plain_name(member: tarfile.TarInfo) -> str:
    """The entry's name without "./"; refuse one that leads outside or cannot be typed."""
    name = member.name
    if name.startswith("/") or name[1:3] in (":\\", ":/"):
        raise ArchiveError("unsafe_path", f"the archive holds {shown(name)}, an absolute path; {_FIX}")
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if ".." in parts:
        raise ArchiveError(
            "unsafe_path", f"the archive holds {shown(name)}, a path outside the archive; {_FIX}"
        )
    if not name.isprintable() or "\\" in name or any(len(part) > 255 for part in parts):
        raise ArchiveError(
            "unsafe_path",
            f"the archive holds {shown(name)}, a name that not every system can write; rename the file",
        )
    return "/".join(parts)


def _check_type(member: tarfile.TarInfo) -> None:
    """Accept regular files only."""
    if member.issym() or member.islnk():
        kind = "symbolic link" if member.issym() else "hard link"
        raise ArchiveError(
            "link",
            f"the archive holds {shown(member.name)}, a {kind} to {shown(member.linkname)}; "
            f"put the file itself there (tar --dereference --hard-dereference)",
        )
    if member.type not in (tarfile.REGTYPE, tarfile.AREGTYPE) or member.issparse():
        kind = "device or pipe" if member.isdev() else f"special entry (type {member.type!r})"
        raise ArchiveError("device", f"the archive holds {shown(member.name)}, a {kind}; leave it out")


def _check_main(entries: dict[str, tarfile.TarInfo]) -> None:
    """Is main.py where the platform looks for it?"""
    if "main.py" in entries:
        return
    deeper = sorted(
        (name for name in entries if name.rsplit("/", 1)[-1] == "main.py"), key=lambda name: name.count("/")
    )
    if deeper:
        where = deeper[0].removesuffix("/main.py")
        raise ArchiveError(
            "wrong_depth",
            f"main.py lies in the folder {shown(where)} and must lie at the archive's root; "
            f"pack again with: tar -czf submission.tar.gz -C {where} .",
        )
    twin = next((name for name in entries if name.casefold() == "main.py"), None)
    found = f"found {shown(twin)}" if twin else f"found {', '.join(sorted(entries)[:5])}"
    raise ArchiveError(
        "no_main", f"the archive has no main.py at its root ({found}); name the agent's file main.py"
    )


def _write(path: Path, source: IO[bytes]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
    with os.fdopen(os.open(path, flags, 0o644), "wb") as out:
        shutil.copyfileobj(source, out, 1 << 16)
