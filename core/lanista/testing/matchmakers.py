"""What must hold of a matchmaker: one of the candidates, drawn from the generator that it is handed."""

import random
from collections.abc import Mapping
from typing import Any

import numpy as np

from lanista.league.matchmaking import RecentScores
from lanista.plugins import Registry
from lanista.testing.complaints import Complaints
from lanista.testing.grounds import settings_of

#: numbers of candidates to try
COUNTS = (1, 2, 5, 40)


def check_matchmaker(registry: Registry, name: str, *, options: Mapping[str, Any] | None = None) -> None:
    """Raise `LanistaError`, one sentence, for the first thing in which a matchmaker breaks its contract."""
    complaints = Complaints.about(registry.get("matchmakers", name))
    settings = settings_of(registry, "matchmakers", name, options)
    factory = registry.load("matchmakers", name)
    for count in COUNTS:
        candidates = tuple(f"step-{place:010d}" for place in range(count))
        payoff = _results(candidates)
        chosen = [_choices(factory(settings), candidates, payoff, seed, complaints) for seed in (1, 2)]
        random.seed(0)
        np.random.seed(0)
        complaints.refuse(
            _choices(factory(settings), candidates, payoff, 1, complaints) != chosen[0], "choose",
            "picks differently though rng, candidates and results are the same",
            "draw from the generator that it is handed and from no other, so that a resumed run goes on alike",
        )  # fmt: skip


def _results(candidates: tuple[str, ...]) -> RecentScores:
    """Results of all sorts: none, all won, all lost, mixed."""
    payoff = RecentScores(100)
    for place, name in enumerate(candidates):
        points = [(), (1.0,) * 50, (0.0,) * 50, (1.0, 0.5, 0.0) * 10][place % 4]
        payoff.add(name, np.array(points, np.float32))
    return payoff


def _choices(
    matchmaker: Any,  # noqa: ANN401 - not yet known to be one
    candidates: tuple[str, ...],
    payoff: RecentScores,
    seed: int,
    complaints: Complaints,
) -> list[str]:
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(50):
        chosen = matchmaker.choose(candidates, payoff, rng)
        complaints.refuse(
            not isinstance(chosen, str) or chosen not in candidates, "choose",
            f"gave {chosen!r}, which is not among the {len(candidates)} candidates", "return one of their names",
        )  # fmt: skip
        found.append(chosen)
    return found
