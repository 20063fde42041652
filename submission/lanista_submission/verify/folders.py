"""Unpacked copies of archives: a worker has its own, and each is as it was packed when a game begins."""

import threading
from pathlib import Path

from lanista_submission.verify.profile import TargetProfile
from lanista_submission.verify.unpack import unpack

#: names of the archive under judgement and of the one of ``--against``
ARCHIVE, OTHER_ARCHIVE = "archive", "other"

Listing = dict[str, tuple[int, int]]


class Folders:
    """Where copies lie. Keys are (name of the archive, worker, copy); copies are made at first use."""

    def __init__(self, root: Path, profile: TargetProfile, archives: dict[str, Path]) -> None:
        """Know the archives by name; `root` is a temporary folder that the caller removes."""
        self._root = root
        self._profile = profile
        self._archives = archives
        self._made: dict[Path, tuple[str, Listing]] = {}
        self._lock = threading.Lock()

    def main(self, name: str, worker: int, copy: int = 0) -> str:
        """The main.py of a copy. Its folder's name says nothing about the archive."""
        folder = self._root / f"{worker}-{copy}-{list(self._archives).index(name)}"
        with self._lock:
            if folder not in self._made:
                self._unpack(name, folder)
        return str(folder / "main.py")

    def _unpack(self, name: str, folder: Path) -> None:
        folder.mkdir()
        unpack(self._archives[name], folder, self._profile)
        self._made[folder] = (name, listing(folder))

    def tidy(self, main: str) -> list[str]:
        """Name the files that a game changed in a copy, and put the copy back as it was packed."""
        folder = Path(main).parent
        name, before = self._made[folder]
        after = listing(folder)
        changed = sorted(path for path in before.keys() | after.keys() if before.get(path) != after.get(path))
        if changed:
            aside = folder.with_name(f"{folder.name}-changed-{len(self._made)}")
            with self._lock:
                folder.rename(aside)
                self._made[aside] = (name, after)
                self._unpack(name, folder)
        return changed


def listing(folder: Path) -> Listing:
    """Size and time of change, in nanoseconds, of every file below a folder."""
    found: Listing = {}
    for path in folder.rglob("*"):
        if path.is_symlink() or path.is_file():
            state = path.lstat()
            found[path.relative_to(folder).as_posix()] = (state.st_size, state.st_mtime_ns)
    return found
