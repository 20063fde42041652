"""Who judges: how the workers that play are started, what can be imported there, and the words for the report."""

from collections.abc import Sequence
from dataclasses import dataclass

from lanista.judge import find_judge
from lanista_submission.judge import kaggle_command, pinned_version
from lanista_submission.verify.faults import package_not_here
from lanista_submission.verify.profile import platform_packages
from lanista_submission.verify.remarks import judge_remarks
from lanista_submission.verify.report import Report
from lanista_submission.verify.source import Source


@dataclass(frozen=True)
class Court:
    """A judge that is there."""

    #: starts a worker
    command: Sequence[str]
    #: for `Report.judge`
    words: dict[str, str]
    #: those of the platform's packages that the seats can import
    packages: frozenset[str]
    #: is there a runner that plays all seats in one process?
    one_process: bool


def kaggle_court(report: Report, source: Source) -> Court | None:
    """Find the judging environment; None if it lacks what the archive needs, which the report then says."""
    packages = platform_packages()
    judge = find_judge(packages.present)
    words = {
        "python": judge.python_version,
        "kaggle_environments": judge.kaggle_environments,
        "platform_python": packages.python,
    }
    report.judge = words
    for remark in judge_remarks(judge, packages, pinned_version()):
        report.note(remark)
    for package, item in source.needed.items():
        if package not in judge.packages:
            report.note(package_not_here(package, f"{item.file} line {item.line} imports it"))
    return None if report.grave else Court(kaggle_command(judge), words, judge.packages, one_process=True)
