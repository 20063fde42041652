"""What the judging environment is made of, to the version."""

import hashlib
from importlib.resources import files
from pathlib import Path


def constraints_file() -> Path:
    """The pinned contents of the environment."""
    return Path(str(files("lanista_submission.judge") / "constraints.txt"))


def pinned_version() -> str:
    """The version of kaggle-environments that lanista is made for."""
    lines = constraints_file().read_text().splitlines()
    return next(line.partition("==")[2] for line in lines if line.startswith("kaggle-environments=="))


def constraints_hash() -> str:
    """Tells one set of pins from another."""
    return hashlib.sha256(constraints_file().read_bytes()).hexdigest()
