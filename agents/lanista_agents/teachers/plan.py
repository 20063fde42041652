"""An actor that was found in a file, held against the env and built as a policy."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from lanista.arrays import AnyArray
from lanista.errors import LanistaError
from lanista.hints import shown
from lanista.plugins import Registry
from lanista.policy import Policy, PolicyCard, assemble_policy
from lanista.spec import EnvSpec, HeadSpec
from lanista_agents.teachers.temperature import temperature_of

#: bounds of actions that differ by less than this are the same
_SAME = 1e-5


class TeacherFileError(LanistaError):
    """A teacher's file that cannot be read or used."""


@dataclass
class Plan:
    """What a file says of an actor: `settings` of the network ``actor`` and the weights by the names in there."""

    #: opens every error: "teacher 'npz:x.npz'"
    words: str
    settings: dict[str, Any]
    weights: dict[str, AnyArray]
    #: numbers of an observation
    inputs: int
    #: choices of each head, or numbers of the only one
    actions: tuple[int, ...]
    #: what the card says of where it came from
    record: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    #: the wrapper that it was trained with, as far as it is known
    wrapper: str | None = None

    @property
    def continuous(self) -> bool:
        """Does it give real numbers?"""
        return bool(self.settings["output"] == "numbers")


def read_bytes(file: str, words: str) -> bytes:
    """The bytes of a teacher's file, or one sentence."""
    path = Path(file).expanduser()
    try:
        return path.read_bytes()
    except OSError as error:
        reason = "is a folder" if path.is_dir() else (error.strerror or type(error).__name__).lower()
        raise TeacherFileError(f"{words}: {file} cannot be read ({reason}); give a file's path") from error


def origin(file: str, content: bytes, algorithm: str | None) -> dict[str, Any]:
    """What the card says of a file."""
    return {"file": Path(file).name, "sha256": hashlib.sha256(content).hexdigest(), "algorithm": algorithm}


def scale_observations(plan: Plan, mean: AnyArray, var: AnyArray, epsilon: float, clip: float | None) -> None:
    """Let the actor see ``clip((x - mean) / sqrt(var + epsilon))``."""
    plan.settings["clip_observation"] = clip
    plan.weights["center"] = np.asarray(mean, np.float32).reshape(-1)
    plan.weights["factor"] = (
        (1.0 / np.sqrt(np.asarray(var, np.float64) + epsilon)).astype(np.float32).reshape(-1)
    )


def build(plan: Plan, card: PolicyCard, registry: Registry, q_temperature: float | None) -> Policy:
    """Make the policy; raises `TeacherFileError` where the env is another than the actor was made for."""
    refuse_other_env(plan, card.spec)
    settings = dict(plan.settings)
    if plan.continuous:
        settings["head"] = spoken_head(plan, card)
    notes, chosen = list(plan.notes), q_temperature
    policy = _assembled(plan, replace(card, network="actor", network_settings=settings), registry)
    if settings["output"] in ("scores", "q", "quantiles"):
        if chosen is None:
            chosen, note = temperature_of(policy, registry)
            notes.append(note)
        settings["q_temperature"] = chosen
        policy = _assembled(plan, replace(card, network="actor", network_settings=settings), registry)
    record = {**plan.record, "heads": own_heads(plan, card.spec), "notes": notes}
    policy.card = replace(policy.card, history={**policy.card.history, "teacher": record})
    return policy


def _assembled(plan: Plan, card: PolicyCard, registry: Registry) -> Policy:
    options = registry.settings("networks", "actor", card.network_settings).model_dump(mode="json")
    policy = assemble_policy(replace(card, network_settings=options), registry)
    wanted = policy.network.state_dict()
    weights = {"center": wanted["center"].numpy(), "factor": wanted["factor"].numpy(), **plan.weights}
    if set(weights) != set(wanted):
        missing, left = sorted(set(wanted) - set(weights)), sorted(set(weights) - set(wanted))
        raise TeacherFileError(
            f"{plan.words}: its weights do not make an actor: missing {missing}, left over {left}"
        )
    for name, array in weights.items():
        if tuple(array.shape) != tuple(wanted[name].shape):
            raise TeacherFileError(
                f"{plan.words}: {name} has the shape {tuple(array.shape)} where {tuple(wanted[name].shape)} fits the "
                f"other layers; the file is damaged or of another form"
            )
        if not np.isfinite(array).all():
            raise TeacherFileError(f"{plan.words}: {name} holds NaN or infinity; take another file")
    policy.network.load_state_dict({name: torch.tensor(array) for name, array in weights.items()})
    policy.network.requires_grad_(False)
    policy.network.eval()
    return policy


