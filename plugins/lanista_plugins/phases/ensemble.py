"""Several teachers of one task as one teacher, which is a policy like any other.

``best``   the teacher with the highest mean return on starts that all play; nothing is mixed
``mean``   of choices the mixture ``sum w_i p_i``; of normal distributions the one with the mixture's mean and deviation
``value``  at each state the teacher whose critic promises most (so a student can beat each of them)

A mean of two gaits is no gait: for real numbers `mean` is of use only for teachers that do much the same. `mean` mixes the
chances of all choices before any mask, so teachers of games with masks count by what they give to the legal ones.
Critics are compared as they are: they must be in the same units, which those of scaled rewards are not.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from lanista.env import VecEnv
from lanista.errors import RecipeError
from lanista.phases import PhaseContext
from lanista.policy import Head, Network, Policy, PolicyOutput, Tensors
from lanista.spec import UNITS, EnvSpec, HeadSpec
from lanista.teachers import LiveTeacher
from lanista.units import live_units, units_of
from lanista_plugins.phases.narrowed import narrowed_teacher
from lanista_plugins.phases.paired import SharedStarts, greedy_player
from lanista_plugins.phases.settings import TaughtBy, WeighedTeacher


class Ensemble(Network):
    """Asks every member and gives one answer; see the module."""

    def __init__(
        self, members: Sequence[Policy], combine: str, weights: Sequence[float], spec: EnvSpec
    ) -> None:
        """`combine` is "mean" or "value"; the weights add up to 1."""
        super().__init__()
        self.settings = None
        self.members = nn.ModuleList(member.network for member in members)
        self.heads: Mapping[str, Head] = members[0].heads
        self.combine = combine
        self.weights = tuple(weights)
        self.spec = spec

    def forward(self, observation: Tensors) -> PolicyOutput:
        """See `lanista.policy.Network`."""
        answers = [member(observation) for member in self.members]
        values = torch.stack([answer.value for answer in answers])
        if self.combine == "mean":
            logits = {
                spec.name: self._mean(spec, [answer.logits[spec.name] for answer in answers])
                for spec in self.spec.heads
            }
            share = torch.tensor(self.weights, dtype=values.dtype).unsqueeze(1)
            return PolicyOutput(logits, (share * values).sum(dim=0))
        highest = values.max(dim=0)
        logits = {}
        for spec in self.spec.heads:
            said = torch.stack([answer.logits[spec.name] for answer in answers])
            who = highest.indices[units_of(observation).row] if spec.units else highest.indices
            logits[spec.name] = said[who, torch.arange(said.shape[1])]
        return PolicyOutput(logits, highest.values)

    def _mean(self, spec: HeadSpec, logits: Sequence[Tensor]) -> Tensor:
        share = torch.tensor(self.weights, dtype=logits[0].dtype)
        if not spec.continuous:
            logs = torch.stack([part.log_softmax(dim=-1) for part in logits])
            mixed: Tensor = (logs + share.log().view(-1, 1, 1)).logsumexp(dim=0)
            return mixed
        head: Any = self.heads[spec.name]
        if not hasattr(head, "moments"):  # one number an output, as the head `deterministic` has it
            return (share.view(-1, 1, 1) * torch.stack(list(logits))).sum(dim=0)
        means, deviations = (torch.stack(list(part)) for part in zip(*map(head.moments, logits), strict=True))
        share = share.view(-1, 1, 1)
        mean = (share * means).sum(dim=0)
        # As the mean of the variances and the variance of the means: nothing is lost by subtracting large numbers.
        variance = (share * (deviations.square() + (means - mean).square())).sum(dim=0)
        found: Tensor = head.logits_of(mean, variance.sqrt())
        return found


def the_teacher(
    context: PhaseContext, settings: TaughtBy, env: VecEnv, episodes: int
) -> Policy | LiveTeacher:
    """The recipe's teacher, or the one that its `teachers` make together; `env` is one of the phase's.

    The best of several is found over that many `episodes`.
    Raises RecipeError for members that do not go together, or not with `combine`.
    """
    tables, combine = settings.teachers, settings.combine
    if not tables:
        return context.teacher_of(settings.teacher, env)
    members = [_member(context, table, env) for table in tables]
    if len(members) == 1:
        return members[0]
    if combine == "best":
        return _best(context, tables, members, episodes, env)
    for member in members[1:]:
        for spec in env.spec.heads:
            ours, theirs = members[0].card.head_table(spec), member.card.head_table(spec)
            if ours != theirs:
                raise RecipeError(
                    f"phase {context.name!r}: teachers speak of head {spec.name!r} as {ours} and as {theirs}; only those "
                    'of one family mix, so give them the same under heads, or set combine = "best"'
                )
    _check_mixable(context.name, members, tables, combine, env)
    total = sum(table.weight for table in tables)
    weights = [table.weight / total for table in tables]
    network = Ensemble(members, combine, weights, env.spec).eval()
    origin = {"source": " + ".join(table.source for table in tables), "combine": combine, "weights": weights}
    card = replace(
        members[0].card, network="ensemble", network_settings={}, name=combine, history={"teacher": origin}
    )
    return Policy(network, members[0].heads, card)


def _member(context: PhaseContext, table: WeighedTeacher, env: VecEnv) -> Policy:
    sees = table.sees
    teacher = context.teacher_of(table, env) if sees is None else narrowed_teacher(context, table, sees, env)
    if isinstance(teacher, LiveTeacher):
        raise RecipeError(
            f"phase {context.name!r}: {table.source!r} must see the env itself and cannot be one of several teachers; "
            "let it teach a phase of its own, and name that phase"
        )
    for what in ("observation", "heads", "unit_observation"):
        ours, theirs = getattr(env.spec, what), getattr(teacher.card.spec, what)
        if ours != theirs:
            raise RecipeError(
                f"phase {context.name!r}: the teacher {table.source!r} was made for another {what} ({theirs} against "
                f"{ours}); several teachers are of one env, for several tasks there is the phase distill_tasks"
            )
    return teacher


def _check_mixable(
    phase: str, members: Sequence[Policy], tables: Sequence[WeighedTeacher], combine: str, env: VecEnv
) -> None:
    if combine == "value":
        for member, table in zip(members, tables, strict=True):
            if _value_of(member, env).isnan().any():
                raise RecipeError(
                    f'phase {phase!r}: combine = "value" asks each teacher\'s critic, and {table.source!r} has none (its '
                    'file holds an actor alone); set combine = "best", or "mean"'
                )
        return
    for spec in env.spec.heads:
        head = members[0].heads[spec.name]
        if spec.continuous and hasattr(head, "moments") and not hasattr(head, "logits_of"):
            raise RecipeError(
                f'phase {phase!r}: combine = "mean" needs a head that can say a mean and a deviation, and '
                f"{type(head).__name__} of {spec.name!r} has no method logits_of(mean, std); set combine = "
                '"best", or play gaussian under heads'
            )


@torch.no_grad()
def _value_of(member: Policy, env: VecEnv) -> Tensor:
    """What its critic says of the states that the env shows now."""
    observation: dict[str, Any] = {
        name: torch.from_numpy(part.reshape(-1, *part.shape[2:])) for name, part in env.observation.items()
    }
    if env.spec.units_head is not None:
        observation[UNITS] = live_units(env)
    value: Tensor = member.network(observation).value
    return value


def _best(
    context: PhaseContext,
    tables: Sequence[WeighedTeacher],
    members: Sequence[Policy],
    episodes: int,
    env: VecEnv,
) -> Policy:
    """The member with the highest mean return; what all returned is kept in its card."""
    if env.spec.seats != 1:
        raise RecipeError(
            f'phase {context.name!r}: combine = "best" plays each teacher alone, and {env.spec.name} has '
            f'{env.spec.seats} seats; let them meet with `lanista compare` and name the best, or set combine = "mean"'
        )
    starts = SharedStarts(context.make_measuring_env, episodes, env.num_games, context.derive("teachers"))
    try:
        returns = [float(starts.returns(greedy_player(member, 0)).mean()) for member in members]
    finally:
        starts.close()
    place = max(range(len(returns)), key=returns.__getitem__)
    measured = dict(zip([table.source for table in tables], returns, strict=True))
    teacher = members[place]
    origin = {"source": tables[place].source, **teacher.card.history.get("teacher", {})}
    origin |= {"combine": "best", "measured": measured, "episodes": episodes}
    teacher.card = replace(teacher.card, history={**teacher.card.history, "teacher": origin})
    return teacher
