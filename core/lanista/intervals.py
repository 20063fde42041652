"""How sure a score is: Wilson intervals for match results, Student's t for mean returns.

Games that had the same start in different seat orders are not independent: a start may suit one side, or decide much
less than the seat does. `effective_games` says how many independent games they are worth, and that number goes into the
intervals.

A score is wins + half the draws. Wilson's interval (E. B. Wilson 1927, "Probable inference, the law of
succession, and statistical inference", JASA 22, eq. 3) is made for wins and losses; a draw varies less
than a game that is won or lost, so with draws the interval is a little wider than it would have to be.
"""

from collections.abc import Sequence
from math import isfinite, sqrt
from statistics import NormalDist, fmean, stdev

#: starts whose games are independent, which `effective_games` adds to those that it is given
_PRIOR_STARTS = 4


def effective_games(points: Sequence[Sequence[float]]) -> float:
    """How many independent wins and losses say as much as these games: R games from each of P starts.

    `points` ``[P, R]``: 1, 0.5 or 0 a game. P * R divided by the design effect (Kish 1965, "Survey sampling", 5.4), the
    variance of the starts' means over that of means of independent wins and losses; a few starts of design effect 1 are
    added, so that a handful of games does not speak of certainty. Games that a start decides whatever the seats say as
    much as one a start; seats that decide whatever the start leave less to chance, and so do draws.
    """
    starts, repeats = len(points), len(points[0])
    means = [fmean(games) for games in points]
    mean = fmean(means)
    prior = _PRIOR_STARTS * 0.25 / repeats
    found = sum((other - mean) ** 2 for other in means) + prior
    independent = (starts - 1) * mean * (1.0 - mean) / repeats + prior
    return starts * repeats * independent / found


def wilson(score: float, games: float, confidence: float = 0.95) -> tuple[float, float]:
    """Give the two-sided interval of the true score a game; ``(0.0, 1.0)`` while no game was played.

    `score` is wins + draws / 2, so it lies in 0..games.
    """
    _check(score, games, confidence)
    if games == 0:
        return 0.0, 1.0
    middle, half = _bounds(score, games, NormalDist().inv_cdf(0.5 + confidence / 2.0))
    return max(0.0, middle - half), min(1.0, middle + half)


def lower_bound(score: float, games: float, confidence: float = 0.95) -> float:
    """Give a bound that the true score a game exceeds with `confidence`: the one-sided bound of a gate.

    Half a game is taken off the score first (Yates's continuity correction). Without it a gate of few games
    errs oftener than it says: 5 games at confidence 0.9 would let an equal player through in 19 of 100.
    """
    _check(score, games, confidence)
    if games == 0:
        return 0.0
    middle, half = _bounds(max(0.0, score - 0.5), games, NormalDist().inv_cdf(confidence))
    return max(0.0, middle - half)


def mean_interval(values: Sequence[float], confidence: float = 0.95) -> tuple[float, float]:
    """Give Student's two-sided t interval of the mean of `values` (returns of episodes).

    One value says nothing about its spread: the interval is then ``(-inf, inf)``.
    """
    numbers = [float(value) for value in values]
    if not numbers:
        raise ValueError("no value was given, so there is no mean; play at least one episode")
    if not 0.0 < confidence < 1.0:
        raise ValueError(f"confidence lies between 0 and 1, found {confidence}; write 0.95 for 95 %")
    if len(numbers) == 1:
        return float("-inf"), float("inf")
    from scipy.special import stdtrit  # half a second to import, so not before it is needed

    mean = fmean(numbers)
    half = float(stdtrit(len(numbers) - 1, 0.5 + confidence / 2.0)) * stdev(numbers) / sqrt(len(numbers))
    return mean - half, mean + half


def _bounds(score: float, games: float, z: float) -> tuple[float, float]:
    share = score / games
    shrink = 1.0 + z * z / games
    middle = (share + z * z / (2.0 * games)) / shrink
    half = z * sqrt(share * (1.0 - share) / games + z * z / (4.0 * games * games)) / shrink
    return middle, half


def _check(score: float, games: float, confidence: float) -> None:
    if games < 0 or not isfinite(score) or not 0.0 <= score <= games:
        raise ValueError(
            f"score {score} of {games} games; a score is wins + draws / 2 and lies between 0 and the games"
        )
    if not 0.0 < confidence < 1.0:
        raise ValueError(f"confidence lies between 0 and 1, found {confidence}; write 0.95 for 95 %")
