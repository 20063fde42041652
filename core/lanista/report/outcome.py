"""What left the run: export and verification, as tables for the page."""

from typing import Any

from lanista.report.folder import RunFolder
from lanista.report.tables import Table, duration, number, percent, sentence_of
from lanista.report.values import entries, figure, table, tables


def export_facts(run: RunFolder) -> list[tuple[str, str]]:
    """File, size, parameters."""
    record = run.delivery
    export = table(record.get("export"))
    values = [
        ("target", str(record.get("target", ""))),
        ("archive", str(record.get("archive", ""))),
        ("archive size", size(record.get("bytes"))),
        ("network", str(export.get("file", ""))),
        ("network size", size(export.get("size"))),
        ("parameters", number(export.get("parameters"))),
        ("compared on", f"{number(export.get('observations'))} recorded observations" if export else ""),
        ("allowed difference", number(export.get("limit"))),
    ]
    return [(name, value) for name, value in values if value]


def export_table(run: RunFolder) -> Table | None:
    """How far onnxruntime and the numpy runtime are from torch."""
    comparisons = tables(table(run.delivery.get("export")).get("comparisons"))
    rows = [
        [
            str(row.get("runner", "")),
            number(row.get("batch")),
            _tiny(row.get("logits")),
            _tiny(row.get("value")),
            percent(row.get("equal")),
            number(row.get("ties")),
        ]
        for row in comparisons
    ]
    headers = ["against torch", "batch", "logits differ by", "value differs by", "same action", "ties"]
    return Table(headers, rows) if rows else None


def checks_table(run: RunFolder) -> Table | None:
    """Each check of the verification with what it found."""
    record = run.verification
    if not record:
        return None
    timing, limits = table(record.get("timing")), table(record.get("limits"))
    judge = table(record.get("judge"))
    worst, allowed = timing.get("worst_turn_s"), timing.get("act_timeout_s")
    results = record.get("results")
    told = ", ".join(f"{name} x {number(count)}" for name, count in table(results).items())
    rows = [
        ["fault", "none" if record.get("ok") else "; ".join(_problems(record)) or "yes"],
        ["games", number(table(record.get("games")).get("played"))],
        ["import", _milliseconds(timing.get("import_s"))],
        ["worst turn", _of(_milliseconds(worst), f"turn {number(timing.get('worst_turn'))}", allowed)],
        ["worst turn after the first", _milliseconds(timing.get("worst_later_turn_s"))],
        ["mean turn", _milliseconds(timing.get("mean_turn_s"))],
        ["turns over the limit", number(timing.get("turns_over_act_timeout"))],
        ["overage left at the worst", _seconds(timing.get("overage_left_s"), timing.get("overage_s"))],
        ["replies", told],
        ["judge", " ".join(f"{name} {value}" for name, value in judge.items())],
        ["a seat's process had", _limits(limits)],
        ["warnings", "; ".join(map(sentence_of, entries(record.get("warnings")))) or "none"],
        ["took", duration(figure(record.get("seconds")))],
    ]
    return Table(["check", "found"], [row for row in rows if row[1]])


def pairings_table(run: RunFolder) -> Table | None:
    """Who was met from which seat, with Wilson's intervals."""
    games = table(run.verification.get("games"))
    pairings, opponents = tables(games.get("pairings")), table(games.get("opponents"))
    rows = []
    for row in [*pairings, *tables(list(opponents.values()))]:
        seat = figure(row.get("seat"))
        if seat is None and sum(one.get("opponent") == row.get("opponent") for one in pairings) < 2:
            continue
        rows.append(
            [
                str(row.get("opponent", "")),
                "all" if seat is None else number(seat + 1),
                number(row.get("games")),
                f"{number(row.get('wins'))} / {number(row.get('draws'))} / {number(row.get('losses'))}",
                percent(row.get("score")),
                f"{percent(row.get('low'))} to {percent(row.get('high'))}",
                number(row.get("different_games")),
            ]
        )
    headers = ["against", "seat", "games", "won / drawn / lost", "score", "95 %", "different games"]
    return Table(headers, rows) if rows else None


def size(value: Any) -> str:  # noqa: ANN401 - a figure of a JSON file
    """Bytes for people."""
    found = figure(value)
    if found is None:
        return ""
    return f"{found / 1024:.1f} KiB" if found < 1024 * 1024 else f"{found / 1024 / 1024:.1f} MiB"


def _problems(record: dict[str, Any]) -> list[str]:
    return [sentence_of(problem) for problem in entries(record.get("problems"))]


def _tiny(value: Any) -> str:  # noqa: ANN401 - a figure of a JSON file
    found = figure(value)
    return "" if found is None else f"{found:.1e}".replace("e-0", "e-")


def _milliseconds(value: Any) -> str:  # noqa: ANN401 - a figure of a JSON file
    found = figure(value)
    return "" if found is None else f"{found * 1000:.1f} ms"


def _seconds(value: Any, whole: Any) -> str:  # noqa: ANN401 - figures of a JSON file
    found, of = figure(value), figure(whole)
    if found is None:
        return ""
    return f"{found:.2f} s" + ("" if of is None else f" of {of:g} s")


def _of(value: str, where: str, allowed: Any) -> str:  # noqa: ANN401 - a figure of a JSON file
    most = figure(allowed)
    limit = "" if most is None else f"; {most:g} s allowed"
    return f"{value} ({where}{limit})" if value else ""


def _limits(limits: dict[str, Any]) -> str:
    told = []
    if isinstance(limits.get("cores"), int):
        told.append(f"{limits['cores']} core{'s' if limits['cores'] > 1 else ''}")
    if isinstance(limits.get("memory"), int):
        told.append(f"{limits['memory'] / 2**30:g} GiB of memory")
    return ", ".join(told)
