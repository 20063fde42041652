"""The screen of a group of seeds: a bar over the seeds, what failed, and at the end what they came to."""

import typer

from lanista.errors import LanistaError
from lanista.seed_group import STOPPED, SeedGroup


def play_group(group: SeedGroup, jobs: int) -> None:
    """Play what is missing and print the summary; the exit code is 1 if a seed failed."""
    from lanista.progress import ScreenProgress

    with ScreenProgress() as progress:
        before = len(group.seeds) - len(group.missing)
        if before:
            progress.say(f"{before} of {len(group.seeds)} seeds are there already")
        try:
            with progress.counting(group.folder.name) as count:
                failures = group.play(jobs, progress.say, count)
        except KeyboardInterrupt:
            progress.say(
                f"stopped; the checkpoints stand. Go on with: lanista resume {group.folder} --jobs {jobs}"
            )
            raise typer.Exit(STOPPED) from None
    _print_summary(group)
    if failures:
        raise typer.Exit(1)


def _print_summary(group: SeedGroup) -> None:
    """What the finished seeds came to, with intervals; nothing to sum up is one sentence."""
    from lanista.cli.compare import print_comparison
    from lanista.comparison.compare import compare_groups
    from lanista.comparison.groups import read_groups

    try:
        print_comparison(compare_groups(read_groups([group.folder])))
    except LanistaError as error:
        typer.echo(f"no summary: {error}")
