"""The final comparison of a student with its teacher: agreement, KL, and strength with an interval."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from time import perf_counter

import numpy as np
import torch
from torch import Tensor

from lanista.actions import agreement
from lanista.env import VecEnv
from lanista.intervals import mean_interval
from lanista.matches import evaluate_returns, play_matches
from lanista.policy import Policy
from lanista.policy_player import PolicyPlayer
from lanista.rollout import Collector

_STATES = 2048
#: share of random moves in games of student against teacher
_RANDOM_MOVES = 0.1


@dataclass(frozen=True)
class Comparison:
    """What a student's card says of it and its teacher."""

    #: share of the student's own states in which both choose the same greedy action; of real numbers 1 less
    #: the mean distance in shares of the range
    agreement: float
    #: mean KL(teacher || student) over those states, nats
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
    teacher_parameters: int
    #: microseconds a decision at batch 1 in torch
    student_latency_us: float
    teacher_latency_us: float

    def card(self) -> dict[str, object]:
        """Plain values for the phase's card."""
        return asdict(self)

    def problem(self, allowed_loss: float, min_agreement: float) -> str | None:
        """Say what the student lost, if it is more than allowed."""
        if self.agreement < min_agreement:
            return (
                f"the student's actions agree with its teacher's by {self.agreement:.1%}, "
                f"asked are {min_agreement:.1%}; "
                "give it more steps, a larger network, or another loss"
            )
        if self.measure == "score":
            lost, unit = 0.5 - self.student, "of a point a game against its teacher"
        else:
            lost = (self.teacher - self.student) / max(abs(self.teacher), 1e-9)
            unit = f"of its teacher's return ({self.student:.4g} against {self.teacher:.4g})"
        if lost > allowed_loss:
            return (
                f"the student lost {lost:.3f} {unit}, allowed is {allowed_loss:.3f}; "
                "give it more steps, a larger network, or raise allowed_loss"
            )
        return None


def compare_policies(
    make_env: Callable[[int], VecEnv], student: Policy, teacher: Policy, episodes: int, seed: int
) -> Comparison:
    """Play both greedily (against each other, or alone on the same start states) and compare their choices."""
    env = make_env(64)
    env.reset(seed)
    agreed, kl = _agreement(env, student, teacher, seed)
    seats = env.spec.seats
    env.close()
    if seats == 1:
        players = [PolicyPlayer(policy, seed, greedy=True) for policy in (student, teacher)]
        alone = make_env(episodes)
        mine, theirs = (evaluate_returns(alone, player, episodes, seed) for player in players)
        alone.close()
        low, high = mean_interval([float(value) for value in mine])
        measured = ("return", float(mine.mean()), low, high, float(theirs.mean()), episodes)
    else:
        # Two greedy players would repeat one game a seat order, so both play a few moves at random.
        varied = [
            PolicyPlayer(policy, seed + place, greedy=True, random_share=_RANDOM_MOVES)
            for place, policy in enumerate((student, teacher))
        ]
        tally = play_matches(make_env, varied, episodes, seed).tally(0, 1)
        low, high = tally.interval()
        measured = ("score", tally.share, low, high, 0.5, tally.games)
    return Comparison(
        agreed,
        kl,
        *measured,
        student_parameters=student.num_parameters,
        teacher_parameters=teacher.num_parameters,
        student_latency_us=_latency(student),
        teacher_latency_us=_latency(teacher),
    )


@torch.no_grad()
def _agreement(env: VecEnv, student: Policy, teacher: Policy, seed: int) -> tuple[float, float]:
    steps = -(-_STATES // env.num_games)
    generator = torch.Generator().manual_seed(seed)
    rollout, _ = Collector(env, student, steps, [], 1.0, generator).collect(1.0)
    acted = rollout.learn
    observation = {name: torch.from_numpy(part[acted]) for name, part in rollout.observation.items()}
    ours, theirs = student.network(observation).logits, teacher.network(observation).logits
    legal = {name: torch.from_numpy(mask[acted]) for name, mask in rollout.legal.items()}
    kl = sum(
        float(head.kl(theirs[name], ours[name], legal.get(name)).mean())
        for name, head in student.heads.items()
    )
    return agreement_of(student, ours, theirs, legal), kl


def agreement_of(
    policy: Policy,
    ours: Mapping[str, Tensor],
    theirs: Mapping[str, Tensor],
    legal: Mapping[str, Tensor],
) -> float:
    """How far the greedy actions of two policies' logits agree, 0..1: a row counts by its worst head."""
    shared = []
    for spec in policy.card.spec.heads:
        head, mask = policy.heads[spec.name], legal.get(spec.name)
        greedy = [head.greedy(logits[spec.name], mask).numpy() for logits in (ours, theirs)]
        shared.append(agreement(spec, *greedy))
    return float(np.stack(shared).min(axis=0).mean())


@torch.no_grad()
def _latency(policy: Policy, repeats: int = 200) -> float:
    dtypes = {"float32": torch.float32, "int8": torch.int8, "int32": torch.int32, "uint8": torch.uint8}
    observation = {
        part.name: torch.zeros((1, *part.shape), dtype=dtypes[part.dtype])
        for part in policy.card.spec.observation
    }
    seconds = []
    for _ in range(repeats):
        started = perf_counter()
        policy.network(observation)
        seconds.append(perf_counter() - started)
    return float(np.median(seconds) * 1e6)
