"""The final comparison of a student with its teacher: agreement, KL, and strength with an interval."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from time import perf_counter
from typing import Any

import numpy as np
import torch
from torch import Tensor

from lanista.actions import agreement
from lanista.env import VecEnv
from lanista.intervals import mean_interval
from lanista.matches import play_matches
from lanista.policy import Policy
from lanista.rollout import Collector
from lanista.teachers import LiveTeacher
from lanista.units import UnitTable, blank_rows
from lanista_plugins.phases.driving import Drivers, Driving
from lanista_plugins.phases.paired import SharedStarts, Standing, greedy_player

_STATES = 2048
#: share of random moves in games of student against teacher
_RANDOM_MOVES = 0.1


@dataclass(frozen=True)
class Comparison:
    """What a student's card says of it and its teacher."""

    #: share of the student's own states in which both choose the same greedy action; of real numbers 1 less
    #: the mean distance in shares of the range
    agreement: float
    #: mean KL(teacher || student) over those states, nats; of units, a unit
    kl: float
    #: "return" (one seat) or "score" (share of points in games against the teacher)
    measure: str
    student: float
    student_low: float
    student_high: float
    #: the teacher's mean return; 0.5 where the two play each other
    teacher: float
    games: int
    student_parameters: int
    #: 0 for a teacher that has none
    teacher_parameters: int
    #: microseconds a decision at batch 1 in torch; of a scripted teacher none
    student_latency_us: float
    teacher_latency_us: float | None
    #: of returns: the teacher's interval, the worst episodes, random moves on the same starts, and the share of the
    #: teacher's distance from them with its interval (`lanista_plugins.phases.paired`)
    teacher_low: float | None = None
    teacher_high: float | None = None
    student_worst: float | None = None
    teacher_worst: float | None = None
    random: float | None = None
    random_low: float | None = None
    random_high: float | None = None
    share: float | None = None
    share_low: float | None = None
    share_high: float | None = None
    #: why there is no share
    no_distance: str | None = None

    def card(self) -> dict[str, object]:
        """Plain values for the phase's card; without those that there are none of."""
        return {name: value for name, value in asdict(self).items() if value is not None}

    def problem(self, allowed_loss: float, min_agreement: float) -> str | None:
        """Say what the student lost, if it is more than allowed; a loss of 1 is any."""
        if self.agreement < min_agreement:
            return (
                f"the student's actions agree with its teacher's by {self.agreement:.1%}, "
                f"asked are {min_agreement:.1%}; "
                "give it more steps, a larger network, or another loss"
            )
        if allowed_loss >= 1.0:
            return None
        if self.no_distance is not None:
            return self.no_distance
        if self.share is not None:
            lost = 1.0 - self.share
            unit = (
                f"of its teacher's distance from random moves ({self.student:.4g} against {self.teacher:.4g}, "
                f"random moves {self.random:.4g})"
            )
        else:
            lost, unit = 0.5 - self.student, "of a point a game against its teacher"
        if lost > allowed_loss:
            return (
                f"the student lost {lost:.3f} {unit}, allowed is {allowed_loss:.3f}; "
                "give it more steps, a larger network, or raise allowed_loss"
            )
        return None


def compare_policies(
    make_env: Callable[[int], VecEnv],
    student: Policy,
    teacher: Policy | LiveTeacher,
    episodes: int,
    seed: int,
    slots: int = 64,
) -> Comparison:
    """Play both greedily (against each other, or alone on the same starts) and compare their choices.

    At most `slots` games are in play at once.
    """
    env = make_env(slots)
    env.reset(seed)
    agreed, kl = _agreement(env, student, teacher, seed)
    seats = env.spec.seats
    env.close()
    known: dict[str, Any] = {
        "agreement": agreed,
        "kl": kl,
        "student_parameters": student.num_parameters,
        "teacher_parameters": teacher.num_parameters if isinstance(teacher, Policy) else 0,
        "student_latency_us": _latency(student),
        "teacher_latency_us": _latency(teacher) if isinstance(teacher, Policy) else None,
    }
    if seats == 1:
        starts = SharedStarts(make_env, episodes, slots, seed)
        standing = starts.standing(student, teacher)
        starts.close()
        return Comparison(**known, **_returns(standing))
    # Two greedy players would repeat one game a seat order, so both play a few moves at random.
    varied = [
        greedy_player(policy, seed + place, random_share=_RANDOM_MOVES)
        for place, policy in enumerate((student, teacher))
    ]
    result = play_matches(make_env, varied, episodes, seed)
    tally = result.tally(0, 1)
    low, high = result.interval(0, 1)
    return Comparison(
        **known, measure="score", student=tally.share, student_low=low, student_high=high, teacher=0.5,
        games=tally.games,
    )  # fmt: skip


