"""How the policy of a `train` phase begins: fresh weights, those of a policy that there is, or those grown."""

from dataclasses import replace

import torch

from lanista.env import VecEnv
from lanista.errors import RecipeError
from lanista.phases import PhaseContext
from lanista.policy import Policy, build_policy, load_policy
from lanista.spec import EnvSpec
from lanista_plugins.phases.settings import TrainSettings


def starting_policy(context: PhaseContext, settings: TrainSettings, env: VecEnv) -> Policy:
    """Build the policy and give it its first weights; fresh and grown ones come from a stream of the phase's own."""
    previous = _policy_before(context, settings, env)
    if settings.network is None:
        if previous is None:
            raise RecipeError(
                f'phase {context.name!r}: the first phase must name its network, for example "mlp"'
            )
        use, options = previous.card.network, previous.card.network_settings
    else:
        use = settings.network.use
        options = settings.network.settings(context.registry).model_dump(mode="json")
    card = context.card(env, use, options)
    same = previous is not None and (previous.card.network, previous.card.network_settings) == (use, options)
    start = settings.start
    if start == "auto":
        start = "carry" if same else "fresh"
    torch.manual_seed(context.derive("weights"))
    if start == "fresh":
        if settings.warm_start is not None:
            assert previous is not None  # `_policy_before` loaded it
            raise RecipeError(
                f"phase {context.name!r}: warm_start = {settings.warm_start!r} would be left unused, for the network begins "
                f"afresh ({use} {options}, and that policy's is {previous.card.network} {previous.card.network_settings}); "
                'leave `network` out, set start = "grow", or name the policy as the teacher'
            )
        return build_policy(card, context.registry)
    if previous is None:
        raise RecipeError(f"phase {context.name!r}: start = {start!r} needs a phase before it, or warm_start")
    if previous.card.network != use:
        raise RecipeError(
            f"phase {context.name!r}: start = {start!r} keeps the kind of network; the policy before has "
            f'{previous.card.network!r}, this one {use!r}; use start = "fresh" with a teacher'
        )
    # Weights that were learnt behind a scaling keep it.
    card = replace(card, scaling=previous.card.scaling)
    if start == "carry":
        if not same:
            raise RecipeError(
                f'phase {context.name!r}: start = "carry" needs the same network settings as the policy before; '
                'use start = "grow", or "fresh" with a teacher'
            )
        return Policy(previous.network, previous.heads, card)
    grown = previous.network.grow(context.registry.settings("networks", use, options))
    return Policy(grown, previous.heads, card)


def _policy_before(context: PhaseContext, settings: TrainSettings, env: VecEnv) -> Policy | None:
    """The policy to go on from, if any: that of `warm_start`, else that of the phase before."""
    if settings.warm_start is None:
        return None if context.previous is None else load_policy(context.previous, context.registry)
    policy = context.policy_of(settings.warm_start, env)
    if _forms(policy.card.spec) != _forms(env.spec):
        raise RecipeError(
            f"phase {context.name!r}: warm_start = {settings.warm_start!r} was made for another observation or other "
            f"heads than {env.spec.name} has here; name one that was made for these settings of the env"
        )
    policy.network.requires_grad_(True)
    return policy


def _forms(spec: EnvSpec) -> list[tuple[object, ...]]:
    """What a network must be shown and asked for to go on; the sides of a board are left out, which may change."""
    parts = [*spec.observation, *spec.unit_observation]
    shapes = [
        (part.name, part.dtype, part.shape[:1] if len(part.shape) == 3 else part.shape) for part in parts
    ]
    return [*shapes, *((head.name, head.kind, head.size, head.units) for head in spec.heads)]
