"""How archives are judged for games of kaggle-environments that nobody wrote a profile for: by their specification."""

from collections.abc import Mapping
from typing import Any

from lanista.errors import UsageError
from lanista.hints import hint
from lanista.judge import find_judge
from lanista_submission.judge.specification import Specification, read_specification
from lanista_submission.verify.local import LOCAL
from lanista_submission.verify.profile import TargetProfile, own_profiles

#: whose limits of size and memory stand for games that state none
_LIKE = "kaggle:connectx"
#: seats of a game in the competition, where the environment allows several numbers (competition pages, 2020 and 2021)
_COMPETITION_SEATS = {"halite": 4, "hungry_geese": 4}
#: Python's types for JSON's, as a result may have them
_TYPES = {
    "integer": ("int",),
    "number": ("int", "float"),
    "string": ("str",),
    "boolean": ("bool",),
    "array": ("list", "tuple"),
    "object": ("dict",),
    "null": ("NoneType",),
}


def game_profile(target: str, game: str) -> TargetProfile:
    """Ask the judging environment; raises `NoJudgeError` without one, `UsageError` for a game that there is not."""
    found = read_specification(find_judge(), game)
    results = tuple(name for kind in found.action_types for name in _TYPES.get(kind, ()))
    default = found.default_action
    example = "an action that the game's schema allows" if default is None else f"{default!r}, say"
    return own_profiles()[_LIKE].model_copy(
        update={
            "target": target,
            "environment": game,
            "opponents": found.agents,
            "seats": _seats(found),
            "seat_counts": found.seats,
            "results": results or tuple(dict.fromkeys(name for names in _TYPES.values() for name in names)),
            "mend": f"return {example}, in plain Python types",
        }
    )


def configured(profile: TargetProfile, changes: Mapping[str, Any]) -> TargetProfile:
    """The profile with another configuration of its game; variants that speak of the same keys are left out."""
    if profile.target == LOCAL:
        raise UsageError(
            "--config changes games of kaggle-environments, and the target local plays none; leave it out"
        )
    known = read_specification(find_judge(), profile.environment).configuration
    for key in changes:
        if key not in known:
            raise UsageError(f"{profile.environment} has no configuration {key!r}; {hint(key, known)}")
    if profile.seed_key in changes:
        raise UsageError(f"{profile.seed_key} is drawn from --seed, a game each; leave it out of --config")
    return profile.model_copy(
        update={
            "configuration": {**profile.configuration, **changes},
            "variants": tuple(variant for variant in profile.variants if not variant.keys() & changes.keys()),
        }
    )


def _seats(found: Specification) -> int:
    """The competition's number of seats, else two, else the least that the game allows."""
    named = _COMPETITION_SEATS.get(found.game, 2)
    return named if named in found.seats else min(found.seats)


def with_seats_of(profile: TargetProfile, card: dict[str, Any] | None) -> TargetProfile:
    """Let the archive's card say with how many seats its policy was trained, where the game leaves it open."""
    settings = (card or {}).get("env_settings")
    seats = settings.get("seats") if isinstance(settings, dict) else None
    if seats not in profile.seat_counts:
        return profile
    return profile.model_copy(update={"seats": seats})
