"""Rock-paper-scissors as a lanista plugin: everything that the game needs, offered by name."""

from typing import TYPE_CHECKING

import lanista
from lanista.hookspecs import Register

if TYPE_CHECKING:
    import typer


@lanista.hookimpl
def register_envs(register: Register) -> None:
    """The game."""
    from lanista_rps.settings import RpsSettings

    register(
        "rps",
        "lanista_rps.env:Rps",
        settings=RpsSettings,
        summary="rock-paper-scissors over many rounds, both seats at once, as Kaggle plays it",
        portable=("lanista_rps.codec", []),
    )


@lanista.hookimpl
def register_shapers(register: Register) -> None:
    """Reward by round."""
    from lanista_rps.settings import PointsSettings

    register(
        "rps_points",
        "lanista_rps.points:Points",
        settings=PointsSettings,
        summary="what a won and a lost round are worth",
    )


@lanista.hookimpl
def register_matchmakers(register: Register) -> None:
    """Fictitious play."""
    from lanista_rps.settings import HistorySettings

    register(
        "rps_history",
        "lanista_rps.history:History",
        settings=HistorySettings,
        summary="fictitious play: every earlier self, the later ones more often",
    )


@lanista.hookimpl
def register_distillers(register: Register) -> None:
    """A loss whose minimum over several teachers is their average."""
    register("rps_brier", "lanista_rps.brier:Brier", summary="squared distance of the probabilities")


@lanista.hookimpl
def register_phases(register: Register) -> None:
    """The league's average strategy as one policy."""
    from lanista_rps.settings import AverageSettings

    register(
        "rps_average",
        "lanista_rps.average:Average",
        settings=AverageSettings,
        summary="teach one student the average strategy of a league's pool",
    )


@lanista.hookimpl
def register_targets(register: Register) -> None:
    """Kaggle's environment of the same name."""
    register(
        "kaggle:rps",
        "lanista_rps.target:KaggleRps",
        summary="Kaggle's rock-paper-scissors: a tar.gz that draws its signs",
        profile="lanista_rps:kaggle_rps.toml",
    )


@lanista.hookimpl
def register_recipes(register: Register) -> None:
    """With a league, and without one."""
    register("rps", "lanista_rps:recipes/rps.toml", summary="rock-paper-scissors by fictitious play")
    register(
        "rps-selfplay",
        "lanista_rps:recipes/rps-selfplay.toml",
        summary="rock-paper-scissors by plain self-play, which runs in circles",
    )


@lanista.hookimpl
def register_commands(app: "typer.Typer") -> None:
    """A look at the strategies of a run."""
    from lanista_rps.command import rps_strategies

    app.command("rps-strategies")(rps_strategies)
