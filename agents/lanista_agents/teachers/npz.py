"""Teachers of plain arrays, ``npz:FILE.npz``; nothing in such a file can be code (``allow_pickle=False``).

``w0, b0, w1, b1, ...``  dense layers, ``[out, in]`` and ``[out]``, the last one giving the actions
``head``                 a JSON table as bytes (uint8), see `Header`
``obs_mean, obs_var``    the observation is scaled to ``clip((x - mean) / sqrt(var + eps))``; without them it is not
``low, high``            of real numbers: the bounds of the action
``std_at_zero``          of real numbers: the deviation of the normal distribution, in units of the action
"""

import io
import json
import zipfile
from typing import Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from lanista.arrays import AnyArray
from lanista.hints import hint, told, validation_sentences
from lanista.plugins import Registry
from lanista.policy import Policy, PolicyCard
from lanista_agents.networks.actor import FUNCTIONS
from lanista_agents.teachers.plan import (
    Plan,
    TeacherFileError,
    build,
    origin,
    read_bytes,
    scale_observations,
    sizes_of,
)
from lanista_agents.teachers.settings import NpzSettings

_OTHERS = {"head", "obs_mean", "obs_var", "low", "high", "std_at_zero"}


#: more than any dense policy has (bytes)
_MOST = 2**30


