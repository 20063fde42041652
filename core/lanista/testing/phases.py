"""What must hold of a phase kind: figures, progress, a state that goes on bit for bit, a policy at the end.

A kind that a recipe of the same plugin uses is tried in that recipe, after the phases before it (cut short). Another
one is tried alone, in the practice game.
"""

import math
import tempfile
from collections.abc import Mapping
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

import numpy as np

from lanista.plugins import Registry
from lanista.registry import Entry
from lanista.testing.complaints import Complaints
from lanista.testing.grounds import envs_for, settings_of

if TYPE_CHECKING:
    from lanista.phases import Phase, PhaseContext
    from lanista.recipe import Recipe

#: seconds after which a phase is not played to its end
PATIENCE_S = 20.0
#: env steps to which the phases before are cut
SHORT = 4096


def check_phase(registry: Registry, name: str, *, options: Mapping[str, Any] | None = None) -> None:
    """Raise `LanistaError`, one sentence, for the first thing in which a phase kind breaks its contract."""
    import torch

    entry = registry.get("phases", name)
    complaints = Complaints.about(entry)
    recipe = None if options else own_recipe(registry, entry)
    with tempfile.TemporaryDirectory(prefix="lanista-check-") as folder:
        deterministic = torch.are_deterministic_algorithms_enabled()
        torch.use_deterministic_algorithms(True)
        try:
            if recipe is None:
                context = _lone_context(registry, entry, name, Path(folder))
                settings = settings_of(registry, "phases", name, options)
            else:
                context, settings = _context_in(registry, recipe, name, Path(folder))
            _check_in(registry, name, context, settings, complaints)
        finally:
            torch.use_deterministic_algorithms(deterministic)


def own_recipe(registry: Registry, entry: Entry) -> "Recipe | None":
    """The first recipe of the entry's plugin that uses the phase kind, checked."""
    import tomllib

    from lanista.recipe import check_recipe
    from lanista.registry import recipe_text

    for other in registry.entries(entry.owner):
        if other.kind == "recipes":
            values = tomllib.loads(recipe_text(other))
            if any(phase.get("kind") == entry.name for phase in values.get("phases", ())):
                return check_recipe(values, registry)
    return None


def _lone_context(registry: Registry, entry: Entry, name: str, folder: Path) -> "PhaseContext":
    from lanista.phases import PhaseContext
    from lanista.tables import EnvTable

    env, options = next(envs_for(registry, entry, "practice"))
    return PhaseContext(registry, EnvTable.model_validate({"use": env, **options}), name, folder, 5, 1, {})


def _context_in(registry: Registry, recipe: "Recipe", name: str, folder: Path) -> "tuple[PhaseContext, Any]":
    """Play the phases before, cut short, and give what the run would offer to the first phase of the kind."""
    from lanista.phases import PhaseContext
    from lanista.policy import save_policy

    policies: dict[str, Path] = {}
    carried, steps, context = None, 0, None
    for place, wanted in enumerate(recipe.phases):
        context = PhaseContext(
            registry, recipe.top.env, wanted.name, folder, 5 + place, 1, dict(policies),
            previous=policies[recipe.phases[place - 1].name] if place else None,
            env_overrides=getattr(wanted.settings, "env", {}), steps_before=steps, carried=carried,
        )  # fmt: skip
        if wanted.kind == name:
            return context, wanted.settings
        phase = registry.load("phases", wanted.kind)(context, _shortened(wanted.settings))
        try:
            phase.start()
            while not phase.finished:
                phase.update()
            result = phase.result()
        finally:
            phase.close()
        save_policy(folder / "phases" / wanted.name / "policy", result.policy)
        policies[wanted.name] = folder / "phases" / wanted.name / "policy"
        carried, steps = result.carried, steps + phase.steps
    raise AssertionError("the recipe was chosen because it uses the kind")


def _shortened(settings: Any) -> Any:  # noqa: ANN401 - the phase kind's own model
    """Cut the table `until` of a phase, if it has one with steps."""
    until = getattr(settings, "until", None)
    if until is None or not isinstance(getattr(until, "steps", None), int):
        return settings
    return settings.model_copy(update={"until": until.model_copy(update={"steps": min(until.steps, SHORT)})})


