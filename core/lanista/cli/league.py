"""`lanista league`: who is in a run's league, and how sure the order is."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from lanista.league import LeagueReport


def attach(app: typer.Typer) -> None:
    """Add the command."""
    app.command("league")(league)


def league(
    run_folder: Annotated[Path, typer.Argument(metavar="RUN", help="The folder of a run with a league.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout.")] = False,
) -> None:
    """Show the league's table with 95 % intervals (a draw is half a win) and who scored how against whom.

    Example: lanista league runs/demo
    """
    import json

    from lanista.errors import UsageError
    from lanista.league import read_report

    if not run_folder.is_dir():
        raise UsageError(f"{run_folder} is no folder; name a run, such as runs/demo")
    report = read_report(run_folder / "league")
    told = _told(report)
    if as_json:
        typer.echo(json.dumps(told, indent=2, allow_nan=False))
    else:
        _print(told)


def _told(report: "LeagueReport") -> dict[str, Any]:
    from itertools import pairwise

    from lanista.league import LEARNER

    table = report.table()
    names = [row.member.name for row in table]
    rows = [
        {
            "name": row.member.name,
            "kind": row.member.kind,
            "step": row.member.step if row.member.kind == "snapshot" else None,
            "in_pool": row.member.name in report.pool,
            "games": row.tally.games,
            "wins": row.tally.wins,
            "draws": row.tally.draws,
            "losses": row.tally.losses,
            "score": row.tally.share if row.tally.games else None,
            "low": row.low,
            "high": row.high,
        }
        for row in table
    ]
    matrix = [[_cell(report, player, opponent) for opponent in names] for player in names]
    unsure = [
        [upper.member.name, lower.member.name]
        for upper, lower in pairwise(table)
        if lower.tally.games
        and not _apart(report, upper.member.name, lower.member.name, upper.low, lower.high)
    ]
    return {
        "members": rows,
        "payoff": matrix,
        "not_enough_games_to_tell": unsure,
        "best": report.best,
        "gates": list(report.gates),
        "learner": LEARNER,
    }


def _cell(report: "LeagueReport", player: str, opponent: str) -> dict[str, Any] | None:
    tally = report.payoff.tally(player, opponent)
    if player == opponent or not tally.games:
        return None
    low, high = report.payoff.interval(tally)
    return {"games": tally.games, "score": tally.share, "low": low, "high": high}


def _apart(report: "LeagueReport", upper: str, lower: str, upper_low: float, lower_high: float) -> bool:
    """Whether two neighbours are in order: by their own games, else by intervals that do not touch."""
    met = report.payoff.tally(upper, lower)
    if met.games:
        return report.payoff.interval(met)[0] > 0.5
    return upper_low > lower_high


def _print(told: dict[str, Any]) -> None:
    from lanista.cli.columns import print_columns

    rows = []
    for row in told["members"]:
        name = f"{row['name']} (best)" if row["name"] == told["best"] else row["name"]
        played = row["games"] > 0
        rows.append(
            [
                name,
                row["kind"],
                str(row["games"]),
                f"{row['wins']}/{row['draws']}/{row['losses']}",
                f"{row['score']:.3f}" if played else "-",
                f"{row['low']:.3f} to {row['high']:.3f}" if played else "-",
            ]
        )
    headers = ["member", "kind", "games", "won/drawn/lost", "score", "95 %"]
    print_columns("league (a draw is half a win)", headers, rows)
    typer.echo("")
    names = [row["name"] for row in told["members"]]
    numbered = [f"{place} {name}" for place, name in enumerate(names, 1)]
    cells = [
        [title, *("-" if cell is None else f"{cell['score']:.2f} ({cell['games']})" for cell in row)]
        for title, row in zip(numbered, told["payoff"], strict=True)
    ]
    headers = ["score (games) against", *(str(place) for place in range(1, len(names) + 1))]
    print_columns("payoff", headers, cells)
    for upper, lower in told["not_enough_games_to_tell"]:
        typer.echo(f"not enough games to tell {upper} from {lower}")
    if any(row["name"] == told["learner"] and row["games"] for row in told["members"]):
        typer.echo(
            "the learner changed while these games were played: its scores are over all of its training; "
            "`lanista eval` plays members as they are"
        )
    for gate in told["gates"]:
        against = f" against {gate['against']}" if gate["against"] else ""
        typer.echo(f"gate, {gate['candidate']}{against}: {gate['sentence']}")
