"""A policy on another size of board: the same weights, for networks that read boards of any size."""

from lanista.errors import LanistaError
from lanista.plugins import Registry
from lanista.policy import Policy, PolicyCard, assemble_policy
from lanista_submission.errors import ExportError


def of_size(policy: Policy, size: int, registry: Registry) -> Policy:
    """The policy in its env with another `size`; raises `ExportError` if its weights depend on the board's size."""
    card = policy.card
    changed = {**card.env_settings, "size": size}
    if changed.get("sizes"):  # boards of several sizes, of which this file plays one
        changed["sizes"] = [size]
    settings = registry.settings("envs", card.env, changed)
    env = registry.load("envs", card.env)(1, settings, 1)
    spec = env.spec
    env.close()
    record = {**card.to_json(), "spec": spec.to_json(), "env_settings": changed}
    resized = assemble_policy(PolicyCard.from_json(record), registry)
    try:
        resized.network.load_state_dict(policy.network.state_dict())
    except (RuntimeError, LanistaError) as error:
        raise ExportError(
            f"network {card.network!r} of policy {card.name!r} has other weights on a board of {size} x {size} than on "
            f"its own, so the archive cannot play there; take a network that reads boards of any size (grid_resnet, "
            f"unit_mlp), or name only its own size in the target's `sizes`"
        ) from error
    return resized
