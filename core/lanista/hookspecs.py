"""Every extension point of lanista, and nothing else.

Each `register_*` hook receives a *callable* and calls it once for each thing it offers:
``register(name, "module:attribute", settings=Model, summary="...")``. The target is imported at first use,
so loading a plugin stays cheap. Events tell what happened and return nothing.
"""

from typing import TYPE_CHECKING, Any, Protocol

import pluggy

if TYPE_CHECKING:
    import typer
    from pydantic import BaseModel

hookspec = pluggy.HookspecMarker("lanista")


class Register(Protocol):
    """What a `register_*` hook is handed."""

    def __call__(
        self,
        name: str,
        target: str,
        *,
        settings: "type[BaseModel] | None" = None,
        summary: str = "",
        **traits: Any,  # noqa: ANN401 - each kind documents the traits it reads
    ) -> None:
        """Offer `target` ("module:attribute") under `name`; `settings` checks the recipe table that names it.

        A name that ends with ":" is a family: it answers for every longer name, and the trait ``rest="field"`` says
        which field of `settings` takes what follows the colon.
        """


@hookspec
def register_envs(register: Register) -> None:
    """Offer envs: ``factory(num_games, settings, num_threads) -> VecEnv``.

    Trait ``portable=("package.codec", ["package.kernels"])`` names the modules that go into a bundle;
    ``kaggle="connectx"`` the environment on Kaggle whose games these are, and ``kaggle_configuration="module:function"``
    leads the env's settings to those of that environment; ``official_state="module:function"``: ``(env, obs, config)``
    makes game 0 what an observation there shows and gives the seat; ``viewer="package.viewer"`` a module that
    keeps `lanista.viewer.recording.Viewer`, for `lanista watch`. ``codec="field"`` names the field of the
    settings that holds the text of a codec (`lanista.codec`), which then goes into bundles in place of ``portable``.
    ``replays="module:read_game"`` reads replay files of the platform for phases that learn from games:
    ``read_game(file, settings, spec)`` gives a `lanista.games.kept_games.KeptGame`, None for one of other settings.
    ``held_out={"maps": "held_out"}`` are settings with which an env of maps or levels plays only such as it never plays
    without them: figures are taken there (`lanista.held_out`). ``first_held_out_seed=900`` says from which
    seed on the platform's games are on such levels.
    """


@hookspec
def register_networks(register: Register) -> None:
    """Offer networks: ``factory(observation, heads, settings) -> lanista.policy.Network``."""


@hookspec
def register_heads(register: Register) -> None:
    """Offer action heads: a class that keeps `lanista.policy.Head`."""


@hookspec
def register_learners(register: Register) -> None:
    """Offer learners: ``factory(policy, settings, seed) -> lanista.learning.Learner``."""


@hookspec
def register_players(register: Register) -> None:
    """Offer scripted players: ``factory(env_spec, settings, seed) -> lanista.players.Player``.

    Trait ``envs=("connectx",)`` says which envs it can play; without it, any.
    """


@hookspec
def register_phases(register: Register) -> None:
    """Offer phase kinds: ``factory(context, settings) -> lanista.phases.Phase``."""


@hookspec
def register_shapers(register: Register) -> None:
    """Offer reward shapers: ``factory(env_spec, settings) -> lanista.shaping.Shaper``."""


@hookspec
def register_distillers(register: Register) -> None:
    """Offer distillation losses: ``factory(settings) -> lanista.learning.Distiller``."""


@hookspec
def register_teachers(register: Register) -> None:
    """Offer teachers from elsewhere: ``factory(settings, card, registry) -> Policy``, or a `LiveTeacher`.

    `card` is a `lanista.policy.PolicyCard` without a network: its `spec` says for which env, its `heads` in whose
    words the teacher has to speak. See `lanista.teachers`.
    """


@hookspec
def register_matchmakers(register: Register) -> None:
    """Offer matchmakers: ``factory(settings) -> lanista.league.Matchmaker``."""


@hookspec
def register_loggers(register: Register) -> None:
    """Offer loggers: ``factory(run_folder, settings) -> lanista.metrics.Logger``."""


@hookspec
def register_targets(register: Register) -> None:
    """Offer submission targets: a class that keeps the target contract of the submission package."""


@hookspec
def register_recipes(register: Register) -> None:
    """Offer recipes: the target is ``"package:path/inside/it.toml"``."""


@hookspec
def register_commands(app: "typer.Typer") -> None:
    """Add commands to the command line."""


@hookspec
def run_started(run: Any) -> None:  # noqa: ANN401 - lanista.run.Run, not imported so that this file stays light
    """A run begins or is resumed."""


@hookspec
def update_finished(run: Any, phase: str, update: int, metrics: dict[str, float]) -> None:  # noqa: ANN401
    """A learner update is over; called between rollouts, never inside the step loop."""


@hookspec
def phase_finished(run: Any, phase: str) -> None:  # noqa: ANN401
    """A phase is over and has handed its policy on."""


@hookspec
def run_finished(run: Any) -> None:  # noqa: ANN401
    """A run is over and its folder complete."""
