"""What a run says and writes when it ends: warnings on the screen, ``report.html``, and why it failed.

A run that is one of a group writes no report of its own by itself: ``lanista report`` of the group writes all.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from lanista.errors import LanistaError
from lanista.files import write_atomically
from lanista.hints import told

#: the sentence of a run that ended with an error, until it is played again
FAILURE = "failure.json"


@contextmanager
def closing(run_folder: Path, say: Callable[[str], None]) -> Iterator[None]:
    """Around playing and delivering a run: afterwards, however it ended, its folder is told about.

    A stop that the user asked for is no end: nothing is said or written then.
    """
    (run_folder / FAILURE).unlink(missing_ok=True)
    try:
        yield
    except LanistaError as error:
        write_atomically(run_folder / FAILURE, json.dumps({"sentence": str(error)}, indent=1).encode())
        _tell(run_folder, say)
        raise
    _tell(run_folder, say)


def _tell(run_folder: Path, say: Callable[[str], None]) -> None:
    from lanista.report.folder import read_run
    from lanista.report.page import make_report, write_page

    page = run_folder / "report.html"
    try:
        run = read_run(run_folder)
        for warning in run.warnings:
            say(f"warning: {warning.sentence}")
        if (run_folder.parent / "group.json").is_file():
            return
        write_page(page, make_report(run))
    except Exception as error:  # what a run has come to does not hang on its report
        say(f"no report was written ({told(error)}); `lanista report {run_folder}` tries again")
        return
    say(f"report: {page}")
