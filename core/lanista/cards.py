"""The card of a policy that is given away: ``card.json`` in a folder beside the ONNX files that it tells of.

`lanista card` writes it (its keys are listed in `lanista_submission.shipping.card`). A player of such a policy is
registered with the trait ``shipped="package:folder/in/it"``; official games are then played with its archive.
"""

import hashlib
import json
from importlib.resources import files
from pathlib import Path
from typing import Any

from lanista.errors import CheckpointError

CARD = "card.json"
FORMAT = "lanista-card-1"


def read_card(folder: Path) -> dict[str, Any]:
    """Read the card and hold the files against it. Raises `CheckpointError` if one is not what the card says."""
    path = folder / CARD
    try:
        card: dict[str, Any] = json.loads(path.read_text())
        told = {name: dict(entry) for name, entry in card["files"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise CheckpointError(f"{path} is no card of a policy: {error}; `lanista card` writes one") from error
    if card.get("format") != FORMAT:
        raise CheckpointError(
            f"{path} has the format {card.get('format')!r}, and {FORMAT!r} is read here; write it anew with `lanista card`"
        )
    for name, wanted in told.items():
        found = file_facts(folder / name) if (folder / name).is_file() else None
        if found != wanted:
            shown = "nothing" if found is None else f"sha256 {found['sha256'][:12]}…"
            raise CheckpointError(
                f"{folder / name} is not the file that its card tells of (sha256 {str(wanted.get('sha256'))[:12]}…, found "
                f"{shown}); bring it back, or write the card anew"
            )
    return card


def file_facts(path: Path) -> dict[str, Any]:
    """What a card says of a file."""
    content = path.read_bytes()
    return {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def shipped_folder(trait: str) -> Path:
    """The folder that the trait ``shipped`` names, ``package:folder/in/it``."""
    package, _, inside = trait.partition(":")
    return Path(str(files(package))).joinpath(*inside.split("/"))
