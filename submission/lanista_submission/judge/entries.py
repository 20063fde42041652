"""Entries ready to play: archives unpacked, folders copied, one copy for each worker and seat, each known by a digest."""

import hashlib
import shutil
import threading
from dataclasses import dataclass
from pathlib import Path

from lanista.errors import UsageError
from lanista_submission.verify.problem import ArchiveError
from lanista_submission.verify.profile import TargetProfile
from lanista_submission.verify.unpack import unpack


@dataclass(frozen=True)
class _Entry:
    """An archive, a folder with a main.py, or a .py file."""

    path: Path
    #: below the root: how it is as it was brought, copied for each seat; None for a .py file, which plays where it lies
    pristine: Path | None


class Entries:
    """Entries by number; copies are made when a game first needs them, and anew when a game has changed one."""

    def __init__(self, root: Path, profile: TargetProfile) -> None:
        """`root` is a temporary folder that the caller removes; `profile` limits what archives may hold."""
        self._root = root
        self._profile = profile
        self._entries: list[_Entry] = []
        self._lock = threading.Lock()

    def add(self, path: Path) -> tuple[int, str]:
        """Take an entry in: (its number, a digest of its content). Raises `UsageError` in one sentence."""
        number = len(self._entries)
        pristine: Path | None = self._root / f"entry-{number}"
        assert pristine is not None
        if path.suffix == ".py" and path.is_file():
            # Its neighbours may be part of it, as in `env.run(["agents/v3/main.py"])`.
            pristine, digest = None, hashlib.sha256(path.read_bytes()).hexdigest()
        elif path.is_dir():
            if not (path / "main.py").is_file():
                raise UsageError(
                    f"{path} holds no main.py, which an entry begins with; name the folder that does"
                )
            shutil.copytree(path, pristine, ignore=shutil.ignore_patterns("__pycache__", ".git"))
            digest = _folder_digest(pristine)
        else:
            pristine.mkdir()
            try:
                unpack(path, pristine, self._profile)
            except ArchiveError as error:
                raise UsageError(f"{path}: {error}") from error
            digest = _folder_digest(pristine)
        self._entries.append(_Entry(path.absolute(), pristine))
        return number, digest

    def main(self, number: int, worker: int, seat: int) -> str:
        """The main.py that a seat plays; the caller gives it back with `tidy` when the game is over."""
        entry = self._entries[number]
        if entry.pristine is None:
            return str(entry.path)
        copy = self._root / f"{worker}-{seat}-{number}"
        with self._lock:
            if not copy.exists():
                shutil.copytree(entry.pristine, copy)
        return str(copy / "main.py")

    def tidy(self, main: str) -> None:
        """Make the copy that a game has changed anew when it is next asked for: every game begins with a fresh one."""
        copy = Path(main).parent
        if copy.parent != self._root:
            return
        pristine = self._root / f"entry-{copy.name.rpartition('-')[2]}"
        if _folder_digest(copy) != _folder_digest(pristine):
            shutil.rmtree(copy)


def _folder_digest(folder: Path) -> str:
    """sha256 over the names and contents of all files, links by where they lead."""
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_symlink() or not path.is_dir()):
        content = str(path.readlink()).encode() if path.is_symlink() else path.read_bytes()
        digest.update(f"{path.relative_to(folder).as_posix()}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()
