"""Says whether this machine is ready, and what to do where it is not; imports neither torch nor numba."""

from lanista_submission.doctor.checks import Check, run_checks

__all__ = ["Check", "run_checks"]
