"""How archives for the target `local` are judged: by the rules of any registered env, with no platform.

What Kaggle's profiles say of a game, the env says here: seats, what an answer looks like, whom it can be played
against. The archive's card names the env and its settings.
"""

import platform
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from lanista.contenders import find_scripted
from lanista.env import VecEnv
from lanista.errors import RecipeError, UsageError
from lanista.hints import hint
from lanista.plugins import Registry, current_host
from lanista.spec import EnvSpec
from lanista_submission.judge.local_messages import ACT_TIMEOUT_S, OVERAGE_S, result_types
from lanista_submission.judge.local_play import local_command
from lanista_submission.verify.card import read_card
from lanista_submission.verify.court import Court
from lanista_submission.verify.problem import ArchiveError, Problem
from lanista_submission.verify.profile import Limit, PlatformPackages, TargetProfile
from lanista_submission.verify.report import ITSELF, OTHER

LOCAL = "local"
_OWN = {"source": "lanista's own guard", "date": "2026-11"}
#: plays any env
_RANDOM = "random"


def limits() -> TargetProfile:
    """What an archive must keep to whatever its env."""
    return TargetProfile(
        target=LOCAL,
        environment="",
        opponents=(),
        results=(),
        mend="",
        forgiving=False,
        packed=Limit(value=100 * 2**20, **_OWN),
        unpacked=Limit(value=2**30, **_OWN),
        files=Limit(value=10_000, **_OWN),
        memory=Limit(value=8 * 2**30, **_OWN),
        overage_s=OVERAGE_S,
    )


def local_profile(
    base: TargetProfile,
    archive: Path,
    folder: Path,
    names: tuple[str, ...],
    env: str | None,
    asked: Iterable[str],
    registry: Registry,
) -> TargetProfile:
    """The profile of an unpacked archive's env: `base` and what the env says; `asked` are the opponents that the user names.

    `env` goes before the card's. Raises `ArchiveError` with a problem "not judged" where no env can be had.
    """
    card = read_card(folder, names) or {}
    name = env or card.get("env")
    if not isinstance(name, str):
        raise _not_judged("no_env", "the archive has no card that names its env; write --env NAME")
    table = card.get("env_settings") if card.get("env") == name else {}
    spec = _spec(archive, name, table if isinstance(table, dict) else {}, registry)
    results, mend = result_types(spec)
    seconds = base.configuration.get("actTimeout", ACT_TIMEOUT_S)
    return base.model_copy(
        update={
            "environment": name,
            "opponents": _opponents(spec, asked, registry),
            "seats": spec.seats,
            "results": results,
            "mend": mend,
            "configuration": {"settings": table or {}, "actTimeout": seconds},
        }
    )


def _spec(archive: Path, name: str, table: Mapping[str, Any], registry: Registry) -> EnvSpec:
    try:
        settings = registry.settings("envs", name, table)
    except RecipeError as error:
        kept = sorted((archive.parent.parent / "plugins").glob("*.py"))
        known = name in registry.names("envs")
        files = " ".join(f"--plugin {file}" for file in kept) or "--plugin FILE.py"
        cure = "" if known else f"; name the file that offers it ({files}) or install its package"
        raise _not_judged("no_env", f"{error}{cure}") from error
    env: VecEnv = registry.load("envs", name)(1, settings, 1)
    spec = env.spec
    env.close()
    if any(head.kind == "units" for head in spec.heads):
        raise _not_judged(
            "units", f"env {name!r} asks for an action of each unit, which the target local cannot send yet; "
            f"verify it on its platform's target",
        )  # fmt: skip
    return spec


def _opponents(spec: EnvSpec, asked: Iterable[str], registry: Registry) -> tuple[str, ...]:
    """The random player, the scripted players made for this env, and whom the user names; nobody if alone."""
    if spec.seats == 1:
        return ()
    offered = [entry for entry in registry.entries() if entry.kind == "players" and not entry.is_family]
    players = {entry.name: entry.traits.get("envs") for entry in offered}
    found = [_RANDOM] if _RANDOM in players else []
    found += [name for name, envs in players.items() if envs is not None and spec.name in envs]
    for text in asked:
        if text in found or text in (ITSELF, OTHER):
            continue
        try:
            use = find_scripted(text, registry).use or text
            envs = registry.get("players", use).traits.get("envs")
        except RecipeError as error:
            known = [ITSELF, *(name for name, envs in players.items() if envs is None or spec.name in envs)]
            raise UsageError(
                f"--min-win-rate names {text!r}, which is no opponent; {hint(text, known)}"
            ) from error
        if envs is not None and spec.name not in envs:
            raise UsageError(
                f"--min-win-rate names {text!r}, a player that does not play {spec.name}; {hint(use, found)}"
            )
        found.append(text)
    return tuple(found)


def local_packages() -> PlatformPackages:
    """What agents find: this very Python, of whose packages none is known to be missing."""
    return PlatformPackages(
        python=platform.python_version(),
        source="the Python that lanista runs in",
        date="2026-11",
        present=(),
        absent=(),
    )


def local_court(profile: TargetProfile) -> Court:
    """The judge: a process of this Python that plays the env."""
    files = [plugin.file for plugin in current_host().working if plugin.file is not None]
    words = {"env": profile.environment, "python": platform.python_version()}
    return Court(local_command(files), words, frozenset(), one_process=False)


def _not_judged(code: str, message: str) -> ArchiveError:
    error = ArchiveError(code, message)
    error.problem = Problem(code, f"not judged: {message}", "not_judged")
    return error
