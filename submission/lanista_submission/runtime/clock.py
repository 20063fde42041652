"""The clock guard: decides before each turn which network there is time for. Portable: standard library only.

A turn may take `act_timeout` seconds; what it takes beyond comes out of the overage, and below zero the game
is lost. The guard counts on the slowest turn that a network has shown, with a margin, and lets a single
turn take at most a quarter of the overage that is left, so that the overage shrinks but never runs out.

One slow turn of a network that is usually quick was the machine's doing: while the network sits out, that turn
is forgotten bit by bit, unless the machine is as slow as it was, which shows by what every turn takes beside the
network. A network whose every turn was slow is not tried again.
"""

from collections.abc import Collection

#: a turn may be this much slower than the slowest so far
MARGIN = 1.5
#: share of the remaining overage that one turn may use up
SHARE = 0.25
#: what is left of the slowest turn after each turn that a usually quick network sat out
FORGET = 0.7
#: the machine is itself again when reading takes at most this share of what it took in the slow turn, or at most
#: so many times what it took at its best
CALM, NEAR_BEST = 0.5, 2.0


class Clock:
    """Knows the slowest and the quickest turn of each network, largest network first."""

    def __init__(self, seconds: list[float]) -> None:
        """`seconds` of one pass through each network, measured while loading."""
        self.slowest = list(seconds)
        self.quickest: list[float | None] = [None] * len(seconds)
        #: what reading took in the slowest turn of each network, and at its best
        self._read_then = [0.0] * len(seconds)
        self._least_read = float("inf")

    def choose(
        self,
        act_timeout: float,
        overage: float,
        places: Collection[int] | None = None,
        read: float | None = None,
    ) -> int | None:
        """The first network (of `places`, all by default) whose turn fits, or None.

        `read` are the seconds that this turn has taken so far, without a network; None if that is not known.
        """
        allowed = act_timeout + SHARE * max(overage, 0.0)
        for place, slowest in enumerate(self.slowest):
            if places is not None and place not in places:
                continue
            if slowest * MARGIN <= allowed:
                return place
            quickest = self.quickest[place]
            if quickest is not None and quickest * MARGIN <= act_timeout and self._calm(place, read):
                self.slowest[place] = slowest * FORGET
        return None

    def _calm(self, place: int, read: float | None) -> bool:
        """Is the machine quicker than it was in the slowest turn of a network?"""
        return read is None or read <= max(CALM * self._read_then[place], NEAR_BEST * self._least_read)

    def turn_over(self, place: int | None, seconds: float, read: float | None = None) -> None:
        """Note how long the whole turn took that network `place` played, and how long its reading; see `choose`."""
        if read is not None:
            self._least_read = min(self._least_read, read)
        if place is None:
            return
        quickest = self.quickest[place]
        self.quickest[place] = seconds if quickest is None else min(quickest, seconds)
        if seconds > self.slowest[place]:
            self.slowest[place], self._read_then[place] = seconds, read or 0.0
