"""Which profile a target is judged by: lanista's own, the one its plugin names, or what the game itself states."""

import tomllib
from collections.abc import Callable
from importlib.resources import files

from pydantic import ValidationError

from lanista.errors import RecipeError, UsageError
from lanista.hints import validation_sentences
from lanista.plugins import Registry
from lanista_submission.verify.kaggle_game import game_profile
from lanista_submission.verify.profile import TargetProfile, own_profiles


def profile_of(target: str, registry_of: Callable[[], Registry]) -> TargetProfile:
    """Find the profile of a target; `UsageError` for one that nobody can judge.

    `registry_of` gives the registry of plugins; it is asked for other targets than lanista's own only.
    """
    known = own_profiles()
    if target in known:
        return known[target]
    try:
        entry = registry_of().get("targets", target)
    except RecipeError as error:
        raise UsageError(str(error)) from error
    named = entry.traits.get("profile")
    if named is None and entry.family == "kaggle:":
        return game_profile(target, entry.rest)
    if not isinstance(named, str) or ":" not in named:
        raise UsageError(
            f"target {target!r} says nothing on how it is judged; its plugin registers it with "
            f'profile="package:path/inside/it.toml"'
        )
    package, _, path = named.partition(":")
    try:
        return TargetProfile.model_validate(tomllib.loads((files(package) / path).read_text()))
    except ValidationError as error:
        raise UsageError(
            f"the profile of target {target!r}: {validation_sentences(error, TargetProfile)}"
        ) from error
    except (OSError, ImportError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"the profile of target {target!r} cannot be read: {error}; see {named}") from error
