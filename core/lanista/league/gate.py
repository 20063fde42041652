"""The promotion gate: a newcomer replaces the best only if the lower bound of its score says so.

Both, or all, seats are played equally often, each on the same starts; a draw is half a win. Of newcomers whose true score is
`at_least` or lower, at most one in ``1 / (1 - confidence)`` gets through.
"""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from lanista.errors import LanistaError
from lanista.league.settings import GateSettings
from lanista.matches import MatchResult


@dataclass(frozen=True)
class GateVerdict:
    """What a gate found."""

    promoted: bool
    #: points a game, 0..1
    score: float
    #: what the true score exceeds with the gate's confidence
    low: float
    #: games played, all seat orders together
    games: int
    sentence: str

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self)


def judge_gate(result: MatchResult, settings: GateSettings) -> GateVerdict:
    """Judge player 0 (the newcomer) of a match against player 1 (the best so far)."""
    in_seat = (result.seating == 0).sum(axis=0)
    if np.ptp(in_seat):
        raise LanistaError(
            f"the gate saw the newcomer {in_seat.tolist()} times in the seats; play every seat equally often"
        )
    games = result.games_between(0, 1)
    score = result.tally(0, 1).share
    low = result.low(0, 1, settings.confidence)
    promoted = low >= settings.at_least
    sentence = (
        f"{'promoted' if promoted else 'not promoted'}: score {score:.3f} over {games} games "
        f"(a draw is half), at least {low:.3f} with {settings.confidence:.0%} confidence, "
        f"asked for {settings.at_least:g}"
    )
    return GateVerdict(promoted, score, low, games, sentence)
