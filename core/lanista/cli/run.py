"""`lanista run` and `lanista resume`."""

from pathlib import Path
from typing import Annotated

import typer

from lanista.errors import UsageError


def attach(app: typer.Typer) -> None:
    """Add both commands."""
    app.command("run")(run)
    app.command("resume")(resume)


def run(
    recipe: Annotated[str, typer.Argument(help="A recipe's name (see `lanista recipes`) or a TOML file.")],
    out: Annotated[Path | None, typer.Option(help="Run folder; default runs/<name>-<date>.")] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            help="Change the recipe: key=value with a dotted key, e.g. phases.small.until.steps=5000.",
        ),
    ] = None,
    seed: Annotated[int | None, typer.Option(help="The run's seed; the same as --set seed=N.")] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Check the recipe, print it resolved, run nothing.")
    ] = False,
    seeds: Annotated[
        int | None,
        typer.Option(min=1, help="Play that many seeds from --seed on, each in a folder of its own."),
    ] = None,
    jobs: Annotated[int, typer.Option(min=1, help="With --seeds: how many are played at once.")] = 1,
) -> None:
    """Play a recipe: train, distil, export, pack and verify, in one folder.

    With --seeds the folder holds seed-0, seed-1, ...; the same command again goes on with what is missing.

    Examples: lanista run cartpole --seed 1; lanista run connectx --out runs/demo; lanista run my.toml --check;
    lanista run my.toml --seeds 10 --jobs 2 --out runs/mine.
    """
    from lanista.plugins import current_host
    from lanista.recipe import apply_changes, check_recipe, read_recipe, resolved_toml

    host = current_host()
    values = read_recipe(recipe, host.registry)
    changes = [*(set_ or []), *([] if seed is None else [f"seed={seed}"])]
    checked = check_recipe(apply_changes(values, changes), host.registry)
    if check:
        typer.echo(resolved_toml(checked, host.registry), nl=False)
        return
    from lanista.cli.free_folder import free_folder
    from lanista.seed_group import SeedGroup

    folder = out or free_folder(checked.top.name)
    if seeds is not None:
        from lanista.cli.seeds import play_group

        first = checked.top.seed
        play_group(SeedGroup.lay_out(folder, checked, host, range(first, first + seeds)), jobs)
        return
    if jobs > 1:
        raise UsageError("--jobs says how many seeds are played at once; give --seeds too")
    if SeedGroup.is_group(folder):
        raise UsageError(
            f"{folder} holds a group of seeds; go on with `lanista resume {folder}`, or give --seeds"
        )
    from lanista.run import Run

    _play(Run.create(folder, checked, host))


def resume(
    run_folder: Annotated[
        Path, typer.Argument(help="The folder of a run that was stopped, or of several seeds.")
    ],
    jobs: Annotated[int, typer.Option(min=1, help="With several seeds: how many are played at once.")] = 1,
) -> None:
    """Go on with a run from its newest checkpoint, as though it had never stopped.

    Example: lanista resume runs/demo
    """
    from lanista.seed_group import SeedGroup

    if SeedGroup.is_group(run_folder):
        from lanista.cli.seeds import play_group

        play_group(SeedGroup.open(run_folder), jobs)
        return
    from lanista.plugins import start_host
    from lanista.run import Run

    files = sorted((run_folder / "plugins").glob("*.py")) if (run_folder / "plugins").is_dir() else []
    host = start_host(tuple(files))
    _play(Run.open(run_folder, host))


def _play(run: "Run") -> None:  # type: ignore[name-defined]  # noqa: F821 - imported late, torch comes with it
    from lanista.delivery import deliver
    from lanista.distillation.card import is_distillation
    from lanista.distillation.sweep import finish
    from lanista.progress import ScreenProgress
    from lanista.report.closing import closing
    from lanista.run import RunStopped

    with ScreenProgress() as progress:
        run.progress = progress
        try:
            with closing(run.folder, progress.say):
                progress.say(f"final policy: {run.play()}")
                card = finish(run, progress.say) if is_distillation(run.folder) else None
                code = deliver(run) if card is None else 0
        except RunStopped:
            progress.say(f"stopped; a checkpoint stands. Go on with: lanista resume {run.folder}")
            raise typer.Exit(130) from None
    if card is not None:
        from lanista.cli.distill import print_card

        print_card(card, run.folder)
    if code:
        raise typer.Exit(code)
