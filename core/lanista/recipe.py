"""Recipes: a TOML file becomes frozen, checked models, or one sentence on what is wrong with it.

1. The text is read and `--set key=value` changes are laid over it (dotted paths; a phase by name or place).
2. The top is checked here, each phase by the settings model of its kind, each plugin table by its plugin's.
3. `resolved_toml` writes the whole recipe with every default filled in; a run folder keeps that.
"""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from lanista.errors import RecipeError
from lanista.hints import validation_sentences
from lanista.plugins import Registry
from lanista.registry import recipe_text
from lanista.tables import EnvTable, HeadTable, LoggerTable, TargetTable, resolved, tables


class VerifySettings(BaseModel):
    """How a run's archive is played before anyone sends it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    #: games a pairing (an opponent and a seat order), 1 or more
    games: int = Field(default=10, ge=1)
    #: opponent -> least win rate, 0..1; a missed one fails the run
    min_win_rate: dict[str, float] = {}


class EvaluateSettings(BaseModel):
    """Greedy play at regular env steps, so that runs can be compared; it changes nothing in the training."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    #: env steps of the run between evaluations, 1 or more; the phases' rollouts had best divide it
    every: int = Field(ge=1)
    #: greedy episodes, or games a seat order against `opponent`, 1 or more
    episodes: int = Field(default=100, ge=1)
    #: the player to score against where the env has more than one seat
    opponent: str | None = None
    #: the mean return, or the score, from which the task counts as solved; none: `lanista compare` leaves that out
    bar: float | None = None


class RecipeTop(BaseModel):
    """The keys at the top of a recipe; `phases` is checked phase by phase."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    #: what the run is called in logs and folders
    name: str = Field(min_length=1, pattern=r"^[A-Za-z0-9_.-]+$")
    #: one or two sentences for `lanista recipes`
    summary: str = ""
    #: the run's seed, 0 or more; every stream is derived from it
    seed: int = Field(default=0, ge=0)
    #: torch and numba threads, 1 or more; recorded and restored on resume
    num_threads: int = Field(default=1, ge=1)
    #: the game and its settings
    env: EnvTable
    #: head -> the family of its actions, in all phases, such as "gaussian"; none: the one that the env names
    heads: dict[str, HeadTable] = {}
    #: phases in order, at least one
    phases: tuple[dict[str, Any], ...] = Field(min_length=1)
    #: where the archive goes: `"onnx"` for a bare network, `"kaggle:connectx"`, ...; none skips the export
    target: TargetTable | None = None
    #: checks of the finished archive; none skips them
    verify: VerifySettings | None = None
    #: evaluation at regular env steps, over all phases; none skips it
    evaluate: EvaluateSettings | None = None
    #: loggers beside metrics.jsonl
    loggers: tuple[LoggerTable, ...] = ()

    @field_validator("phases")
    @classmethod
    def _phases_have_names(cls, phases: tuple[dict[str, Any], ...]) -> tuple[dict[str, Any], ...]:
        names = []
        for place, phase in enumerate(phases):
            for key in ("name", "kind"):
                if not isinstance(phase.get(key), str):
                    raise ValueError(f'phase {place} has no {key}; write {key} = "..."')
            names.append(phase["name"])
        twice = {name for name in names if names.count(name) > 1}
        if twice:
            raise ValueError(f"two phases are called {sorted(twice)[0]!r}; names must differ")
        return phases


@dataclass(frozen=True)
class PhaseRecipe:
    """One phase as the recipe wants it; `settings` is the kind's own frozen model."""

    name: str
    kind: str
    settings: Any


@dataclass(frozen=True)
class Recipe:
    """A checked recipe."""

    top: RecipeTop
    phases: tuple[PhaseRecipe, ...]


def read_recipe(source: str, registry: Registry, base: Path | None = None) -> dict[str, Any]:
    """Read a recipe by plugin name or file path as plain values."""
    path = (base or Path()) / source
    if source in registry.names("recipes"):
        text = recipe_text(registry.get("recipes", source))
    elif path.is_file():
        text = path.read_text(encoding="utf-8")
    elif source.endswith(".toml") or "/" in source:
        raise RecipeError(f"no recipe file {source!r}; `lanista recipes` lists those that come with a name")
    else:
        registry.get("recipes", source)  # raises, naming the nearest
        raise RecipeError(f"recipe {source!r} is not offered")
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise RecipeError(f"recipe {source!r} is not valid TOML: {error}") from error
    found: dict[str, Any] = (
        _beside(values, path.parent) if source not in registry.names("recipes") else values
    )
    return found


