"""Agents of Stable-Baselines3, ``sb3:FILE.zip``, new and old, without Stable-Baselines3 and without running anything.

Such a zip holds ``data``, a JSON table of settings in which larger things stand as pickles in base64, and
``policy.pth``, the weights as torch saves them. The table's text is read; of its pickles only those of the two spaces,
by `lanista_agents.teachers.inert`; the weights by ``torch.load(weights_only=True)``, which builds tensors and nothing
else. What the network is follows from the names and shapes of the weights (`lanista_agents.teachers.sb3_actors`).
"""

import base64
import io
import json
import pickle
import zipfile
from typing import Any

import numpy as np
import torch

from lanista.arrays import AnyArray
from lanista.hints import told
from lanista.plugins import Registry
from lanista.policy import Policy, PolicyCard
from lanista.spec import EnvSpec
from lanista_agents.teachers.inert import Inert, InertPickleError, read_pickle
from lanista_agents.teachers.plan import Plan, TeacherFileError, build, origin, read_bytes, scale_observations
from lanista_agents.teachers.sb3_actors import Agent, actor_of
from lanista_agents.teachers.settings import Sb3Settings
from lanista_agents.teachers.vecnormalize import Statistics, look_beside, read_statistics

#: larger entries than these are no agent's (bytes)
_MOST = {"data": 2**28, "policy.pth": 2**30}


def sb3_teacher(settings: Sb3Settings, card: PolicyCard, registry: Registry) -> Policy:
    """Build the teacher; see the module."""
    words = f"teacher 'sb3:{settings.file}'"
    content = read_bytes(settings.file, words)
    data, weights = _entries(content, words, settings.unsafe)
    agent = _agent(data, weights, words)
    try:
        plan = actor_of(agent)
    except (TypeError, ValueError, IndexError, OverflowError) as error:
        raise TeacherFileError(
            f"{words}: the settings in its entry data are not those of an agent ({told(error)[:200]}); take another file"
        ) from error
    plan.record = {**origin(settings.file, content, agent.algorithm), "saved_by": agent.version}
    _scale(plan, settings, card.spec)
    return build(plan, card, registry, settings.q_temperature)


