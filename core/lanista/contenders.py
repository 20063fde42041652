"""Whom a person names on the command line: a run, a policy folder, a league member, an entry, a scripted player."""

import json
import re
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from lanista.env import VecEnv
from lanista.errors import RecipeError, UsageError
from lanista.held_out import held_out
from lanista.league.member import game_digest, load_snapshot, read_member
from lanista.league.roster import check_bot
from lanista.players import Player
from lanista.registry import Registry
from lanista.spec import EnvSpec

if TYPE_CHECKING:
    from lanista.policy import Policy  # imports torch


@dataclass
class Contender:
    """Somebody who can be asked to play. One of `policy`, `use` and `entry` is there."""

    name: str
    policy: "Policy | None" = None
    #: a scripted player's plugin and its settings
    use: str | None = None
    options: dict[str, Any] | None = None
    #: a main.py, a folder with one or an archive: plays a platform's games only (`lanista.official`)
    entry: Path | None = None

    def player(self, registry: Registry, env_spec: EnvSpec, seed: int, sample: bool) -> Player:
        """Give a player with a stream of its own; a policy plays greedily unless it is to `sample`."""
        if self.entry is not None:
            raise UsageError(
                f"{self.entry} plays games of kaggle-environments only, and this one is lanista's own; "
                f"`lanista eval` plays those"
            )
        if self.policy is None:
            use = cast(str, self.use)
            check_bot(registry, use, env_spec)
            settings = registry.settings("players", use, self.options or {})
            return cast(Player, registry.load("players", use)(env_spec, settings, seed))
        if game_digest(self.policy.card.spec) != game_digest(env_spec):
            raise UsageError(
                f"{self.name} was trained for {self.policy.card.spec.name} with another observation or other "
                f"actions than {env_spec.name} has here; play it with the env and settings of its own"
            )
        from lanista.policy_player import PolicyPlayer

        return PolicyPlayer(self.policy, seed, greedy=not sample)


def find_contender(text: str, registry: Registry) -> Contender:
    """Find what `text` names; a folder goes before a player of the same name."""
    folder = Path(text)
    if folder.is_dir():
        return _from_folder(text, folder, registry)
    if folder.is_file():
        return Contender(_entry_name(folder), entry=folder)
    try:
        registry.get("players", _split(text)[0])
    except RecipeError as error:
        raise UsageError(
            f"{text!r} is no folder or file, and as a player's name it is not known: {error}"
        ) from error
    return find_scripted(text, registry)


def find_scripted(text: str, registry: Registry) -> Contender:
    """Find the scripted player that `text` names, with its settings: ``negamax`` or ``negamax:depth=2``."""
    use, options = _split(text)
    registry.get("players", use)
    table = read_pairs(options.split(",") if options else [], text)
    registry.settings("players", use, table)
    return Contender(text, use=use, options=table)


def _split(text: str) -> tuple[str, str | None]:
    """The player's name and its settings, as they stand in a text."""
    # Plugin names may hold colons: what stands behind the last one is settings only if it has an "=".
    found = re.fullmatch(r"(?P<use>.+?)(?::(?P<options>[A-Za-z_]\w*=.*))?", text)
    return (found["use"], found["options"]) if found else (text, None)


def _from_folder(text: str, folder: Path, registry: Registry) -> Contender:
    from lanista.policy import load_policy

    name = folder.resolve().name
    if (folder / "member.json").is_file():
        member = read_member(folder)
        if member.kind == "scripted":
            return Contender(member.name, use=member.use, options=member.options)
        if member.kind == "learning":
            raise UsageError(
                f"{text} is the policy that its run is training; name the run's folder to play the final one"
            )
        return Contender(member.name, load_snapshot(folder, member, registry))
    if (folder / "final" / "policy.json").is_file():
        return Contender(name, load_policy(folder / "final", registry))
    if (folder / "policy.json").is_file():
        return Contender(name, load_policy(folder, registry))
    if (folder / "main.py").is_file():
        return Contender(name, entry=folder)
    raise UsageError(
        f"{text} holds neither final/policy.json, policy.json, member.json nor main.py; name a finished run, a "
        "policy folder, a league member's folder or an entry's, or go on with a stopped run by `lanista resume`"
    )


def _entry_name(path: Path) -> str:
    """What tables call a main.py or an archive: a file called main or submission by its folder."""
    stem = path.name
    for suffix in (".gz", ".tar", ".tgz", ".py"):
        stem = stem.removesuffix(suffix)
    return path.resolve().parent.name if stem in ("main", "submission") else stem


def read_pairs(pairs: Sequence[str], where: str) -> dict[str, Any]:
    """Read ``key=value`` texts; a value is TOML, and text if it is not."""
    table: dict[str, Any] = {}
    for pair in pairs:
        key, sign, value = pair.partition("=")
        if not sign or not re.fullmatch(r"[A-Za-z_]\w*", key.strip()):
            raise UsageError(f"{where}: settings are key=value, found {pair!r}; for example depth=2")
        try:
            table[key.strip()] = tomllib.loads(f"value = {value}")["value"]
        except tomllib.TOMLDecodeError:
            table[key.strip()] = value.strip()
    return table


@dataclass(frozen=True)
class Ground:
    """The env that is played in."""

    name: str
    options: dict[str, Any]
    spec: EnvSpec
    make_env: Callable[[int], VecEnv]


def find_ground(
    contenders: Sequence[Contender], name: str | None, changes: dict[str, Any], registry: Registry
) -> Ground:
    """Take the env that was named, else that of the first policy, and there levels that training never plays.

    `changes` are laid over its settings.
    """
    cards = [contender.policy.card for contender in contenders if contender.policy is not None]
    fitting = [card for card in cards if name is None or card.env == name]
    if name is None and not cards:
        envs = ", ".join(registry.names("envs"))
        raise UsageError(
            f"scripted players do not say what they play; name the env with --env, one of: {envs}"
        )
    env_name = name or fitting[0].env
    options = held_out(registry, env_name, fitting[0].env_settings if fitting else {})
    settings = registry.settings("envs", env_name, {**options, **changes})
    factory = registry.load("envs", env_name)

    def make_env(num_games: int) -> VecEnv:
        return cast(VecEnv, factory(num_games, settings, 1))

    probe = make_env(1)
    spec = probe.spec
    probe.close()
    return Ground(env_name, json.loads(settings.model_dump_json()), spec, make_env)
