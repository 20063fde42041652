"""One thing that is wrong with an archive, or worth knowing: a code for programs, a sentence for people."""

from dataclasses import dataclass
from typing import Literal

from lanista.hints import one_line

#: fault: the archive is broken; not_judged: nothing can be said; missed: it plays, but below a bar;
#: warning: it plays, and this is worth knowing
Weight = Literal["fault", "not_judged", "missed", "warning"]


@dataclass(frozen=True)
class Problem:
    """`code` is stable; `message` is one sentence: what is wrong, what was found, what to do."""

    code: str
    message: str
    weight: Weight = "fault"

    def to_json(self) -> dict[str, str]:
        """Plain JSON values; foreign text is made printable."""
        return {"code": self.code, "message": one_line(self.message)}


class ArchiveError(Exception):
    """The archive is broken before any of it runs."""

    def __init__(self, code: str, message: str) -> None:
        """Keep the problem that the report will show."""
        super().__init__(message)
        self.problem = Problem(code, message)
