"""`lanista doctor`: is this machine ready?"""

from typing import Annotated

import typer


def attach(app: typer.Typer) -> None:
    """Add the command."""
    app.command("doctor")(doctor)


def doctor(
    fix: Annotated[
        bool, typer.Option("--fix", help="Make the judging environment if it is not there.")
    ] = False,
    extra: Annotated[
        list[str] | None,
        typer.Option(
            "--with",
            metavar="PACKAGE",
            help="With --fix: install a package into the judging environment; repeatable.",
        ),
    ] = None,
) -> None:
    """Say what lanista finds on this machine, and what to do where something is amiss.

    The judging environment lies where LANISTA_JUDGE says (a virtual environment's folder or its Python), else in
    the user's data folder (Linux: ~/.local/share/lanista/judge). Exit code 1 if something that lanista needs is
    wrong. Example: lanista doctor --fix --with torch
    """
    from lanista.errors import UsageError
    from lanista_submission.doctor import run_checks
    from lanista_submission.judge import create_judge

    if extra and not fix:
        raise UsageError(
            f"--with {extra[0]} installs something, which needs --fix; write --fix --with {extra[0]}"
        )
    if fix:
        create_judge(extra or (), typer.echo)
    checks = run_checks()
    for check in checks:
        typer.echo(check.line())
    if any(check.verdict == "fault" for check in checks):
        raise typer.Exit(1)
