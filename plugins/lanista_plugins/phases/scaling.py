"""How a student scales what it sees: by what was seen, where the env's own numbers say little.

Observations of robots may be small fractions or thousands, and an env from elsewhere declares no magnitudes, or
bounds that are never met. A network that is handed them as they are learns slowly or not at all. The center and the
spread found here go into the policy's card, hence into its network, its ONNX file and its bundle.
"""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from lanista.policy import Policy
from lanista.spec import ObsPart

#: nothing seen lies further out than this many spreads, so that what is rare is not huge
_FARTHEST = 5.0
#: the spread is at least this share of the one that the env declares, which knows of states that were not met yet
_LEAST_SHARE = 0.1

#: a number that is this many of the teacher's own deviations from its mean is unknown to it; such teachers clip there
_UNKNOWN = 10.0
#: a teacher of which this share of the numbers is unknown sees through the wrong statistics
_MOST_UNKNOWN = 0.2

Scaling = dict[str, dict[str, list[float]]]


def measured_scaling(parts: Sequence[ObsPart], seen: Mapping[str, Tensor]) -> Scaling:
    """Center and spread of every number of the flat float32 parts, over rows ``[B, size]``.

    A number that never changed keeps the env's own spread. Boards, pictures and whole numbers keep the env's own.
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
        scaling[part.name] = {"center": center.tolist(), "spread": spread.tolist()}
    return scaling


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
