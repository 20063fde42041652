"""What must hold of a shaper: named parts ``[T, N, S]``, float32, finite, from the passage alone."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from lanista.env import VecEnv
from lanista.errors import LanistaError, RecipeError
from lanista.plugins import Registry
from lanista.shaping import Passage, Shaper
from lanista.testing.complaints import Complaints
from lanista.testing.grounds import build_env, envs_for, first_that_fits, random_passage, settings_of


def check_shaper(
    registry: Registry, name: str, *, options: Mapping[str, Any] | None = None, env: str | None = None
) -> None:
    """Raise `LanistaError`, one sentence, for the first thing in which a shaper breaks its contract.

    It is tried on random play in `env`, else in the first env that it takes.
    """
    entry = registry.get("shapers", name)
    complaints = Complaints.about(entry)
    settings = settings_of(registry, "shapers", name, options)
    factory = registry.load("shapers", name)
    problems: list[str] = []
    for env_name, env_options in envs_for(registry, entry, env):
        ground = build_env(registry, env_name, env_options, 5)
        try:
            try:
                shaper: Shaper = factory(ground.spec, settings)
            except RecipeError as error:  # a shaper for other facts says so in its own words
                problems.append(str(error))
                continue
            wanted = set(getattr(shaper, "facts", ground.facts))
            if not wanted <= set(ground.facts):
                problems.append(f"{ground.spec.name} has no fact {sorted(wanted - set(ground.facts))[0]!r}")
                continue
            missing = _fact_missed(ground, shaper)
            if missing is not None:
                problems.append(f"{ground.spec.name} has no fact {missing!r}")
                continue
            _check_in(ground, shaper, factory(ground.spec, settings), complaints)
            return
        finally:
            ground.close()
    raise first_that_fits(problems, complaints.words)


def _fact_missed(env: VecEnv, shaper: Shaper) -> str | None:
    """A fact that the shaper reads and the env does not have; it need not be named in `facts`."""
    try:
        shaper(random_passage(env, 2, None))
    except KeyError as error:
        name = error.args[0] if error.args else None
        return name if isinstance(name, str) and name not in env.facts else None
    except Exception:  # anything else is found, and told, by the checks themselves
        return None
    return None


def _check_in(env: VecEnv, shaper: Shaper, twin: Shaper, complaints: Complaints) -> None:
    complaints.refuse(
        not callable(shaper), "the shaper", "cannot be called", "give it a method __call__(passage)"
    )
    facts = getattr(shaper, "facts", None)
    steps = max(32, min(env.spec.max_steps + 1, 600))
    passage = random_passage(env, steps, None if facts is None else tuple(facts))
    parts = _call(shaper, passage, complaints)
    complaints.refuse(
        not isinstance(parts, dict) or not all(isinstance(name, str) for name in parts), "its answer",
        f"is a {type(parts).__name__}", "give a dictionary of named parts",
    )  # fmt: skip
    for name, part in parts.items():
        check_reward_part(name, part, passage.outcome.shape, complaints)
    again = _call(twin, passage, complaints)
    same = parts.keys() == again.keys() and all(
        np.array_equal(part, again[name]) for name, part in parts.items()
    )
    complaints.refuse(
        not same, "its answer", "differs when the same passage is shaped by another instance",
        "take everything from the passage and the settings, nothing from a clock or a random stream",
    )  # fmt: skip


def check_reward_part(name: str, part: Any, shape: tuple[int, ...], complaints: Complaints) -> None:  # noqa: ANN401
    """Refuse a part of another shape or dtype, or with a number that is not finite."""
    field = f"part {name!r}"
    complaints.refuse(
        not isinstance(part, np.ndarray),
        field,
        f"is a {type(part).__name__}",
        f"give an array [T, N, S] = {shape}",
    )
    complaints.refuse(
        part.shape != shape, field, f"has the shape {part.shape}", f"asked is [T, N, S] = {shape}"
    )
    complaints.refuse(
        part.dtype != np.float32, field, f"has the dtype {part.dtype}",
        "give float32: multiply with np.float32(...), or end with .astype(np.float32)",
    )  # fmt: skip
    complaints.refuse_where(
        ~np.isfinite(part), field, "holds NaN or infinity", "look at divisions and logarithms",
        axes=("step", "game", "seat"),
    )  # fmt: skip


def _call(shaper: Shaper, passage: Passage, complaints: Complaints) -> dict[str, Any]:
    try:
        return shaper(passage)
    except LanistaError:
        raise
    except KeyError as error:
        if error.args and isinstance(error.args[0], str):
            complaints.complain(
                "__call__", f"reads the fact {error.args[0]!r}, which is not recorded",
                "name every fact that it reads in its attribute `facts`, or take the attribute away",
            )  # fmt: skip
        raise
    except ValueError as error:
        if "read-only" in str(error):
            complaints.complain(
                "__call__",
                "writes into the passage",
                "make new arrays; those of the passage are the run's own",
            )
        raise
