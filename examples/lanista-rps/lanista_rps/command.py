"""`lanista rps-strategies RUN`: what every snapshot of a run plays, and what they play on average."""

from pathlib import Path
from typing import Annotated

import typer


def rps_strategies(
    run: Annotated[Path, typer.Argument(help="A run of the recipe rps or rps-selfplay.")],
    rows: Annotated[int, typer.Option(min=1, help="Snapshots to show, evenly spread.")] = 24,
    power: Annotated[float, typer.Option(min=0.0, help="The k-th snapshot weighs k to this power.")] = 1.0,
    plot: Annotated[
        Path | None, typer.Option(help="Draw the chances over time into this PNG or SVG.")
    ] = None,
) -> None:
    """Show the mixed strategy of a run's snapshots, oldest first, and their average.

    Example: lanista rps-strategies runs/rps --plot rps.png
    """
    from lanista.plugins import current_host
    from lanista_rps.strategies import average, pool_policies, strategy

    members = pool_policies(run, current_host().registry)
    found = [strategy(policy) for _, policy in members]
    so_far = [average(found[: place + 1], power) for place in range(len(found))]
    typer.echo(f"{'snapshot':20} {'rock':>6} {'paper':>6} {'scissors':>8}   average so far")
    last = len(found) - 1
    for place in sorted({round(row * last / max(rows - 1, 1)) for row in range(rows)}):
        now, mean = found[place], so_far[place]
        typer.echo(
            f"{members[place][0]:20} {now[0]:6.3f} {now[1]:6.3f} {now[2]:8.3f}   "
            f"{mean[0]:.3f} {mean[1]:.3f} {mean[2]:.3f}"
        )
    typer.echo(
        f"{len(found)} snapshots; the last is {_from_equal(found[-1]):.3f} from (1/3, 1/3, 1/3), "
        f"their average {_from_equal(so_far[-1]):.3f}"
    )
    if plot is not None:
        _draw(plot, found, so_far)


def _from_equal(chances: list[float]) -> float:
    """The largest distance of a chance from 1/3."""
    return max(abs(chance - 1 / 3) for chance in chances)


def _draw(path: Path, found: list[list[float]], so_far: list[list[float]]) -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    from lanista_rps.env import SIGNS

    figure = Figure(figsize=(9, 5), layout="constrained")
    FigureCanvasAgg(figure)
    above, below = figure.subplots(2, 1, sharex=True, sharey=True)
    for axes, lines, title in ((above, found, "each snapshot"), (below, so_far, "average so far")):
        for sign, line in zip(SIGNS, zip(*lines, strict=True), strict=True):
            axes.plot(line, label=sign)
        axes.axhline(1 / 3, color="grey", linewidth=0.8, linestyle="--")
        axes.set_ylim(0.0, 1.0)
        axes.set_ylabel(f"chance, {title}")
    above.legend(loc="upper right", ncols=3)
    below.set_xlabel("snapshot")
    figure.savefig(path, dpi=110)
