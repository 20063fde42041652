"""What a phase is to the run that drives it, and what the run offers to a phase.

The run calls `update` until `finished`, and between two updates it may take `state` for a checkpoint; a phase
that was given that state by `load_state` goes on bit for bit. At the end `result` names the policy that is
handed on.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

from lanista.arrays import AnyArray
from lanista.env import VecEnv
from lanista.errors import LanistaError, PluginError, RecipeError
from lanista.held_out import held_out
from lanista.hints import hint, told
from lanista.plugins import Registry
from lanista.policy import Policy, PolicyCard, load_policy
from lanista.seeds import derive_seed
from lanista.tables import EnvTable, HeadTable, TeacherTable
from lanista.teachers import LiveTeacher, build_teacher
from lanista.testing.complaints import Complaints
from lanista.testing.env_arrays import check_shapes, check_spec


@dataclass(frozen=True)
class PhaseState:
    """All that a phase needs to go on: plain JSON values and arrays by dotted name."""

    values: dict[str, Any]
    arrays: dict[str, AnyArray]


@dataclass(frozen=True)
class PhaseResult:
    """What a phase hands on: the policy and the figures that its card keeps."""

    policy: Policy
    #: "best by ..." or "last"
    chosen: str
    figures: dict[str, Any]
    #: the league, for the phases that follow
    carried: PhaseState | None = None


@dataclass
class PhaseContext:
    """What a run offers to one of its phases."""

    registry: Registry
    env: EnvTable
    name: str
    #: the run's folder; a phase writes below ``league/`` only
    run_folder: Path
    seed: int
    num_threads: int
    #: phase name -> folder of the policy that it handed on, in order
    policies: Mapping[str, Path]
    #: the policy folder of the phase before
    previous: Path | None = None
    #: the phase's own changes to the env's settings
    env_overrides: Mapping[str, Any] = field(default_factory=dict)
    #: env steps of the phases before
    steps_before: int = 0
    #: the league as the phase before left it
    carried: PhaseState | None = None
    #: head -> the family of its actions, where it is not the one that the env names
    heads: Mapping[str, HeadTable] = field(default_factory=dict)

    def make_env(self, num_games: int) -> VecEnv:
        """Build the run's env with the phase's changes (not yet reset); a wrong spec or array is an error here."""
        return self._build(num_games, {**self.env.options, **self.env_overrides})

    def make_measuring_env(self, num_games: int) -> VecEnv:
        """As `make_env`, on levels that training never plays if the env has such (`lanista.held_out`): for figures."""
        options = {**self.env.options, **self.env_overrides}
        return self._build(num_games, held_out(self.registry, self.env.use, options))

    def _build(self, num_games: int, options: Mapping[str, Any]) -> VecEnv:
        settings = self.registry.settings("envs", self.env.use, options)
        factory, entry = self.registry.load("envs", self.env.use), self.registry.get("envs", self.env.use)
        try:
            env: VecEnv = factory(num_games, settings, self.num_threads)
        except LanistaError:
            raise
        except Exception as error:
            raise PluginError(
                f"{entry.words} of plugin {entry.owner}: {entry.target} raised {told(error)} when it was called as "
                f"factory(num_games, settings, num_threads); mend that, and make an env of a class that plays one "
                f"game by lanista.one_game"
            ) from error
        if not isinstance(env, VecEnv):
            raise PluginError(
                f"{entry.words} of plugin {entry.owner}: {entry.target} gave a {type(env).__name__}, which is no "
                f"lanista.env.VecEnv; make an env of a class that plays one game by lanista.one_game"
            )
        complaints = Complaints(env.spec.name)
        check_spec(env.spec, complaints)
        check_shapes(env, complaints)
        return env

    def card(self, env: VecEnv, network: str, settings: dict[str, Any]) -> PolicyCard:
        """The card of a policy that this phase trains."""
        options = self.registry.settings("envs", self.env.use, {**self.env.options, **self.env_overrides})
        return PolicyCard(
            env=self.env.use,
            env_settings=options.model_dump(mode="json"),
            spec=env.spec,
            network=network,
            network_settings=settings,
            name=self.name,
            history={"phase": self.name, "seed": self.seed},
            heads=self._heads(env),
        )

    def _heads(self, env: VecEnv) -> dict[str, dict[str, Any]]:
        """Each head's plugin with all its settings."""
        names = [head.name for head in env.spec.heads]
        for name in self.heads:
            if name not in names:
                raise RecipeError(f"heads: env {env.spec.name} has no head {name!r}; {hint(name, names)}")
        tables = {head.name: self.heads.get(head.name, HeadTable(use=head.kind)) for head in env.spec.heads}
        return {
            name: {"use": table.use, **table.settings(self.registry).model_dump(mode="json")}
            for name, table in tables.items()
        }

    def derive(self, *names: object) -> int:
        """A seed for a use inside this phase."""
        return derive_seed(self.seed, *names)

    def policy_of(self, source: str | TeacherTable, env: VecEnv | None = None) -> Policy:
        """Load the policy of an earlier phase by name (``"previous"`` for the last one), of a run or policy folder,
        or a teacher of a plugin (``"sb3:FILE.zip"``), whose heads are then those that this phase's policies have.

        `env` is asked for its spec by the latter; one is made for that if there is none.
        """
        teacher = self.teacher_of(source, env)
        if isinstance(teacher, Policy):
            return teacher
        name = source if isinstance(source, str) else source.source
        raise RecipeError(
            f"phase {self.name!r}: {name!r} must see the env itself, which no policy does; use it as the teacher of a "
            f"distill phase, or name a policy"
        )

    def teacher_of(self, source: str | TeacherTable, env: VecEnv | None = None) -> Policy | LiveTeacher:
        """As `policy_of`, and also those that must see the env (`lanista.teachers.LiveTeacher`)."""
        table = TeacherTable(source=source) if isinstance(source, str) else source
        if table.source == "previous":
            if self.previous is None:
                raise RecipeError(f"phase {self.name!r}: there is no phase before it to take 'previous' from")
            return load_policy(self.previous, self.registry)
        if table.source in self.policies:
            return load_policy(self.policies[table.source], self.registry)
        if self.registry.offers("teachers", table.source):
            return self._foreign(table, env)
        folder = Path(table.source)
        if (folder / "final" / "policy.json").is_file():
            folder = folder / "final"
        if (folder / "policy.json").is_file():
            return load_policy(folder, self.registry)
        known = ", ".join(self.policies) or "none yet"
        teachers = ", ".join(self.registry.names("teachers"))
        raise RecipeError(
            f"phase {self.name!r}: {table.source!r} is neither an earlier phase ({known}) nor a run or policy folder "
            f"nor a teacher of a plugin ({teachers})"
        )

    def _foreign(self, table: TeacherTable, env: VecEnv | None) -> Policy | LiveTeacher:
        made = self.make_env(1) if env is None else env
        try:
            card = replace(self.card(made, "", {}), name=table.source)
        finally:
            if env is None:
                made.close()
        return build_teacher(table, card, self.registry)


class Phase(Protocol):
    """One stage of a run."""

    #: share of the phase that is over, 0..1
    progress: float
    finished: bool
    #: env steps so far in this phase
    steps: int
    #: the policy that is trained, as it is now: the recipe's `evaluate` plays it between updates
    policy: Policy

    def start(self) -> None:
        """Begin from nothing (a resumed phase gets `load_state` after this)."""

    def update(self) -> dict[str, float]:
        """Do one unit of work and give its metrics."""

    def result(self) -> PhaseResult:
        """Give what is handed on; raises `LanistaError` if the phase failed its own conditions."""

    def state(self) -> PhaseState:
        """Give all that is needed to go on."""

    def load_state(self, state: PhaseState) -> None:
        """Take back what `state` gave."""

    def close(self) -> None:
        """Let go of envs and files."""
