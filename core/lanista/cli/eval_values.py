"""What `lanista eval` tells of one match, as JSON has it."""

from typing import Any

from lanista.intervals import wilson
from lanista.matches import MatchResult


def match_values(result: MatchResult, first: str, other: str, seats: int) -> dict[str, Any]:
    """One match as JSON values; the sentence is the one that is printed."""
    score = _score(result)
    if score["low"] > 0.5:
        verdict = f"{first} is the stronger"
    elif score["high"] < 0.5:
        verdict = f"{other} is the stronger"
    else:
        verdict = "not enough games to tell"
    by_seat = [result.tally(0, 1, seat) for seat in range(seats)]
    return {
        "against": other,
        **score,
        "effective_games": float(result.effective_games(0, 1)),
        "by_seat": [{"wins": seat.wins, "draws": seat.draws, "losses": seat.losses} for seat in by_seat],
        **(_first_places(result) if seats > 2 else {}),
        **_variants(result),
        "distinct_games": result.distinct_games,
        "mean_steps": float(result.steps.mean()),
        "verdict": verdict,
    }


def _score(result: MatchResult) -> dict[str, Any]:
    tally = result.tally(0, 1)
    low, high = result.interval(0, 1)
    return {
        "games": result.num_games,
        "wins": tally.wins,
        "draws": tally.draws,
        "losses": tally.losses,
        "score": tally.share,
        "low": low,
        "high": high,
    }


def _variants(result: MatchResult) -> dict[str, Any]:
    """Score and interval over the games of each variant, such as a size of board."""
    told = {name: _score(games) for name, games in result.by_variant().items()}
    return {"variants": told} if told else {}


def _first_places(result: MatchResult) -> dict[str, Any]:
    """How often A, in one seat against all others, came first."""
    firsts = result.first_places(0)
    low, high = wilson(firsts, result.num_games)
    return {"first_places": {"share": firsts / result.num_games, "low": low, "high": high}}
