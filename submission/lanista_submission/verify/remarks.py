"""What is worth knowing about an archive in whose games nothing went wrong."""

from typing import Any

from lanista.judge import Judge
from lanista_submission.verify.faults import KEPT_CHARACTERS, Context, wrong_callable
from lanista_submission.verify.problem import Problem
from lanista_submission.verify.profile import PlatformPackages
from lanista_submission.verify.report import Report
from lanista_submission.verify.tally import Timing


def judge_remarks(judge: Judge, packages: PlatformPackages, pinned: str) -> list[Problem]:
    """How the judge differs from the platform."""
    remarks = []
    if not judge.is_platform_python:
        remarks.append(
            Problem(
                "judge_python",
                f"the judge runs Python {judge.python_version} and the platform {packages.python}; install "
                f"Python 3.11, delete the judging environment and run `lanista doctor --fix`",
                "warning",
            )
        )
    if judge.kaggle_environments != pinned:
        remarks.append(
            Problem(
                "judge_version",
                f"the judge has kaggle-environments {judge.kaggle_environments}, and lanista is made for "
                f"{pinned}; run `lanista doctor --fix`",
                "warning",
            )
        )
    return remarks


def play_remarks(
    context: Context, packages: frozenset[str], picked: dict[str, Any] | None, report: Report
) -> list[Problem]:
    """What the source and the games show that is no fault; `packages` are those that the seats could import."""
    remarks = list(context.source.suspects)
    helper = wrong_callable(context, picked, failed=False)
    if helper is not None:
        remarks.append(Problem(helper.code, helper.message, "warning"))
    for package, item in context.source.wanted.items():
        if package not in packages:
            remarks.append(
                Problem(
                    "package_not_used",
                    f"{item.file} line {item.line} would import {package}, which the platform has and the "
                    f"judging environment has not, so the archive was judged without it; install it with "
                    f"`lanista doctor --fix --with {package}`",
                    "warning",
                )
            )
    if report.printed >= KEPT_CHARACTERS:
        remarks.append(
            Problem(
                "prints_much",
                f"a turn printed {KEPT_CHARACTERS:,} characters or more, and the platform cuts its log of a "
                f"turn there; print less",
                "warning",
            )
        )
    return [*remarks, *_idle_remarks(context, report), *_time_remarks(report.timing)]


def _idle_remarks(context: Context, report: Report) -> list[Problem]:
    """Were there games in which the archive did nothing?"""
    idle = [variant for variant in report.variants if variant.idle]
    if not idle:
        return []
    games, where = sum(variant.idle for variant in idle), [variant.words for variant in idle if variant.given]
    all_games = sum(variant.seats for variant in idle)
    at = f" with {'; '.join(where)}" if where and len(where) < len(report.variants) else ""
    return [
        Problem(
            "idle",
            f"in {games} of {all_games} games{at} every turn gave the same as the game's default action, as agents do that "
            f"hide what they raise or do not know the board; play one of these games with its exceptions let out",
            "warning",
        )
    ]


def _time_remarks(timing: Timing) -> list[Problem]:
    """Did the archive live on its overage?"""
    remarks = []
    allowed = timing.act_timeout_s or 0.0
    if timing.import_s > allowed:
        remarks.append(
            Problem(
                "slow_import",
                f"executing main.py took {timing.import_s:.2f} s, more than the {allowed:g} s of turn 1, "
                f"which pays for it: the rest came out of the overage; load less",
                "warning",
            )
        )
    if timing.turns_over:
        remarks.append(
            Problem(
                "uses_overage",
                f"{timing.turns_over} of {timing.turns} turns took longer than actTimeout {allowed:g} s "
                f"(the worst {timing.worst_turn_s:.2f} s), and {timing.overage_left_s:.1f} s of "
                f"{timing.overage_s:g} s of overage were left at the worst; a slower machine may run out of "
                f"time",
                "warning",
            )
        )
    return remarks
