"""What left the run: export and verification, as tables for the page."""

from typing import Any

from lanista.report.folder import RunFolder
from lanista.report.tables import Table, duration, number, percent, sentence_of


def export_facts(run: RunFolder) -> list[tuple[str, str]]:
    """File, size, parameters."""
    record = run.delivery
    export = _table(record.get("export"))
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
    comparisons = _table(run.delivery.get("export")).get("comparisons")
    rows = [
        [
            str(row.get("runner", "")),
            number(row.get("batch")),
            _tiny(row.get("logits")),
            _tiny(row.get("value")),
            percent(row.get("equal")),
            number(row.get("ties")),
        ]
        for row in (comparisons if isinstance(comparisons, list) else [])
        if isinstance(row, dict)
    ]
    headers = ["against torch", "batch", "logits differ by", "value differs by", "same action", "ties"]
    return Table(headers, rows) if rows else None


def checks_table(run: RunFolder) -> Table | None:
    """Each check of the verification with what it found."""
    record = run.verification
    if not record:
        return None
    timing, limits = _table(record.get("timing")), _table(record.get("limits"))
    judge = _table(record.get("judge"))
    worst, allowed = timing.get("worst_turn_s"), timing.get("act_timeout_s")
    results = record.get("results")
    told = ", ".join(f"{name} x {number(count)}" for name, count in _table(results).items())
    rows = [
        ["fault", "none" if record.get("ok") else "; ".join(_problems(record)) or "yes"],
        ["games", number(_table(record.get("games")).get("played"))],
        ["import", _milliseconds(timing.get("import_s"))],
        ["worst turn", _of(_milliseconds(worst), f"turn {number(timing.get('worst_turn'))}", allowed)],
        ["worst turn after the first", _milliseconds(timing.get("worst_later_turn_s"))],
        ["mean turn", _milliseconds(timing.get("mean_turn_s"))],
        ["turns over the limit", number(timing.get("turns_over_act_timeout"))],
        ["overage left at the worst", _seconds(timing.get("overage_left_s"), timing.get("overage_s"))],
        ["replies", told],
        ["judge", " ".join(f"{name} {value}" for name, value in judge.items())],
        ["a seat's process had", _limits(limits)],
        ["warnings", "; ".join(map(sentence_of, record.get("warnings") or [])) or "none"],
        ["took", duration(record["seconds"]) if isinstance(record.get("seconds"), int | float) else ""],
    ]
    return Table(["check", "found"], [row for row in rows if row[1]])


def pairings_table(run: RunFolder) -> Table | None:
    """Who was met from which seat, with Wilson's intervals."""
    games = _table(run.verification.get("games"))
    pairings, opponents = games.get("pairings"), _table(games.get("opponents"))
    rows = []
    for row in [*(pairings if isinstance(pairings, list) else []), *opponents.values()]:
        if not isinstance(row, dict):
            continue
        seat = row.get("seat")
        if seat is None and sum(one.get("opponent") == row.get("opponent") for one in pairings or []) < 2:
            continue
        rows.append(
            [
                str(row.get("opponent", "")),
                "all" if seat is None else number(int(seat) + 1),
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
    if not isinstance(value, int | float):
        return ""
    return f"{value / 1024:.1f} KiB" if value < 1024 * 1024 else f"{value / 1024 / 1024:.1f} MiB"


def _problems(record: dict[str, Any]) -> list[str]:
    return [sentence_of(problem) for problem in record.get("problems") or []]


def _table(value: Any) -> dict[str, Any]:  # noqa: ANN401 - whatever the file holds
    return value if isinstance(value, dict) else {}


def _tiny(value: Any) -> str:  # noqa: ANN401 - a figure of a JSON file
    return f"{value:.1e}".replace("e-0", "e-") if isinstance(value, int | float) else ""


def _milliseconds(value: Any) -> str:  # noqa: ANN401 - a figure of a JSON file
    return f"{value * 1000:.1f} ms" if isinstance(value, int | float) else ""


def _seconds(value: Any, whole: Any) -> str:  # noqa: ANN401 - figures of a JSON file
    if not isinstance(value, int | float):
        return ""
    return f"{value:.2f} s" + (f" of {whole:g} s" if isinstance(whole, int | float) else "")


def _of(value: str, where: str, allowed: Any) -> str:  # noqa: ANN401 - a figure of a JSON file
    limit = f"; {allowed:g} s allowed" if isinstance(allowed, int | float) else ""
    return f"{value} ({where}{limit})" if value else ""


def _limits(limits: dict[str, Any]) -> str:
    told = []
    if isinstance(limits.get("cores"), int):
        told.append(f"{limits['cores']} core{'s' if limits['cores'] > 1 else ''}")
    if isinstance(limits.get("memory"), int):
        told.append(f"{limits['memory'] / 2**30:g} GiB of memory")
    return ", ".join(told)
