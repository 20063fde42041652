"""Counts results by pairing (opponent and seat order) and says how sure a score is; a draw is half a win."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from lanista.intervals import wilson

#: so many turns with nothing but the default action are no accident
IDLE_TURNS = 10


@dataclass
class Tally:
    """Results of the archive against one opponent, in one seat order or in all of them."""

    opponent: str
    #: the archive's seat, counted from 0; None if seats are put together
    seat: int | None
    wins: int = 0
    draws: int = 0
    losses: int = 0
    #: one hash for each sequence of moves that was seen
    sequences: set[str] = field(default_factory=set)

    def add(self, own: float, other: float, moves: str) -> None:
        """Count a game by both sides' rewards."""
        if own > other:
            self.wins += 1
        elif own == other:
            self.draws += 1
        else:
            self.losses += 1
        self.sequences.add(moves)

    @property
    def games(self) -> int:
        """Games counted."""
        return self.wins + self.draws + self.losses

    @property
    def telling(self) -> int:
        """Games that tell something: one, if all were the same, as between two players without chance."""
        return 1 if len(self.sequences) == 1 else self.games

    @property
    def score(self) -> float:
        """Wins + draws / 2, a game; 0 before the first."""
        return (self.wins + self.draws / 2) / self.games if self.games else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's 95 % interval of the score, over the games that tell something."""
        return wilson(self.score * self.telling, self.telling)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        low, high = self.interval
        return {
            "opponent": self.opponent,
            "seat": self.seat,
            "games": self.games,
            "wins": self.wins,
            "draws": self.draws,
            "losses": self.losses,
            "score": self.score,
            "low": low,
            "high": high,
            "different_games": len(self.sequences),
        }


class Together(Tally):
    """All pairings with one opponent; games that tell something add up."""

    def __init__(self, tallies: Iterable[Tally]) -> None:
        """Add up the tallies of one opponent."""
        parts = list(tallies)
        super().__init__(
            parts[0].opponent,
            None,
            sum(part.wins for part in parts),
            sum(part.draws for part in parts),
            sum(part.losses for part in parts),
            set().union(*(part.sequences for part in parts)),
        )
        self._telling = sum(part.telling for part in parts)
        #: seat orders
        self.orders = len(parts)

    @property
    def telling(self) -> int:
        """Games that tell something, over all seat orders."""
        return self._telling


@dataclass
class Variant:
    """What was seen under one of the target's variants, such as a size of board."""

    #: configuration
    given: dict[str, Any]
    tallies: dict[str, Tally] = field(default_factory=dict)
    timing: "Timing" = field(default_factory=lambda: Timing())
    #: games of the archive, and those in which its every turn gave the game's default action
    seats: int = 0
    idle: int = 0

    def add(self, opponent: str, own: float, other: float, moves: str) -> None:
        """Count a game by both sides' rewards."""
        self.tallies.setdefault(opponent, Tally(opponent, None)).add(own, other, moves)

    def take(self, record: dict[str, Any], seat: dict[str, Any]) -> None:
        """Take in one seat of one game."""
        self.timing.add(record, seat)
        self.seats += 1
        only = seat["only_action"]
        if (
            only is not None
            and only["action"] == record["default_action"]
            and len(seat["turns_s"]) >= IDLE_TURNS
        ):
            self.idle += 1

    @property
    def words(self) -> str:
        """``width 12, height 12``."""
        return ", ".join(f"{key} {value}" for key, value in self.given.items())

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "configuration": self.given,
            "opponents": {name: tally.to_json() for name, tally in self.tallies.items()},
            "timing": self.timing.to_json(),
            "idle": self.idle,
        }


@dataclass
class Timing:
    """Times of the archive's turns over all games, in seconds."""

    import_s: float = 0.0
    worst_turn_s: float = 0.0
    #: its turn, from 1
    worst_turn: int = 0
    #: the worst of all turns but a game's first, which pays for the import
    worst_later_turn_s: float = 0.0
    overage_left_s: float | None = None
    overage_s: float | None = None
    act_timeout_s: float | None = None
    turns: int = 0
    sum_s: float = 0.0
    turns_over: int = 0

    def add(self, record: dict[str, Any], seat: dict[str, Any]) -> None:
        """Take in one seat of one game."""
        self.act_timeout_s, self.overage_s = record["act_timeout_s"], record["overage_s"]
        self.import_s = max(self.import_s, seat["import_s"] or 0.0)
        for turn, spent in enumerate(seat["turns_s"], start=1):
            if spent > self.worst_turn_s:
                self.worst_turn_s, self.worst_turn = spent, turn
            if turn > 1:
                self.worst_later_turn_s = max(self.worst_later_turn_s, spent)
            self.turns += 1
            self.sum_s += spent
            self.turns_over += spent > record["act_timeout_s"]
        left = seat["overage_left_s"]
        self.overage_left_s = left if self.overage_left_s is None else min(self.overage_left_s, left)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "import_s": self.import_s,
            "worst_turn_s": self.worst_turn_s,
            "worst_turn": self.worst_turn,
            "worst_later_turn_s": self.worst_later_turn_s,
            "mean_turn_s": self.sum_s / self.turns if self.turns else 0.0,
            "turns": self.turns,
            "turns_over_act_timeout": self.turns_over,
            "act_timeout_s": self.act_timeout_s,
            "overage_s": self.overage_s,
            "overage_left_s": self.overage_left_s,
        }
