"""What must hold of an env that a plugin offers: the contract of `VecEnv`, and what its traits name."""

import importlib
from collections.abc import Mapping
from typing import Any

from lanista.errors import EnvContractError
from lanista.plugins import Registry
from lanista.spec import EnvSpec
from lanista.symmetry.declared import Symmetries
from lanista.symmetry.find import declared_symmetries
from lanista.testing.complaints import Complaints
from lanista.testing.env_contract import check_env
from lanista.testing.grounds import settings_of


def check_env_offer(registry: Registry, name: str, *, options: Mapping[str, Any] | None = None) -> None:
    """Raise `LanistaError`, one sentence, for the first thing in which an env or its traits break the contract."""
    entry = registry.get("envs", name)
    complaints = Complaints.about(entry)
    settings = settings_of(registry, "envs", name, options)
    factory = registry.load("envs", name)
    probe = factory(1, settings, 1)
    for field in ("spec", "num_games"):
        complaints.refuse(
            not hasattr(probe, field),
            field,
            "is missing",
            "set it in the constructor; see lanista.env.VecEnv",
        )
    probe.close()

    def symmetries(spec: EnvSpec, settings: Any) -> Symmetries | None:  # noqa: ANN401 - its own settings model
        return declared_symmetries(registry, name, settings.model_dump(mode="json"), spec)

    try:
        check_env(factory, settings, symmetries=symmetries)
    except EnvContractError as error:
        sentence = str(error)
        _, _, rest = sentence.partition(": ")
        raise EnvContractError(f"{complaints.words}: {rest or sentence}") from error
    portable = entry.traits.get("portable")
    if portable is None:
        return
    complaints.refuse(
        not isinstance(portable, tuple | list) or len(portable) != 2 or not isinstance(portable[0], str),
        "trait portable", f"is {portable!r}"[:80], 'write portable=("package.codec", ["package.kernels"])',
    )  # fmt: skip
    codec = importlib.import_module(portable[0])
    for function in ("observe", "act"):
        complaints.refuse(
            not callable(getattr(codec, function, None)), f"trait portable: {portable[0]}", f"has no {function}()",
            "a codec has observe(obs, config) and act(index, obs, config)",
        )  # fmt: skip
    for module in portable[1]:
        importlib.import_module(module)
