"""The walk of a verification.

1. Unpack elsewhere and read the source: what is broken without playing is named at once.
2. One game of the archive against its own copy, each in its own process: what the platform plays first.
3. The same with both in one process, where kaggle-environments lets the second use the modules of the first.
4. All other games, several at a time. The first technical fault ends the whole; its game's replay is kept.
"""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic
from typing import Any

from lanista.errors import UsageError
from lanista.hints import hint, shown
from lanista.plugins import Registry, current_host
from lanista.seeds import derive_seed
from lanista_submission.judge import GameJob, GameResult, Judge, NoJudgeError, Player, find_judge, play_games
from lanista_submission.verify.faults import (
    KEPT_CHARACTERS,
    Context,
    package_not_here,
    raised,
    seat_fault,
    wrong_callable,
)
from lanista_submission.verify.folders import Folders
from lanista_submission.verify.problem import ArchiveFault, Problem
from lanista_submission.verify.profile import DEFAULT_TARGET, TargetProfile, platform_packages, profile_of
from lanista_submission.verify.report import ITSELF, OTHER, Report
from lanista_submission.verify.source import read_source
from lanista_submission.verify.tally import Tally
from lanista_submission.verify.unpack import Unpacked, unpack

#: told after each game: games played, games in all, what was just played
Progress = Callable[[int, int, str], None]

_ARCHIVE = "archive"


def verify_archive(
    archive: str | Path,
    *,
    target: str | None = None,
    games: int = 10,
    against: str | Path | None = None,
    min_win_rates: Mapping[str, float] | None = None,
    jobs: int | None = None,
    seed: int = 0,
    keep: str | Path | None = None,
    profile: TargetProfile | None = None,
    registry: Registry | None = None,
    progress: Progress | None = None,
) -> Report:
    """Judge an archive as the platform will; only wrong usage raises (`UsageError`), all else is in the
    report.

    `games` is a pairing's (an opponent and a seat order). `min_win_rates` maps an opponent ("itself" and
    "other" included) to the least score, both seat orders together. `keep` is a folder for the replays of all
    games; without it only a faulty game's replay is kept, in the current folder. `profile` replaces the
    target's own. `seed` is that of the game's own agents. Reads plugins only to look `target` up.
    """
    start = monotonic()
    path = Path(archive)
    if games < 1:
        raise UsageError(f"games = {games}, and a pairing needs at least one; write --games 10")
    if jobs is not None and jobs < 1:
        raise UsageError(f"jobs = {jobs}, and at least one game must be under way; write --jobs 1")
    report = Report(str(archive))
    with tempfile.TemporaryDirectory(prefix="lanista-verify-", ignore_cleanup_errors=True) as root:
        walk = _Walk(path, report, Path(root), games, seed, jobs or _cores())
        walk.against = Path(against) if against is not None else None
        walk.keep = Path(keep) if keep is not None else None
        walk.min_win_rates = dict(min_win_rates or {})
        walk.progress = progress or (lambda played, total, what: None)
        try:
            walk.run(target, profile, registry)
        except ArchiveFault as fault:
            report.problems.append(fault.problem)
        except NoJudgeError as error:
            report.problems.append(Problem("no_judge", f"not judged: {error}", "not_judged"))
    report.seconds = monotonic() - start
    return report


def _cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@dataclass(frozen=True)
class _Pairing:
    """An opponent and the archive's seat."""

    opponent: str
    seat: int


