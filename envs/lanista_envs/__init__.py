"""The envs that come with lanista, offered through the plugin door like anybody's.

Loading this module imports neither numba nor gymnasium: rules are compiled when an env is first built.
"""

from typing import TYPE_CHECKING

import pluggy

from lanista.hookspecs import Register
from lanista_envs.cartpole.settings import CartPoleSettings
from lanista_envs.connectx.settings import ConnectXSettings, NegamaxSettings
from lanista_envs.inward.settings import GymnasiumSettings, PettingZooSettings
from lanista_envs.kaggle.settings import KaggleAgentSettings, KaggleSettings
from lanista_envs.lux.maps import HELD_OUT as LUX_HELD_OUT
from lanista_envs.lux.settings import PORTABLE as LUX_KERNELS
from lanista_envs.lux.settings import LuxS1Settings
from lanista_envs.mountaincar.settings import MountainCarSettings
from lanista_envs.pendulum.settings import PendulumSettings

if TYPE_CHECKING:
    import typer

hookimpl = pluggy.HookimplMarker("lanista")


@hookimpl
def register_envs(register: Register) -> None:
    """Offer the native envs."""
    register(
        "cartpole",
        "lanista_envs.cartpole.env:CartPole",
        settings=CartPoleSettings,
        summary="balance a pole on a cart; the transitions of gymnasium's CartPole-v1",
        gymnasium_id="lanista/CartPole-v1",
        viewer="lanista_envs.cartpole.viewer",
    )
    register(
        "mountaincar",
        "lanista_envs.mountaincar.env:MountainCar",
        settings=MountainCarSettings,
        summary="drive a weak car out of a valley; the transitions of gymnasium's MountainCar-v0",
        gymnasium_id="lanista/MountainCar-v0",
        viewer="lanista_envs.mountaincar.viewer",
    )
    register(
        "pendulum",
        "lanista_envs.pendulum.env:Pendulum",
        settings=PendulumSettings,
        summary="swing a pendulum up with real-valued torque; the transitions of gymnasium's Pendulum-v1",
        gymnasium_id="lanista/Pendulum-v1",
        viewer="lanista_envs.pendulum.viewer",
    )
    register(
        "connectx",
        "lanista_envs.connectx.env:ConnectX",
        settings=ConnectXSettings,
        summary="Kaggle's Connect X: any board size and run length, two seats in turn",
        portable=("lanista_envs.connectx.codec", ["lanista_envs.connectx.rules"]),
        replays="lanista_envs.connectx.replayed:read_game",
        kaggle="connectx",
        kaggle_configuration="lanista_envs.connectx.settings:kaggle_configuration",
        official_state="lanista_envs.connectx.official_state:show",
        viewer="lanista_envs.connectx.viewer",
        symmetries="lanista_envs.connectx.symmetries:symmetries",
    )
    register(
        "lux_s1",
        "lanista_envs.lux.sizes:make_lux",
        settings=LuxS1Settings,
        held_out={"maps": "held_out"},
        first_held_out_seed=LUX_HELD_OUT,
        summary="Kaggle's Lux AI Season 1 (2021): square boards of one size or several, two seats, a table of acting units",
        portable=("lanista_envs.lux.codec", [f"lanista_envs.lux.{name}" for name in LUX_KERNELS]),
        kaggle="lux_ai_2021",
        kaggle_configuration="lanista_envs.lux.settings:kaggle_configuration",
        official_state="lanista_envs.lux.official_state:show",
        replays="lanista_envs.lux.replayed:read_game",
        viewer="lanista_envs.lux.viewer",
        symmetries="lanista_envs.lux.symmetries:symmetries",
    )
    register(
        "gymnasium:",
        "lanista_envs.inward.workers:gymnasium_env",
        settings=GymnasiumSettings,
        summary="any env of gymnasium, one seat: gymnasium:Acrobot-v1",
        rest="id",
    )
    register(
        "pettingzoo:",
        "lanista_envs.inward.pettingzoo_env:PettingZooEnv",
        settings=PettingZooSettings,
        summary="any game of PettingZoo, in turn or at once: pettingzoo:classic.tictactoe_v3",
        rest="module",
    )
    register(
        "kaggle:",
        "lanista_envs.kaggle.env:KaggleEnv",
        settings=KaggleSettings,
        summary="any game of kaggle-environments with one choice a turn, through a codec: kaggle:hungry_geese",
        rest="game",
        codec="codec_text",
        replays="lanista_envs.kaggle.replay_files:read_game",
    )


@hookimpl
def register_players(register: Register) -> None:
    """Offer the players that know one of our games."""
    register(
        "connectx_negamax",
        "lanista_envs.connectx.negamax:Negamax",
        settings=NegamaxSettings,
        summary="depth-limited alpha-beta search for Connect X, of the strength of the official negamax",
        envs=("connectx",),
    )
    register(
        "lux_woodland_v1",
        "lanista_envs.lux.scripted.players:WoodlandV1",
        summary="Lux by rule: expands along wood and keeps its cities through the nights; the stronger one",
        envs=("lux_s1",),
    )
    register(
        "lux_prospector_v1",
        "lanista_envs.lux.scripted.players:ProspectorV1",
        summary="Lux by rule: studies early with a small crew and settles where coal and uranium lie",
        envs=("lux_s1",),
    )
    register(
        "lux_simple",
        "lanista_envs.lux.scripted.players:Simple",
        summary="the official simple_agent of Lux, move for move",
        envs=("lux_s1",),
    )
    register(
        "kaggle:",
        "lanista_envs.kaggle.player:KaggleAgent",
        settings=KaggleAgentSettings,
        summary="an agent that a game of kaggle-environments brings along: kaggle:random",
        rest="agent",
    )


@hookimpl
def register_commands(app: "typer.Typer") -> None:
    """Add the commands of single games; each imports what is heavy when it is used."""
    from lanista_envs.lux.commands import group

    app.add_typer(group, name="lux")
