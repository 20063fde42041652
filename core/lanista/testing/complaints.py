"""The one form of a broken contract's report: whose it is, which field, what was found, what to change."""

from collections.abc import Sequence
from typing import NoReturn

from lanista.arrays import AnyArray
from lanista.errors import EnvContractError, LanistaError, PluginError
from lanista.registry import Entry


class Complaints:
    """Raises one sentence in the name of an env, or of whatever else a plugin offers."""

    def __init__(self, env: str, error: type[LanistaError] = EnvContractError) -> None:
        """Open every sentence with ``env NAME``."""
        self.words = f"env {env}"
        self._error = error

    @staticmethod
    def about(entry: Entry) -> "Complaints":
        """Open every sentence with the entry and its plugin, and raise `PluginError`."""
        complaints = Complaints(entry.name, PluginError)
        complaints.words = f"{entry.words} of plugin {entry.owner}"
        return complaints

    def complain(self, field: str, fault: str, change: str) -> NoReturn:
        """Raise ``"WORDS: FIELD FAULT; CHANGE"``."""
        raise self._error(f"{self.words}: {field} {fault}; {change}")

    def refuse(self, wrong: bool, field: str, fault: str, change: str) -> None:
        """Complain if `wrong`."""
        if wrong:
            self.complain(field, fault, change)

    def refuse_where(
        self,
        wrong: AnyArray,
        field: str,
        fault: str,
        change: str,
        *,
        axes: Sequence[str] = ("game", "seat"),
        when: str = "",
    ) -> None:
        """Complain about the first True of `wrong`, naming its place along `axes`."""
        if not wrong.any():
            return
        index = tuple(int(place[0]) for place in wrong.nonzero())
        where = " ".join(f"{axis} {place}" for axis, place in zip(axes, index, strict=False))
        self.complain(field, f"{fault} at {where}{when}", change)
