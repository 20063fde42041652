"""Networks, action heads, learners and general players: the plugin module of this package.

Loading it imports neither torch nor numba; the targets do, at first use.
"""

import pluggy

from lanista.hookspecs import Register
from lanista_agents.settings import MlpSettings, PpoSettings

hookimpl = pluggy.HookimplMarker("lanista")


@hookimpl
def register_networks(register: Register) -> None:
    """Offer the networks."""
    register(
        "mlp",
        "lanista_agents.networks.mlp:Mlp",
        settings=MlpSettings,
        summary="dense layers and residual blocks over the flattened observation",
    )


@hookimpl
def register_heads(register: Register) -> None:
    """Offer the action heads."""
    register(
        "categorical", "lanista_agents.heads.categorical:Categorical", summary="one of A actions, masked"
    )


@hookimpl
def register_learners(register: Register) -> None:
    """Offer the learners."""
    register(
        "ppo",
        "lanista_agents.ppo:Ppo",
        settings=PpoSettings,
        summary="proximal policy optimisation with GAE over each seat's decisions",
    )
