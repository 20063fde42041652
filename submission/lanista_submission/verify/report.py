"""The report of a verification: a record, its JSON form, its lines for people, its exit code."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

from lanista.hints import one_line
from lanista.intervals import mean_interval
from lanista_submission.verify.problem import Problem
from lanista_submission.verify.tally import Tally, Timing, Together, Variant

OK, FAULT, NOT_JUDGED = 0, 1, 2

#: how the archive's own copy is called as an opponent, and the archive of ``--against``
ITSELF, OTHER = "itself", "other"


@dataclass
class Report:
    """All that was found out about one archive."""

    archive: str
    sha256: str = ""
    target: str = ""
    problems: list[Problem] = field(default_factory=list)
    #: bytes
    packed: int = 0
    #: bytes
    unpacked: int = 0
    files: int = 0
    tallies: dict[tuple[str, int], Tally] = field(default_factory=dict)
    #: of a game for one seat: the score of each game, in place of wins and losses
    scores: list[float] = field(default_factory=list)
    #: games played in all, the one in a single process included
    played: int = 0
    timing: Timing = field(default_factory=Timing)
    #: the same, and the results, by variant; one without configuration where the target has none
    variants: list[Variant] = field(default_factory=list)
    #: results by Python type, before JSON
    results: dict[str, int] = field(default_factory=dict)
    #: which object the platform takes for the agent
    agent: str | None = None
    #: the most characters that a turn printed (10,000 = cut there)
    printed: int = 0
    #: python, and kaggle_environments and platform_python, or the env whose own rules judge
    judge: dict[str, str] = field(default_factory=dict)
    #: cores and memory (bytes) of a seat's process; None where this system cannot limit it
    limits: dict[str, int | None] = field(default_factory=dict)
    #: where the replay of the faulty game was kept
    replay: str | None = None
    seconds: float = 0.0

    @property
    def exit_code(self) -> int:
        """0 no technical fault, 1 a fault or a missed bar, 2 not judged."""
        weights = {problem.weight for problem in self.problems}
        if "fault" in weights or "missed" in weights:
            return FAULT
        return NOT_JUDGED if "not_judged" in weights else OK

    @property
    def ok(self) -> bool:
        """No technical fault, and it was judged."""
        return self.exit_code == OK

    @property
    def warnings(self) -> list[Problem]:
        """What is worth knowing and no fault."""
        return [problem for problem in self.problems if problem.weight == "warning"]

    @property
    def grave(self) -> list[Problem]:
        """What makes the archive fail, or keeps it from being judged."""
        return [problem for problem in self.problems if problem.weight != "warning"]

    def note(self, problem: Problem) -> None:
        """Take a problem in, once."""
        if problem not in self.problems:
            self.problems.append(problem)

    def of_variant(self, given: Mapping[str, Any]) -> Variant:
        """What was seen under a variant of the target."""
        found = next((variant for variant in self.variants if variant.given == given), None)
        if found is None:
            found = Variant(dict(given))
            self.variants.append(found)
        return found

    def take(self, record: dict[str, Any], seat: dict[str, Any], given: Mapping[str, Any]) -> None:
        """Take in one seat of one game, as ``judge/play.py`` describes it: times, types, prints, limits."""
        self.timing.add(record, seat)
        self.of_variant(given).take(record, seat)
        self.printed = max(self.printed, seat["stdout"], seat["stderr"])
        self.limits = {key: seat["limits"][key] for key in ("cores", "memory")}
        for name, seen in seat["types"].items():
            self.results[name] = self.results.get(name, 0) + seen["count"]
        if seat["picked"] is not None:
            self.agent = agent_words(seat["picked"])

    def opponents(self) -> dict[str, Together]:
        """The results by opponent, seats put together."""
        names = dict.fromkeys(name for name, _ in self.tallies)
        return {name: Together(t for (who, _), t in self.tallies.items() if who == name) for name in names}

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values; the first four keys are the contract of ``--json``."""
        return {
            "ok": self.ok,
            "problems": [problem.to_json() for problem in self.grave],
            "games": {
                "played": self.played,
                "pairings": [tally.to_json() for tally in self.tallies.values()],
                "opponents": {name: tally.to_json() for name, tally in self.opponents().items()},
                "scores": self.scores,
            },
            "timing": self.timing.to_json(),
            "variants": [variant.to_json() for variant in self.variants if variant.given],
            "warnings": [problem.to_json() for problem in self.warnings],
            "exit_code": self.exit_code,
            "archive": self.archive,
            "sha256": self.sha256,
            "target": self.target,
            "size": {"packed": self.packed, "unpacked": self.unpacked, "files": self.files},
            "results": self.results,
            "agent": self.agent,
            "printed": self.printed,
            "judge": self.judge,
            "limits": self.limits,
            "replay": self.replay,
            "seconds": round(self.seconds, 3),
        }

    def lines(self) -> list[str]:
        """The report for people, a line each."""
        return [*self._heading(), *self._games(), *self._times(), *self._machine(), *self._verdict()]

    def _heading(self) -> list[str]:
        lines = [one_line(f"{self.archive} for {self.target}" if self.target else self.archive)]
        if self.files:
            lines.append(
                f"size     {_size(self.packed)} packed, {_size(self.unpacked)} in {self.files} files"
            )
        if self.agent:
            kinds = ", ".join(f"{name} x {count}" for name, count in self.results.items())
            lines.append(f"agent    {one_line(self.agent)}; results: {one_line(kinds or 'none')}")
        return lines

    def _games(self) -> list[str]:
        if self.scores:
            mean = sum(self.scores) / len(self.scores)
            low, high = mean_interval(self.scores)
            sure = f" ({low:.4g} to {high:.4g} at 95 %)" if isfinite(low) else ""
            ends = f"least {min(self.scores):.4g}, most {max(self.scores):.4g}"
            return ["", f"score    mean {mean:.4g}{sure}, {ends} in {len(self.scores)} games"]
        if not self.tallies:
            return []
        lines = [
            "",
            f"{'against':<10}{'seat':>5}{'games':>7}{'won':>6}{'drawn':>7}{'lost':>6}   score, 95 % interval",
        ]
        for name, together in self.opponents().items():
            pairings = [tally for (who, _), tally in self.tallies.items() if who == name]
            lines += [_row(tally) for tally in pairings]
            if len(pairings) > 1:
                lines.append(_row(together))
        lines += [
            "a draw is half a win; intervals are Wilson's; seats are counted from 1; against itself seat 1 is "
            "counted"
        ]
        other = self.opponents().get(OTHER)
        if other is not None and other.games:
            low, high = other.interval
            if low <= 0.5 <= high:
                verdict = "not enough games to tell which archive is better"
            else:
                verdict = f"this archive is {'better' if low > 0.5 else 'worse'} than the other"
            lines.append(f"{verdict} ({other.score:.1%}, {low:.1%} to {high:.1%})")
        return lines

    def _times(self) -> list[str]:
        timing = self.timing
        if not timing.turns:
            return []
        return [
            "",
            f"import   {timing.import_s * 1e3:.0f} ms, charged to turn 1",
            f"turns    worst {timing.worst_turn_s * 1e3:.0f} ms (turn {timing.worst_turn}), worst after "
            f"turn 1 {timing.worst_later_turn_s * 1e3:.0f} ms, mean {timing.sum_s / timing.turns * 1e3:.1f} "
            f"ms; {timing.act_timeout_s:g} s allowed",
            f"overage  {timing.overage_left_s:.2f} s of {timing.overage_s:g} s left at the worst",
            *(_variant_row(variant) for variant in self.variants if variant.given),
        ]

    def _machine(self) -> list[str]:
        if not self.judge:
            return []
        memory = self.limits.get("memory")
        seat = "one core" if self.limits.get("cores") else "all cores (this system cannot bind a process)"
        room = f"{memory / 2**30:.3g} GiB of memory" if memory else "no memory limit (this system has none)"
        kaggle = self.judge.get("kaggle_environments")
        judge = f"the rules of env {self.judge.get('env')}, Python {self.judge['python']}"
        if kaggle is not None:
            python = f"{self.judge['python']} (platform: {self.judge['platform_python']})"
            judge = f"kaggle-environments {kaggle}, Python {python}"
        return [
            f"judge    {judge}",
            f"limits   a seat's process had {seat} and {room}; {self.played} games in {self.seconds:.0f} s",
        ]

    def _verdict(self) -> list[str]:
        lines = [""]
        lines += [f"note: {one_line(problem.message)}" for problem in self.warnings]
        words = {"fault": "FAULT", "missed": "MISSED", "not_judged": "NOT JUDGED"}
        for problem in self.grave:
            message = problem.message.removeprefix("not judged: ")
            lines.append(f"{words[problem.weight]} ({problem.code}): {one_line(message)}")
        if self.replay:
            lines.append(f"the replay of the faulty game: {self.replay}")
        if self.ok:
            lines.append("ok: no technical fault")
        return lines[1:] if lines == [""] else lines