def _beside(value: Any, folder: Path) -> Any:  # noqa: ANN401 - walks plain TOML values
    """Make every text that names a Python file in the recipe's folder the whole path of that file."""
    if isinstance(value, dict):
        return {key: _beside(item, folder) for key, item in value.items()}
    if isinstance(value, list):
        return [_beside(item, folder) for item in value]
    if isinstance(value, str) and value.endswith(".py") and "\n" not in value and (folder / value).is_file():
        return str((folder / value).absolute())
    return value


def apply_changes(values: dict[str, Any], changes: Iterable[str]) -> dict[str, Any]:
    """Lay ``key.path=value`` changes over a recipe's values (in place) and give it back.

    A value is read as TOML and taken as text if that fails. Lists are entered by place, phases also by name.
    """
    for change in changes:
        path, sign, text = change.partition("=")
        if not sign or not path.strip():
            raise RecipeError(f"--set takes key=value, found {change!r}; for example --set seed=3")
        try:
            value = tomllib.loads(f"value = {text}")["value"]
        except tomllib.TOMLDecodeError:
            value = text
        *steps, last = path.strip().split(".")
        place: Any = values
        for step in steps:
            place = _enter(place, step, path, create=True)
        if isinstance(place, list):
            place[_index(place, last, path)] = value
        elif isinstance(place, dict):
            place[last] = value
        else:
            raise RecipeError(f"--set {path}: {steps[-1]!r} holds {place!r}, not a table; set it as a whole")
    return values


def _index(place: list[Any], step: str, path: str) -> int:
    names = [item.get("name") if isinstance(item, dict) else None for item in place]
    if step in names:
        return names.index(step)
    if step.isdigit() and int(step) < len(place):
        return int(step)
    known = ", ".join(str(name) for name in names if name) or f"0 to {len(place) - 1}"
    raise RecipeError(f"--set {path}: no entry {step!r} here; there are: {known}")


def _enter(place: Any, step: str, path: str, create: bool) -> Any:  # noqa: ANN401 - walks plain TOML values
    if isinstance(place, list):
        return place[_index(place, step, path)]
    if not isinstance(place, dict):
        raise RecipeError(f"--set {path}: {step!r} lies inside {place!r}, which is not a table")
    found = place.setdefault(step, {}) if create else place[step]
    if isinstance(found, str) and step in {"env", "network", "student", "learner", "target", "matchmaker"}:
        found = place[step] = {"use": found}
    return found


def check_recipe(values: Mapping[str, Any], registry: Registry) -> Recipe:
    """Check plain values against every model that has a say; a RecipeError lists all that is wrong in one phase."""
    try:
        top = RecipeTop.model_validate(dict(values))
    except ValidationError as error:
        raise RecipeError(f"recipe: {validation_sentences(error, RecipeTop)}") from error
    _check_tables(top, registry, "")
    phases = []
    for table in top.phases:
        options = {key: value for key, value in table.items() if key not in {"name", "kind"}}
        try:
            settings = registry.settings("phases", table["kind"], options)
        except RecipeError as error:
            raise RecipeError(f"phase {table['name']!r}: {error}") from error
        _check_tables(settings, registry, f"phase {table['name']!r}: ")
        phases.append(PhaseRecipe(table["name"], table["kind"], settings))
    return Recipe(top, tuple(phases))


def _check_tables(model: BaseModel, registry: Registry, where: str) -> None:
    for path, table in tables(model):
        try:
            table.settings(registry)
        except RecipeError as error:
            raise RecipeError(f"{where}{path}: {error}") from error


def resolved_values(recipe: Recipe, registry: Registry) -> dict[str, Any]:
    """The recipe as plain values with every default filled in; `check_recipe` reads it back unchanged."""
    values = resolved(recipe.top, registry)
    values["phases"] = [
        {"name": phase.name, "kind": phase.kind, **resolved(phase.settings, registry)}
        for phase in recipe.phases
    ]
    pruned: dict[str, Any] = _without_none(values)
    return pruned


def resolved_toml(recipe: Recipe, registry: Registry) -> str:
    """The resolved recipe as TOML text."""
    import tomli_w

    return tomli_w.dumps(resolved_values(recipe, registry), multiline_strings=True)


def _without_none(value: Any) -> Any:  # noqa: ANN401 - TOML has no null; an absent key means the default
    if isinstance(value, dict):
        return {key: _without_none(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_without_none(item) for item in value]
    return value
