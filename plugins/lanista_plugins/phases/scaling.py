"""How a student scales what it sees: by what was seen, where the env's own numbers say little.

Observations of robots may be small fractions or thousands, and an env from elsewhere declares no magnitudes, or
bounds that are never met. A network that is handed them as they are learns slowly or not at all. The first states tell
little of numbers that change over a game, a clock above all; a teacher that has statistics of its own knows better. The
center and the spread found here go into the policy's card, hence into its network, its ONNX file and its bundle.
"""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from lanista.policy import Policy
from lanista.spec import ObsPart
from lanista.teachers import LiveTeacher

#: nothing seen lies further out than this many spreads, so that what is rare is not huge
_FARTHEST = 5.0
#: the spread is at least this share of the one that the env declares, which knows of states that were not met yet
_LEAST_SHARE = 0.1

#: a number that is this many of the teacher's own deviations from its mean is unknown to it; such teachers clip there
_UNKNOWN = 10.0
#: a teacher of which this share of the numbers is unknown sees through the wrong statistics
_MOST_UNKNOWN = 0.2

Scaling = dict[str, dict[str, list[float]]]
#: part -> centers and spreads ``[size]`` by which a teacher scales it
Known = dict[str, tuple[Tensor, Tensor]]


def measured_scaling(
    parts: Sequence[ObsPart], seen: Mapping[str, Tensor], known: Known | None = None
) -> Scaling:
    """Center and spread of every number of the flat float32 parts, over rows ``[B, size]``.

    A number of which the teacher has `known` a wider spread than the rows show gets the teacher's center and spread. One
    that never changed keeps the env's own spread. Boards, pictures and whole numbers keep the env's own.
    """
    scaling: Scaling = {}
    for part in parts:
        if part.dtype != "float32" or len(part.shape) != 1:
            continue
        rows = seen[part.name].to(torch.float64)
        center = rows.mean(dim=0)
        apart = rows - center
        spread = torch.maximum(apart.square().mean(dim=0).sqrt(), apart.abs().amax(dim=0) / _FARTHEST)
        own = torch.tensor(part.spread, dtype=torch.float64).expand(part.shape)
        if part.spread != (1.0,):
            spread = torch.maximum(spread, own * _LEAST_SHARE)
        spread = torch.where(spread > 1e-6 * (1.0 + center.abs()), spread, own)
        if known is not None and part.name in known:
            teachers_center, teachers_spread = known[part.name]
            wider = teachers_spread > spread
            center = torch.where(wider, teachers_center, center)
            spread = torch.where(wider, teachers_spread, spread)
        scaling[part.name] = {"center": center.tolist(), "spread": spread.tolist()}
    return scaling


@torch.no_grad()
def known_scaling(teacher: Policy | LiveTeacher, parts: Sequence[ObsPart]) -> Known:
    """What the teacher's own statistics say of each part; nothing where it has none.

    A policy of ours has them in its card. A network with statistics offers ``scaled(observation)``, as
    `statistics_problem` says: a line for every number, which two observations tell. A number that it leaves as it is
    tells nothing, and has spread 0 here.
    """
    if isinstance(teacher, LiveTeacher):
        return {}
    scaled = getattr(teacher.network, "scaled", None)
    if scaled is None:
        return {
            name: (
                torch.tensor(own["center"], dtype=torch.float64),
                torch.tensor(own["spread"], dtype=torch.float64),
            )
            for name, own in teacher.card.scaling.items()
        }
    if any(part.dtype != "float32" or len(part.shape) != 1 for part in parts):
        return {}
    at_zero, at_one = (
        scaled({part.name: torch.full((1, *part.shape), value) for part in parts})[0].to(torch.float64)
        for value in (0.0, 1.0)
    )
    slope = at_one - at_zero
    told = (slope > 0.0) & ~((slope == 1.0) & (at_zero == 0.0))
    spread = torch.where(told, 1.0 / slope, 0.0)
    pieces = [part.shape[0] for part in parts]
    return {
        part.name: (center, width)
        for part, center, width in zip(
            parts, torch.split(-at_zero * spread, pieces), torch.split(spread, pieces), strict=True
        )
    }


@torch.no_grad()
def statistics_problem(teacher: Policy, seen: Mapping[str, Tensor]) -> str | None:
    """Say so if rows ``[B, ...]`` lie far outside the statistics by which the teacher scales them.

    A network that scales by statistics of its own offers ``scaled(observation)``, ``[B, numbers]`` in deviations.
    """
    scaled = getattr(teacher.network, "scaled", None)
    if scaled is None:
        return None
    far = scaled(dict(seen)).abs()
    share = float((far > _UNKNOWN).float().mean())
    if share <= _MOST_UNKNOWN:
        return None
    worst = int((far > _UNKNOWN).float().mean(dim=0).argmax())
    return (
        f"{share:.0%} of the numbers seen lie more than {_UNKNOWN:.0f} deviations from the mean that the teacher knows "
        f"(number {worst} of the observation the oftenest), so it was trained on another scaling of them; give the "
        "statistics that belong to it (normalise), and the env the wrappers and the version that it was trained with"
    )
