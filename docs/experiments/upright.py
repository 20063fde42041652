"""A shaper for CartPole: a potential that falls with the square of the pole's angle and of the cart's position.

The built-in `potential` weighs facts themselves, and an angle has two good sides, so this one squares them.
``lanista run RECIPE --plugin docs/experiments/upright.py``
"""

import numpy as np

import lanista


@lanista.hookimpl
def register_shapers(register):
    """Offer `upright`."""
    register(
        "upright", ":Upright", summary="CartPole: a potential over pole angle and cart position, squared"
    )


class Upright:
    """``phi = 10 (1 - (angle / 0.21)^2 - 0.5 (position / 2.4)^2)``; 0 where the episode terminates (Ng et al. 1999)."""

    facts = ("angle", "position")

    def __init__(self, spec, settings):
        """Nothing to set."""

    def __call__(self, passage):
        """One part, `upright`: ``gamma phi(s') - phi(s)``."""
        after = np.where(passage.terminated, np.float32(0.0), phi(passage.after))
        return {"upright": np.float32(passage.gamma) * after - phi(passage.before)}


def phi(facts):
    """The potential, ``[T, N, S]``."""
    lean, way = facts["angle"] / np.float32(0.21), facts["position"] / np.float32(2.4)
    return np.float32(10.0) * (np.float32(1.0) - lean * lean - np.float32(0.5) * way * way)
