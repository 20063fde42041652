"""Where a plugin is tried: an env that suits it, random play there, and the settings that it is built with."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from lanista.arrays import AnyArray
from lanista.env import VecEnv
from lanista.errors import LanistaError, PluginError
from lanista.registry import Entry, Registry
from lanista.shaping import Passage
from lanista.testing.env_replay import Chooser
from lanista.testing.practice import offer_practice

#: envs that are small and quick to build, tried after the plugin's own and the practice game
SMALL = ("cartpole", "mountaincar", "connectx")


def settings_of(registry: Registry, kind: str, name: str, options: Mapping[str, Any] | None) -> Any:  # noqa: ANN401
    """Build the settings model; what is missing becomes a sentence that says how to give it."""
    entry = registry.get(kind, name)
    required = [key for key, field in entry.settings.model_fields.items() if field.is_required()]
    missing = [key for key in required if key not in (options or {})]
    if missing:
        raise PluginError(
            f"{entry.words} of plugin {entry.owner}: {missing[0]} has no default, so nothing can be tried; give "
            f"one with --set {name}.{missing[0]}=VALUE, or give the field a default"
        )
    return registry.settings(kind, name, options or {})


def envs_for(registry: Registry, entry: Entry, env: str | None) -> Iterator[tuple[str, dict[str, Any]]]:
    """Names and options of envs to try `entry` in: the one asked for, or the plugin's own, then small ones."""
    offer_practice(registry)
    if env is not None:
        registry.get("envs", env)
        yield env, {}
        return
    own = [other.name for other in registry.entries(entry.owner) if other.kind == "envs"]
    for name in own:
        required = [
            field
            for field in registry.get("envs", name).settings.model_fields.values()
            if field.is_required()
        ]
        if not required and not name.endswith(":"):
            yield name, {}
    yield "practice", {"seats": 1}
    yield "practice", {"seats": 2}
    for name in SMALL:
        if name in registry.names("envs") and name not in own:
            yield name, {}


def build_env(registry: Registry, name: str, options: Mapping[str, Any], games: int) -> VecEnv:
    """Build an env and reset it."""
    env: VecEnv = registry.load("envs", name)(games, registry.settings("envs", name, options), 1)
    env.reset(7)
    return env


def random_passage(env: VecEnv, steps: int, facts: tuple[str, ...] | None, seed: int = 7) -> Passage:
    """Play at random and give what a shaper sees; the arrays are read-only. `facts` are those recorded, None all."""
    names = sorted(env.facts if facts is None else facts)
    chooser = Chooser(env.num_games, seed)
    rows: list[dict[str, Any]] = []
    for _ in range(steps):
        before = {name: env.facts[name].copy() for name in names}
        env.step(chooser.choose(env))
        ended = env.ended[:, None]
        after = {name: np.where(ended, env.final_facts[name], env.facts[name]) for name in names}
        arrays = {name: getattr(env, name).copy() for name in ("ended", "terminated", "truncated", "outcome")}
        rows.append({"before": before, "after": after, **arrays})

    def stacked(key: str, name: str | None = None) -> AnyArray:
        array = np.stack([row[key] if name is None else row[key][name] for row in rows])
        array.flags.writeable = False
        return array

    return Passage(
        before={name: stacked("before", name) for name in names},
        after={name: stacked("after", name) for name in names},
        ended=stacked("ended"),
        terminated=stacked("terminated"),
        truncated=stacked("truncated"),
        outcome=stacked("outcome"),
        gamma=0.99,
        progress=0.5,
    )


def first_that_fits(problems: list[str], words: str) -> LanistaError:
    """What to raise when no env suited the plugin: the last one's own words."""
    return PluginError(
        f"{words}: no env at hand suits it, the last one said: {problems[-1]}; name one with --env NAME"
    )
