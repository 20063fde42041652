"""The tables that `lanista eval` prints."""

from collections.abc import Mapping
from typing import Any

import typer


def print_matches(told: dict[str, Any]) -> None:
    """A row for each opponent, one for all of them, and what is worth knowing."""
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
        for name, variant in match.get("variants", {}).items():
            rows.append(
                [
                    f"  on {name}",
                    str(variant["games"]),
                    f"{variant['wins']}/{variant['draws']}/{variant['losses']}",
                    f"{variant['score']:.3f}",
                    f"{variant['low']:.3f} to {variant['high']:.3f}",
                    "",
                    "",
                ]
            )
    headers = ["against", "games", "won/drawn/lost", "score", "95 %", "by seat", ""]
    if "official" in told:
        headers[-1:-1] = ["its faults", "worst turn"]
        for row, match in zip(rows, told["matches"], strict=True):
            row[-1:-1] = [_fault_words(match["faults"]["against"]), _seconds(match["worst_turn_s"]["a"])]
    if len(told["matches"]) > 1:
        rows.append(_all_of(told["matches"], len(headers)))
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
    for line in _fault_lines(told) if "official" in told else []:
        typer.echo(line)


def _all_of(matches: list[dict[str, Any]], columns: int) -> list[str]:
    """The last line of a table: all opponents together, each as often as it was played."""
    from lanista.intervals import wilson

    wins, draws, losses, games = (
        sum(match[key] for match in matches) for key in ("wins", "draws", "losses", "games")
    )
    share = sum(match["score"] * match["games"] for match in matches) / games
    worth = sum(match["effective_games"] for match in matches)
    low, high = wilson(share * worth, worth)
    row = ["all", str(games), f"{wins}/{draws}/{losses}", f"{share:.3f}", f"{low:.3f} to {high:.3f}"]
    return row + [""] * (columns - len(row))


def _seconds(number: float | None) -> str:
    return "" if number is None else f"{number:.2f} s"


def print_returns(told: dict[str, Any]) -> None:
    """A row for each player."""
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


def _fault_words(faults: Mapping[str, Any]) -> str:
    """``2 timeout, 1 error``, or nothing."""
    return ", ".join(f"{count} {kind}" for kind, count in faults["counts"].items())


def _fault_lines(told: Mapping[str, Any]) -> list[str]:
    """A sentence for each kind of failure of each side of each match, with the first one's text."""
    lines = []
    for match in told["matches"]:
        for side, name in (("a", told["a"]), ("against", match["against"])):
            for kind, text in match["faults"][side]["first"].items():
                count = match["faults"][side]["counts"][kind]
                games = "game" if count == 1 else "games"
                meets = f" against {match['against']}" if side == "a" else ""
                what = "sent what cannot be read" if kind == "unsendable" else f"failed ({kind}) and lost"
                lines.append(f"{name} {what} in {count} of {match['games']} {games}{meets}; first, {text}")
    return lines
