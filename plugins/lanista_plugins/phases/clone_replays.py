"""Replay files of the env's platform as games to learn from; the env's plugin reads them (trait ``replays``)."""

import glob
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path

from pydantic import BaseModel

from lanista.errors import LanistaError, PluginError, RecipeError
from lanista.games.kept_games import KeptGame
from lanista.hints import told
from lanista.phases import PhaseContext
from lanista.spec import EnvSpec

#: (file, the env's settings, its spec) -> the game of the file, None for one that is not of these settings
ReadReplay = Callable[[Path, BaseModel, EnvSpec], KeptGame | None]


def replayed_games(context: PhaseContext, files: str, spec: EnvSpec) -> Iterator[KeptGame]:
    """Read the files of a folder or a pattern, in order of their names; raises `LanistaError`, one sentence."""
    registry, name = context.registry, context.env.use
    entry = registry.get("envs", name)
    target = entry.traits.get("replays")
    if target is None:
        raise RecipeError(
            f"phase {context.name!r}: env {name!r} reads no replays; let its plugin offer the trait replays, or take kept "
            f"games or players"
        )
    module, _, attribute = str(target).partition(":")
    try:
        # ":function" is beside the env itself.
        read: ReadReplay = getattr(import_module(module or entry.target.partition(":")[0]), attribute)
    except Exception as error:
        raise PluginError(
            f"{entry.words} of plugin {entry.owner}: its trait replays = {target!r} cannot be loaded: {told(error)}; write "
            f'"module:function"'
        ) from error
    settings = registry.settings("envs", name, {**context.env.options, **context.env_overrides})
    found = sorted(
        Path(path) for path in glob.glob(str(Path(files) / "*.json*") if Path(files).is_dir() else files)
    )
    if not found:
        raise RecipeError(
            f"phase {context.name!r}: {files!r} is neither a folder with *.json files nor a pattern that some match"
        )
    others = 0
    for path in found:
        game = read(path, settings, spec)
        if game is None:
            others += 1
        else:
            yield game
    if others == len(found):
        raise LanistaError(
            f"phase {context.name!r}: none of the {others} replays in {files!r} is of this env's settings; change them "
            f"under env, or take other replays"
        )
