"""Networks, action heads, learners and general players: the plugin module of this package.

Loading it imports neither torch nor numba; the targets do, at first use.
"""

import pluggy

from lanista.hookspecs import Register
from lanista_agents.settings import (
    ActorSettings,
    ConvSettings,
    DeterministicSettings,
    GaussianSettings,
    GridResnetSettings,
    ImpalaSettings,
    MlpSettings,
    OnnxNetworkSettings,
    PpoSettings,
    UnitMlpSettings,
)
from lanista_agents.shipped.settings import ShippedSettings
from lanista_agents.teachers.settings import NpzSettings, OnnxSettings, PlayerTeacherSettings, Sb3Settings

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
    register(
        "conv",
        "lanista_agents.networks.conv:Conv",
        settings=ConvSettings,
        summary="3x3 convolutions and residual blocks over a board",
    )
    register(
        "unit_mlp",
        "lanista_agents.networks.unit_mlp:UnitMlp",
        settings=UnitMlpSettings,
        summary="dense layers over every unit, with its team and its seat as context",
    )
    register(
        "grid_resnet",
        "lanista_agents.networks.grid_resnet:GridResnet",
        settings=GridResnetSettings,
        summary="residual convolutions with squeeze-excitation over a board, units read in their cells",
    )
    register(
        "actor",
        "lanista_agents.networks.actor:Actor",
        settings=ActorSettings,
        summary="a dense policy of another library, with its observation scaling",
    )
    register(
        "onnx",
        "lanista_agents.networks.onnx_graph:OnnxGraph",
        settings=OnnxNetworkSettings,
        summary="a graph that onnxruntime runs; made by the teachers onnx:",
    )


@hookimpl
def register_heads(register: Register) -> None:
    """Offer the action heads."""
    register(
        "categorical", "lanista_agents.heads.categorical:Categorical", summary="one of A actions, masked"
    )
    register(
        "gaussian",
        "lanista_agents.heads.gaussian:Gaussian",
        settings=GaussianSettings,
        summary="A real numbers within bounds, normal distributions led there by tanh or clip",
    )
    register(
        "deterministic",
        "lanista_agents.heads.deterministic:Deterministic",
        settings=DeterministicSettings,
        summary="A real numbers within bounds, themselves and no distribution",
    )
    register(
        "units",
        "lanista_agents.heads.units:Units",
        summary="a choice for every acting unit of a seat, masked; stacked units do not clash",
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
    register(
        "impala",
        "lanista_agents.impala:Impala",
        settings=ImpalaSettings,
        summary="V-trace and UPGO policy gradients with TD(lambda) values over each seat's decisions",
    )


@hookimpl
def register_teachers(register: Register) -> None:
    """Offer the teachers from elsewhere."""
    register(
        "npz:",
        "lanista_agents.teachers.npz:npz_teacher",
        settings=NpzSettings,
        rest="file",
        env_of="lanista_agents.teachers.home:npz_env",
        summary="plain arrays of a dense policy",
    )
    register(
        "sb3:",
        "lanista_agents.teachers.sb3:sb3_teacher",
        settings=Sb3Settings,
        rest="file",
        summary="an agent of Stable-Baselines3, read without running what is in it",
    )
    register(
        "onnx:",
        "lanista_agents.teachers.onnx_file:onnx_teacher",
        settings=OnnxSettings,
        rest="file",
        env_of="lanista_agents.teachers.home:onnx_env",
        summary="a graph of ONNX, ours or a stranger's",
    )
    register(
        "player:",
        "lanista_agents.teachers.scripted:player_teacher",
        settings=PlayerTeacherSettings,
        rest="name",
        summary="a scripted player, which labels where it stands",
    )


@hookimpl
def register_players(register: Register) -> None:
    """Offer the players that can play any env."""
    register(
        "random",
        "lanista_agents.players:RandomPlayer",
        summary="legal actions, all equally probable",
    )
    register(
        "lux_demo_v1",
        "lanista_agents.shipped.player:lux_demo_v1",
        settings=ShippedSettings,
        summary="Lux by a small network that comes with lanista; its card says how it was trained and what it beats",
        envs=("lux_s1",),
        shipped="lanista_agents.shipped:lux_demo_v1",
    )
