"""How well a policy plays: whole games against others on each size of board, in lanista's own game and in the official one.

Games of lanista's own are played with the policy's network as it is, on the levels that the env holds out; official ones
with the archive that would be sent, on starts that count up from a seed.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lanista.cli.eval_official import Asked, evaluate_official, usable_cores
from lanista.cli.eval_values import match_values
from lanista.contenders import Contender, find_contender, find_ground
from lanista.matches import play_matches
from lanista.policy import Policy
from lanista.registry import Registry
from lanista.seeds import derive_seed
from lanista.symmetry.averaging import averaged_as_told
from lanista_submission.export.resize import of_size

#: what a table of strength has of a match
KEPT = ("against", "games", "wins", "draws", "losses", "score", "low", "high", "by_seat", "distinct_games")


@dataclass(frozen=True)
class Wanted:
    """Which games are to be played."""

    against: Sequence[str]
    #: games in each seat order
    games: int
    #: sides of boards; none plays the env as the policy was trained
    sizes: Sequence[int]
    seed: int
    #: does the policy draw its actions?
    sample: bool
    #: the symmetries of the env that it averages over: "all", or names with commas between; none: it does not
    average_symmetries: str | None = None


def own_games(
    policy: Policy, wanted: Wanted, registry: Registry, told: Callable[[int, int, str], None]
) -> list[dict[str, Any]]:
    """Play in lanista's own game; a row for each size and opponent. Raises `LanistaError` for an opponent that cannot."""
    rows: list[dict[str, Any]] = []
    boards: Sequence[int | None] = wanted.sizes or (None,)
    total = len(boards) * len(wanted.against)
    for size in boards:
        here = policy if size is None else of_size(policy, size, registry)
        here = averaged_as_told(here, registry, wanted.average_symmetries)
        for number, text in enumerate(wanted.against):
            told(len(rows), total, f"{text}{'' if size is None else f' on {size} x {size}'}")
            sides = [Contender(policy.card.name, here), find_contender(text, registry)]
            ground = find_ground(sides, None, {}, registry)
            players = [
                side.player(
                    registry, ground.spec, derive_seed(wanted.seed, "card", number, place), wanted.sample
                )
                for place, side in enumerate(sides)
            ]
            result = play_matches(
                ground.make_env,
                players,
                wanted.games,
                derive_seed(wanted.seed, "card games", size or 0, number),
            )
            values = match_values(result, policy.card.name, text, ground.spec.seats)
            rows.append({"size": size, **{key: values[key] for key in KEPT}})
    told(total, total, "")
    return rows


def official_games(
    archive: Path,
    env: str,
    settings: Mapping[str, Any],
    wanted: Wanted,
    results: Path | None,
    registry: Registry,
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Play the archive in kaggle-environments: (a row for each size and opponent, the game's version and configuration)."""
    rows: list[dict[str, Any]] = []
    rules: dict[str, Any] = {}
    for size in wanted.sizes or (None,):
        options = {**settings, **({} if size is None else {"size": size})}
        if options.get("sizes"):
            options["sizes"] = []
        sides = [
            Contender("archive", entry=archive),
            *(find_contender(text, registry) for text in wanted.against),
        ]
        asked = Asked(env, options, {}, wanted.games, wanted.seed, wanted.sample, usable_cores(), results)
        told = evaluate_official(sides, asked, registry)
        rules = {key: told["official"][key] for key in ("game", "version", "kaggle_environments")}
        for match in told["matches"]:
            row = {key: match[key] for key in KEPT}
            row |= {"worst_turn_s": match["worst_turn_s"]["a"], "faults": match["faults"]["a"]["counts"]}
            rows.append({"size": size, **row})
    return rows, rules
