"""Judges an archive as the platform will load and play it: `verify_archive` gives a `Report`."""

from lanista_submission.verify.problem import Problem
from lanista_submission.verify.profile import TargetProfile
from lanista_submission.verify.report import Report
from lanista_submission.verify.verification import verify_archive

__all__ = ["Problem", "Report", "TargetProfile", "verify_archive"]
