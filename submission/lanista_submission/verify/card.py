"""The card of an archive: a small JSON file that says, among other things, which target it was made for."""

import json
from pathlib import Path
from typing import Any

#: a card lies at the root or in a package one folder deep
_DEPTH = 1


def read_card(folder: Path, names: tuple[str, ...]) -> dict[str, Any] | None:
    """The first ``card.json`` of an unpacked archive that names a target; None if it has no card that does."""
    cards = [name for name in names if name.rsplit("/", 1)[-1] == "card.json" and name.count("/") <= _DEPTH]
    for name in sorted(cards, key=lambda name: (name.count("/"), name)):
        try:
            card = json.loads((folder / name).read_text(encoding="utf-8"))
        except (ValueError, RecursionError):
            continue  # any archive may have a file of that name; only a card that can be read counts
        if isinstance(card, dict) and isinstance(card.get("target"), str):
            return card
    return None


def card_target(folder: Path, names: tuple[str, ...]) -> str | None:
    """The target that an unpacked archive's card names; None if it has no card that does."""
    card = read_card(folder, names)
    return None if card is None else str(card["target"])
