"""What must hold of an env that a plugin offers: the contract of `VecEnv`, and what its traits name."""

import importlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from lanista.errors import EnvContractError
from lanista.held_out import held_out_settings
from lanista.plugins import Registry
from lanista.spec import EnvSpec
from lanista.symmetry.declared import Symmetries
from lanista.symmetry.find import declared_symmetries
from lanista.testing.complaints import Complaints
from lanista.testing.env_contract import check_env
from lanista.testing.env_replay import Chooser
from lanista.testing.grounds import settings_of

#: games that are played with and without held-out levels, and for how many steps
_GAMES, _STEPS = 8, 40


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
    _check_held_out(registry, name, settings.model_dump(), complaints)
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


def _check_held_out(
    registry: Registry, name: str, options: Mapping[str, Any], complaints: Complaints
) -> None:
    """With the settings of its trait `held_out` an env must show the same things, and play other games."""
    wanted = held_out_settings(registry, name)
    if not wanted:
        return
    factory = registry.load("envs", name)
    envs = [
        factory(_GAMES, registry.settings("envs", name, here), 1) for here in (options, {**options, **wanted})
    ]
    first, second = (
        (env.spec.seats, env.spec.observation, env.spec.heads, env.spec.unit_observation) for env in envs
    )
    complaints.refuse(
        first != second, "trait held_out", "changes the seats, the observation or the heads",
        "name settings that change nothing but which levels are played",
    )  # fmt: skip
    choosers = [Chooser(_GAMES, 0) for _ in envs]
    for env in envs:
        env.reset(0)
    for _ in range(_STEPS):
        shown = [env.observation.values() for env in envs]
        if not all(np.array_equal(*parts) for parts in zip(*shown, strict=True)):
            break
        for env, chooser in zip(envs, choosers, strict=True):
            env.step(chooser.choose(env))
    else:
        complaints.refuse(
            True, "trait held_out", f"plays the same games as without it, over {_STEPS} steps of {_GAMES} games",
            "let its settings lead to levels that are never drawn without them",
        )  # fmt: skip
    for env in envs:
        env.close()