def _entries(content: bytes, words: str, unsafe: bool) -> tuple[dict[str, Any], dict[str, AnyArray]]:
    """The table ``data`` and the weights as arrays."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as file:
            names = set(file.namelist())
            if "data" not in names or "policy.pth" not in names:
                raise TeacherFileError(f"{words}: {_no_agent(names)}")
            for name, most in _MOST.items():
                if file.getinfo(name).file_size > most:
                    raise TeacherFileError(
                        f"{words}: its entry {name} claims more than {most:,} bytes; take another file"
                    )
            table, weights = file.read("data"), file.read("policy.pth")
            version = (
                file.read("_stable_baselines3_version") if "_stable_baselines3_version" in names else b""
            )
    except (
        zipfile.BadZipFile,
        zipfile.LargeZipFile,
        OSError,
        EOFError,
        NotImplementedError,
        RuntimeError,
    ) as error:
        raise TeacherFileError(
            f"{words}: it is no zip, or a damaged one ({told(error)}); give the file that model.save() wrote"
        ) from error
    try:
        data = json.loads(table)
    except (ValueError, RecursionError) as error:
        raise TeacherFileError(
            f"{words}: its entry data is no JSON ({told(error)}); take another file"
        ) from error
    if not isinstance(data, dict):
        raise TeacherFileError(f"{words}: its entry data holds no table; take another file")
    data["_version"] = version.decode("ascii", errors="replace").strip() or None
    return data, _weights(weights, words, unsafe)


def _no_agent(names: set[str]) -> str:
    """What a zip without the two entries is."""
    if {"parameters", "parameter_list"} & names:
        return "it was saved by Stable-Baselines 2 (TensorFlow), asked is one of Stable-Baselines3; train it anew"
    if "policy.json" in names or "weights.safetensors" in names:
        return "it is a policy of ours; unpack it and give the folder without sb3:"
    missing = "data" if "data" not in names else "policy.pth"
    return f"the entry {missing} is missing; give the file that model.save() of Stable-Baselines3 wrote"


def _weights(content: bytes, words: str, unsafe: bool) -> dict[str, AnyArray]:
    try:
        found = torch.load(io.BytesIO(content), map_location="cpu", weights_only=not unsafe)
        if not isinstance(found, dict) or not all(
            isinstance(value, torch.Tensor) for value in found.values()
        ):
            raise TeacherFileError(f"{words}: policy.pth holds no table of weights; take another file")
        return {str(name): value.detach().to(torch.float32).numpy() for name, value in found.items()}
    except TeacherFileError:
        raise
    except pickle.UnpicklingError as error:
        raise TeacherFileError(
            f"{words}: policy.pth holds more than weights ({told(error)[:200]}); only if you made the file yourself, set "
            f"unsafe = true, which runs what is in it"
        ) from error
    except Exception as error:  # a damaged file raises whatever it can reach
        raise TeacherFileError(
            f"{words}: policy.pth is damaged ({told(error)[:200]}); take another file"
        ) from error


def _agent(data: dict[str, Any], weights: dict[str, AnyArray], words: str) -> Agent:
    spaces = {name: _space(data.get(name), words) for name in ("observation_space", "action_space")}
    kwargs = data.get("policy_kwargs")
    policy = data.get("policy_class")
    return Agent(
        words=words,
        weights=weights,
        data=data,
        kwargs=kwargs if isinstance(kwargs, dict) else {},
        policy=_class_name(policy),
        observation=spaces["observation_space"],
        action=spaces["action_space"],
        version=data["_version"],
    )


def _class_name(entry: Any) -> str:  # noqa: ANN401 - a piece of JSON
    """The module and name of a pickled class, as far as its JSON tells."""
    if not isinstance(entry, dict):
        return ""
    try:
        kind = read_pickle(base64.b64decode(entry.get(":serialized:", "")), "policy_class")
    except (InertPickleError, ValueError, TypeError):
        kind = None
    name = getattr(kind, "name", "")
    return name if isinstance(name, str) and name else str(entry.get("__module__", ""))


def _space(entry: Any, words: str) -> Inert | None:  # noqa: ANN401 - a piece of JSON
    """A pickled space as a stand-in; None where there is none that can be read."""
    if not isinstance(entry, dict) or not isinstance(entry.get(":serialized:"), str):
        return None
    try:
        found = read_pickle(base64.b64decode(entry[":serialized:"]), words)
    except (InertPickleError, ValueError):
        return None
    return found if isinstance(found, Inert) else None


def _scale(plan: Plan, settings: Sb3Settings, spec: EnvSpec) -> None:
    """Take the statistics that the settings name, or those that lie beside the zip."""
    beside = look_beside(settings.file)
    plan.wrapper = plan.wrapper or beside.wrapper
    if settings.normalise == "none":
        plan.notes.append('observations are not scaled (normalise = "none")')
        return
    file = settings.normalise
    if file == "auto":
        if beside.statistics is None:
            if beside.expected:
                raise TeacherFileError(
                    f"{plan.words}: its config.yml says that observations were normalised, and there is no "
                    f'vecnormalize.pkl beside it; set normalise = "FILE.pkl", or normalise = "none" to do without'
                )
            plan.notes.append("observations are not scaled: no vecnormalize.pkl lies beside the zip")
            return
        file = str(beside.statistics)
    statistics = read_statistics(file, plan.words)
    plan.settings["value_scale"] = statistics.reward_scale
    plan.record["normalise"] = file
    if not statistics.scales:
        plan.notes.append(f"observations are not scaled: {file} says norm_obs = False")
        return
    mean, var = _in_order(statistics, spec, plan)
    scale_observations(plan, mean, var, statistics.epsilon, statistics.clip)
    plan.notes.append(
        f"observations are scaled by {file}: {len(mean)} numbers, clipped at {statistics.clip:g}"
    )


def _in_order(statistics: Statistics, spec: EnvSpec, plan: Plan) -> tuple[AnyArray, AnyArray]:
    """Mean and variance of the joined parts; a part that has none is left as it is."""
    if "" in statistics.mean:
        mean, var = statistics.mean[""].reshape(-1), statistics.var[""].reshape(-1)
    else:
        sizes = [(part.name, part.size) for part in spec.observation]
        mean = np.concatenate([np.ravel(statistics.mean.get(name, np.zeros(size))) for name, size in sizes])
        rest = 1.0 - statistics.epsilon
        var = np.concatenate(
            [np.ravel(statistics.var.get(name, np.full(size, rest))) for name, size in sizes]
        )
    if len(mean) != plan.inputs:
        raise TeacherFileError(
            f"{plan.words}: the statistics are of {len(mean)} numbers and the agent sees {plan.inputs}; give those that it "
            f"was trained with, by normalise"
        )
    return mean, var
