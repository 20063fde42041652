"""Contracts as tests, for the authors of plugins: one function a kind, each raises one sentence or passes.

All but `check_env` take a registry (``lanista.plugins.load_plugins().registry``) and the name that a plugin registered::

    def test_my_shaper_keeps_its_contract():
        check_shaper(load_plugins().registry, "speed")

``lanista check plugin NAME`` runs them all.
"""

from lanista.testing.commands import check_commands
from lanista.testing.distillers import check_distiller, check_loss
from lanista.testing.env_contract import check_env
from lanista.testing.env_offer import check_env_offer
from lanista.testing.heads import check_head
from lanista.testing.learners import check_learner
from lanista.testing.loggers import check_logger
from lanista.testing.matchmakers import check_matchmaker
from lanista.testing.networks import check_network
from lanista.testing.phases import check_phase
from lanista.testing.players import check_player
from lanista.testing.recipes import check_recipe_offer
from lanista.testing.shapers import check_shaper
from lanista.testing.targets import check_target
from lanista.testing.teachers import check_teacher

__all__ = [
    "check_commands",
    "check_distiller",
    "check_env",
    "check_env_offer",
    "check_head",
    "check_learner",
    "check_logger",
    "check_loss",
    "check_matchmaker",
    "check_network",
    "check_phase",
    "check_player",
    "check_recipe_offer",
    "check_shaper",
    "check_target",
    "check_teacher",
]
