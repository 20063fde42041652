"""The one form of a broken contract's report: which env, which field, what was found, what to change."""

from collections.abc import Sequence
from typing import NoReturn

from lanista.arrays import AnyArray
from lanista.errors import EnvContractError


class Complaints:
    """Raises `EnvContractError` in the name of one env."""

    def __init__(self, env: str) -> None:
        """`env` opens every sentence."""
        self.env = env

    def complain(self, field: str, fault: str, change: str) -> NoReturn:
        """Raise ``"env NAME: FIELD FAULT; CHANGE"``."""
        raise EnvContractError(f"env {self.env}: {field} {fault}; {change}")

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
