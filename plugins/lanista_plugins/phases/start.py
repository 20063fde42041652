"""How the policy of a `train` phase begins: fresh weights, the phase before's, or those grown."""

from dataclasses import replace

import torch

from lanista.env import VecEnv
from lanista.errors import RecipeError
from lanista.phases import PhaseContext
from lanista.policy import Policy, build_policy, load_policy
from lanista_plugins.phases.settings import TrainSettings


def starting_policy(context: PhaseContext, settings: TrainSettings, env: VecEnv) -> Policy:
    """Build the policy and give it its first weights; fresh and grown ones come from a stream of the phase's own."""
    previous = None if context.previous is None else load_policy(context.previous, context.registry)
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
        return build_policy(card, context.registry)
    if previous is None:
        raise RecipeError(f"phase {context.name!r}: start = {start!r} needs a phase before it")
    if previous.card.network != use:
        raise RecipeError(
            f"phase {context.name!r}: start = {start!r} keeps the kind of network; the phase before has "
            f'{previous.card.network!r}, this one {use!r}; use start = "fresh" with a teacher'
        )
    # Weights that were learnt behind a scaling keep it.
    card = replace(card, scaling=previous.card.scaling)
    if start == "carry":
        if not same:
            raise RecipeError(
                f'phase {context.name!r}: start = "carry" needs the same network settings as the phase before; '
                'use start = "grow", or "fresh" with a teacher'
            )
        return Policy(previous.network, previous.heads, card)
    grown = previous.network.grow(context.registry.settings("networks", use, options))
    return Policy(grown, previous.heads, card)