class _Walk:
    """One verification under way."""

    against: Path | None
    keep: Path | None
    min_win_rates: dict[str, float]
    progress: Progress
    profile: TargetProfile
    context: Context
    folders: Folders

    def __init__(
        self, archive: Path, report: Report, root: Path, games: int, seed: int, workers: int
    ) -> None:
        self.archive = archive
        self.report = report
        self.root = root
        self.games = games
        self.seed = seed
        self.workers = workers
        self._suspects: list[Problem] = []
        self._picked: dict[str, Any] | None = None
        self._total = 0

    def run(self, target: str | None, profile: TargetProfile | None, registry: Registry | None) -> None:
        """Go through all stages; stops where the report has a fatal problem."""
        unpacked, folder = self._unpack(target, profile, registry)
        self._check_options()
        packages = platform_packages()
        source = read_source(folder, unpacked.names, packages)
        self._suspects = source.suspects
        self.context = Context(self.profile, packages, source, unpacked.names)
        judge = find_judge(packages.present)
        self._name_judge(judge)
        for package, item in source.needed.items():
            if package not in judge.packages:
                self._note(package_not_here(package, f"{item.file} line {item.line}"))
        if self.report.grave:
            return
        self._play(judge)
        if self.report.grave:
            return
        self._look_back(judge)
        self._check_bars()

    def _unpack(
        self, target: str | None, profile: TargetProfile | None, registry: Registry | None
    ) -> tuple[Unpacked, Path]:
        """Unpack once, to read the source and the card, which names the target if nobody else does."""

        def known(name: str) -> TargetProfile:
            return profile_of(name, registry if registry is not None else current_host().registry)

        self.profile = profile or known(target or DEFAULT_TARGET)
        folder = self.root / "read"
        folder.mkdir()
        self.report.target = self.profile.target
        unpacked = unpack(self.archive, folder, self.profile)
        if profile is None and target is None:
            named = card_target(folder, unpacked.names)
            if named is not None and named != self.profile.target:
                self.profile = known(named)
                self.report.target = self.profile.target
        self.report.sha256 = hashlib.sha256(self.archive.read_bytes()).hexdigest()
        self.report.packed, self.report.unpacked = unpacked.packed, unpacked.unpacked
        self.report.files = len(unpacked.names)
        archives = {_ARCHIVE: self.archive}
        if self.against is not None:
            archives[OTHER] = self.against
        self.folders = Folders(self.root, self.profile, archives)
        return unpacked, folder

    def _check_options(self) -> None:
        opponents = [ITSELF, *self.profile.opponents, *([OTHER] if self.against is not None else [])]
        for name, rate in self.min_win_rates.items():
            if name not in opponents:
                raise UsageError(
                    f"--min-win-rate names {name!r}, which is no opponent; {hint(name, opponents)}"
                )
            if not 0.0 <= rate <= 1.0:
                raise UsageError(
                    f"--min-win-rate {name}={rate:g} must lie between 0 and 1; write {name}=0.8 for 80 %"
                )
        if self.against is not None:
            folder = self.root / "other"
            folder.mkdir()
            try:
                unpack(self.against, folder, self.profile)
            except ArchiveFault as fault:
                raise UsageError(f"--against {self.against}: {fault}") from fault

    def _name_judge(self, judge: Judge) -> None:
        packages = platform_packages()
        self.report.judge = {
            "python": judge.python_version,
            "kaggle_environments": judge.kaggle_environments,
            "platform_python": packages.python,
        }
        if not judge.is_platform_python:
            self._note(
                Problem(
                    "judge_python",
                    f"the judge runs Python {judge.python_version} and the platform {packages.python}: "
                    f"install Python 3.11, delete the judging environment and run `lanista doctor --fix`",
                    "warning",
                )
            )

    def _note(self, problem: Problem) -> None:
        if all(
            problem.code != known.code or problem.message != known.message for known in self.report.problems
        ):
            self.report.problems.append(problem)

    # -- games ---------------------------------------------------------------------------------------------

    def _play(self, judge: Judge) -> None:
        first = [_Pairing(ITSELF, 0)]
        others = [_Pairing(name, seat) for name in self._foreign() for seat in (0, 1)]
        rest = first * (self.games - 1) + others * self.games
        pairs = [ITSELF, *([OTHER] if self.against is not None else [])]
        self._total = len(first) + len(pairs) + len(rest)
        for pairing in [*first, *others]:
            self.report.tallies[pairing.opponent, pairing.seat] = Tally(pairing.opponent, pairing.seat)
        self._stage(judge, first, 0)
        for opponent in pairs:
            if not self.report.grave:
                self._play_pair(judge, opponent)
        if not self.report.grave:
            self._stage(judge, rest, len(first))
        for key in [key for key, tally in self.report.tallies.items() if not tally.games]:
            del self.report.tallies[key]

    def _foreign(self) -> list[str]:
        return [*self.profile.opponents, *([OTHER] if self.against is not None else [])]

    def _job(self, index: int, players: tuple[Player, ...], mode: str = "apart") -> GameJob:
        return GameJob(
            self.profile.environment,
            players,
            mode,
            self.profile.configuration,
            self.profile.overage_s,
            self.profile.memory.value,
            derive_seed(self.seed, "verify", mode, index) % 2**32,
            str(self.root / f"{mode}-{index}.json"),
        )

    def _stage(self, judge: Judge, pairings: list[_Pairing], begin: int) -> None:
        """Play one game for each pairing in the list, in parallel."""
        placed: dict[int, list[str]] = {}

        def place(job: GameJob, worker: int) -> GameJob:
            mains = [
                self.folders.main(player.main, worker, copy) if player.main else None
                for copy, player in enumerate(job.players)
            ]
            placed[job.seed] = [main for main in mains if main]
            return replace(
                job, players=tuple(replace(p, main=m) for p, m in zip(job.players, mains, strict=True))
            )

        def took(result: GameResult) -> bool:
            pairing = pairings[result.index]
            for main in placed[result.job.seed]:
                changed = self.folders.tidy(main)
                if changed:
                    self._note_writing(changed)
            self._take(pairing, result)
            self._count(pairing.opponent)
            return not self.report.grave

        jobs = [self._job(begin + number, self._players(pairing)) for number, pairing in enumerate(pairings)]
        play_games(judge, jobs, self.workers, place, took)

    def _players(self, pairing: _Pairing) -> tuple[Player, ...]:
        own = Player(main=_ARCHIVE)
        foreign = {ITSELF: own, OTHER: Player(main=OTHER)}.get(
            pairing.opponent, Player(agent=pairing.opponent)
        )
        return (own, foreign) if pairing.seat == 0 else (foreign, own)

    def _count(self, what: str) -> None:
        self.report.played += 1
        self.progress(self.report.played, self._total, what)

    def _note_writing(self, changed: list[str]) -> None:
        if all(problem.code != "writes" for problem in self.report.problems):
            self._note(
                Problem(
                    "writes",
                    f"the agent changed {shown(changed[0])} in its own folder, and every game on the "
                    f"platform begins with the archive as it was packed; keep nothing there",
                    "warning",
                )
            )

    def _take(self, pairing: _Pairing, result: GameResult) -> None:
        """Take in one game: faults first, then times, types and the score."""
        record = result.record
        seats = [0, 1] if pairing.opponent == ITSELF else [pairing.seat]
        for seat in seats:
            own = record["seats"][str(seat)]
            self.report.timing.add(record, own)
            self.report.printed = max(self.report.printed, own["stdout"], own["stderr"])
            self.report.limits = {key: own["limits"][key] for key in ("cores", "memory")}
            for name, seen in own["types"].items():
                self.report.results[name] = self.report.results.get(name, 0) + seen["count"]
            if own["picked"] is not None:
                self._picked = own["picked"]
                self.report.agent = agent_words(own["picked"])
            fault = seat_fault(self.context, record, seat)
            if fault is not None:
                side = "" if seat == 0 else ", in the second seat"
                self._fail(replace(fault, message=_with_game(fault.message, pairing, side)), result)
                return
        self._keep(pairing, result)
        if self._other_failed(pairing, result):
            return
        rewards = record["rewards"]
        self.report.tallies[pairing.opponent, pairing.seat].add(
            rewards[pairing.seat], rewards[1 - pairing.seat], record["moves"]
        )

    def _other_failed(self, pairing: _Pairing, result: GameResult) -> bool:
        """Did the opponent fail, or the game itself, so that the result says nothing?"""
        record = result.record
        status = record["statuses"][1 - pairing.seat]
        if record["broke"] is None and status == "DONE":
            return False
        if record["broke"] is not None:
            why = f"the game itself raised {record['broke']['type']}: {record['broke']['text']}"
        else:
            why = f"its status was {status}"
        self._fail(
            Problem(
                "opponent_failed",
                f"not judged: in a game against {pairing.opponent} not this archive but the opponent failed "
                f"({why}); mend or change the opponent",
                "not_judged",
            ),
            result,
        )
        return True

    def _fail(self, problem: Problem, result: GameResult) -> None:
        """Record the first fatal problem and keep its game's replay."""
        if self.report.grave:
            return  # games already under way end after the first fault; one sentence is enough
        self._note(problem)
        kept = Path(result.job.replay or "")
        if kept.is_file():
            stem = self.archive.name.removesuffix(".gz").removesuffix(".tar")
            place = (self.keep or Path.cwd()) / f"{stem}-faulty-game.json"
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(kept, place)
            self.report.replay = str(place)

    def _keep(self, pairing: _Pairing, result: GameResult) -> None:
        kept = Path(result.job.replay or "")
        if self.keep is not None:
            number = len(list(self.keep.glob("*.json"))) if self.keep.is_dir() else 0
            self.keep.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(kept, self.keep / f"{number:04d}-{pairing.opponent}-seat{pairing.seat + 1}.json")
        kept.unlink()

    def _play_pair(self, judge: Judge, opponent: str) -> None:
        """Play one game with both archives in one process, the opponent's modules first."""
        second = 0 if opponent == ITSELF else 1
        mains = [
            self.folders.main(OTHER if opponent == OTHER else _ARCHIVE, 0, 0),
            self.folders.main(_ARCHIVE, 0, 1),
        ]
        job = self._job(second, tuple(Player(main=main) for main in mains), "pair")
        result = play_games(judge, [job], 1)[0]
        self._count(f"{opponent}, in one process")
        changed = [name for main in mains for name in self.folders.tidy(main)]
        if changed:
            self._note_writing(changed)
        problem = self._pair_problem(result.record, opponent, mains)
        if problem is not None and problem.weight != "warning":
            self._fail(problem, result)
        elif problem is not None:
            self._note(problem)

    def _pair_problem(self, record: dict[str, Any], opponent: str, mains: list[str]) -> Problem | None:
        """What went wrong with both archives in one process, where each alone was right?"""
        shared = [item for item in record.get("borrowed", []) if _differs(item)]
        modules = ", ".join(item["module"] for item in shared[:3])
        fault = record["fault"]
        seats = [1] if opponent == OTHER else [0, 1]
        why = None
        if fault is not None:
            kind = next(key for key in fault if key != "turn")
            why = f"the process {kind} in turn {fault['turn']}"
        else:
            for seat in seats:
                if str(seat) in record["raised"]:
                    why = raised(self.context, {**record["raised"][str(seat)]}, 1).message
                elif record["statuses"][seat] not in ("DONE", "ACTIVE", "INACTIVE"):
                    why = f"seat {seat + 1} ended with status {record['statuses'][seat]}"
                elif record["broke"] is not None:
                    why = f"the game raised {record['broke']['type']}: {record['broke']['text']}"
        if why is not None:
            taken = modules or ", ".join(item["module"] for item in record.get("borrowed", [])[:3])
            cause = f", after it took the module {taken} from the first archive" if taken else ""
            return Problem(
                "one_process",
                f"the archive plays in a process of its own but not beside {opponent} in one "
                f"process{cause}: {why}; put its modules into a package with a name that no other archive "
                f"has and keep no state at module level",
            )
        if shared:
            return Problem(
                "shared_module",
                f"in one process with the other archive this one used that one's module {modules}, as "
                f"kaggle-environments does locally (the platform does not); for local games put modules "
                f"into a package with a name that no other archive has",
                "warning",
            )
        return None

    # -- after the games -----------------------------------------------------------------------------------

    def _look_back(self, judge: Judge) -> None:
        """Name what is worth knowing about an archive that has no fault."""
        for suspect in self._suspects:
            self._note(suspect)
        helper = wrong_callable(self.context, self._picked, failed=False)
        if helper is not None:
            self._note(helper)
        for package, item in self.context.source.wanted.items():
            if package not in judge.packages:
                self._note(
                    Problem(
                        "package_not_used",
                        f"{item.file} line {item.line} would import {package}, which the platform has and "
                        f"the judging environment has not, so the archive was judged without it; install it "
                        f"with `lanista doctor --fix --with {package}`",
                        "warning",
                    )
                )
        if self.report.printed >= KEPT_CHARACTERS:
            self._note(
                Problem(
                    "prints_much",
                    f"a turn printed {KEPT_CHARACTERS:,} characters or more, and the platform cuts its log "
                    f"of a turn there; print less",
                    "warning",
                )
            )
        timing = self.report.timing
        allowed = timing.act_timeout_s or 0.0
        if timing.import_s > allowed:
            self._note(
                Problem(
                    "slow_import",
                    f"executing main.py took {timing.import_s:.2f} s, more than the {allowed:g} s of turn "
                    f"1, which pays for it: the rest came out of the overage; load less",
                    "warning",
                )
            )
        if timing.turns_over:
            self._note(
                Problem(
                    "uses_overage",
                    f"{timing.turns_over} of {timing.turns} turns took longer than actTimeout {allowed:g} s "
                    f"(the worst {timing.worst_turn_s:.2f} s), and {timing.overage_left_s:.1f} s of "
                    f"{timing.overage_s:g} s of overage were left at the worst; a slower machine may run "
                    f"out of time",
                    "warning",
                )
            )

    def _check_bars(self) -> None:
        for name, least in self.min_win_rates.items():
            tally = self.report.opponents()[name]
            low, high = tally.interval
            if tally.score < least:
                self._note(
                    Problem(
                        "min_win_rate",
                        f"the score against {name} is {tally.score:.1%} ({low:.1%} to {high:.1%}) in "
                        f"{tally.games} games, below the {least:.1%} that --min-win-rate asks for; train "
                        f"on, or ask for less",
                        "missed",
                    )
                )


