"""Writes a tar.gz whose bytes depend on nothing but names and contents."""

import gzip
import io
import tarfile
from collections.abc import Mapping

#: 1980-01-01, the earliest date that every archive tool knows
MTIME = 315_532_800


def archive_bytes(files: Mapping[str, bytes]) -> bytes:
    """Pack ``name -> content``, sorted by name, as files that belong to nobody (mode 0644)."""
    packed = io.BytesIO()
    with (
        gzip.GzipFile(filename="", fileobj=packed, mode="wb", compresslevel=9, mtime=0) as compressed,
        tarfile.open(fileobj=compressed, mode="w", format=tarfile.USTAR_FORMAT) as archive,
    ):
        for name in sorted(files):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mtime, entry.mode = len(files[name]), MTIME, 0o644
            archive.addfile(entry, io.BytesIO(files[name]))
    return packed.getvalue()
