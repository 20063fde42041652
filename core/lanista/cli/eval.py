"""`lanista eval`: matches with intervals, or returns where a game has one seat."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from lanista.contenders import Contender, Ground
    from lanista.registry import Registry


def attach(app: typer.Typer) -> None:
    """Add the command."""
    app.command("eval")(evaluate)


def evaluate(
    contender: Annotated[
        str,
        typer.Argument(
            metavar="A",
            help="A run, a policy folder, a league member's folder, a player, or an entry: a main.py, a folder "
            "with one, or an archive.",
        ),
    ],
    against: Annotated[
        list[str] | None,
        typer.Option(metavar="B", help="Who plays against A, named in the same ways; repeatable."),
    ] = None,
    panel: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A TOML file that lists whom A plays against.")
    ] = None,
    games: Annotated[
        int, typer.Option(min=1, help="Games in each seat order; episodes where a game has one seat.")
    ] = 100,
    seed: Annotated[
        int | None,
        typer.Option(
            min=0,
            help="Seed of the start states and of the players; official games count up from it. 0 by default, and for "
            "official games the first of a held-out level.",
        ),
    ] = None,
    env: Annotated[str | None, typer.Option(help="The env; that of A's policy by default.")] = None,
    env_set: Annotated[
        list[str] | None, typer.Option(metavar="KEY=VALUE", help="Change a setting of the env; repeatable.")
    ] = None,
    sample: Annotated[
        bool, typer.Option("--sample", help="Policies draw their actions instead of taking the likeliest.")
    ] = False,
    average_symmetries: Annotated[
        str | None,
        typer.Option(
            metavar="all|NAME,NAME",
            help="A's policy averages its logits over the symmetries of its env, or those that the named ones make.",
        ),
    ] = None,
    official: Annotated[
        bool,
        typer.Option("--official", help="Play in kaggle-environments, as games with entries always are."),
    ] = False,
    config: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KEY=VALUE", help="Official games: change the game's configuration; repeatable."
        ),
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Official games at once; all usable cores by default.")
    ] = None,
    results: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Official games: a line for each finished one; those in it are not played."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout.")] = False,
) -> None:
    """Play A, and say how sure the result is: a draw is half a win, intervals are at 95 %.

    Every seat order is played equally often, on the same starts, which training never plays where the env holds maps or
    levels out. A scripted player takes settings behind a colon.

    Examples: lanista eval runs/demo --against random --against connectx_negamax:depth=2;
    lanista eval runs/cartpole --games 200; lanista eval runs/b --against runs/a --sample;
    lanista eval entry.tar.gz --panel panel.toml --env lux_s1 --env-set size=16 --results games.jsonl.
    """
    import json

    from lanista.cli.eval_official import Asked, env_of, evaluate_official, is_official
    from lanista.cli.eval_tables import print_matches, print_returns
    from lanista.contenders import find_contender, find_ground, read_pairs
    from lanista.held_out import first_held_out_seed
    from lanista.panel import read_panel
    from lanista.plugins import current_host

    registry = current_host().registry
    panel_env, agents = (None, []) if panel is None else read_panel(panel)
    contenders = [find_contender(text, registry) for text in [contender, *(against or [])]]
    contenders += [_named(find_contender(agent.agent, registry), agent.name) for agent in agents]
    if average_symmetries is not None:
        _average(contenders[0], average_symmetries, registry)
    named, changes = env or panel_env, read_pairs(env_set or [], "--env-set")
    if is_official(contenders, named, official, registry):
        _refuse_alone(contenders)
        _refuse_own_options(average_symmetries)
        where = env_of(contenders, named, registry)
        options = {**_settings_of(contenders, where), **changes}
        wanted = read_pairs(config or [], "--config")
        first = first_held_out_seed(registry, where) if seed is None else seed
        asked_for = Asked(where, options, wanted, games, first, sample, workers, results)
        told = evaluate_official(contenders, asked_for, registry)
    else:
        _refuse_official_options(config=config, workers=workers, results=results)
        ground = find_ground(contenders, named, changes, registry)
        seed = seed or 0
        told = {"env": ground.name, "env_settings": ground.options, "seed": seed, "sample": sample}
        if average_symmetries is not None:
            told["average_symmetries"] = average_symmetries
        if ground.spec.seats == 1:
            told["episodes"] = games
            told["returns"] = _returns(contenders, ground, registry, games, seed, sample)
        else:
            told |= {"a": contenders[0].name, "games_per_seat_order": games}
            told["matches"] = _matches(contenders, ground, registry, games, seed, sample)
    if as_json:
        typer.echo(json.dumps(told, indent=2, allow_nan=False))
    elif "returns" in told:
        print_returns(told)
    else:
        print_matches(told)


def _named(contender: "Contender", name: str | None) -> "Contender":
    contender.name = name or contender.name
    return contender


def _average(contender: "Contender", wanted: str, registry: "Registry") -> None:
    """Let a contender's policy average over symmetries."""
    from lanista.errors import UsageError
    from lanista.symmetry.averaging import averaged_as_told

    if contender.policy is None:
        raise UsageError(
            f"--average-symmetries is for a policy, and {contender.name} is none; leave it out, or name a run or a policy "
            f"folder first"
        )
    contender.policy = averaged_as_told(contender.policy, registry, wanted)


def _settings_of(contenders: "Sequence[Contender]", env: str) -> dict[str, Any]:
    """The env's settings, as the first policy that plays it was trained with."""
    cards = [contender.policy.card for contender in contenders if contender.policy is not None]
    return next((dict(card.env_settings) for card in cards if card.env == env), {})


def _refuse_alone(contenders: "Sequence[Contender]") -> None:
    from lanista.errors import UsageError

    if len(contenders) < 2:
        raise UsageError(
            f"{contenders[0].name} has nobody to play against; name somebody with --against or --panel, such as "
            f"an archive or kaggle:<agent>"
        )


def _refuse_own_options(average_symmetries: str | None) -> None:
    from lanista.errors import UsageError

    if average_symmetries is not None:
        raise UsageError(
            "--average-symmetries belongs to lanista's own games; for official ones pack the policy for a target with "
            'average_symmetries = "all" and name the archive'
        )


def _refuse_official_options(**given: object) -> None:
    from lanista.errors import UsageError

    for name, value in given.items():
        if value is not None:
            raise UsageError(
                f"--{name} belongs to official games, and these are lanista's own; add --official, or leave it out"
            )


def _matches(
    contenders: "Sequence[Contender]",
    ground: "Ground",
    registry: "Registry",
    games: int,
    seed: int,
    sample: bool,
) -> list[dict[str, Any]]:
    from lanista.cli.eval_values import match_values
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