def _check_in(
    registry: Registry,
    name: str,
    context: "PhaseContext",
    settings: Any,  # noqa: ANN401
    complaints: Complaints,
) -> None:
    factory = registry.load("phases", name)
    settings = _shortened(settings)
    first: Phase = factory(context, settings)
    second: Phase = factory(context, settings)
    try:
        first.start()
        _check_standing(first, complaints)
        _update(first, complaints)
        if not first.finished:
            _check_resumed(first, second, complaints)
        started = monotonic()
        while not first.finished and monotonic() - started < PATIENCE_S:
            _update(first, complaints)
        if first.finished:
            _check_result(first.result(), complaints)
    finally:
        first.close()
        second.close()


def _check_standing(phase: "Phase", complaints: Complaints) -> None:
    progress, steps = phase.progress, phase.steps
    complaints.refuse(
        not isinstance(progress, float | int) or not 0.0 <= progress <= 1.0, "progress", f"is {progress!r}",
        "give the share of the phase that is over, 0 to 1",
    )  # fmt: skip
    complaints.refuse(
        not isinstance(steps, int) or steps < 0,
        "steps",
        f"is {steps!r}",
        "give the env steps so far, a whole number",
    )
    complaints.refuse(
        not isinstance(phase.finished, bool), "finished", f"is {phase.finished!r}", "give True or False"
    )


def _update(phase: "Phase", complaints: Complaints) -> dict[str, float]:
    row = phase.update()
    check_row(row, complaints)
    _check_standing(phase, complaints)
    return row


def check_row(row: Any, complaints: Complaints) -> None:  # noqa: ANN401
    """Refuse an update's figures that are no dictionary of names to numbers."""
    complaints.refuse(
        not isinstance(row, dict),
        "update",
        f"gave {row!r}"[:80],
        "give a dictionary of figures, {} if there are none",
    )
    for key, value in row.items():
        complaints.refuse(
            not isinstance(key, str) or not isinstance(value, float | int), f"update, figure {key!r},",
            f"is {value!r}"[:80], "give plain numbers by name",
        )  # fmt: skip


def _check_resumed(first: "Phase", second: "Phase", complaints: Complaints) -> None:
    """What loaded the state must give the same figures in its next update, times apart."""
    state = first.state()
    arrays = getattr(state, "arrays", None)
    complaints.refuse(
        arrays is None or not all(isinstance(array, np.ndarray) for array in arrays.values()), "state",
        f"gave a {type(state).__name__}", "give lanista.phases.PhaseState(values, arrays)",
    )  # fmt: skip
    import json

    try:
        values = json.loads(json.dumps(state.values))
    except (TypeError, ValueError) as error:
        complaints.complain(
            "state, its values,", f"are no JSON ({error})", "keep plain numbers and texts there"
        )
    copied = type(state)(values, {key: array.copy() for key, array in state.arrays.items()})
    second.start()
    second.load_state(copied)
    complaints.refuse(
        (second.steps, second.progress) != (first.steps, first.progress), "load_state",
        f"leaves steps at {second.steps}, they were {first.steps}", "take back everything that state gave",
    )  # fmt: skip
    mine, theirs = _update(first, complaints), _update(second, complaints)
    for key in sorted(mine.keys() & theirs.keys()):
        same = mine[key] == theirs[key] or (math.isnan(mine[key]) and math.isnan(theirs[key]))
        complaints.refuse(
            not same and not key.startswith("time/") and key != "sps", "state",
            f"is not all that goes on: {key} is {theirs[key]:.6g} after load_state, {mine[key]:.6g} without a stop",
            "put weights, optimiser, generators, env and counters into it",
        )  # fmt: skip


def _check_result(result: Any, complaints: Complaints) -> None:  # noqa: ANN401
    import json

    from lanista.phases import PhaseResult
    from lanista.policy import Policy

    complaints.refuse(
        not isinstance(result, PhaseResult) or not isinstance(result.policy, Policy), "result",
        f"gave a {type(result).__name__}", "give lanista.phases.PhaseResult(policy, chosen, figures)",
    )  # fmt: skip
    try:
        json.dumps(result.figures)
    except (TypeError, ValueError) as error:
        complaints.complain(
            "result, its figures,", f"are no JSON ({error})", "keep plain numbers, texts and lists"
        )
