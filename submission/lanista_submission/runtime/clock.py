"""The clock guard: decides before each turn which network there is time for. Portable: standard library only.

A turn may take `act_timeout` seconds; what it takes beyond comes out of the overage, and below zero the game
is lost. The guard counts on the slowest turn that a network has shown, with a margin, and lets a single
turn take at most a quarter of the overage that is left, so that the overage shrinks but never runs out.
"""

#: a turn may be this much slower than the slowest so far
MARGIN = 1.5
#: share of the remaining overage that one turn may use up
SHARE = 0.25
#: how much of its slowest turn a network is held to after a turn that it sat out
FORGET = 0.7


class Clock:
    """Knows the slowest turn of each network, largest network first."""

    def __init__(self, seconds: list[float]) -> None:
        """`seconds` of one pass through each network, measured while loading."""
        self.slowest = list(seconds)

    def choose(self, act_timeout: float, overage: float) -> int | None:
        """The first network whose turn fits, or None; one that sits out slowly gets its chance back."""
        allowed = act_timeout + SHARE * max(overage, 0.0)
        for place, slowest in enumerate(self.slowest):
            if slowest * MARGIN <= allowed:
                return place
            self.slowest[place] = slowest * FORGET
        return None

    def turn_over(self, place: int | None, seconds: float) -> None:
        """Note how long the whole turn took that network `place` played."""
        if place is not None:
            self.slowest[place] = max(self.slowest[place], seconds)
