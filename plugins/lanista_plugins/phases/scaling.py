"""How a student scales what it sees: by what was seen, where the env's own numbers say little.

Observations of robots may be small fractions or thousands, and an env from elsewhere declares no magnitudes, or
bounds that are never met. A network that is handed them as they are learns slowly or not at all. The center and the
spread found here go into the policy's card, hence into its network, its ONNX file and its bundle.
"""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from lanista.spec import ObsPart

#: nothing seen lies further out than this many spreads, so that what is rare is not huge
_FARTHEST = 5.0
#: the spread is at least this share of the one that the env declares, which knows of states that were not met yet
_LEAST_SHARE = 0.1

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
