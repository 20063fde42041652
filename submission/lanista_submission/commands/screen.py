"""What the commands of this package put on the screen: rich on a terminal, plain text elsewhere."""

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def working(text: str) -> Iterator[None]:
    """Say on stderr what takes a while; a spinner on a terminal, one line elsewhere."""
    from rich.console import Console

    console = Console(stderr=True, highlight=False)
    if console.is_terminal:
        with console.status(text):
            yield
    else:
        console.print(f"{text}…", soft_wrap=True)
        yield
