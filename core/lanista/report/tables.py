"""The tables and lines of a report, as plain values for the page: who, how long, what came out, and what is amiss."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from lanista.league.report import LeagueReport
from lanista.report.curves import mean_of
from lanista.report.folder import PhaseFolder, RunFolder
from lanista.report.values import entries, figure, table, tables

#: what must be known to read the league's table
LEAGUE_NOTE = (
    "a draw is half a point; intervals are Wilson's; the learner changed while it played: its score is over all of "
    "its training"
)


@dataclass(frozen=True)
class Table:
    """A table of texts; columns from the second on that hold figures stand right."""

    headers: list[str]
    rows: list[list[str]]


@dataclass(frozen=True)
class Verdict:
    """How the run stands, in a word and in a sentence."""

    #: "good", "bad" or "open"
    mood: str
    word: str
    sentence: str


def verdict_of(run: RunFolder) -> Verdict:
    """The worst that is known comes first."""
    if not run.finished:
        return _unfinished(run)
    if run.failure:
        return Verdict("bad", "failed", str(run.failure.get("sentence", "")))
    if run.verification:
        problems = entries(run.verification.get("problems"))
        if run.verification.get("ok"):
            return Verdict("good", "verified", "its archive was played as the platform plays it: no fault")
        told = "; ".join(sentence_of(problem) for problem in problems[:3])
        return Verdict("bad", "not verified", told or "its archive was not judged to be sound")
    if run.delivery:
        if run.recipe.get("verify"):
            return Verdict("open", "exported", "finished and exported, not verified yet")
        return Verdict("good", "exported", "finished and exported; the recipe asks for no verification")
    return Verdict("good", "finished", "all phases are over; the recipe asks for no export" + _no_target(run))


def _no_target(run: RunFolder) -> str:
    return " yet: no delivery is in the folder" if run.recipe.get("target") else ""


def _unfinished(run: RunFolder) -> Verdict:
    over = sum(phase.finished for phase in run.phases)
    now = next((phase for phase in run.phases if not phase.finished), None)
    if now is None:
        return Verdict("bad", "unreadable", "its recipe names no phase")
    place = f"phase {over + 1} of {len(run.phases)} ({now.name})"
    if run.failure:
        sentence = str(run.failure.get("sentence", ""))
        return Verdict("bad", "failed", sentence if now.name in sentence else f"{place}: {sentence}")
    share = _share_of_steps(now)
    return Verdict(
        "open", "not finished", place + (f", {share:.0%} of its steps" if share is not None else "")
    )


def _share_of_steps(phase: PhaseFolder) -> float | None:
    asked = figure(table(phase.recipe.get("until")).get("steps"))
    if asked is None or asked <= 0.0:
        return None
    return min(1.0, max(0.0, (phase.steps or 0.0) / asked))


def sentence_of(problem: Any) -> str:  # noqa: ANN401 - a sentence, or a table with one
    """What a problem or a warning of a verification says."""
    return str(problem.get("message", problem)) if isinstance(problem, dict) else str(problem)


def heading_of(run: RunFolder) -> list[tuple[str, str]]:
    """What made the run: names and values."""
    record, recipe = run.record, run.recipe
    git = record.get("git")
    commit = "not in a git folder" if git is None else "unknown"
    if isinstance(git, dict):
        commit = str(git.get("commit", ""))[:12] + (", with changes" if git.get("dirty") else "")
    seconds = [phase.seconds for phase in run.phases if phase.seconds is not None]
    steps = run.rows[-1].get("step") if run.rows else None
    others = [
        " ".join(str(plugin.get(key)) for key in ("name", "version") if plugin.get(key))
        for plugin in tables(record.get("plugins"))
        if plugin.get("distribution") != "lanista"
    ]
    values = [
        ("recipe", str(recipe.get("name", ""))),
        ("env", _named(recipe.get("env"))),
        ("seed", str(recipe.get("seed", record.get("seed", "")))),
        ("env steps", "" if steps is None else number(steps)),
        ("time in updates", duration(sum(seconds)) if seconds else ""),
        ("target", _named(recipe.get("target"))),
        ("lanista", str(record.get("lanista", ""))),
        ("plugins", ", ".join(others)),
        ("git", commit if record else ""),
        (
            "python, torch, numpy",
            ", ".join(str(record.get(key, "?")) for key in ("python", "torch", "numpy")),
        ),
        ("machine", f"{record.get('processor', '?')}, {record.get('cpu_count', '?')} processors"),
        ("threads", str(recipe.get("num_threads", record.get("num_threads", "")))),
    ]
    return [(name, value) for name, value in values if value and (record or "?" not in value)]


def phases_table(run: RunFolder) -> Table:
    """A row a phase."""
    headers = [
        "phase",
        "kind",
        "network",
        "parameters",
        "steps",
        "time",
        "return",
        "outcome",
        "steps a feedback",
        "chosen",
        "ended",
    ]
    rows = []
    for phase in run.phases:
        card = phase.card
        feedback = mean_of(phase.rows, "feedback")
        rows.append(
            [
                phase.name,
                phase.kind,
                _network(run, phase),
                number(card.get("parameters")),
                number(phase.steps),
                duration(phase.seconds),
                number(mean_of(phase.rows, "return", last=0.1)),
                number(mean_of(phase.rows, "outcome", last=0.1)),
                "none" if feedback == 0.0 else number(None if feedback is None else 1.0 / feedback),
                str(card.get("chosen", "")),
                str(card.get("until", "over" if card else ("going on" if phase.rows else "not begun"))),
            ]
        )  # fmt: skip
    return _without_empty(Table(headers, rows))


def _network(run: RunFolder, phase: PhaseFolder) -> str:
    network = phase.recipe.get("network")
    if network is None:
        return "as before"
    if not isinstance(network, dict):
        return str(network)
    told = [
        f"{key} {value}" for key, value in network.items() if key in {"hidden", "channels", "blocks", "width"}
    ]
    return " ".join([str(network.get("use", "")), *told])


def distillation_tables(run: RunFolder) -> Iterator[tuple[str, Table]]:
    """Student against teacher, for each phase whose card has both."""
    for phase in run.phases:
        card = phase.card
        if "agreement" not in card or "teacher" not in card:
            continue
        of = (
            "of the points against its teacher"
            if card.get("measure") == "score"
            else str(card.get("measure", ""))
        )
        interval = f"{number(card.get('student'))} ({number(card.get('student_low'))} to {number(card.get('student_high'))})"
        rows = [
            [f"result: {of}", interval, number(card.get("teacher"))],
            ["parameters", number(card.get("student_parameters")), number(card.get("teacher_parameters"))],
            [
                "one decision, µs (torch)",
                number(card.get("student_latency_us")),
                number(card.get("teacher_latency_us")),
            ],
            ["same greedy action", percent(card.get("agreement")), ""],
            ["KL(teacher ‖ student), nats", number(card.get("kl")), ""],
            ["games", number(card.get("games")), ""],
        ]
        yield (
            phase.name,
            Table(["", "student, 95 %", f"teacher ({phase.recipe.get('teacher', 'previous')})"], rows),
        )


def league_table(run: RunFolder) -> Table | None:
    """Members by falling score; None without a league."""
    if run.league is None:
        return None
    rows = []
    for row in run.league.table():
        played = row.tally.games > 0
        name = f"{row.member.name} (best)" if row.member.name == run.league.best else row.member.name
        rows.append(
            [
                name,
                row.member.kind,
                number(row.member.step) if row.member.kind == "snapshot" else "",
                number(row.tally.games),
                f"{row.tally.wins:,} / {row.tally.draws:,} / {row.tally.losses:,}" if played else "",
                f"{row.tally.share:.3f}" if played else "",
                f"{row.low:.3f} to {row.high:.3f}" if played else "",
            ]
        )
    return Table(["member", "kind", "env steps", "games", "won / drawn / lost", "score", "95 %"], rows)


def gates_table(league: LeagueReport) -> Table | None:
    """Every judgement of the gate; None if there was none."""
    rows = [
        [
            str(gate.get("candidate", "")),
            str(gate.get("against") or "nobody yet"),
            "promoted" if gate.get("promoted") else "not promoted",
            f"{_thousandth(gate.get('score'))} over {number(gate.get('games'))} games"
            if gate.get("games")
            else "",
            _thousandth(gate.get("low")) if gate.get("games") else "",
        ]
        for gate in tables(list(league.gates))
    ]
    return Table(["snapshot", "against", "", "score", "at least"], rows) if rows else None


def number(value: Any) -> str:  # noqa: ANN401 - figures of JSON files; what is none is an empty text
    """A figure for people: whole ones with thousands, others with four digits."""
    found = figure(value)
    if found is None:
        return ""
    return f"{found:,.0f}" if abs(found) >= 1000 or found.is_integer() else f"{found:.4g}"


def _thousandth(value: Any) -> str:  # noqa: ANN401 - as `number`
    found = figure(value)
    return "" if found is None else f"{found:.3f}"


def percent(value: Any) -> str:  # noqa: ANN401 - as `number`
    """A share as a percentage."""
    found = figure(value)
    return "" if found is None else f"{found:.1%}"


def duration(seconds: float | None) -> str:
    """Seconds as people say them."""
    if seconds is None:
        return ""
    if seconds < 90:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes = seconds / 60
    return f"{minutes:.1f} min" if minutes < 90 else f"{minutes / 60:.1f} h"


def _named(value: Any) -> str:  # noqa: ANN401 - a plugin's table of a recipe, or its bare name
    if not isinstance(value, dict):
        return "" if value is None else str(value)
    told = ", ".join(f"{key} = {item}" for key, item in value.items() if key != "use")
    return f"{value.get('use', '')}" + (f" ({told})" if told else "")


def _without_empty(table: Table) -> Table:
    kept = [place for place in range(len(table.headers)) if any(row[place] for row in table.rows)]
    return Table(
        [table.headers[place] for place in kept], [[row[place] for place in kept] for row in table.rows]
    )