def agent_words(picked: dict[str, Any]) -> str:
    """The object that the platform took for the agent, in words."""
    line = f", main.py line {picked['line']}" if picked["line"] and picked["module"] is None else ""
    origin = f", from {picked['module']}" if picked["module"] is not None else ""
    return f"{picked['kind']} {picked['name']}{line}{origin}"


def _row(tally: Tally) -> str:
    low, high = tally.interval
    seat = "" if tally.seat is None else str(tally.seat + 1)
    if isinstance(tally, Together):
        seat = "both" if tally.orders == 2 else "all"
    same = f"  (all {tally.games} the same game: counted as one)" if tally.telling == 1 < tally.games else ""
    return (
        f"{tally.opponent:<10}{seat:>5}{tally.games:>7}{tally.wins:>6}{tally.draws:>7}{tally.losses:>6}   "
        f"{tally.score:6.1%}  {low:.1%} to {high:.1%}{same}"
    )


def _variant_row(variant: Variant) -> str:
    """``width 12, height 12: simple_agent 2/0/0; worst turn ...``: games won, drawn and lost."""
    timing = variant.timing
    games = [f"{name} {tally.wins}/{tally.draws}/{tally.losses}" for name, tally in variant.tallies.items()]
    return (
        f"{variant.words}: won/drawn/lost against {', '.join(games)}; worst turn {timing.worst_turn_s * 1e3:.0f} ms, after "
        f"turn 1 {timing.worst_later_turn_s * 1e3:.0f} ms, mean {timing.sum_s / timing.turns * 1e3:.1f} ms"
    )


def _size(size: int) -> str:
    for unit, scale in (("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)):
        if size >= scale:
            return f"{size / scale:.1f} {unit}"
    return f"{size} bytes"
