"""lanista: from a game to a competition entry.

Only the light parts are imported here; torch, numba and the plugins load when they are first used.
"""

from typing import TYPE_CHECKING, Any

from pluggy import HookimplMarker

from lanista.errors import LanistaError
from lanista.version import __version__

if TYPE_CHECKING:
    from lanista.one_game_env import one_game

hookimpl = HookimplMarker("lanista")

__all__ = ["LanistaError", "__version__", "hookimpl", "one_game"]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - module attributes are of any type
    """Import `one_game` when it is first asked for: it needs numpy, which most uses of lanista do without."""
    if name != "one_game":
        raise AttributeError(f"module 'lanista' has no attribute {name!r}")
    from lanista.one_game_env import one_game

    return one_game
