"""The clock guard: decides before each turn which network there is time for. Portable: standard library only.

A turn may take `act_timeout` seconds; what it takes beyond comes out of the overage, and below zero the game
is lost. The guard counts on the slowest turn that a network has shown, with a margin, and lets a single
turn take at most a quarter of the overage that is left, so that the overage shrinks but never runs out.

One slow turn of a network that is usually quick was the machine's doing: while the network sits out, that turn
is forgotten bit by bit. A network whose every turn was slow is not tried again.
"""

from collections.abc import Collection

#: a turn may be this much slower than the slowest so far
MARGIN = 1.5
#: share of the remaining overage that one turn may use up
SHARE = 0.25
#: what is left of the slowest turn after each turn that a usually quick network sat out
FORGET = 0.7


class Clock:
    """Knows the slowest and the quickest turn of each network, largest network first."""

    def __init__(self, seconds: list[float]) -> None:
        """`seconds` of one pass through each network, measured while loading."""
        self.slowest = list(seconds)
        self.quickest: list[float | None] = [None] * len(seconds)

    def choose(self, act_timeout: float, overage: float, places: Collection[int] | None = None) -> int | None:
        """The first network (of `places`, all by default) whose turn fits, or None."""
        allowed = act_timeout + SHARE * max(overage, 0.0)
        for place, slowest in enumerate(self.slowest):
            if places is not None and place not in places:
                continue
            if slowest * MARGIN <= allowed:
                return place
            quickest = self.quickest[place]
            if quickest is not None and quickest * MARGIN <= act_timeout:
                self.slowest[place] = slowest * FORGET
        return None

    def turn_over(self, place: int | None, seconds: float) -> None:
        """Note how long the whole turn took that network `place` played."""
        if place is not None:
            quickest = self.quickest[place]
            self.quickest[place] = seconds if quickest is None else min(quickest, seconds)
            self.slowest[place] = max(self.slowest[place], seconds)
