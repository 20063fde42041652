"""The symmetries of a network's env, as the tables that an archive carries (`lanista_submission.runtime.symmetric`)."""

import io

import numpy as np

from lanista.arrays import AnyArray
from lanista.plugins import Registry
from lanista.policy import PolicyCard
from lanista.symmetry.averaging import ALL, refuse_numbers
from lanista.symmetry.find import find_group


def symmetry_tables(card: PolicyCard, wanted: str, registry: Registry) -> bytes:
    """An npz file of the elements that `wanted` names: "all", or symmetries with commas between.

    Raises `SymmetryError` where the env declares none, or a head gives real numbers.
    """
    group = find_group(registry, card.env, card.env_settings, card.spec)
    refuse_numbers(group, card.spec)
    names = [name.strip() for name in wanted.split(",")]
    elements = list(range(len(group))) if names == [ALL] else group.subgroup(names)
    tables: dict[str, AnyArray] = {}
    for name, moves in {**group.parts, **group.unit_parts}.items():
        order = moves.order[elements]
        if moves.plain and (order == np.arange(order.shape[1])).all():
            continue
        tables[f"order/{name}"] = order.astype(np.int32)
        if not moves.plain:
            tables[f"sign/{name}"] = moves.sign[elements].astype(np.float32)
            tables[f"shift/{name}"] = moves.shift[elements].astype(np.float32)
    for name, choices in group.choices.items():
        tables[f"choices/{name}"] = choices[elements]
        tables[f"places/{name}"] = group.places(name)[elements]
    # Without planes of one size a network cannot tell cells apart, and may meet a board of another size.
    if group.cells.shape[1] and any(len(part.shape) == 3 for part in card.spec.observation):
        tables["cells"] = group.cells[elements]
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **tables)
    return buffer.getvalue()
