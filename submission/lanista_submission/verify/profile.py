"""What the verifier must know of a target: the game, its own agents to play against, accepted results,
limits.

Limits differ from one competition to the next and change, so each has its source and date. A profile is a
TOML file: lanista's own lie in ``profiles/``; another target's is named by the trait
``profile="package:path.toml"`` of its `register_targets` entry.
"""

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

from pydantic import BaseModel, ConfigDict

DEFAULT_TARGET = "kaggle:connectx"


class Limit(BaseModel):
    """A number that somebody else sets."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    #: bytes, or a count
    value: int
    #: who says so
    source: str
    #: when (year-month)
    date: str


class TargetProfile(BaseModel):
    """How archives for one target are judged."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    #: name of the target
    target: str
    #: the game's name in kaggle-environments
    environment: str
    #: the game's own agents that every archive meets
    opponents: tuple[str, ...]
    #: seats of a game
    seats: int = 2
    #: the numbers of seats that the game allows, where an archive's card says which; empty: `seats` alone
    seat_counts: tuple[int, ...] = ()
    #: names of the Python types that a result may have, before JSON
    results: tuple[str, ...]
    #: what to write in place of a wrong result
    mend: str
    #: does the judge play a default action, without a word, in place of a result that cannot be sent?
    forgiving: bool = True
    #: greatest size of the archive, in bytes
    packed: Limit
    #: greatest size of its contents, in bytes
    unpacked: Limit
    #: greatest number of entries
    files: Limit
    #: address space of a seat's process, in bytes
    memory: Limit
    #: overrides of the game's configuration
    configuration: dict[str, Any] = {}
    #: further overrides: game k of a pairing is played under number k, round and round
    variants: tuple[dict[str, Any], ...] = ()
    #: what the configuration calls the seed of a game's start; None leaves it to the game
    seed_key: str | None = None
    #: the seeds that are drawn from: the first, and the one behind the last
    seeds: tuple[int, int] = (0, 1_000_000_000)
    #: bank of time in seconds; None = the game's own
    overage_s: float | None = None


class PlatformPackages(BaseModel):
    """What the platform's machine has, by import name; see ``platform_packages.toml``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    #: version of its Python
    python: str
    #: who looked
    source: str
    #: when (year-month)
    date: str
    #: import names that are there
    present: tuple[str, ...]
    #: import names that are not
    absent: tuple[str, ...]


@cache
def platform_packages() -> PlatformPackages:
    """Read the dated list."""
    text = (files("lanista_submission.verify") / "platform_packages.toml").read_text()
    return PlatformPackages.model_validate(tomllib.loads(text))


def own_profiles() -> dict[str, TargetProfile]:
    """The profiles that come with lanista, by target."""
    folder = files("lanista_submission.verify") / "profiles"
    texts = [entry.read_text() for entry in folder.iterdir() if entry.name.endswith(".toml")]
    profiles = [TargetProfile.model_validate(tomllib.loads(text)) for text in texts]
    return {profile.target: profile for profile in profiles}
