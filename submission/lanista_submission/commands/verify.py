"""`lanista verify`: play an archive as the platform will, before it is sent."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console

#: seconds between lines of progress where there is no terminal
_PLAIN_EVERY_S = 10.0


def attach(app: typer.Typer) -> None:
    """Add the command."""
    app.command("verify")(verify)


def verify(
    archive: Annotated[Path, typer.Argument(metavar="ARCHIVE", help="A tar.gz, or a single main.py.")],
    target: Annotated[
        str | None,
        typer.Option(metavar="T", help="Target; else the archive's card says, else kaggle:connectx."),
    ] = None,
    env: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Target local: the env, where the archive's card names none."),
    ] = None,
    games: Annotated[int, typer.Option(help="Games a pairing (an opponent and a seat order).")] = 10,
    against: Annotated[
        Path | None, typer.Option(metavar="OTHER", help="Play this archive too, in both seat orders.")
    ] = None,
    min_win_rate: Annotated[
        list[str] | None,
        typer.Option(
            metavar="OPPONENT=P",
            help="Fail (exit 1) below this score, such as negamax=0.8; repeatable. 'other' is OTHER.",
        ),
    ] = None,
    opponent: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Play only this one of the game's own agents; repeatable."),
    ] = None,
    config: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KEY=VALUE", help="Change the game's configuration, such as width=16; repeatable."
        ),
    ] = None,
    jobs: Annotated[int | None, typer.Option(help="Games at once; all usable cores by default.")] = None,
    seed: Annotated[int, typer.Option(help="Seed of the game's own agents.")] = 0,
    keep: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Keep the replays of all games there, not of a faulty one only."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout.")] = False,
) -> None:
    """Unpack an archive elsewhere, load it as the platform does, play whole games in every seat, and judge.

    Exit code: 0 no technical fault, 1 a fault or a missed --min-win-rate, 2 not judged, 64 wrong usage.
    Example: lanista verify submission.tar.gz --games 20 --min-win-rate negamax=0.8
    """
    import json

    from rich.console import Console

    from lanista.contenders import read_pairs
    from lanista.errors import LanistaError
    from lanista_submission.verify import verify_archive

    console = Console(stderr=True, highlight=False)
    try:
        with _Screen(console) as screen:
            report = verify_archive(
                archive,
                target=target,
                env=env,
                opponents=opponent or (),
                games=games,
                against=against,
                min_win_rates=read_rates(min_win_rate or []),
                jobs=jobs,
                seed=seed,
                keep=keep,
                configuration=read_pairs(config or [], "--config"),
                progress=screen.played,
            )
    except LanistaError as error:
        if as_json:  # stdout holds one JSON document, whatever happens; the sentence also goes to stderr
            problem = {"code": "usage" if error.exit_code == 64 else "error", "message": str(error)}
            typer.echo(json.dumps({"ok": False, "problems": [problem], "games": {}, "timing": {}}))
        raise
    if as_json:
        typer.echo(json.dumps(report.to_json(), indent=2, allow_nan=False))
    else:
        typer.echo("\n".join(report.lines()))
    raise typer.Exit(report.exit_code)


def read_rates(words: list[str]) -> dict[str, float]:
    """Read ``OPPONENT=P`` words."""
    from lanista.errors import UsageError
    from lanista.hints import shown

    rates: dict[str, float] = {}
    for word in words:
        name, equals, number = word.partition("=")
        try:
            rates[name] = float(number)
        except ValueError:
            equals = ""
        if not name or not equals:
            raise UsageError(
                f"--min-win-rate takes OPPONENT=P, found {shown(word)}; write negamax=0.8 for 80 %"
            )
    return rates


class _Screen:
    """A bar on a terminal, a line now and then elsewhere; on stderr, since stdout may be JSON."""

    def __init__(self, console: "Console") -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        self._console = console
        self._bars = Progress(
            TextColumn("games"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[what]}"),
            console=console,
            disable=not console.is_terminal,
            transient=True,
        )
        self._task = self._bars.add_task("", total=None, what="unpacking")
        self._last_line: float | None = None

    def __enter__(self) -> "_Screen":
        self._bars.start()
        return self

    def __exit__(self, *problem: object) -> None:
        self._bars.stop()

    def played(self, played: int, total: int, what: str) -> None:
        """Show that a game is over."""
        from time import monotonic

        self._bars.update(self._task, completed=played, total=total, what=f"against {what}")
        now = monotonic()
        if self._last_line is None:
            self._last_line = now
        if not self._console.is_terminal and now - self._last_line >= _PLAIN_EVERY_S:
            self._last_line = now
            self._console.print(f"{played} of {total} games played", markup=False)