def refuse_other_env(plan: Plan, spec: EnvSpec) -> None:
    """Say in one sentence what differs between the env and what the actor was made for."""
    words = f"{plan.words} does not fit env {spec.name}"
    for part in spec.observation:
        if len(part.shape) > 2:
            raise TeacherFileError(
                f"{words}: the env shows a picture or board, {part.name} of shape {part.shape}, and this teacher reads "
                f"plain numbers; use a teacher of ours for it"
            )
    shown_numbers = sum(part.size for part in spec.observation)
    if shown_numbers != plan.inputs:
        wrapper = (
            f'; it was trained with {plan.wrapper}: add wrappers = ["{plan.wrapper.rpartition(".")[2]}"] to the env'
            if plan.wrapper
            else "; name the env, its settings and its wrappers as it was trained with"
        )
        raise TeacherFileError(
            f"{words}: it sees {plan.inputs} numbers and the env shows {shown_numbers}{wrapper}"
        )
    theirs = "real numbers" if spec.heads[0].continuous else "choices"
    ours = "real numbers" if plan.continuous else "choices"
    if theirs != ours:
        raise TeacherFileError(
            f"{words}: it gives {ours} and the env takes {theirs}; name the env it was made for"
        )
    if plan.settings["output"] in ("scores", "q", "quantiles") and len(spec.heads) > 1:
        raise TeacherFileError(f"{words}: it makes one choice and the env has {len(spec.heads)} heads")
    if tuple(head.size for head in spec.heads) != plan.actions:
        sizes = ", ".join(str(head.size) for head in spec.heads)
        what = "numbers" if plan.continuous else "choices"
        raise TeacherFileError(
            f"{words}: it gives {', '.join(str(size) for size in plan.actions)} {what} and the env takes {sizes}; "
            f"name the env it was made for"
        )
    if plan.continuous:
        _refuse_other_bounds(plan, spec.heads[0], words)


def _refuse_other_bounds(plan: Plan, head: HeadSpec, words: str) -> None:
    """An actor without bounds of its own takes the env's."""
    for which in ("low", "high"):
        ours, theirs = np.array(plan.settings.get(which, ())), np.array(getattr(head, which))
        if ours.size and (ours.shape != theirs.shape or float(np.abs(ours - theirs).max()) > _SAME):
            raise TeacherFileError(
                f"{words}: its actions have {which} = {shown(ours.tolist())} and the env's {shown(theirs.tolist())}; "
                f"name the env, its settings and its wrappers as it was trained with"
            )
        plan.settings[which] = tuple(theirs.tolist())


def spoken_head(plan: Plan, card: PolicyCard) -> dict[str, Any]:
    """The table of the student's head, which must be one that an actor can speak for."""
    table: Mapping[str, Any] = card.head_table(card.spec.heads[0])
    if table["use"] not in ("gaussian", "deterministic"):
        raise TeacherFileError(
            f"{plan.words}: the student's head {table['use']!r} is none that it can speak for; set "
            f'[heads.{card.spec.heads[0].name}] use = "gaussian" or "deterministic"'
        )
    return dict(table)


def own_heads(plan: Plan, spec: EnvSpec) -> dict[str, dict[str, Any]]:
    """Head -> the table of the head in which the actor's own distribution is exact."""
    if not plan.continuous:
        return {head.name: {"use": "categorical"} for head in spec.heads}
    squash = plan.settings.get("squash", "clip")
    if plan.settings.get("deviation") == "none":
        return {spec.heads[0].name: {"use": "deterministic", "squash": squash}}
    return {spec.heads[0].name: {"use": "gaussian", "squash": squash, "std_range": 4.0}}


def sizes_of(layers: list[AnyArray]) -> tuple[int, ...]:
    """The widths of dense layers by their weights ``[out, in]``."""
    return tuple(int(layer.shape[0]) for layer in layers)