def _returns(standing: Standing) -> dict[str, Any]:
    """The figures of returns on the same starts."""
    figures: dict[str, Any] = {"measure": "return", "games": len(standing.student)}
    for who in ("student", "teacher", "random"):
        returns = getattr(standing, who)
        low, high = mean_interval([float(value) for value in returns])
        figures |= {who: float(returns.mean()), f"{who}_low": low, f"{who}_high": high}
    figures |= {
        "student_worst": float(standing.student.min()),
        "teacher_worst": float(standing.teacher.min()),
    }
    problem = standing.distance_problem()
    if problem is not None:
        return {**figures, "no_distance": problem}
    low, high = standing.share_interval()
    return {**figures, "share": standing.share, "share_low": low, "share_high": high}


@torch.no_grad()
def _agreement(env: VecEnv, student: Policy, teacher: Policy | LiveTeacher, seed: int) -> tuple[float, float]:
    steps = -(-_STATES // env.num_games)
    # Greedy choices would show one game of a fixed start; real numbers may have a deviation that nobody has taught.
    greedy = all(head.continuous for head in env.spec.heads)
    drivers = Drivers(student, teacher, Driving(greedy=greedy))
    generator = torch.Generator().manual_seed(seed)
    collector = Collector(env, drivers, steps, [], 1.0, generator)  # type: ignore[arg-type]  # it plays as one
    drivers.watch(collector)
    drivers.begin(1.0)
    rollout, _ = collector.collect(1.0)
    theirs = drivers.labels(rollout).logits
    observation, legal, _ = rollout.decided()
    ours = student.network(observation)
    kl = 0.0
    for name, head in student.heads.items():
        mask = legal.get(name)
        rows = head.kl(theirs[name], ours.logits[name], mask)
        asked = mask.num_units if isinstance(mask, UnitTable) else len(rows)
        kl += float(rows.sum()) / max(asked, 1)
    return agreement_of(student, ours.logits, theirs, legal), kl


def agreement_of(
    policy: Policy,
    ours: Mapping[str, Tensor],
    theirs: Mapping[str, Tensor],
    legal: Mapping[str, Any],
) -> float:
    """How far the greedy actions of two policies' logits agree, 0..1: a row counts by its worst head.

    A head of units agrees by the share of a row's units; a row that is asked for nothing does not count.
    """
    shared, asked = [], []
    for spec in policy.card.spec.heads:
        head, mask = policy.heads[spec.name], legal.get(spec.name)
        greedy = [head.greedy(logits[spec.name], mask).numpy() for logits in (ours, theirs)]
        rows, counts = agreement(spec, *greedy), np.ones(1)
        if isinstance(mask, UnitTable):
            counts = mask.counts.numpy()
            rows = np.where(counts > 0, mask.sum(torch.from_numpy(rows)).numpy() / np.maximum(counts, 1), 1.0)
        shared.append(rows)
        asked.append(np.broadcast_to(counts > 0, rows.shape))
    counted = np.stack(shared).min(axis=0)[np.stack(asked).any(axis=0)]
    return float(counted.mean()) if len(counted) else 1.0


@torch.no_grad()
def _latency(policy: Policy, repeats: int = 200) -> float:
    observation = blank_rows(policy.card.spec, 1)
    seconds = []
    for _ in range(repeats):
        started = perf_counter()
        policy.network(observation)
        seconds.append(perf_counter() - started)
    return float(np.median(seconds) * 1e6)
