"""`lanista card`: a policy as an ONNX file with a card that says what it is and what it beats."""

from pathlib import Path
from typing import Annotated

import typer


def attach(app: typer.Typer) -> None:
    """Add the command."""
    app.command("card")(card)


def card(
    source: Annotated[
        Path, typer.Argument(metavar="RUN_OR_POLICY_FOLDER", help="A run, or a policy's folder.")
    ],
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="Where the ONNX file and the card go.")],
    name: Annotated[
        str | None, typer.Option(help="What the card calls it; default: the folder's name.")
    ] = None,
    target: Annotated[
        str | None, typer.Option(help="The target whose files are made; default: that of the env's game.")
    ] = None,
    against: Annotated[
        list[str] | None,
        typer.Option(metavar="B", help="Who plays against it in lanista's own game; repeatable."),
    ] = None,
    games: Annotated[int, typer.Option(min=1, help="Own games in each seat order.")] = 100,
    sizes: Annotated[
        str | None, typer.Option(metavar="12,16", help="Sides of the boards; default: as it was trained.")
    ] = None,
    sample: Annotated[
        bool, typer.Option("--sample", help="It draws its actions instead of taking the likeliest.")
    ] = False,
    average_symmetries: Annotated[
        str | None,
        typer.Option(
            metavar="all|NAME,NAME", help="It averages its logits over these symmetries of its env."
        ),
    ] = None,
    official: Annotated[
        list[str] | None,
        typer.Option(metavar="B", help="Who plays against its archive in kaggle-environments; repeatable."),
    ] = None,
    official_games: Annotated[int, typer.Option(min=1, help="Official games in each seat order.")] = 10,
    official_seed: Annotated[
        int, typer.Option(min=0, help="First start of the official games; lux_s1 never trains on these.")
    ] = 990_000_000,
    results: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Official games: a line for each; those in it are not played."),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the own games.")] = 0,
) -> None:
    """Export a policy, measure it, and write its card: card.json and CARD.md beside policy.onnx.

    The card holds the files' hashes, how the policy was trained, what it beats on every size of board with intervals, and
    what it costs. Example: lanista card runs/lux --out demo --sizes 12,32 --against lux_simple
    --official kaggle:simple_agent
    """
    from lanista.plugins import current_host
    from lanista.progress import ScreenProgress
    from lanista_submission.shipping.making import make_card
    from lanista_submission.shipping.strength import Wanted

    own = Wanted(against or (), games, read_sizes(sizes), seed, sample, average_symmetries)
    there = Wanted(official or (), official_games, own.sizes, official_seed, sample)
    with ScreenProgress() as screen:
        lines = make_card(
            source,
            out,
            name or out.resolve().name,
            target,
            own,
            there,
            results,
            current_host().registry,
            screen,
        )
    typer.echo("\n".join(lines))


def read_sizes(text: str | None) -> list[int]:
    """Read ``12,16``."""
    from lanista.errors import UsageError
    from lanista.hints import shown

    try:
        return [int(word) for word in text.split(",")] if text is not None else []
    except ValueError as error:
        raise UsageError(
            f"--sizes takes sides of boards, found {shown(text or '')}; write --sizes 12,16"
        ) from error
