"""A file that gets one JSON line for each finished game, so that a stopped evaluation goes on.

A line holds `key`, a digest of all that fixes the game: who sat where, by content, on which start and under which
configuration. A game whose key stands in the file is not played again. Several evaluations may share a file.
"""

import hashlib
import json
import os
from pathlib import Path
from typing import Any

from lanista.errors import UsageError
from lanista.hints import shown


def game_key(facts: dict[str, Any]) -> str:
    """A digest of plain JSON values."""
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:20]


class GameLog:
    """The finished games by key, and the file that they are written to, if any."""

    def __init__(self, path: Path | None) -> None:
        """Read what is there; the torn last line of a run that was killed is cut off. Raises `UsageError`."""
        self._path = path
        self._records: dict[str, dict[str, Any]] = {}
        if path is None:
            return
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            content = path.read_bytes() if path.exists() else b""
            whole = content[: content.rfind(b"\n") + 1]
            for number, line in enumerate(whole.splitlines(), start=1):
                self._read(line, number)
            if whole != content:
                os.truncate(path, len(whole))
        except OSError as error:
            raise UsageError(
                f"the games' file {path} cannot be used: {error.strerror}; name another file"
            ) from error

    def _read(self, line: bytes, number: int) -> None:
        try:
            record = json.loads(line)
            self._records[record["key"]] = record
        except (ValueError, TypeError, KeyError) as error:
            found = line[:60].decode(errors="replace")
            raise UsageError(
                f"{self._path} line {number} is no finished game ({shown(found)}); name a file that "
                f"`lanista eval` wrote, or a new one"
            ) from error

    def __contains__(self, key: str) -> bool:
        """Was this game played?"""
        return key in self._records

    def __getitem__(self, key: str) -> dict[str, Any]:
        """The record of a game that was played."""
        return self._records[key]

    def add(self, record: dict[str, Any]) -> None:
        """Take a finished game in and write its line to the disk at once."""
        self._records[record["key"]] = record
        if self._path is None:
            return
        try:
            with self._path.open("ab") as file:
                file.write(json.dumps(record, sort_keys=True).encode() + b"\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise UsageError(
                f"the games' file {self._path} cannot be written: {error.strerror}; make room or name another"
            ) from error
