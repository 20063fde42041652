"""Pictures of distillations by matplotlib: a student's curve, and the frontier of several students."""

from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

from lanista.comparison.plot import COLOURS
from lanista.distillation.card import frontier
from lanista.errors import UsageError
from lanista.files import write_atomically

ENDINGS = (".png", ".svg", ".pdf")
_TEACHER, _RANDOM = "#333333", "#999999"


def write_curve(card: Mapping[str, Any], file: Path) -> None:
    """The student's return beside its teacher's and that of random moves, and the agreement, over the steps."""
    from matplotlib.figure import Figure

    canvas = Figure(figsize=(7, 5), layout="constrained")
    axes, below = canvas.subplots(2, 1, sharex=True, height_ratios=[2.2, 1])
    _reference(axes, card)
    end = card["student"]
    points = [(point["step"], point["greedy_return"]) for point in card["curve"]]
    if points:
        # Nothing is known of the student before the first test but where random moves stand.
        steps, returns = zip(*points, strict=True)
        axes.plot(steps, returns, "o-", color=COLOURS[0], markersize=4, label="student, tests on the way")
    axes.errorbar(
        [card["steps"]], [end["mean"]], yerr=_spread(end), fmt="D", color=COLOURS[1], capsize=4,
        label=f"student, {card['episodes']} episodes at the end",
    )  # fmt: skip
    axes.set(ylabel=card["measure"], title=f"{card['env']['use']}: student {card['name']}", xlim=(0, None))
    axes.legend(fontsize=8)
    learnt = card["agreement_curve"]
    below.plot(
        [step for step, _ in learnt], [agreed for _, agreed in learnt], color=COLOURS[2], linewidth=1.4
    )
    below.set(xlabel="env steps", ylabel="agreement", ylim=(None, 1.01))
    _save(canvas, file)


def write_frontier(cards: Sequence[Mapping[str, Any]], file: Path) -> None:
    """Return against size and against microseconds a decision; the line joins the students that none betters."""
    from matplotlib.figure import Figure

    canvas = Figure(figsize=(11, 4.6), layout="constrained")
    left, right = canvas.subplots(1, 2, sharey=True)
    sizes = [card["files"]["float32"]["onnx_bytes"] / 1000 for card in cards]
    times = [card["microseconds"]["float32"]["numpy"]["median"] for card in cards]
    for axes, xs, label in (
        (left, sizes, "ONNX file, kB"),
        (right, times, "numpy runtime, µs a decision at batch 1"),
    ):
        _reference(axes, cards[0])
        for place, (x, card) in enumerate(zip(xs, cards, strict=True)):
            end = card["student"]
            axes.errorbar(
                [x], [end["mean"]], yerr=_spread(end), fmt="o", capsize=4, color=COLOURS[place % len(COLOURS)]
            )
            above = place % 2 == 0
            axes.annotate(
                card["name"], (x, end["mean"]), textcoords="offset points", xytext=(6, 8 if above else -14),
                fontsize=8,
            )  # fmt: skip
        front = frontier(xs, [card["student"]["mean"] for card in cards])
        axes.plot(
            [xs[place] for place in front], [cards[place]["student"]["mean"] for place in front], "-",
            color="#BBBBBB", linewidth=1.2, zorder=0, label="frontier",
        )  # fmt: skip
        axes.set_xlabel(label)
        axes.margins(x=0.12, y=0.12)
    left.set_xscale("log")
    _plain_ticks(left, sizes)
    left.set_ylabel(f"{cards[0]['measure']}, mean and 95 % interval")
    left.legend(fontsize=8)
    canvas.suptitle(f"{cards[0]['env']['use']}: return, size and latency of the students", fontsize=11)
    _save(canvas, file)


def _reference(axes: Any, card: Mapping[str, Any]) -> None:  # noqa: ANN401 - matplotlib's axes
    """The teacher and random moves as lines, the teacher's interval as a band."""
    for who, colour, style in (("teacher", _TEACHER, "--"), ("random", _RANDOM, ":")):
        found = card[who]
        if "mean" in found:
            axes.axhline(found["mean"], color=colour, linestyle=style, linewidth=1.2, label=who)
            if who == "teacher" and "low" in found:
                axes.axhspan(found["low"], found["high"], color=colour, alpha=0.08, linewidth=0)


def _spread(found: Mapping[str, float]) -> list[list[float]] | None:
    """The interval as matplotlib's error bars want it."""
    if "low" not in found:
        return None
    return [[found["mean"] - found["low"]], [found["high"] - found["mean"]]]


def _plain_ticks(axes: Any, values: Sequence[float]) -> None:  # noqa: ANN401 - matplotlib's axes
    """A tick a file size, written out where there is room: a log axis over less than a decade has hardly any."""
    from matplotlib.ticker import NullLocator, ScalarFormatter

    room = (max(values) / min(values)) ** 0.06
    ticks: list[float] = []
    for value in sorted(values):
        if not ticks or value > ticks[-1] * room:
            ticks.append(value)
    axes.set_xticks(ticks, [f"{value:.1f}" for value in ticks])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(ScalarFormatter(useOffset=False))


def check_ending(file: Path) -> None:
    """Refuse a file that is no picture by its ending."""
    if file.suffix.lower() not in ENDINGS:
        raise UsageError(
            f"--plot {file}: a picture ends in {', '.join(ENDINGS)}; found {file.suffix or 'no ending'!r}"
        )


def _save(canvas: Any, file: Path) -> None:  # noqa: ANN401 - matplotlib's figure
    check_ending(file)
    buffer = BytesIO()
    canvas.savefig(buffer, format=file.suffix.lower().lstrip("."), dpi=150)
    try:
        write_atomically(file, buffer.getvalue())
    except OSError as error:
        raise UsageError(f"{file} cannot be written: {error.strerror}; choose another file") from error
