"""What tests of phases share: a hard stop in a run, and what a run leaves to be compared."""

import pytest

from lanista.progress import NoProgress
from lanista.run import RunStopped


class StopAt(NoProgress):
    """Ends a run hard after an update, as a kill would."""

    def __init__(self, updates):
        self.left = updates

    def updated(self, phase, metrics):
        self.left -= 1
        if not self.left:
            raise RunStopped


@pytest.fixture(scope="session")
def stop_at():
    """`stop_at(n)` is a progress that stops its run after n updates."""
    return StopAt


@pytest.fixture(scope="session")
def arrays_of():
    """`arrays_of(folder)`: file -> bytes, of all weights and games that a run keeps beside its checkpoints."""

    def found(folder):
        return {
            str(path.relative_to(folder)): path.read_bytes()
            for path in sorted(folder.rglob("*"))
            if path.suffix in {".npz", ".safetensors"} and "checkpoint" not in str(path)
        }

    return found
