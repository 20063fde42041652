"""ONNX export, the numpy runtime, bundles and their verification: the plugin module of this package.

Loading it imports neither torch nor onnx; the targets and commands do, when they are used.
"""

from typing import TYPE_CHECKING

import pluggy

from lanista.hookspecs import Register
from lanista_submission.targets.kaggle_connectx import ConnectXTargetSettings
from lanista_submission.targets.kaggle_game import KaggleGameSettings
from lanista_submission.targets.kaggle_lux import LuxSettings
from lanista_submission.targets.onnx import OnnxSettings

if TYPE_CHECKING:
    import typer

hookimpl = pluggy.HookimplMarker("lanista")


@hookimpl
def register_targets(register: Register) -> None:
    """Offer the platforms that entries can be made for."""
    register(
        "kaggle:connectx",
        "lanista_submission.targets.kaggle_connectx:ConnectX",
        settings=ConnectXTargetSettings,
        summary="Kaggle's Connect X: a tar.gz that needs Python and numpy",
    )
    register(
        "kaggle:lux_ai_2021",
        "lanista_submission.targets.kaggle_lux:LuxAi2021",
        settings=LuxSettings,
        summary="Kaggle's Lux AI Season 1, on all of its boards: a tar.gz that needs Python and numpy",
    )
    register(
        "kaggle:",
        "lanista_submission.targets.kaggle_game:KaggleGame",
        settings=KaggleGameSettings,
        summary="any game of kaggle-environments whose policy has a codec: kaggle:hungry_geese",
        rest="game",
    )
    register(
        "local",
        "lanista_submission.targets.local:Local",
        summary="any env, judged by its own rules: a tar.gz that needs Python and numpy",
    )
    register(
        "onnx",
        "lanista_submission.targets.onnx:Onnx",
        settings=OnnxSettings,
        summary="the policy as a bare ONNX file",
    )


@hookimpl
def register_commands(app: "typer.Typer") -> None:
    """Add the commands; each module imports what is heavy inside them."""
    from lanista_submission.commands import card, doctor, export, pack, verify

    for module in (card, doctor, export, pack, verify):
        module.attach(app)
