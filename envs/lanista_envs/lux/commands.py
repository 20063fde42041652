"""`lanista lux map` and `lanista lux replay`: the official generator, and official replays held against our rules."""

import json
from pathlib import Path
from typing import Annotated

import typer

DIFFERENT, UNREADABLE = 1, 2

group = typer.Typer(
    help="Show official Lux AI Season 1 maps and replays. Example: lanista lux map --seed 7 --size 12"
)


@group.command("map")
def show_maps(
    seed: Annotated[list[int], typer.Option(metavar="S", help="The map's seed; repeatable.")],
    size: Annotated[
        int | None, typer.Option(metavar="N", help="Width and height; without it the seed chooses.")
    ] = None,
) -> None:
    """Print one JSON line a seed: seed, width, height and the first turn's official updates.

    Example: lanista lux map --seed 7 --seed 8 --size 12
    """
    from lanista_envs.lux.games import LuxGames, refuse_seed
    from lanista_envs.lux.mapgen import chosen_size
    from lanista_envs.lux.updates import write_first_updates

    games: dict[int, LuxGames] = {}
    for number in seed:
        refuse_seed(number)
        side = chosen_size(number) if size in (None, -1) else int(size or 0)
        if side not in games:
            games[side] = LuxGames(1, side)
        games[side].start([number])
        updates = write_first_updates(0, games[side].board, games[side].state)
        typer.echo(json.dumps({"seed": number, "width": side, "height": side, "updates": updates}))


@group.command("replay")
def check_replays(
    files: Annotated[list[Path], typer.Argument(metavar="FILE…", help="Kaggle replays, plain JSON or gzip.")],
) -> None:
    """Play replays through our rules and compare every turn's updates with what they show.

    Exit code 0 if all are equal, 1 if one differs, 2 if one cannot be read. Example: lanista lux replay game.json.gz
    """
    from lanista.errors import LanistaError
    from lanista_envs.lux.replay import ReplayError, check_replay, read_replay

    worst = 0
    for file in files:
        try:
            difference = check_replay(read_replay(file))
        except LanistaError as error:
            sentence = str(error) if isinstance(error, ReplayError) else f"{file} cannot be played: {error}"
            typer.echo(sentence, err=True)
            worst = UNREADABLE
            continue
        typer.echo(f"{file}: {'equal' if difference is None else difference}")
        if difference is not None:
            worst = max(worst, DIFFERENT)
    if worst:
        raise typer.Exit(worst)
