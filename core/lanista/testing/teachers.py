"""What must hold of a teacher: it speaks for the heads that it was asked for, row by row, legally, wherever it is met."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from lanista.env import VecEnv
from lanista.errors import LanistaError, PluginError
from lanista.plugins import Registry
from lanista.registry import Entry
from lanista.tables import TeacherTable
from lanista.testing.complaints import Complaints
from lanista.testing.env_replay import Chooser
from lanista.testing.grounds import build_env, envs_for, first_that_fits
from lanista.testing.outputs import check_output

if TYPE_CHECKING:
    from lanista.policy import Policy, PolicyOutput
    from lanista.teachers import LiveTeacher

STEPS = 20


def check_teacher(
    registry: Registry, name: str, *, options: Mapping[str, Any] | None = None, env: str | None = None
) -> None:
    """Raise `LanistaError`, one sentence, for the first thing in which a teacher breaks its contract.

    It is tried in `env`, else in the first env at hand that it does not refuse. A family ("npz:") is tried by the member
    that `options` name: its setting that follows the colon.
    """
    entry = next((one for one in registry.entries() if (one.kind, one.name) == ("teachers", name)), None)
    entry = registry.get("teachers", name) if entry is None else entry
    source, table = _member(entry, dict(options or {}))
    problems: list[str] = []
    for env_name, env_options in envs_for(registry, entry, env):
        ground = build_env(registry, env_name, env_options, 4)
        try:
            _check_in(ground, env_name, TeacherTable(source=source, **table), registry, entry)
        except PluginError:
            raise
        except LanistaError as error:  # a teacher for another env refuses this one in its own words
            problems.append(str(error))
            continue
        finally:
            ground.close()
        return
    raise first_that_fits(problems, f"{entry.words} of plugin {entry.owner}")


def _member(entry: Entry, options: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """The source to try and the other settings."""
    if not entry.is_family:
        return entry.name, options
    rest = entry.traits["rest"]
    if rest not in options:
        Complaints.about(entry).complain(
            rest, "is not given, so nothing can be tried", f"give one with --set {entry.name}.{rest}=VALUE"
        )
    return f"{entry.name}{options.pop(rest)}", options


def _check_in(env: VecEnv, name: str, table: TeacherTable, registry: Registry, entry: Entry) -> None:
    from lanista.policy import Policy, PolicyCard
    from lanista.teachers import build_teacher

    heads = {head.name: {"use": head.kind} for head in env.spec.heads}
    card = PolicyCard(name, {}, env.spec, "", {}, heads=heads)
    teacher = build_teacher(table, card, registry)
    complaints = Complaints.about(entry)
    chooser = Chooser(env.num_games, 5)
    for _ in range(STEPS):
        games, seats = np.nonzero(env.acting)
        if len(games):
            if isinstance(teacher, Policy):
                _check_rows(env, teacher, games, seats, complaints)
            else:
                _check_labels(env, teacher, games, seats, complaints)
        env.step(chooser.choose(env))


def _check_rows(env: VecEnv, teacher: "Policy", games: Any, seats: Any, complaints: Complaints) -> None:  # noqa: ANN401
    """Its answer has the form of the heads, and a row's does not depend on the others."""
    import torch

    rows = {name: torch.from_numpy(part[games, seats]) for name, part in env.observation.items()}
    with torch.no_grad():
        answer = teacher.network(rows)
        alone = teacher.network({name: part[:1] for name, part in rows.items()})
    _check_form(env, teacher, answer, len(games), complaints)
    for name, logits in answer.logits.items():
        gap = float((logits[:1] - alone.logits[name]).abs().max())
        complaints.refuse(
            gap > 1e-3, f"logits[{name!r}]", f"of a row change by {gap:.2g} in another batch",
            "let no row depend on the others, and call eval() on a network that has two ways",
        )  # fmt: skip


def _check_labels(
    env: VecEnv,
    teacher: "LiveTeacher",
    games: Any,  # noqa: ANN401
    seats: Any,  # noqa: ANN401
    complaints: Complaints,
) -> None:
    """Its labels are legal actions, and its logits stand for them."""
    import torch

    labels = teacher.labels(env, games, seats)
    asked = [head.name for head in env.spec.heads]
    complaints.refuse(
        not isinstance(labels, dict) or sorted(labels) != sorted(asked), "labels", "do not name each head",
        f"give a dictionary with {', '.join(asked)}",
    )  # fmt: skip
    answer = teacher.output(labels)
    _check_form(env, teacher, answer, len(games), complaints)
    for head in env.spec.heads:
        mask = None if head.continuous else torch.from_numpy(env.legal[head.name][games, seats])
        said = teacher.heads[head.name].greedy(answer.logits[head.name], mask).numpy()
        if head.continuous:
            wide = np.asarray(head.high, np.float64) - np.asarray(head.low, np.float64)
            off = float((np.abs(said - labels[head.name]) / wide).max())
            complaints.refuse(
                off > 0.01, f"output, {head.name!r},", f"stands for another action, {off:.2g} of its range away",
                "give logits whose greedy action is the label",
            )  # fmt: skip
        else:
            complaints.refuse(
                not np.array_equal(said, labels[head.name]), f"output, {head.name!r},",
                "stands for another action than the label, or the label is illegal",
                "label with legal actions, and give logits whose greedy action is the label",
            )  # fmt: skip


def _check_form(
    env: VecEnv, teacher: "Policy | LiveTeacher", answer: "PolicyOutput", rows: int, complaints: Complaints
) -> None:
    import torch

    from lanista.spec import HeadSpec

    outputs = tuple(
        HeadSpec(head.name, head.kind, teacher.heads[head.name].num_outputs, head.meaning)
        for head in env.spec.heads
    )
    if isinstance(answer.value, torch.Tensor) and bool(answer.value.isnan().all()):  # it has no critic
        answer = answer._replace(value=torch.zeros_like(answer.value))
    check_output(answer, outputs, rows, complaints)
