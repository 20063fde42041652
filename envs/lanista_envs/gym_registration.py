"""The native envs with one seat at gymnasium, as ``lanista/CartPole-v1`` and ``lanista/MountainCar-v0``.

An installed lanista registers them when gymnasium is imported (``_lanista_gymnasium``); importing this module
does so in any case, and so does the entry point in the group ``gymnasium.envs`` where gymnasium reads it (before 1.0).
"""

import gymnasium

from _lanista_gymnasium import IDS, register

__all__ = ["IDS", "make_single", "register_all"]

#: leaves the time limit to gymnasium's own wrapper, which `make` puts around the single view
NO_LIMIT = 2**62


def make_single(name: str, render_mode: str | None = None) -> gymnasium.Env:
    """One game without a time limit of its own."""
    from lanista_envs.gym_view import make_single as view

    return view(name, render_mode, max_steps=NO_LIMIT)


def register_all() -> None:
    """Register what is not registered yet."""
    register(gymnasium)


register_all()
