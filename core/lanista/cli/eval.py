"""`lanista eval`: matches with intervals, or returns where a game has one seat."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from lanista.contenders import Contender, Ground
    from lanista.matches import MatchResult
    from lanista.registry import Registry


def attach(app: typer.Typer) -> None:
    """Add the command."""
    app.command("eval")(evaluate)


def evaluate(
    contender: Annotated[
        str, typer.Argument(metavar="A", help="A run, a policy folder, a league member's folder or a player.")
    ],
    against: Annotated[
        list[str] | None,
        typer.Option(metavar="B", help="Who plays against A, named in the same ways; repeatable."),
    ] = None,
    games: Annotated[
        int, typer.Option(min=1, help="Games in each seat order; episodes where a game has one seat.")
    ] = 100,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the start states and of the players.")] = 0,
    env: Annotated[str | None, typer.Option(help="The env; that of A's policy by default.")] = None,
    env_set: Annotated[
        list[str] | None, typer.Option(metavar="KEY=VALUE", help="Change a setting of the env; repeatable.")
    ] = None,
    sample: Annotated[
        bool, typer.Option("--sample", help="Policies draw their actions instead of taking the likeliest.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout.")] = False,
) -> None:
    """Play A, and say how sure the result is: a draw is half a win, intervals are at 95 %.

    Every seat order is played equally often. A scripted player takes settings behind a colon.

    Examples: lanista eval runs/demo --against random --against connectx_negamax:depth=2;
    lanista eval runs/cartpole --games 200; lanista eval runs/b --against runs/a --sample.
    """
    import json

    from lanista.contenders import find_contender, find_ground, read_pairs
    from lanista.plugins import current_host

    registry = current_host().registry
    contenders = [find_contender(text, registry) for text in [contender, *(against or [])]]
    ground = find_ground(contenders, env, read_pairs(env_set or [], "--env-set"), registry)
    asked: dict[str, Any] = {
        "env": ground.name,
        "env_settings": ground.options,
        "seed": seed,
        "sample": sample,
    }
    if ground.spec.seats == 1:
        told = {
            **asked,
            "episodes": games,
            "returns": _returns(contenders, ground, registry, games, seed, sample),
        }
    else:
        matches = _matches(contenders, ground, registry, games, seed, sample)
        told = {**asked, "a": contenders[0].name, "games_per_seat_order": games, "matches": matches}
    if as_json:
        typer.echo(json.dumps(told, indent=2, allow_nan=False))
    elif ground.spec.seats == 1:
        _print_returns(told)
    else:
        _print_matches(told)


def _matches(
    contenders: "Sequence[Contender]",
    ground: "Ground",
    registry: "Registry",
    games: int,
    seed: int,
    sample: bool,
) -> list[dict[str, Any]]:
    from lanista.errors import UsageError
    from lanista.matches import play_matches
    from lanista.seeds import derive_seed

    first, *others = contenders
    if not others:
        here = ground.spec.name
        offered = registry.entries()
        entries = [entry for entry in offered if entry.kind == "players" and not entry.is_family]
        known = [entry.name for entry in entries if here in entry.traits.get("envs", (here,))]
        raise UsageError(
            f"{here} has {ground.spec.seats} seats; name an opponent with --against, a run, a policy "
            f"folder or one of the players {', '.join(known) or '(none is offered)'}"
        )
    told = []
    for place, other in enumerate(others):
        players = [
            side.player(registry, ground.spec, derive_seed(seed, place, side_number), sample)
            for side_number, side in enumerate((first, other))
        ]
        result = play_matches(ground.make_env, players, games, derive_seed(seed, "games", place))
        told.append(match_values(result, first.name, other.name, ground.spec.seats))
    return told


def match_values(result: "MatchResult", first: str, other: str, seats: int) -> dict[str, Any]:
    """One match as JSON values; the sentence is the one that is printed."""
    tally = result.tally(0, 1)
    low, high = result.interval(0, 1)
    if low > 0.5:
        verdict = f"{first} is the stronger"
    elif high < 0.5:
        verdict = f"{other} is the stronger"
    else:
        verdict = "not enough games to tell"
    by_seat = [result.tally(0, 1, seat) for seat in range(seats)]
    return {
        "against": other,
        "games": result.num_games,
        "wins": tally.wins,
        "draws": tally.draws,
        "losses": tally.losses,
        "score": tally.share,
        "low": low,
        "high": high,
        "by_seat": [{"wins": seat.wins, "draws": seat.draws, "losses": seat.losses} for seat in by_seat],
        **(_first_places(result) if seats > 2 else {}),
        "distinct_games": result.distinct_games,
        "mean_steps": float(result.steps.mean()),
        "verdict": verdict,
    }


def _first_places(result: "MatchResult") -> dict[str, Any]:
    """How often A, in one seat against all others, came first."""
    from lanista.intervals import wilson

    firsts = result.first_places(0)
    low, high = wilson(firsts, result.num_games)
    return {"first_places": {"share": firsts / result.num_games, "low": low, "high": high}}


def _print_matches(told: dict[str, Any]) -> None:
    from lanista.cli.columns import print_columns

    rows = []
    for match in told["matches"]:
        seats = [(seat["wins"] + seat["draws"] / 2) / max(1, sum(seat.values())) for seat in match["by_seat"]]
        rows.append(
            [
                match["against"],
                str(match["games"]),
                f"{match['wins']}/{match['draws']}/{match['losses']}",
                f"{match['score']:.3f}",
                f"{match['low']:.3f} to {match['high']:.3f}",
                " ".join(f"{seat:.3f}" for seat in seats),
                match["verdict"],
            ]
        )
    headers = ["against", "games", "won/drawn/lost", "score", "95 %", "by seat", ""]
    print_columns(f"{told['a']} in {told['env']} (a draw is half a win)", headers, rows)
    for match in told["matches"]:
        if "first_places" in match:
            first = match["first_places"]
            typer.echo(
                f"{told['a']} came first in {first['share']:.1%} of {match['games']} games with {match['against']} in all "
                f"other seats ({first['low']:.1%} to {first['high']:.1%})"
            )
        if match["distinct_games"] * 2 <= match["games"]:
            typer.echo(
                f"{told['a']} and {match['against']} played only {match['distinct_games']} different games "
                f"of {match['games']}: the interval would hold for games that vary"
                + ("" if told["sample"] else ", as those of policies do with --sample")
            )


def _returns(
    contenders: "Sequence[Contender]",
    ground: "Ground",
    registry: "Registry",
    episodes: int,
    seed: int,
    sample: bool,
) -> list[dict[str, Any]]:
    from math import isfinite

    from lanista.intervals import mean_interval
    from lanista.matches import evaluate_returns
    from lanista.seeds import derive_seed

    told: list[dict[str, Any]] = []
    env = ground.make_env(min(episodes, 1024))
    first = None
    for place, contender in enumerate(contenders):
        player = contender.player(registry, ground.spec, derive_seed(seed, place), sample)
        # All see the same start states, so that their difference is judged episode by episode.
        returns = evaluate_returns(env, player, episodes, derive_seed(seed, "games")).astype(float)
        low, high = mean_interval(returns.tolist())
        row: dict[str, Any] = {
            "name": contender.name,
            "mean": float(returns.mean()),
            "low": low if isfinite(low) else None,
            "high": high if isfinite(high) else None,
            "min": float(returns.min()),
            "max": float(returns.max()),
        }
        if first is None:
            first = returns
        else:
            low, high = mean_interval((first - returns).tolist())
            row["verdict"] = (
                f"{contenders[0].name} is the better"
                if low > 0
                else f"{contender.name} is the better"
                if high < 0
                else "not enough episodes to tell"
            )
        told.append(row)
    env.close()
    return told


def _print_returns(told: dict[str, Any]) -> None:
    from lanista.cli.columns import print_columns

    rows = [
        [
            row["name"],
            f"{row['mean']:.2f}",
            "one episode says nothing" if row["low"] is None else f"{row['low']:.2f} to {row['high']:.2f}",
            f"{row['min']:.2f}",
            f"{row['max']:.2f}",
            row.get("verdict", ""),
        ]
        for row in told["returns"]
    ]
    title = f"return in {told['env']} over {told['episodes']} episodes"
    print_columns(title, ["player", "mean", "95 %", "least", "most", ""], rows)
