"""The records of a duel as a markdown table."""

from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

Run = dict[str, Any]


def spread(values: Sequence[float], form: str = "{:.2f}") -> str:
    """Median and range as text."""
    if not values:
        return "-"
    middle, low, high = (form.format(value) for value in (median(values), min(values), max(values)))
    return f"{middle} ({low} to {high})"


def of_peer(runs: Sequence[Run], peer: str) -> list[Run]:
    """All runs of a peer."""
    return [run for run in runs if run["peer"] == peer]


def times_as_long(runs: Sequence[Run], peer: str, ours: str, of: Callable[[Run], float]) -> list[float]:
    """Peer / ours for each seed that both solved."""
    own = {run["seed"]: of(run) for run in of_peer(runs, ours) if run["solved"]}
    return [of(run) / own[run["seed"]] for run in of_peer(runs, peer) if run["solved"] and run["seed"] in own]


def seconds(run: Run) -> float:
    """From building the envs to the evaluation that crossed, evaluations not counted."""
    return float(run["seconds"])


def from_start(run: Run) -> float:
    """The same from the start of the process."""
    return float(run["start_seconds"] + run["seconds"])


def speed_table(runs: Sequence[Run], peers: Sequence[str], ours: str, bare: str) -> str:
    """Solved, seconds, env steps, from process start, and how many times as long as ours.

    From process start the peers are held against `bare`, a run of ours that imports nothing beforehand. Rows of
    ours have `ours` at the beginning of their names.
    """
    lines = [
        "| peer | solved | train s | env steps | from process start s | train s ÷ ours | from start ÷ ours |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for peer in peers:
        own = of_peer(runs, peer)
        good = [run for run in own if run["solved"]]
        own_row = peer.startswith(ours)
        cells = [
            peer,
            f"{len(good)}/{len(own)}",
            spread([seconds(run) for run in good], "{:.3f}"),
            spread([run["steps"] for run in good], "{:,.0f}"),
            spread([from_start(run) for run in good]),
            "" if own_row else spread(times_as_long(runs, peer, ours, seconds), "{:.1f}"),
            "" if own_row else spread(times_as_long(runs, peer, bare, from_start), "{:.1f}"),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def steadiness_table(runs: Sequence[Run], peers: Sequence[str], bar: float) -> str:
    """Of the evaluations after solving, how many still pass: over all, and a seed at a time."""
    lines = [
        f"| peer | seeds | evaluations | share ≥ {bar:g} | a seed at a time | lowest mean |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for peer in peers:
        later = [[mean for _, mean in run["later"]] for run in of_peer(runs, peer) if run["later"]]
        means = [mean for one in later for mean in one]
        if not means:
            continue
        shares = [share_at_least(one, bar) for one in later]
        lines.append(
            f"| {peer} | {len(later)} | {len(means)} | {share_at_least(means, bar):.3f} | "
            f"{spread(shares, '{:.2f}')} | {min(means):.1f} |"
        )
    return "\n".join(lines)


def phases_table(runs: Sequence[Run], peer: str) -> str:
    """When each phase of a recipe was over."""
    lines = ["| phase | env steps | over after s |", "| --- | ---: | ---: |"]
    own = of_peer(runs, peer)
    for place, phase in enumerate(own[0]["phases"]):
        steps = [run["phases"][place]["steps"] for run in own]
        over = [run["phases"][place]["seconds_so_far"] for run in own]
        lines.append(f"| {phase['name']} | {spread(steps, '{:,.0f}')} | {spread(over)} |")
    return "\n".join(lines)


def share_at_least(values: Sequence[float], bar: float) -> float:
    """How many of `values` are at or above `bar`, 0..1."""
    return sum(value >= bar for value in values) / len(values)


def heading(title: str, machine: dict[str, Any], runs: Sequence[Run]) -> str:
    """Title and circumstances."""
    loads = spread([run["load"] for run in runs], "{:.1f}")
    return (
        f"# {title}\n\n{machine['date']}, {machine['cpus']} cores ({machine['processor']}), "
        f"Python {machine['python']}; load before a run {loads}. Median (lowest to highest) of the solved runs.\n"
    )


def write_report(out: Path, parts: Sequence[str]) -> None:
    """Print the report and keep it as `out`/report.md."""
    text = "\n".join(parts)
    (out / "report.md").write_text(text + "\n")
    print("\n" + text)