class Header(BaseModel):
    """The JSON table of such a file."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    #: "linear" for each pair of arrays, activations between; at the end, of real numbers, also "clip2" and "tanh"
    layers: list[str] = Field(min_length=1)
    #: what the last layer says
    kind: Literal["logits", "q", "quantiles", "mean"]
    #: choices, or real numbers
    n_act: int = Field(ge=1)
    #: whether real numbers are led from -1..1 to the bounds; else they are clipped to them as they are
    scaled: bool = False
    #: how far a scaled observation may leave 0, and what is added to its variance
    clip: float = Field(default=10.0, gt=0.0)
    eps: float = Field(default=1e-8, ge=0.0)
    #: the algorithm and env, "ppo/AntBulletEnv-v0"
    teacher: str = ""
    #: the wrapper that it was trained with
    env_wrapper: str = ""


def npz_teacher(settings: NpzSettings, card: PolicyCard, registry: Registry) -> Policy:
    """Build the teacher; see the module."""
    words = f"teacher 'npz:{settings.file}'"
    content = read_bytes(settings.file, words)
    arrays = _arrays(content, words)
    return build(_plan(arrays, words, settings.file, content), card, registry, settings.q_temperature)


def read_header(settings: NpzSettings) -> Header:
    """The JSON table of a file."""
    words = f"teacher 'npz:{settings.file}'"
    return _header(_arrays(read_bytes(settings.file, words), words), words)


def _arrays(content: bytes, words: str) -> dict[str, AnyArray]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            if sum(entry.file_size for entry in packed.infolist()) > _MOST:
                raise ValueError(f"it claims more than {_MOST:,} bytes")
        with np.load(io.BytesIO(content), allow_pickle=False) as file:
            if not hasattr(file, "files"):
                raise ValueError("it holds one array alone")
            return {name: file[name] for name in file.files}
    except (ValueError, OSError, EOFError, KeyError, zipfile.BadZipFile, zipfile.LargeZipFile) as error:
        raise TeacherFileError(
            f"{words}: it is no file of plain arrays, or a damaged one ({told(error)}); write it with numpy.savez"
        ) from error


def _header(arrays: dict[str, AnyArray], words: str) -> Header:
    asked = "docs/teachers.md says what such a file holds"
    if "head" not in arrays:
        raise TeacherFileError(f"{words}: the array 'head' is missing; {asked}")
    try:
        table = json.loads(arrays["head"].astype(np.uint8).tobytes())
        return Header.model_validate(table)
    except ValidationError as error:
        raise TeacherFileError(f"{words}: head: {validation_sentences(error, Header)}; {asked}") from error
    except (ValueError, TypeError) as error:
        raise TeacherFileError(f"{words}: the array 'head' is no JSON text of bytes; {asked}") from error


def _plan(arrays: dict[str, AnyArray], words: str, file: str, content: bytes) -> Plan:
    header = _header(arrays, words)
    activation, mean_limit, squash = _functions(header, words)
    depth = header.layers.count("linear")
    weights = _layers(arrays, depth, words)
    settings: dict[str, Any] = {
        "hidden": sizes_of(weights[0::2])[:-1], "critic": None, "activation": activation, "output": "logits",
    }  # fmt: skip
    last = weights[-2].shape[0]
    actions = (last,)
    if header.kind in ("q", "quantiles"):
        settings |= {"output": header.kind, "quantiles": last // header.n_act}
        actions = (header.n_act,)
    if header.kind == "mean":
        settings |= {
            "output": "numbers", "squash": squash, "units": "half" if header.scaled else "action",
            "mean_limit": mean_limit, "deviation": "fixed" if "std_at_zero" in arrays else "none",
        }  # fmt: skip
        settings |= {
            name: tuple(arrays[name].astype(float).tolist()) for name in ("low", "high") if name in arrays
        }
    if last != header.n_act * settings.get("quantiles", 1) or (header.kind == "q" and last != header.n_act):
        raise TeacherFileError(
            f"{words}: the last layer gives {last} numbers, which do not make {header.n_act} actions of kind "
            f"{header.kind!r}; correct n_act or kind in its head"
        )
    algorithm = header.teacher.partition("/")[0] or None
    plan = Plan(
        words, settings, {}, int(weights[0].shape[1]), actions, {**origin(file, content, algorithm), "kind": header.kind},
        wrapper=None if header.env_wrapper in ("", "None") else header.env_wrapper,
    )  # fmt: skip
    names = [f"trunk.layers.{i}" for i in range(depth - 1)] + ["last"]
    for name, weight, bias in zip(names, weights[0::2], weights[1::2], strict=True):
        plan.weights |= {f"{name}.weight": weight, f"{name}.bias": bias}
    if "std_at_zero" in arrays and header.kind == "mean":
        plan.weights["numbers.log_std"] = np.log(arrays["std_at_zero"].astype(np.float32))
    if ("obs_mean" in arrays) != ("obs_var" in arrays):
        raise TeacherFileError(f"{words}: obs_mean and obs_var belong together, and one is missing")
    if "obs_mean" in arrays:
        scale_observations(plan, arrays["obs_mean"], arrays["obs_var"], header.eps, header.clip)
        plan.notes.append("observations are scaled by the statistics in the file")
    return plan


def _functions(header: Header, words: str) -> tuple[str, float | None, str]:
    """(activation, limit of the mean, way to the bounds) as the header's list of layers has them."""
    layers = list(header.layers)
    squash, limit = "clip", None
    if header.kind == "mean" and layers[-1] == "tanh":
        layers.pop()
        squash = "tanh"
    if header.kind == "mean" and layers[-1].startswith("clip"):
        try:
            limit = float(layers.pop().removeprefix("clip"))
        except ValueError:
            raise TeacherFileError(f"{words}: head: a layer 'clipNUMBER' has no number") from None
    between = set(layers[1::2])
    if len(layers) % 2 == 0 or set(layers[0::2]) != {"linear"} or len(between) > 1:
        raise TeacherFileError(
            f"{words}: head: layers = {header.layers} is no row of 'linear' with one and the same activation between"
        )
    activation = between.pop() if between else "identity"
    if activation not in FUNCTIONS:
        raise TeacherFileError(
            f"{words}: head: unknown activation {activation!r}; {hint(activation, FUNCTIONS)}"
        )
    return activation, limit, squash


def _layers(arrays: dict[str, AnyArray], depth: int, words: str) -> list[AnyArray]:
    """w0, b0, w1, b1, ... as float32, each fitting the one before."""
    names = [f"{letter}{place}" for place in range(depth) for letter in "wb"]
    missing = [name for name in names if name not in arrays]
    left = sorted(set(arrays) - set(names) - _OTHERS)
    if missing or left:
        said = f"{missing[0]} is missing" if missing else f"nothing asks for {left[0]}"
        raise TeacherFileError(f"{words}: head names {depth} dense layers, and {said}; take another file")
    found = [arrays[name] for name in names]
    for name, array in zip(names, found, strict=True):
        if array.dtype.kind not in "fiu" or array.ndim != (2 if name[0] == "w" else 1) or not array.size:
            raise TeacherFileError(
                f"{words}: {name} is an array {array.shape} of {array.dtype}; a weight is [out, in] numbers, an offset [out]"
            )
    return [array.astype(np.float32) for array in found]
