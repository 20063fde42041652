"""``CARD.md``: a card for people."""

from collections.abc import Mapping, Sequence
from typing import Any


def card_page(card: Mapping[str, Any]) -> str:
    """The card as Markdown."""
    lines = [f"# {card['name']}", "", _what(card), ""]
    lines += ["## What it beats", "", *_strength(card)]
    lines += ["## How it was trained", "", *_training(card["training"])]
    lines += ["## What it costs", "", *_costs(card)]
    return "\n".join(lines).rstrip() + "\n"


def _what(card: Mapping[str, Any]) -> str:
    name = next(iter(card["files"]))
    return (
        f"A policy for `{card['env']}` (version {card['env_version']}) with {card['parameters']:,} parameters (network "
        f"`{card['network']}`) that {'draws its actions' if card['actions'] == 'sampled' else 'plays greedily'}"
        f"{_averaging(card['average_symmetries'])}. "
        f"`{name}`: {card['files'][name]['bytes']:,} bytes, sha256 `{card['files'][name]['sha256']}`."
    )


def _averaging(told: str | None) -> str:
    if told is None:
        return ""
    named = "all symmetries of the game" if told == "all" else f"the symmetries {told}"
    return f" by the mean of its logits over {named}"


def _strength(card: Mapping[str, Any]) -> list[str]:
    lines = []
    own, official = card["own"], card["official"]
    if own["matches"]:
        lines += [
            f"In lanista's own game{_held_out(own['env_settings'])}, equally often in every seat; a draw is half a win, "
            f"intervals are Wilson's at 95 %.",
            "",
            *_matches(own["matches"], timed=False),
            "",
        ]
    if official["matches"]:
        rules = official["rules"]
        lines += [
            f"In kaggle-environments {rules['kaggle_environments']} ({rules['game']} {rules['version']}), the archive as it "
            f"would be sent, starts from {official['seed']:,} on.",
            "",
            *_matches(official["matches"], timed=True),
            "",
        ]
    return lines or ["No games were played for this card.", ""]


def _held_out(settings: Mapping[str, Any]) -> str:
    told = ", ".join(f"`{key} = {value}`" for key, value in settings.items())
    return f", on levels that training never played ({told})" if told else ""


def _matches(rows: Sequence[Mapping[str, Any]], timed: bool) -> list[str]:
    headers = ["against", "size", "games", "won/drawn/lost", "score", "95 %", "by seat"]
    headers += ["longest turn", "faults"] if timed else []
    lines = [_row(headers), _row(["---"] + ["---:"] * (len(headers) - 1))]
    for row in rows:
        seats = [(seat["wins"] + seat["draws"] / 2) / max(1, sum(seat.values())) for seat in row["by_seat"]]
        cells = [
            row["against"],
            "" if row["size"] is None else str(row["size"]),
            str(row["games"]),
            f"{row['wins']}/{row['draws']}/{row['losses']}",
            f"{row['score']:.3f}",
            f"{row['low']:.3f} to {row['high']:.3f}",
            " ".join(f"{seat:.3f}" for seat in seats),
        ]
        if timed:
            cells += [f"{row['worst_turn_s']:.2f} s", str(sum(row["faults"].values()))]
        lines.append(_row(cells))
    return lines


def _training(training: Mapping[str, Any]) -> list[str]:
    if not training["phases"]:
        return ["Its folder is no run's, so nothing is known of that.", ""]
    lines = [
        f"{training['seconds']:,.0f} seconds in all ({training['cpu_seconds']:,.0f} of a core), "
        f"seed {training.get('seed')}, chosen: {training['chosen']}.",
        "",
        _row(["phase", "kind", "network", "env steps", "seconds", "of a core"]),
        _row(["---", "---", "---", "---:", "---:", "---:"]),
    ]
    lines += [
        _row(
            [
                phase["name"],
                phase.get("kind", ""),
                _network(phase.get("network", {})),
                f"{phase.get('steps', 0):,}",
                f"{phase['seconds']:,.0f}",
                f"{phase['cpu_seconds']:,.0f}",
            ]
        )
        for phase in training["phases"]
    ]
    return [*lines, ""]


def _network(table: Mapping[str, Any]) -> str:
    told = [
        f"{key} {value}"
        for key, value in table.items()
        if key in ("width", "context", "channels", "blocks", "hidden")
    ]
    return ", ".join([f"`{table['use']}`", *told]) if "use" in table else ""


def _costs(card: Mapping[str, Any]) -> list[str]:
    archive, lines = card["archive"], []
    if archive is not None:
        lines += [f"The archive for {archive['target']} has {archive['bytes']:,} bytes.", ""]
    if card["decision"]:
        lines += [
            "Microseconds of a pass of the network for one observation, one thread, reading the observation left out:",
            "",
            _row(["runner", "median", "99th percentile"]),
            _row(["---", "---:", "---:"]),
            *(
                _row([runner, f"{time['median']:.0f}", f"{time['p99']:.0f}"])
                for runner, time in card["decision"].items()
            ),
            "",
        ]
    return lines


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
