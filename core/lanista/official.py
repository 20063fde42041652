"""Games on a platform's own rules: who can play them, in which order, and what is known of each when it is over.

Core knows the platform by the contract `OfficialArena` alone. A target whose class has a method
``arena(env, settings, configuration) -> OfficialArena`` offers one; the env's trait ``kaggle="connectx"`` names the target
``kaggle:connectx``, and the trait ``kaggle_configuration="package.module:function"`` names a function from the env's
settings to those of the platform.
"""

import importlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from lanista.contenders import Contender
from lanista.errors import RecipeError, UsageError
from lanista.game_log import GameLog, game_key
from lanista.hints import hint
from lanista.matches import MatchResult, seat_orders
from lanista.registry import Registry
from lanista.tables import TargetTable


@dataclass(frozen=True)
class Guest:
    """A contender as an arena knows it."""

    name: str
    #: a digest of what plays, so that a changed agent under an old name is another one
    digest: str


@dataclass(frozen=True)
class OfficialGame:
    """One game to be played."""

    #: place of each seat's player in the arena's list of guests
    seating: tuple[int, ...]
    #: of the start state, where the game has one, and of what the game's own agents draw
    seed: int


class OfficialArena(Protocol):
    """A place where entries play a platform's games, each seat in a process of its own."""

    #: seats of a game
    seats: int
    #: plain JSON values that fix the rules: the game, its version, its configuration
    rules: Mapping[str, Any]

    def admit(self, contender: Contender, sample: bool) -> Guest:
        """Make ready to play; guests are numbered in the order in which they come. Raises `LanistaError`."""

    def play(
        self, games: Sequence[OfficialGame], workers: int, took: Callable[[int, dict[str, Any]], None]
    ) -> None:
        """Play all; ``took(place, record)`` is called after each, one call at a time.

        A record holds ``rewards`` (None for a seat that failed), ``statuses``, ``faults`` (``{"kind", "text"}`` or
        None), ``worst_turn_s``, ``overage_left_s`` (each a list by seat), ``steps`` and ``moves`` (a digest of all
        actions).
        """

    def close(self) -> None:
        """Leave nothing behind."""


def game_of(env: str, registry: Registry) -> str:
    """The platform's name of an env's game; `UsageError` for an env that is played nowhere else."""
    entry = registry.get("envs", env)
    game = entry.rest if entry.family == "kaggle:" else entry.traits.get("kaggle")
    if game is None:
        known = [
            entry.name for entry in registry.entries() if entry.kind == "envs" and "kaggle" in entry.traits
        ]
        raise UsageError(
            f"a main.py, a folder or an archive plays games of kaggle-environments, and env {env!r} is none "
            f'(its plugin gives no trait kaggle="..."); {hint(env, [*known, "kaggle:<game>"])}'
        )
    return str(game)


def configuration_of(env: str, options: Mapping[str, Any], registry: Registry) -> dict[str, Any]:
    """The platform's configuration for an env's settings."""
    entry = registry.get("envs", env)
    if entry.family == "kaggle:":
        # Any game of the family may be played by name, so a codec and the rest of its settings are not asked for.
        return dict(options.get("configuration", {}))
    settings = registry.settings("envs", env, dict(options))
    named = entry.traits.get("kaggle_configuration")
    if named is None:
        if settings != registry.settings("envs", env, {}):
            raise UsageError(
                f"env {env!r} of plugin {entry.owner} does not say how its settings are called on the platform; "
                f"set them by the platform's names with --config"
            )
        return {}
    module, _, attribute = str(named).partition(":")
    found: dict[str, Any] = getattr(importlib.import_module(module), attribute)(settings)
    return found


def open_arena(
    env: str, options: Mapping[str, Any], configuration: Mapping[str, Any], registry: Registry
) -> OfficialArena:
    """The arena of an env's game; close it."""
    from lanista.delivery import build_target  # what a run is made of, which only this needs

    name = f"kaggle:{game_of(env, registry)}"
    try:
        target = build_target(registry, TargetTable(use=name))
    except RecipeError as error:
        raise UsageError(f"the games of env {env!r} need the target {name}: {error}") from error
    if not hasattr(target, "arena"):
        raise UsageError(f"target {name} plays no games with other agents; give its class a method arena()")
    arena: OfficialArena = target.arena(env, options, configuration)
    return arena


