"""Between the JSON of the target `local` and the network. Portable: numpy alone.

The judge sends arrays as nested lists and says their types in the configuration, so this serves any env; what it
sends is written down in ``judge/local_messages.py``.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

Arrays = dict[str, npt.NDArray[Any]]


def observe(obs: Mapping[str, Any], config: Mapping[str, Any]) -> tuple[Arrays, Arrays]:
    """Give ({part: array}, {head: ``[A]`` bool})."""
    parts = {
        name: np.asarray(obs["observation"][name], dtype=part["dtype"]).reshape(part["shape"])
        for name, part in config["parts"].items()
    }
    return parts, {head: np.asarray(mask, dtype=np.bool_) for head, mask in obs["legal"].items()}


def act(action: Any, obs: Mapping[str, Any], config: Mapping[str, Any]) -> Any:  # noqa: ANN401 - any action
    """Give the network's choice as it is: the judge takes indices and lists of numbers."""
    return action
