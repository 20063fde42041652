"""Where a run goes that was given no folder."""

from datetime import datetime
from pathlib import Path


def free_folder(name: str) -> Path:
    """``runs/<name>-<date>``, a folder that is not there yet."""
    stamp = datetime.now().strftime("%Y%m%d-%H%M%S")
    folder, count = Path("runs") / f"{name}-{stamp}", 1
    while folder.exists():
        count += 1
        folder = Path("runs") / f"{name}-{stamp}-{count}"
    return folder
