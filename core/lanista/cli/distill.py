"""`lanista distill`: a teacher into a small student, without a recipe."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lanista.errors import UsageError

if TYPE_CHECKING:
    from lanista.distillation.sweep import Sweep
    from lanista.distillation.wish import Student
    from lanista.phases import Phase
    from lanista.progress import ScreenProgress
    from lanista.run import Run


def attach(app: typer.Typer) -> None:
    """Add the command."""
    app.command("distill")(distill)


def distill(
    teacher: Annotated[
        list[str],
        typer.Option(
            metavar="SOURCE",
            help="sb3:FILE.zip, npz:FILE.npz, onnx:FILE.onnx, player:NAME, a run or a policy folder; "
            "repeatable: several teachers of one env.",
        ),
    ],
    student: Annotated[
        list[str] | None,
        typer.Option(
            metavar="SIZES",
            help="Widths of dense layers, 64x64; several students at once as 16x16,32x32,64x64; "
            "any network as conv:channels=16,blocks=1. Default 64x64.",
        ),
    ] = None,
    env: Annotated[
        str | None,
        typer.Option(
            help="The env, gymnasium:CartPole-v1 say; left out where the teacher says which it plays."
        ),
    ] = None,
    wrapper: Annotated[
        list[str] | None,
        typer.Option(help="A wrapper of the env, by name or module:Class, innermost first; repeatable."),
    ] = None,
    env_set: Annotated[
        list[str] | None, typer.Option(metavar="KEY=VALUE", help="Change a setting of the env; repeatable.")
    ] = None,
    normalise: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="The statistics that scaled the teacher's observations (VecNormalize); by default those beside its "
            "file, none: none.",
        ),
    ] = None,
    teacher_set: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KEY=VALUE", help="A setting of the teacher, q_temperature=1.0 say; repeatable."
        ),
    ] = None,
    loss: Annotated[
        list[str] | None,
        typer.Option(
            metavar="LOSS",
            help="A term of the loss, kl:temperature=0.5 say, with its weight as coef=0.1; repeatable. "
            "Default: mse of real numbers, kl of choices.",
        ),
    ] = None,
    drive: Annotated[
        str,
        typer.Option(
            help="Who plays while states are gathered: dagger, teacher, noisy (the teacher) or student."
        ),
    ] = "dagger",
    activation: Annotated[
        str | None,
        typer.Option(help="Activation of the dense layers, relu, tanh or gelu; none: that of the teacher."),
    ] = None,
    steps: Annotated[
        int | None, typer.Option(min=1, help="Env steps at most; a student that is good enough ends earlier.")
    ] = None,
    episodes: Annotated[
        int, typer.Option(min=2, help="Episodes of the final comparison, for each player.")
    ] = 100,
    workers: Annotated[
        int | None, typer.Option(min=0, help="Processes that step the env, for slow envs of gymnasium.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="The first seed.")] = 0,
    seeds: Annotated[int, typer.Option(min=1, help="So many seeds, each a run of its own.")] = 1,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Change the recipe: phases.student.buffer=50000."),
    ] = None,
    int8: Annotated[
        bool, typer.Option("--int8", help="Also write the student with int8 weights, and measure the cost.")
    ] = False,
    out: Annotated[Path | None, typer.Option(help="Run folder; default runs/distill-<date>.")] = None,
    as_json: Annotated[
        Path | None, typer.Option("--json", metavar="CARD", help="Also write the card, or the cards, there.")
    ] = None,
    video: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Teacher and student side by side from the same start: .webp (the smaller) or .gif.",
        ),
    ] = None,
    plot: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The curve, or the frontier of several students: .png."),
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Print the recipe, run nothing.")] = False,
) -> None:
    """Teach a small student to play as its teacher does, ship it as ONNX, and say what that cost.

    The teacher labels states that both of them reach (DAgger); the student learns from all of them, is compared with
    teacher and random moves on the same starts, exported, and timed in torch, onnxruntime and numpy. With several
    students or seeds each is a run of its own, and the frontier of return, size and latency comes at the end.
    The recipe lies in the run folder: `lanista resume` goes on with it, `lanista run` plays it anew.

    Examples: lanista distill --teacher sb3:dqn.zip --env gymnasium:CartPole-v1 --student 16x16;
    lanista distill --teacher sb3:ppo.zip --normalise vecnormalize.pkl --env gymnasium:AntBulletEnv-v0
    --wrapper TimeFeatureWrapper --student 16x16,32x32,64x64 --int8 --out runs/ant; lanista distill --teacher
    runs/big --student 32x32 --video side.gif.
    """
    from lanista.contenders import read_pairs
    from lanista.distillation.sweep import Sweep
    from lanista.distillation.wish import DRIVES, STEPS, Wish, read_losses, read_students, read_teacher
    from lanista.hints import hint
    from lanista.plugins import current_host

    if drive not in DRIVES:
        raise UsageError(f"--drive {drive!r} is unknown; {hint(drive, DRIVES)}")
    _check_endings(video, plot)
    students = read_students(student or ["64x64"], activation)
    runs = [(one, number) for one in students for number in range(seed, seed + seeds)]
    table = read_pairs(env_set or [], "--env-set")
    if wrapper:
        table["wrappers"] = [*table.get("wrappers", []), *wrapper]
    if workers is not None:
        table["workers"] = workers
    host = current_host()
    teachers = tuple(read_teacher(source, normalise, teacher_set or []) for source in teacher)
    wish = Wish(
        teachers=teachers,
        env=_env_table(env, table, teachers, host),
        losses=read_losses(loss or []),
        drive=drive,
        steps=STEPS if steps is None else steps,
        episodes=episodes,
        int8=int8,
        lenient=len(students) > 1,
    )
    sweep = Sweep(wish, runs, set_ or [], host)
    if video is not None and sweep.wish.seats != 1:
        raise UsageError(
            f"--video shows players of one seat, and {wish.env['use']} has {sweep.wish.seats}; `lanista watch` shows a match"
        )
    if check:
        _print_recipes(sweep)
        return
    sweep.lay_out(out or _free_folder(students))
    _play(sweep, as_json, video, plot)


def _check_endings(video: Path | None, plot: Path | None) -> None:
    """Refuse files that could not be written at the end."""
    from lanista.distillation import pictures
    from lanista.distillation.video import check_ending

    if video is not None:
        check_ending(video)
    if plot is not None:
        pictures.check_ending(plot)


def _env_table(env: str | None, changes: dict[str, Any], teachers: Any, host: Any) -> dict[str, Any]:  # noqa: ANN401
    from lanista.distillation.wish import find_env

    return find_env(env, changes, teachers[0], host.registry)


def _free_folder(students: "list[Student]") -> Path:
    from lanista.cli.free_folder import free_folder

    return free_folder(f"distill-{students[0].name}" if len(students) == 1 else "distill")


def _print_recipes(sweep: "Sweep") -> None:
    for text in sweep.texts():
        typer.echo(text, nl=False)


def _play(sweep: "Sweep", as_json: Path | None, video: Path | None, plot: Path | None) -> None:
    """Play every run; a failure of one of several is told, and the others go on."""
    import json

    from lanista.distillation.pictures import write_curve, write_frontier
    from lanista.errors import LanistaError
    from lanista.files import write_atomically

    cards, failed = [], False
    with _progress(sweep.wish.episodes) as progress:
        for line in sweep.notes:
            progress.say(f"teacher: {line}")
        for place, folder in enumerate(sweep.folders):
            try:
                cards.append(_play_one(sweep.open(place), progress))
            except LanistaError as error:
                if len(sweep.folders) == 1:
                    raise
                failed = True
                progress.say(f"{folder.name} failed: {error}")
            else:
                print_card(cards[-1], folder)
        if video is not None and cards:
            from lanista.distillation.video import write_video

            reason = write_video(sweep.folders[0], video, sweep.host.registry)
            if reason is not None:
                progress.say(f"{reason}; its text is shown instead")
            progress.say(f"teacher and student side by side: {video}")
    if len(sweep.folders) > 1 and cards:
        _print_frontier(cards)
        picture = plot or sweep.folder / "frontier.png"
        write_frontier(cards, picture)
        typer.echo(f"frontier: {sweep.write_frontier(cards)}, {picture}")
    elif plot is not None:
        write_curve(cards[0], plot)
    if as_json is not None:
        told = cards[0] if len(sweep.folders) == 1 else cards
        try:
            write_atomically(as_json, json.dumps(told, indent=1, allow_nan=False).encode())
        except OSError as error:
            raise UsageError(
                f"{as_json} cannot be written: {error.strerror}; choose another --json"
            ) from error
    if failed:
        raise typer.Exit(1)


def _progress(episodes: int) -> "ScreenProgress":
    from lanista.progress import ScreenProgress

    class Briefly(ScreenProgress):
        """The card says at the end what the phase came to."""

        def updated(self, phase: "Phase", metrics: dict[str, float]) -> None:
            """Say what comes next: the comparison shows nothing while it plays."""
            super().updated(phase, metrics)
            if phase.finished:
                self.say(
                    f"learnt for {phase.steps:,} steps; comparing student, teacher and random moves over "
                    f"{episodes} episodes each ..."
                )

        def phase_finished(self, name: str, figures: dict[str, Any]) -> None:
            """Fill the bar."""
            self.fill()

    return Briefly()


def _play_one(run: "Run", progress: "ScreenProgress") -> dict[str, Any]:
    from lanista.distillation.sweep import finish
    from lanista.report.closing import closing
    from lanista.run import RunStopped

    run.progress = progress
    try:
        with closing(run.folder, progress.say):
            run.play()
            return finish(run, progress.say)
    except RunStopped:
        progress.say(
            f"stopped; a checkpoint stands. Go on with the same command, or lanista resume {run.folder}"
        )
        raise typer.Exit(130) from None


def print_card(card: dict[str, Any], folder: Path) -> None:
    """The card of one run, as tables and sentences."""
    from lanista.cli.columns import print_columns
    from lanista.distillation.card import card_sentences, card_tables

    for title, headers, rows in card_tables(card):
        if rows:
            print_columns(title, headers, rows)
    for line in card_sentences(card):
        typer.echo(line)
    typer.echo(f"policy: {folder / 'exported' / 'policy.onnx'}; card, curve and report: {folder}")


def _print_frontier(cards: list[dict[str, Any]]) -> None:
    from lanista.cli.columns import print_columns
    from lanista.distillation.card import frontier_table

    title, headers, rows = frontier_table(cards)
    print_columns(title, headers, rows)
