"""The league as people read it: ``league.json`` and the table made of it."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lanista.errors import CheckpointError
from lanista.files import write_atomically
from lanista.league.member import Member
from lanista.league.payoff import Payoff
from lanista.matches import Tally

_FORMAT = 1


@dataclass(frozen=True)
class Standing:
    """One row of the table."""

    member: Member
    #: all games of the member against others
    tally: Tally
    #: Wilson's interval of its share of the points, a draw being half
    low: float
    high: float


@dataclass(frozen=True)
class LeagueReport:
    """Members, results and gates of a league."""

    members: tuple[Member, ...]
    #: names of the snapshots that can be picked, oldest first
    pool: tuple[str, ...]
    #: the newest member that passed the gate
    best: str | None
    payoff: Payoff
    gates: tuple[dict[str, Any], ...]

    def table(self, confidence: float = 0.95) -> list[Standing]:
        """Rows by falling share of the points; members without a game come last."""
        rows = []
        for member in self.members:
            tally = self.payoff.against_all(member.name)
            rows.append(Standing(member, tally, *self.payoff.interval(tally, confidence)))
        return sorted(rows, key=lambda row: (row.tally.games == 0, -row.tally.share, row.member.name))

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "format": _FORMAT,
            "members": [member.to_json() for member in self.members],
            "pool": list(self.pool),
            "best": self.best,
            "payoff": self.payoff.to_json(),
            "gates": list(self.gates),
        }

    def write(self, folder: Path) -> None:
        """Write ``folder/league.json``."""
        write_atomically(folder / "league.json", json.dumps(self.to_json(), indent=1).encode())


def read_report(folder: Path) -> LeagueReport:
    """Read ``folder/league.json``."""
    path = folder / "league.json"
    try:
        record = json.loads(path.read_bytes())
        if record["format"] != _FORMAT:
            raise CheckpointError(
                f"{path} has format {record['format']}, this version reads {_FORMAT}; use the "
                "version that wrote it"
            )
        return LeagueReport(
            tuple(Member.from_json(member) for member in record["members"]),
            tuple(record["pool"]),
            record["best"],
            Payoff.from_json(record["payoff"]),
            tuple(record["gates"]),
        )
    except FileNotFoundError as error:
        raise CheckpointError(
            f"{folder} holds no league: league.json is missing; name a run that trains against a league"
        ) from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CheckpointError(
            f"{path} cannot be read ({error!r}); resume the run to have it written anew"
        ) from error
