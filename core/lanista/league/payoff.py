"""Who won how often against whom, from which seat."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from lanista.arrays import FloatArray, IntArray
from lanista.errors import CheckpointError
from lanista.intervals import wilson
from lanista.matches import Tally


class Payoff:
    """Wins, draws and losses by (player, opponent, the player's seat); both directions are kept."""

    def __init__(self, seats: int) -> None:
        """Start without games."""
        self.seats = seats
        #: (player, opponent) -> ``[S, 3]`` wins, draws, losses by the player's seat
        self._counts: dict[tuple[str, str], IntArray] = {}

    def record(self, player: str, opponent: str, seat: int, opponent_seat: int, margins: FloatArray) -> None:
        """Count a pair's games in these seats; `margins` ``[K]``: the player's outcome less the other's."""
        wins, losses = int((margins > 0).sum()), int((margins < 0).sum())
        row = np.array([wins, len(margins) - wins - losses, losses], np.int64)
        self._of(player, opponent)[seat] += row
        self._of(opponent, player)[opponent_seat] += row[::-1]

    def _of(self, player: str, opponent: str) -> IntArray:
        return self._counts.setdefault((player, opponent), np.zeros((self.seats, 3), np.int64))

    def tally(self, player: str, opponent: str, seat: int | None = None) -> Tally:
        """Games of `player` against `opponent`, in all seats or in one."""
        counts = self._counts.get((player, opponent))
        if counts is None:
            return Tally()
        wins, draws, losses = (counts.sum(axis=0) if seat is None else counts[seat]).tolist()
        return Tally(wins, draws, losses)

    def against_all(self, player: str) -> Tally:
        """Games of `player` against everyone but itself."""
        met = (self.tally(*pair) for pair in self._counts if pair[0] == player != pair[1])
        return sum(met, Tally())

    def interval(self, tally: Tally, confidence: float = 0.95) -> tuple[float, float]:
        """Wilson's interval of a tally's share.

        A game of S seats can hold S - 1 meetings of one pair, which are not independent; they count as one.
        """
        games = tally.games // max(1, self.seats - 1)
        return wilson(tally.share * games, games, confidence)

    def pairs(self) -> Iterator[tuple[str, str]]:
        """The (player, opponent) pairs that met, in the order of their first game, both directions."""
        yield from self._counts

    def __add__(self, other: "Payoff") -> "Payoff":
        """Count both."""
        if self.seats != other.seats:
            raise ValueError(f"a payoff of {self.seats} seats and one of {other.seats} cannot be added")
        both = Payoff(self.seats)
        for source in (self, other):
            for (player, opponent), counts in source._counts.items():
                both._of(player, opponent)[:] += counts
        return both

    def __eq__(self, other: object) -> bool:
        """Whether the same games were counted, in whatever order."""
        if not isinstance(other, Payoff) or self.seats != other.seats:
            return False
        pairs = self._counts.keys() | other._counts.keys()
        nothing = np.zeros((self.seats, 3), np.int64)
        return all(
            np.array_equal(self._counts.get(pair, nothing), other._counts.get(pair, nothing))
            for pair in pairs
        )

    __hash__ = None  # type: ignore[assignment]  # it changes with every game

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        rows = [
            {"player": player, "opponent": opponent, "wins_draws_losses_by_seat": counts.tolist()}
            for (player, opponent), counts in self._counts.items()
        ]
        return {"seats": self.seats, "rows": rows}

    @staticmethod
    def from_json(record: dict[str, Any]) -> "Payoff":
        """Rebuild what `to_json` gave."""
        try:
            payoff = Payoff(int(record["seats"]))
            for row in record["rows"]:
                counts = np.array(row["wins_draws_losses_by_seat"], np.int64)
                if counts.shape != (payoff.seats, 3) or (counts < 0).any():
                    raise ValueError(f"counts {counts.tolist()} of {row['player']} against {row['opponent']}")
                payoff._of(row["player"], row["opponent"])[:] = counts
        except (KeyError, TypeError, ValueError) as error:
            raise CheckpointError(
                f"the league's table of results is damaged ({error!r}); go on from another checkpoint"
            ) from error
        return payoff