def card_target(folder: Path, names: tuple[str, ...]) -> str | None:
    """The target that an archive's card (``card.json``, at most one folder deep) names, if it has one."""
    for name in sorted(names, key=lambda name: (name.count("/"), name)):
        if name.rsplit("/", 1)[-1] == "card.json" and name.count("/") <= 1:
            try:
                card = json.loads((folder / name).read_text(encoding="utf-8"))
            except (ValueError, RecursionError):
                continue  # not a card of ours: any archive may have a file of that name
            if isinstance(card, dict) and isinstance(card.get("target"), str):
                return str(card["target"])
    return None


def agent_words(picked: dict[str, Any]) -> str:
    """The object that the platform took for the agent, in words."""
    line = f", main.py line {picked['line']}" if picked["line"] and picked["module"] is None else ""
    origin = f", from {picked['module']}" if picked["module"] is not None else ""
    return f"{picked['kind']} {picked['name']}{line}{origin}"


def _with_game(message: str, pairing: _Pairing, side: str) -> str:
    """Say in which game it happened, inside the sentence."""
    return f"against {pairing.opponent}{side}: {message}"


def _differs(item: dict[str, Any]) -> bool:
    """Do the archives' modules of one name differ?"""
    mine = (Path(item["home"]) / item["file"]).read_bytes()
    return any((Path(other) / item["file"]).read_bytes() != mine for other in item["others"])
