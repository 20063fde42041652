"""Checkpoints of a run: a folder each, whole or absent.

``RUN/checkpoints/00000012/`` holds ``arrays.safetensors``, ``values.json`` and ``manifest.json`` with the
sha256 of both. A checkpoint is written beside its place, flushed, and renamed; the newest that verifies is
the one to go on from, and the newest two are kept.
"""

import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from lanista.arrays import AnyArray
from lanista.errors import CheckpointError

FORMAT = 1
_KEPT = 2


def write_checkpoint(folder: Path, number: int, values: dict[str, Any], arrays: dict[str, AnyArray]) -> Path:
    """Write checkpoint `number` atomically, then let the oldest go."""
    final = folder / f"{number:08d}"
    beside = folder / f".writing-{os.getpid()}"
    if beside.exists():
        shutil.rmtree(beside)
    beside.mkdir(parents=True)
    parts = {
        # ascontiguousarray makes a row of a single number; the shape must come back as it was
        "arrays.safetensors": save(
            {name: np.ascontiguousarray(array).reshape(array.shape) for name, array in arrays.items()}
        ),
        "values.json": json.dumps(values, indent=1).encode(),
    }
    manifest = {
        "format": FORMAT,
        "number": number,
        "sha256": {name: hashlib.sha256(content).hexdigest() for name, content in parts.items()},
    }
    for name, content in {**parts, "manifest.json": json.dumps(manifest, indent=1).encode()}.items():
        with (beside / name).open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    if final.exists():
        shutil.rmtree(final)
    beside.replace(final)
    _flush_folder(folder)
    for old in checkpoint_numbers(folder)[:-_KEPT]:
        shutil.rmtree(folder / f"{old:08d}")
    return final


def checkpoint_numbers(folder: Path) -> list[int]:
    """The numbers of the checkpoints that stand in `folder`, ascending, verified or not."""
    if not folder.is_dir():
        return []
    return sorted(int(entry.name) for entry in folder.iterdir() if entry.name.isdigit() and entry.is_dir())


def read_newest(folder: Path) -> tuple[int, dict[str, Any], dict[str, AnyArray], list[str]] | None:
    """Read the newest checkpoint that verifies: (number, values, arrays, sentences on those passed over).

    None if there is no checkpoint at all. If there are some and none verifies, raises CheckpointError.
    """
    numbers = checkpoint_numbers(folder)
    faults: list[str] = []
    for number in reversed(numbers):
        try:
            values, arrays = _read(folder / f"{number:08d}")
        except CheckpointError as error:
            faults.append(str(error))
            continue
        return number, values, arrays, faults
    if faults:
        raise CheckpointError(f"no checkpoint in {folder} can be read: {'; '.join(faults)}")
    return None


def _read(folder: Path) -> tuple[dict[str, Any], dict[str, AnyArray]]:
    try:
        manifest = json.loads((folder / "manifest.json").read_bytes())
        parts = {name: (folder / name).read_bytes() for name in manifest["sha256"]}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CheckpointError(f"checkpoint {folder.name} is incomplete ({error})") from error
    if manifest.get("format") != FORMAT:
        raise CheckpointError(
            f"checkpoint {folder.name} has format {manifest.get('format')}, this version reads {FORMAT}; "
            "use the version that wrote it"
        )
    for name, content in parts.items():
        if hashlib.sha256(content).hexdigest() != manifest["sha256"][name]:
            raise CheckpointError(f"checkpoint {folder.name} is damaged: {name} does not match its sha256")
    try:
        return json.loads(parts["values.json"]), load(parts["arrays.safetensors"])
    except (SafetensorError, ValueError, KeyError) as error:
        raise CheckpointError(f"checkpoint {folder.name} cannot be read: {error}") from error


def _flush_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