def schedule(seats: int, num_games: int, seed: int) -> Iterator[OfficialGame]:
    """Every start in every seat order: guest 0 against guest 1, who fills all other seats; starts count up from `seed`."""
    orders = [tuple(order) for order in seat_orders(2, seats).tolist()]
    for number in range(num_games):
        for order in orders:
            yield OfficialGame(order, seed + number)


def play_official(
    arena: OfficialArena,
    guests: Sequence[Guest],
    pairs: Sequence[tuple[int, int]],
    num_games: int,
    seed: int,
    workers: int,
    log: GameLog,
    progress: Callable[[int, int, str], None],
) -> list[list[dict[str, Any]]]:
    """Play `num_games` in every seat order of each pair of guests; give each pair's records in the order of its games.

    Games that stand in `log` are not played; `progress(played, total, who)` counts them as played.
    """
    games: list[OfficialGame] = []
    for first, other in pairs:
        for game in schedule(arena.seats, num_games, seed):
            seating = tuple(first if place == 0 else other for place in game.seating)
            games.append(OfficialGame(seating, game.seed))
    facts = [_facts(arena, guests, game) for game in games]
    keys = [game_key(told) for told in facts]
    waiting = [place for place, key in enumerate(keys) if key not in log]
    # Two of the same content play the same games: one of them is enough.
    waiting = list({keys[place]: place for place in reversed(waiting)}.values())[::-1]
    played = len(set(keys)) - len(waiting)
    total = len(set(keys))
    progress(played, total, "")

    def took(number: int, record: dict[str, Any]) -> None:
        nonlocal played
        place = waiting[number]
        names = [guests[guest].name for guest in games[place].seating]
        log.add({"key": keys[place], **facts[place], "names": names, **record})
        played += 1
        progress(played, total, " against ".join(names))

    if waiting:
        arena.play([games[place] for place in waiting], workers, took)
    each = len(games) // len(pairs)
    return [[log[key] for key in keys[start : start + each]] for start in range(0, len(keys), each)]


def _facts(arena: OfficialArena, guests: Sequence[Guest], game: OfficialGame) -> dict[str, Any]:
    return {
        "rules": dict(arena.rules),
        "seed": game.seed,
        "guests": [guests[guest].digest for guest in game.seating],
    }


def result_of(records: Sequence[Mapping[str, Any]], seats: int) -> MatchResult:
    """A pair's records as a match. A seat that failed comes behind all that did not."""
    orders = seat_orders(2, seats)
    seating = np.tile(orders, (-(-len(records) // len(orders)), 1))[: len(records)]
    outcome = np.array([_ranked(record["rewards"]) for record in records], np.float32)
    steps = np.array([record["steps"] for record in records], np.int64)
    starts = np.arange(len(records)) // len(orders)
    return MatchResult(seating, outcome, steps, len({record["moves"] for record in records}), starts)


def _ranked(rewards: Sequence[float | None]) -> list[int]:
    """The place of each seat's reward among the game's, None before all: their scales differ and may be large."""
    known = sorted({reward for reward in rewards if reward is not None})
    return [-1 if reward is None else known.index(reward) for reward in rewards]


def faults_of(records: Sequence[Mapping[str, Any]], guest: int, seats: int) -> dict[str, Any]:
    """How often one side (0 or 1) failed, by kind, with the text of the first failure of each kind."""
    counts: dict[str, int] = {}
    first: dict[str, str] = {}
    orders = seat_orders(2, seats).tolist()
    for number, record in enumerate(records):
        for seat, fault in enumerate(record["faults"]):
            if fault is not None and orders[number % len(orders)][seat] == guest:
                counts[fault["kind"]] = counts.get(fault["kind"], 0) + 1
                first.setdefault(fault["kind"], fault["text"])
    return {"counts": counts, "first": first}


def worst_turn_of(records: Sequence[Mapping[str, Any]], guest: int, seats: int) -> float | None:
    """The longest turn of one side in seconds; None for the game's own agents, which nobody times."""
    orders = seat_orders(2, seats).tolist()
    found = [
        seconds
        for number, record in enumerate(records)
        for seat, seconds in enumerate(record["worst_turn_s"])
        if orders[number % len(orders)][seat] == guest and seconds is not None
    ]
    return max(found, default=None)
