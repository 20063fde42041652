"""What a student is before it learns: its network, its first weights, its losses where the recipe names none."""

from dataclasses import replace
from typing import Protocol

import torch

from lanista.env import VecEnv
from lanista.errors import RecipeError
from lanista.phases import PhaseContext
from lanista.policy import Policy, build_policy
from lanista.spec import EnvSpec
from lanista.tables import DistillerTable, NetworkTable
from lanista_plugins.phases.scaling import Scaling
from lanista_plugins.phases.settings import LossSettings, TaughtBy


class Beginning(Protocol):
    """What the settings of a phase say of a student's first weights; one of the two is there."""

    @property
    def network(self) -> NetworkTable | None:
        """Its network."""

    @property
    def warm_start(self) -> str | None:
        """The policy whose weights it begins with."""


def fresh_student(context: PhaseContext, settings: Beginning, env: VecEnv, scaling: Scaling) -> Policy:
    """Build the student, with weights from a stream of the phase's own or those of `warm_start`."""
    if settings.warm_start is None:
        assert settings.network is not None  # the settings' own validator sees to it
        use, options = (
            settings.network.use,
            settings.network.settings(context.registry).model_dump(mode="json"),
        )
        torch.manual_seed(context.derive("weights"))
        return build_policy(replace(context.card(env, use, options), scaling=scaling), context.registry)
    begun = context.policy_of(settings.warm_start, env)
    use, options = begun.card.network, begun.card.network_settings
    if settings.network is not None:
        asked = settings.network.settings(context.registry).model_dump(mode="json")
        if (settings.network.use, asked) != (use, options):
            raise RecipeError(
                f"phase {context.name!r}: the student begins with the weights of {settings.warm_start!r}, whose "
                f"network is {use} {options}, and the recipe asks for {settings.network.use} {asked}; leave `network` "
                "out, or `warm_start`"
            )
    card = replace(context.card(env, use, options), scaling=begun.card.scaling)
    begun.network.requires_grad_(True)
    return Policy(begun.network, begun.heads, card)


def losses_for(spec: EnvSpec, settings: TaughtBy) -> tuple[LossSettings, ...]:
    """The recipe's terms; without any the one that fits the env's heads."""
    if settings.losses:
        return settings.losses
    if all(head.continuous for head in spec.heads):
        return (LossSettings(loss=DistillerTable(use="mse")),)
    return (LossSettings(loss=DistillerTable.model_validate({"use": "kl", "temperature": 0.2})),)
