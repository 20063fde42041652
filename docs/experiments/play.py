"""Play the arms: each is a group of seeds under `out`/<env>/<arm>, as `lanista run --seeds` makes it.

The seeds go round: three of every arm, then six, then all, so that a run that is cut short has seen every arm.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from arms import Field

from lanista.plugins import load_plugins
from lanista.progress import ScreenProgress
from lanista.recipe import check_recipe
from lanista.seed_group import SeedGroup


def play_arms(fields: Mapping[Field, Sequence[str]], seeds: int, jobs: int, out: Path) -> None:
    """Play what is missing of each env's arms; a seed that fails ends the experiment with its sentence."""
    with ScreenProgress() as progress:
        for many in sorted({min(part, seeds) for part in (3, 6, seeds)}):
            for field, arms in fields.items():
                host = load_plugins(field.plugins)
                host.require_files()
                for arm in arms:
                    recipe = check_recipe(field.recipes[arm], host.registry)
                    group = SeedGroup.lay_out(out / field.env / arm, recipe, host, range(many))
                    if not group.missing:
                        continue
                    with progress.counting(f"{field.env} {arm}") as count:
                        failures = group.play(jobs, progress.say, count)
                    if failures:
                        raise SystemExit(failures[0])
                    progress.say(f"{field.env} {arm}: {many} seeds")
