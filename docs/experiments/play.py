"""Play the arms: each is a group of seeds under `out`/<env>/<arm>, as `lanista run --seeds` makes it.

The seeds go round: three of every arm, then six, then all, so that a run that is cut short has seen every arm.
"""

from collections.abc import Sequence
from pathlib import Path

from arms import read_field

from lanista.plugins import load_plugins
from lanista.progress import ScreenProgress
from lanista.recipe import check_recipe
from lanista.seed_group import SeedGroup


def play_arms(env: str, arms: Sequence[str], seeds: int, jobs: int, out: Path) -> None:
    """Play what is missing of `arms`; a seed that fails ends the experiment with its sentence."""
    field = read_field(env)
    host = load_plugins(field.plugins)
    host.require_files()
    rounds = sorted({min(part, seeds) for part in (3, 6, seeds)})
    with ScreenProgress() as progress:
        for many in rounds:
            for arm in arms:
                recipe = check_recipe(field.recipes[arm], host.registry)
                group = SeedGroup.lay_out(out / env / arm, recipe, host, range(many))
                if not group.missing:
                    continue
                with progress.counting(f"{env} {arm}") as count:
                    failures = group.play(jobs, progress.say, count)
                if failures:
                    raise SystemExit(failures[0])
                progress.say(f"{env} {arm}: {many} seeds")
