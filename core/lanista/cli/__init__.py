"""The command line. `main` is what the `lanista` script calls."""

from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line (that of the process by default) and give its exit code."""
    from lanista.cli.app import run_command_line

    return run_command_line(argv)
