"""What must hold of a target: it makes a file of a policy of its game. Playing it is the work of `lanista verify`."""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lanista.plugins import Registry
from lanista.testing.complaints import Complaints
from lanista.testing.grounds import envs_for
from lanista.testing.practice import offer_practice


def check_target(
    registry: Registry, name: str, *, options: Mapping[str, Any] | None = None, env: str | None = None
) -> None:
    """Raise `LanistaError`, one sentence, for the first thing in which a target breaks its contract.

    An untrained policy is delivered: one for `env`, else for the env of the target's `profile`, else for the plugin's
    own env or the practice game.
    """
    import torch

    from lanista.delivery import Delivered
    from lanista.policy import PolicyCard, build_policy, save_policy

    entry = registry.get("targets", name)
    complaints = Complaints.about(entry)
    registry.settings("targets", name, options or {})
    target = registry.load("targets", name)(registry)
    for method in ("deliver", "verify"):
        complaints.refuse(
            not callable(getattr(target, method, None)), method, "is missing",
            "keep lanista.delivery.Target: deliver and verify",
        )  # fmt: skip
    profile = getattr(target, "profile", None)
    env_name = env or getattr(profile, "env", None)
    offer_practice(registry)
    env_options: dict[str, Any] = (
        dict(getattr(profile, "env_settings", {})) if env is None and profile else {}
    )
    if env_name is None:
        env_name, env_options = next(envs_for(registry, entry, None))
    settings = registry.settings("envs", env_name, env_options)
    ground = registry.load("envs", env_name)(1, settings, 1)
    torch.manual_seed(0)
    card = PolicyCard(env_name, settings.model_dump(mode="json"), ground.spec, "mlp", {"hidden": [8]})
    ground.close()
    with tempfile.TemporaryDirectory(prefix="lanista-check-") as place:
        policy_folder, out = Path(place) / "policy", Path(place) / "out"
        out.mkdir()
        save_policy(policy_folder, build_policy(card, registry))
        given = target.deliver(Path(place), policy_folder, out)
        complaints.refuse(
            not isinstance(given, Delivered), "deliver", f"gave a {type(given).__name__}",
            "give lanista.delivery.Delivered(file, lines, record)",
        )  # fmt: skip
        complaints.refuse(
            not given.file.is_file(),
            "deliver",
            f"names {given.file.name}, which is not there",
            "write it there",
        )
