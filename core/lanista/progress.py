"""What a person sees while a run goes on: a live bar on a terminal, a plain line every few seconds elsewhere."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from time import monotonic
from types import TracebackType
from typing import Any, Protocol, Self

from lanista.phases import Phase

#: figures worth a place on the line, in order, with how they are written
_SHOWN = (
    ("share", "share {:.1%}"),
    ("greedy_return", "greedy {:.1f}"),
    ("teacher_return", "teacher {:.1f}"),
    ("return", "return {:.1f}"),
    ("outcome", "outcome {:+.2f}"),
    ("agreement", "agreement {:.3f}"),
    ("entropy", "entropy {:.2f}"),
    ("approx_kl", "kl {:.4f}"),
)


class Progress(Protocol):
    """What a run tells whoever watches."""

    def say(self, text: str) -> None:
        """Show one line."""

    def phase_started(self, name: str, index: int, count: int) -> None:
        """A phase begins."""

    def updated(self, phase: Phase, metrics: dict[str, float]) -> None:
        """An update is over."""

    def phase_finished(self, name: str, figures: dict[str, Any]) -> None:
        """A phase has handed its policy on."""

    def counting(self, title: str) -> AbstractContextManager["Count"]:
        """Enter to count something that is no phase: the callable takes (finished, total, what)."""


Count = Callable[[int, int, str], None]


class NoProgress:
    """Says nothing."""

    @contextmanager
    def counting(self, title: str) -> Iterator[Count]:
        """Count without showing."""
        yield lambda finished, total, what: None

    def say(self, text: str) -> None:
        """Drop the line."""

    def phase_started(self, name: str, index: int, count: int) -> None:
        """Nothing to show."""

    def updated(self, phase: Phase, metrics: dict[str, float]) -> None:
        """Nothing to show."""

    def phase_finished(self, name: str, figures: dict[str, Any]) -> None:
        """Nothing to show."""


class ScreenProgress:
    """Progress on the console, with throughput and its split (env / infer / learn / copy)."""

    #: seconds between plain lines where there is no terminal
    plain_every = 10.0

    def __init__(self) -> None:
        """Open the console; nothing is drawn yet."""
        from rich.console import Console
        from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
        from rich.progress import Progress as Bars

        self._console = Console(stderr=True, highlight=False)
        self._bars = Bars(
            TextColumn("{task.fields[title]}"),
            BarColumn(bar_width=24),
            TextColumn("{task.percentage:>3.0f}%"),
            TimeElapsedColumn(),
            TextColumn("{task.fields[figures]}"),
            console=self._console,
            disable=not self._console.is_terminal,
        )
        self._task: Any = None
        self._title = ""
        self._seen: dict[str, float] = {}
        self._window = (monotonic(), 0)
        self._sps = 0.0
        self._last_line = monotonic()

    def __enter__(self) -> Self:
        """Start drawing."""
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop drawing."""
        self._bars.stop()

    def say(self, text: str) -> None:
        """Show one line above the bars."""
        self._console.print(text, markup=False, soft_wrap=True)

    def phase_started(self, name: str, index: int, count: int) -> None:
        """Open a bar."""
        self._title = f"phase {index + 1}/{count} {name}"
        self._seen = {}
        self._window = (monotonic(), 0)
        self._sps = 0.0
        self._task = self._bars.add_task("", total=1.0, title=self._title, figures="")

    def updated(self, phase: Phase, metrics: dict[str, float]) -> None:
        """Move the bar; off a terminal print a line every `plain_every` seconds."""
        self._seen.update(metrics)
        now = monotonic()
        since, steps = self._window
        if now - since >= 1.0 or self._sps == 0.0:
            self._sps = (phase.steps - steps) / max(now - since, 1e-9) if steps else metrics.get("sps", 0.0)
            self._window = (now, phase.steps)
        figures = self._figures(phase)
        self._bars.update(self._task, completed=phase.progress, figures=figures)
        if not self._console.is_terminal and now - self._last_line >= self.plain_every:
            self._last_line = now
            self.say(f"{self._title} {phase.progress:4.0%} {phase.steps:,} steps  {figures}")

    @contextmanager
    def counting(self, title: str) -> Iterator[Count]:
        """Show a bar of its own; off a terminal a line every `plain_every` seconds."""
        task = self._bars.add_task("", total=1.0, title=title, figures="")

        def count(finished: int, total: int, what: str) -> None:
            self._bars.update(task, completed=finished, total=max(total, 1), figures=what)
            now = monotonic()
            if not self._console.is_terminal and now - self._last_line >= self.plain_every:
                self._last_line = now
                self.say(f"{title} {finished}/{total} {what}")

        yield count

    def _figures(self, phase: Phase) -> str:
        parts = [f"{self._sps:,.0f} steps/s"]
        split = {
            name: self._seen[f"time/{name}"]
            for name in ("env", "infer", "learn", "copy")
            if f"time/{name}" in self._seen
        }
        if split:
            parts.append(" ".join(f"{name} {share:.0%}" for name, share in split.items()))
        parts += [form.format(self._seen[name]) for name, form in _SHOWN if name in self._seen]
        return "  ".join(parts)

    def fill(self) -> None:
        """Show the phase's bar as full."""
        self._bars.update(self._task, completed=1.0)

    def phase_finished(self, name: str, figures: dict[str, Any]) -> None:
        """Say what the phase came to."""
        self.fill()
        told = {key: value for key, value in figures.items() if key != "sha256"}
        text = ", ".join(
            f"{key} {_short(value)}" for key, value in told.items() if not isinstance(value, dict)
        )
        self.say(f"{self._title}: {text}")


def _short(value: Any) -> str:  # noqa: ANN401 - JSON values
    return (
        f"{value:.4g}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else str(value)
    )
