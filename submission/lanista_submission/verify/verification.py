"""The walk of a verification.

1. Unpack elsewhere and read the source: what is broken without playing is named at once.
2. One game of the archive against its own copy, each in its own process: what the platform plays first.
3. The same with both in one process, where kaggle-environments lets the second use the modules of the first.
4. All other games, several at a time. The first technical fault ends the whole; its game's replay is kept.
"""

import hashlib
import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from time import monotonic
from typing import Any

from lanista.errors import UsageError
from lanista.hints import hint
from lanista.judge import NoJudgeError
from lanista.plugins import Registry, current_host
from lanista_submission.verify.arena import Arena, Plan, Progress
from lanista_submission.verify.card import card_target, read_card
from lanista_submission.verify.court import Court, kaggle_court
from lanista_submission.verify.faults import Context
from lanista_submission.verify.find_profile import profile_of
from lanista_submission.verify.folders import ARCHIVE, OTHER_ARCHIVE, Folders
from lanista_submission.verify.kaggle_game import configured, with_seats_of
from lanista_submission.verify.local import LOCAL, limits, local_court, local_packages, local_profile
from lanista_submission.verify.problem import ArchiveError, Problem
from lanista_submission.verify.profile import DEFAULT_TARGET, TargetProfile, platform_packages
from lanista_submission.verify.remarks import play_remarks
from lanista_submission.verify.report import ITSELF, OTHER, Report
from lanista_submission.verify.source import read_source
from lanista_submission.verify.unpack import Unpacked, unpack


def verify_archive(
    archive: str | Path,
    *,
    target: str | None = None,
    env: str | None = None,
    opponents: Sequence[str] = (),
    games: int = 10,
    against: str | Path | None = None,
    min_win_rates: Mapping[str, float] | None = None,
    jobs: int | None = None,
    seed: int = 0,
    keep: str | Path | None = None,
    configuration: Mapping[str, Any] | None = None,
    profile: TargetProfile | None = None,
    registry: Registry | None = None,
    progress: Progress | None = None,
) -> Report:
    """Judge an archive as the platform will; only wrong usage raises (`UsageError`), all else is in the
    report.

    `games` is a pairing's (an opponent and a seat order). `opponents` leaves only those of the target's own ("itself"
    included); the first game against itself and the one in a single process are always played. `min_win_rates` maps
    an opponent ("itself" and "other" included) to the least score, all seat orders together. `keep` is a folder for
    the replays of all games; without it only a faulty game's replay is kept, in the current folder. `configuration`
    changes the game's, and then the target's variants of the same keys are not played. `profile` replaces the target's
    own. `seed` is that of the game's own agents. `env` is that of an archive for the target `local` whose card names
    none. Plugins are read only to look up a target that is not lanista's, and for `local`.
    """
    start = monotonic()
    path, other = Path(archive), Path(against) if against is not None else None
    rates = dict(min_win_rates or {})
    _check_counts(games, jobs)
    report = Report(str(archive))
    with tempfile.TemporaryDirectory(prefix="lanista-verify-", ignore_cleanup_errors=True) as folder:
        root = Path(folder)
        try:
            registry_of = _registry_of(registry)
            profile, unpacked = _read(path, root, report, target, profile, registry_of)
            packages = platform_packages()
            if profile.target == LOCAL:
                packages = local_packages()
                profile = local_profile(
                    profile, path, root / "read", unpacked.names, env, rates, registry_of()
                )
            if configuration:
                profile = configured(profile, configuration)
            if opponents:
                profile = _only(opponents, profile)
            _check_rates(rates, profile, other)
            if other is not None:
                _check_other(other, root, profile)
            source = read_source(root / "read", unpacked.names, packages)
            context = Context(profile, packages, source, unpacked.names)
            court = local_court(profile) if profile.target == LOCAL else kaggle_court(report, source)
            if court is not None:
                report.judge = court.words
                plan = Plan(
                    archive=path,
                    context=context,
                    folders=Folders(
                        root, profile, {ARCHIVE: path, **({OTHER_ARCHIVE: other} if other else {})}
                    ),
                    scratch=root,
                    games=games,
                    more_of_itself=games - 1 if not opponents or ITSELF in opponents else 0,
                    against=other is not None,
                    one_process=court.one_process,
                    workers=jobs or _cores(),
                    seed=seed,
                    keep=Path(keep) if keep is not None else None,
                    progress=progress or _silent,
                )
                _play(plan, court, report, rates)
        except ArchiveError as error:
            report.note(error.problem)
        except NoJudgeError as error:
            report.note(Problem("no_judge", f"not judged: {error}", "not_judged"))
    report.seconds = monotonic() - start
    return report


