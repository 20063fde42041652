"""An optimiser's moments as a flat dictionary of tensors, and back: what a checkpoint without pickle can hold."""

import torch
from torch import Tensor

from lanista.errors import CheckpointError


def optimiser_tensors(optimiser: torch.optim.Optimizer) -> dict[str, Tensor]:
    """``"<place>.<key>"`` -> tensor, where `place` counts the parameters over all groups."""
    return {
        f"{place}.{key}": torch.as_tensor(value).clone()
        for place, moments in optimiser.state_dict()["state"].items()
        for key, value in moments.items()
    }


def restore_optimiser(optimiser: torch.optim.Optimizer, tensors: dict[str, Tensor]) -> None:
    """Give an optimiser over the same parameters its moments back (groups keep their own settings)."""
    state: dict[int, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        place, _, key = name.partition(".")
        state.setdefault(int(place), {})[key] = tensor
    count = sum(len(group["params"]) for group in optimiser.param_groups)
    if state and max(state) >= count:
        raise CheckpointError(
            f"the optimiser's state speaks of parameter {max(state)}, the network has {count}; "
            "the recipe's network differs from the one that was saved"
        )
    optimiser.load_state_dict({"state": state, "param_groups": optimiser.state_dict()["param_groups"]})
