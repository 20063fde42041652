"""The part of `lanista eval` that plays on the platform's own rules, with a file of finished games."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lanista.contenders import Contender
    from lanista.registry import Registry


@dataclass(frozen=True)
class Asked:
    """What the command line says of official games."""

    env: str
    #: settings of the env, and of the platform's configuration
    options: Mapping[str, Any]
    configuration: Mapping[str, Any]
    games: int
    seed: int
    sample: bool
    workers: int | None
    results: Path | None


def is_official(
    contenders: "Sequence[Contender]", env: str | None, wished: bool, registry: "Registry"
) -> bool:
    """Do these play on the platform: because one of them cannot play elsewhere, or because it is wished?"""
    if wished or any(contender.entry is not None for contender in contenders):
        return True
    scripted = [
        registry.get("players", contender.use) for contender in contenders if contender.use is not None
    ]
    names = [env] if env is not None else [c.policy.card.env for c in contenders if c.policy is not None]
    native = any(
        "kaggle" in registry.get("envs", name).traits for name in names if registry.offers("envs", name)
    )
    return native and any(entry.family == "kaggle:" for entry in scripted)


def env_of(contenders: "Sequence[Contender]", named: str | None, registry: "Registry") -> str:
    """The env that was named, else that of the first policy."""
    from lanista.errors import UsageError

    cards = [contender.policy.card for contender in contenders if contender.policy is not None]
    if named is None and not cards:
        known = [
            entry.name for entry in registry.entries() if entry.kind == "envs" and "kaggle" in entry.traits
        ]
        raise UsageError(
            f"an entry does not say what it plays; name the env with --env, one of {', '.join(known)} or kaggle:<game>"
        )
    return named if named is not None else cards[0].env


def evaluate_official(
    contenders: "Sequence[Contender]", asked: Asked, registry: "Registry"
) -> dict[str, Any]:
    """Play the first against all others and give everything that is told, as JSON values."""
    from lanista.cli.eval_values import match_values
    from lanista.game_log import GameLog
    from lanista.official import (
        configuration_of,
        faults_of,
        open_arena,
        play_official,
        result_of,
        worst_turn_of,
    )
    from lanista.progress import ScreenProgress

    log = GameLog(asked.results)
    configuration = {**configuration_of(asked.env, asked.options, registry), **asked.configuration}
    arena = open_arena(asked.env, asked.options, configuration, registry)
    try:
        guests = [arena.admit(contender, asked.sample) for contender in contenders]
        pairs = [(0, place) for place in range(1, len(guests))]
        with ScreenProgress() as screen, screen.counting("games") as count:
            found = play_official(
                arena, guests, pairs, asked.games, asked.seed, asked.workers or usable_cores(), log, count
            )
        matches = []
        for (_, other), records in zip(pairs, found, strict=True):
            names = guests[0].name, guests[other].name
            values = match_values(result_of(records, arena.seats), *names, arena.seats)
            sides = (("a", 0), ("against", 1))
            values["faults"] = {side: faults_of(records, place, arena.seats) for side, place in sides}
            values["worst_turn_s"] = {
                side: worst_turn_of(records, place, arena.seats) for side, place in sides
            }
            matches.append(values)
    finally:
        arena.close()
    return {
        "env": asked.env,
        "official": dict(arena.rules),
        "seed": asked.seed,
        "sample": asked.sample,
        "a": guests[0].name,
        "games_per_seat_order": asked.games,
        "results": None if asked.results is None else str(asked.results),
        "matches": matches,
    }


def usable_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
