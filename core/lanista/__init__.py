"""lanista: from a game to a competition entry.

Only the light parts are imported here; torch, numba and the plugins load when they are first used.
"""

from pluggy import HookimplMarker

from lanista.errors import LanistaError
from lanista.version import __version__

hookimpl = HookimplMarker("lanista")

__all__ = ["LanistaError", "__version__", "hookimpl"]