def _registry_of(registry: Registry | None) -> Callable[[], Registry]:
    """Gives `registry`, or this process's own when it is first needed."""
    return lambda: registry if registry is not None else current_host().registry


def _silent(played: int, total: int, what: str) -> None:
    """Show no progress."""


def _cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _check_counts(games: int, jobs: int | None) -> None:
    if games < 1:
        raise UsageError(f"games = {games}, and a pairing needs at least one; write --games 10")
    if jobs is not None and jobs < 1:
        raise UsageError(f"jobs = {jobs}, and at least one game must be under way; write --jobs 1")


def _read(
    archive: Path,
    root: Path,
    report: Report,
    target: str | None,
    profile: TargetProfile | None,
    registry_of: Callable[[], Registry],
) -> tuple[TargetProfile, Unpacked]:
    """Unpack into ``root/read``; the card names the target if nobody else does."""

    def known(name: str) -> TargetProfile:
        return limits() if name == LOCAL else profile_of(name, registry_of)

    found = profile or known(target or DEFAULT_TARGET)
    report.target = found.target
    folder = root / "read"
    folder.mkdir()
    unpacked = unpack(archive, folder, found)
    if profile is None and target is None:
        found = known(card_target(folder, unpacked.names) or DEFAULT_TARGET)
        report.target = found.target
    if found.seat_counts:
        found = with_seats_of(found, read_card(folder, unpacked.names))
    report.sha256 = hashlib.sha256(archive.read_bytes()).hexdigest()
    report.packed, report.unpacked, report.files = unpacked.packed, unpacked.unpacked, len(unpacked.names)
    return found, unpacked


def _only(opponents: Sequence[str], profile: TargetProfile) -> TargetProfile:
    """The profile with some of its opponents."""
    for name in opponents:
        if name not in (ITSELF, *profile.opponents):
            raise UsageError(
                f"--opponent names {name!r}, which is no opponent; {hint(name, (ITSELF, *profile.opponents))}"
            )
    return profile.model_copy(update={"opponents": tuple(name for name in opponents if name != ITSELF)})


def _check_rates(rates: Mapping[str, float], profile: TargetProfile, other: Path | None) -> None:
    opponents = [ITSELF, *profile.opponents, *([OTHER] if other is not None else [])]
    if profile.seats == 1 and (rates or other is not None):
        raise UsageError(
            f"{profile.environment} is a game for one seat, which has no opponents; leave out "
            f"{'--against' if other is not None else '--min-win-rate (min_win_rate in a recipe)'}"
        )
    for name, rate in rates.items():
        if name not in opponents:
            raise UsageError(f"--min-win-rate names {name!r}, which is no opponent; {hint(name, opponents)}")
        if not 0.0 <= rate <= 1.0:
            raise UsageError(
                f"--min-win-rate {name}={rate:g} must lie between 0 and 1; write {name}=0.8 for 80 %"
            )


def _check_other(other: Path, root: Path, profile: TargetProfile) -> None:
    folder = root / "other"
    folder.mkdir()
    try:
        unpack(other, folder, profile)
    except ArchiveError as error:
        raise UsageError(f"--against {other}: {error}") from error


def _play(plan: Plan, court: Court, report: Report, rates: Mapping[str, float]) -> None:
    """Play, then say what is worth knowing and which bars were missed."""
    arena = Arena(plan, court.command, report)
    arena.play()
    if report.grave:
        return
    for remark in play_remarks(plan.context, court.packages, arena.picked, report):
        report.note(remark)
    for name, least in rates.items():
        tally = report.opponents()[name]
        low, high = tally.interval
        if tally.score < least:
            games = f"{tally.games} game{'s' if tally.games != 1 else ''}"
            report.note(
                Problem(
                    "min_win_rate",
                    f"the score against {name} is {tally.score:.1%} ({low:.1%} to {high:.1%}) in {games}, below the "
                    f"{least:.1%} that --min-win-rate asks for; train on, or ask for less",
                    "missed",
                )
            )
