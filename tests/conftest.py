"""What every test starts from: one thread, a fixed seed, no plugin settings from outside, the registry."""

import os
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

# A test says nothing about time: another process on the same core would fail it. Examples differ from run to run, so
# that many runs see what one of them leaves out.
settings.register_profile("lanista", deadline=None, max_examples=60)
settings.load_profile("lanista")

# Set before torch or numba load: two busy cores run two tests faster than two threads run one, and sums
# over one thread do not depend on how the work was split.
for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(variable, "1")
for variable in ("LANISTA_PLUGINS_OFF", "LANISTA_TRACE_PLUGINS"):
    os.environ.pop(variable, None)

from lanista.plugins import Registry, load_plugins  # noqa: E402 - after the variables above

_TESTS = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the agents' tests follow the core's.

    Two workers begin with half of the folders each. The agents' tests and the envs' both need the compiled rules of
    Lux: side by side from the start both workers would compile them, so the agents come when the envs have.
    """
    items.sort(key=lambda item: item.path.relative_to(_TESTS).parts[0].replace("agents", "core~"))


@pytest.fixture(scope="session")
def registry() -> Registry:
    """What the installed plugins offer; read it, do not add to it."""
    host = load_plugins()
    assert not host.broken, "; ".join(f"{plugin.name}: {plugin.problem}" for plugin in host.broken)
    return host.registry


@pytest.fixture(autouse=True)
def own_host(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test sees the process-wide host that another one started."""
    monkeypatch.setattr("lanista.plugins._current", None)


#: classes of torch's whose table is kept already
_with_kept_table: set[Any] = set()


@pytest.fixture(autouse=True)
def one_table_of_translations() -> None:
    """Torch's exporter, where a test has loaded it, keeps the table that it otherwise makes anew for each export.

    The table is the same each time, and making it takes half as long as all the rest of exporting a small network.
    """
    module = sys.modules.get("torch.onnx._internal.exporter._registration")
    if module is None or module.ONNXRegistry in _with_kept_table:
        return
    registry = module.ONNXRegistry
    make = registry.from_torchlib
    kept: dict[int, Any] = {}

    def from_torchlib(opset_version: int) -> Any:
        if opset_version not in kept:
            kept[opset_version] = make(opset_version=opset_version)
        given = registry()
        given._opset_version = opset_version
        given.functions = {target: list(found) for target, found in kept[opset_version].functions.items()}
        return given

    registry.from_torchlib = staticmethod(from_torchlib)
    _with_kept_table.add(registry)


@pytest.fixture(autouse=True)
def one_thread() -> None:
    """Torch, where a test has loaded it, computes on one thread and from a fixed seed."""
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.set_num_threads(1)
        torch.manual_seed(0)
