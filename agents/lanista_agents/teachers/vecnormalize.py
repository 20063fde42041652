"""Statistics that an agent's observations were scaled by: the pickled `VecNormalize` of Stable-Baselines3.

The RL Zoo puts it beside the agent, ``NAME.zip`` and ``NAME/vecnormalize.pkl``, and says in ``NAME/config.yml`` whether
there is one, and which wrapper the env had.
"""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lanista.arrays import AnyArray
from lanista.hints import shown
from lanista_agents.teachers.inert import Inert, read_pickle
from lanista_agents.teachers.plan import TeacherFileError, read_bytes

#: names under which the statistics lie beside an agent
_NAMES = ("vecnormalize.pkl", "vec_normalize.pkl")


@dataclass(frozen=True)
class Statistics:
    """What a `VecNormalize` does to an observation and what it did to rewards."""

    #: by the names of the observation's parts, or one entry "" for an observation of one part
    mean: dict[str, AnyArray]
    var: dict[str, AnyArray]
    epsilon: float
    clip: float
    #: units of reward a unit of the critic
    reward_scale: float
    #: None: observations were not scaled
    scales: bool


def read_statistics(file: str, words: str) -> Statistics:
    """Read such a pickle without running it."""
    where = f"{words}: {file}"
    found = read_pickle(read_bytes(file, words), where)
    if not isinstance(found, Inert) or not found.name.endswith(".VecNormalize"):
        name = found.name if isinstance(found, Inert) else type(found).__name__
        raise TeacherFileError(
            f"{where} holds a {name or 'thing without a name'}, asked is a pickled VecNormalize"
        )
    epsilon = _number(found, "epsilon", 1e-8, where)
    scales = bool(found.get("norm_obs", True))
    rms = found.get("obs_rms")
    parts = rms if isinstance(rms, dict) else {"": rms}
    chosen = found.get("norm_obs_keys")
    mean: dict[str, AnyArray] = {}
    var: dict[str, AnyArray] = {}
    for name, part in parts.items() if scales else ():
        if chosen is not None and name and name not in chosen:
            continue
        mean[name], var[name] = _moments(part, where)
    returns = found.get("ret_rms")
    scale = 1.0
    if found.get("norm_reward", False) and isinstance(returns, Inert):
        _, variance = _moments(returns, where)
        scale = float(np.sqrt(variance.reshape(-1)[:1].sum() + epsilon))
        if not 1e-30 < scale < 1e30:
            raise TeacherFileError(
                f"{where} scales rewards by {scale:g}, which no reward has; give another file"
            )
    return Statistics(mean, var, epsilon, _number(found, "clip_obs", 10.0, where), scale, scales)


def _number(found: Inert, key: str, default: float, where: str) -> float:
    """A setting of the `VecNormalize` that is a number above 0."""
    value = found.get(key, default)
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float | np.number)
        or not 0.0 < float(value) < np.inf
    ):
        raise TeacherFileError(
            f"{where}: its {key} is {shown(value)}, asked is a number above 0; give another file"
        )
    return float(value)


def _moments(part: object, where: str) -> tuple[AnyArray, AnyArray]:
    """Mean and variance of a `RunningMeanStd`."""
    mean, var = (part.get("mean"), part.get("var")) if isinstance(part, Inert) else (None, None)
    if mean is None or var is None:
        raise TeacherFileError(f"{where} has no mean and variance of the observations; give another file")
    try:
        first, second = np.asarray(mean, np.float64), np.asarray(var, np.float64)
    except (TypeError, ValueError) as error:
        raise TeacherFileError(
            f"{where} holds a mean or variance that is no number; give another file"
        ) from error
    if (
        first.shape != second.shape
        or not np.isfinite(first).all()
        or not (np.isfinite(second).all() and (second >= 0.0).all())
    ):
        raise TeacherFileError(
            f"{where} holds a mean or variance that is not finite, below 0 or of another size; give another file"
        )
    return first, second


@dataclass(frozen=True)
class Beside:
    """What was found beside an agent."""

    statistics: Path | None
    #: the config says that there were statistics
    expected: bool
    #: the wrapper that the config names
    wrapper: str | None


def look_beside(file: str) -> Beside:
    """Look for statistics and a config in the folder of a zip's name, or where they can be no other agent's.

    That is the folder of a zip that lies alone, and, for what the Zoo saves on the way, the only folder with some.
    """
    path = Path(file).expanduser()
    folders = [path.with_suffix("")]
    saved_on_the_way = re.fullmatch(r"(best|final)_model|rl_model_\d+_steps", path.stem) is not None
    if saved_on_the_way or len(list(path.parent.glob("*.zip"))) == 1:
        folders.append(path.parent)
    others = {found.parent for name in _NAMES for found in path.parent.glob(f"*/{name}")}
    if saved_on_the_way and len(others) == 1:
        folders += others
    candidates = [folder / name for folder in folders for name in _NAMES]
    statistics = next((candidate for candidate in candidates if candidate.is_file()), None)
    config = next((folder / "config.yml" for folder in folders if (folder / "config.yml").is_file()), None)
    text = "" if config is None else config.read_text(encoding="utf-8", errors="replace")
    wrapper = re.search(r"^\W*env_wrapper\W+([A-Za-z_][\w.]*)", text, re.MULTILINE)
    normalised = re.search(r"^\W*normalize\b\W+(\w+)", text, re.MULTILINE)
    named = None if wrapper is None or wrapper[1] in ("null", "None") else wrapper[1]
    return Beside(
        statistics, normalised is not None and normalised[1].lower() not in ("false", "null"), named
    )
