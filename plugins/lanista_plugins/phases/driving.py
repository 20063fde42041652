"""Who plays while states are gathered: teacher or student, one of them for a whole stretch of a game.

The student meets its own mistakes only where it drives, and where it drives only now and then, move by move, the
teacher takes every mistake back at once. So a driver is drawn for a game and keeps it (Ross et al. 2011,
https://arxiv.org/abs/1011.0686, section 3.1, draw it a step; whole episodes are what its analysis is about). Of long
games the driver is drawn anew after `stretch` steps, else a rollout of a thousand steps would know one driver.

What happens once in fifty games is missing from the states of a few dozen: a student that has never been seen off its
way does not find back to it. So a game that goes on into another stretch may get a shove: one random move is held
for some steps.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from lanista.actions import bounds, random_actions
from lanista.arrays import AnyArray, BoolArray, IntArray
from lanista.learning import Rollout
from lanista.policy import Head, Policy, PolicyOutput
from lanista.rollout import Collector
from lanista.spec import HeadSpec
from lanista.teachers import LiveTeacher
from lanista.units import UnitTable


@dataclass(frozen=True)
class Driving:
    """How states are gathered."""

    #: both play greedily, as the student will be played; else by sampled moves
    greedy: bool = True
    #: steps after which a game that goes on gets a driver anew, 1 or more
    stretch: int = 200
    #: most steps for which a random move is held where a game goes on into another stretch, 0 or more; each draws 0 to
    #: this many
    shove: int = 0


#: rows that a teacher labels in one pass: a whole rollout's, eightfold where it averages over symmetries, fit no cache
_AT_ONCE = 1024


class Drivers:
    """Plays a collector's rows by their drivers, and keeps what the teacher says of them: nothing is asked twice.

    Stands where a collector wants its policy. The teacher answers once a step for all rows while it drives any, or
    once for the whole rollout where the student drives alone. One that must see the env (`LiveTeacher`) always
    answers at play time.
    """

    def __init__(self, student: Policy, teacher: Policy | LiveTeacher, driving: Driving) -> None:
        """`watch` tells whose rows, `begin` starts each rollout."""
        self.student = student
        self.teacher = teacher
        self.driving = driving
        #: the chance of a stretch to be driven by the student, 0..1
        self.student_share = 0.0
        #: what is put on top of the teacher's moves: of real numbers a deviation in shares of half the range, of
        #: choices the share that is made at random
        self.teacher_noise = 0.0
        self._said: list[PolicyOutput] = []
        self._asking = True

    @property
    def network(self) -> torch.nn.Module:
        """The student's, for the collector's values."""
        return self.student.network

    def watch(self, collector: Collector) -> None:
        """Play for this collector; no row has a driver yet."""
        self._collector = collector
        rows = len(collector.acting_rows)
        self._seats = rows // collector.env.num_games
        #: ``[R]``: the student drives
        self.by_student: BoolArray = np.ones(rows, np.bool_)
        #: ``[R]``: steps that are left of the stretch, 0 when it is over, -1 in a game that has none yet
        self._left: IntArray = np.full(rows, -1, np.int64)
        self._begun: IntArray = np.zeros(collector.env.num_games, np.int64)
        #: ``[R]``: steps for which a random move is still held, and ``[R, A]`` what it is made of
        self._shoved: IntArray = np.zeros(rows, np.int64)
        self._held = np.zeros((rows, max(head.size for head in collector.env.spec.heads)), np.float32)

    def begin(self, student_share: float, teacher_noise: float = 0.0) -> None:
        """Start a rollout."""
        self.student_share, self.teacher_noise = student_share, teacher_noise
        self._said = []
        # Once asked at a step, the teacher is asked at all steps of the rollout: labels then lie in their order.
        self._asking = (
            isinstance(self.teacher, LiveTeacher) or student_share < 1.0 or not self.by_student.all()
        )

    @torch.no_grad()
    def act(
        self, observation: Mapping[str, Tensor], legal: Mapping[str, Tensor], generator: torch.Generator
    ) -> tuple[dict[str, Tensor], Tensor, Tensor]:
        """Give (action a head, logprob, value), the last two the student's and 0 where it did not drive."""
        rows = self._collector.acting_rows
        self._hand_over(rows, generator)
        moves, logprob, value = self._driven(rows, observation, legal, generator)
        free = torch.from_numpy(self._shoved[rows] <= 0)
        if free.all():
            return moves, logprob, value
        self._shoved[rows] -= 1
        return self._shove(rows, moves, legal, free), logprob * free, value * free

    def _shove(
        self, rows: IntArray, moves: dict[str, Tensor], legal: Mapping[str, Tensor], free: Tensor
    ) -> dict[str, Tensor]:
        """The moves, but random ones in the rows that are not `free`, ``[B]``."""
        shoved = dict(moves)
        for spec in self._collector.env.spec.heads:
            mask: Any = legal.get(spec.name)
            held = self._held[rows, : spec.size]
            allowed: AnyArray | None
            if isinstance(mask, UnitTable):
                held, allowed = held[mask.row.numpy()], mask.legal.numpy()
            else:
                allowed = None if mask is None else mask.numpy()
            random = torch.from_numpy(random_actions(spec, allowed, held))
            own = moves[spec.name]
            shoved[spec.name] = torch.where(_of_actions(free, own, mask), own, random)
        return shoved

    def _driven(
        self,
        rows: IntArray,
        observation: Mapping[str, Tensor],
        legal: Mapping[str, Tensor],
        generator: torch.Generator,
    ) -> tuple[dict[str, Tensor], Tensor, Tensor]:
        """What `act` gives, of the drivers."""
        mine = torch.from_numpy(self.by_student[rows])
        theirs = self._ask_teacher(observation, legal, generator) if self._asking else {}
        moves = None if self.driving.greedy else generator
        if mine.all():
            return self.student.act(observation, legal, moves)
        if not mine.any():
            nothing = torch.zeros(len(rows))
            return theirs, nothing, nothing
        ours, logprob, value = self.student.act(observation, legal, moves)
        mixed = {
            name: torch.where(_of_actions(mine, own, legal.get(name)), own, theirs[name])
            for name, own in ours.items()
        }
        return mixed, logprob * mine, value * mine

    def _hand_over(self, rows: IntArray, generator: torch.Generator) -> None:
        """Draw a driver for each row whose game is new or whose stretch is over."""
        begun = self._collector.games_begun
        fresh = begun != self._begun
        if fresh.any():
            self._left[np.repeat(fresh, self._seats)] = -1
            self._begun[:] = begun
        over = rows[self._left[rows] <= 0]
        if len(over):
            coins = torch.rand(len(over), generator=generator).numpy()
            self.by_student[over] = coins < self.student_share
            if self.driving.shove:
                drawn = torch.rand((len(over), self._held.shape[1] + 1), generator=generator).numpy()
                going_on = self._left[over] == 0
                self._shoved[over] = np.where(going_on, drawn[:, 0] * (self.driving.shove + 1), 0)
                self._held[over] = drawn[:, 1:]
            self._left[over] = self.driving.stretch
        self._left[rows] -= 1

    def _ask_teacher(
        self, observation: Mapping[str, Tensor], legal: Mapping[str, Tensor], generator: torch.Generator
    ) -> dict[str, Tensor]:
        """The teacher's moves in all rows; what it says is kept."""
        rows, specs = self._collector.acting_rows, self._collector.env.spec.heads
        if isinstance(self.teacher, LiveTeacher):
            games, seats = rows // self._seats, rows % self._seats
            actions = self.teacher.labels(self._collector.env, games, seats)
            self._said.append(self.teacher.output(actions))
            moves = {name: torch.from_numpy(np.asarray(action)) for name, action in actions.items()}
        else:
            said = self.teacher.network(dict(observation))
            self._said.append(said)
            moves = {
                name: _move(
                    head, said.logits[name], legal.get(name), None if self.driving.greedy else generator
                )
                for name, head in self.teacher.heads.items()
            }
        if self.teacher_noise:
            for spec in specs:
                mask = legal.get(spec.name)
                moves[spec.name] = noisy(spec, moves[spec.name], mask, self.teacher_noise, generator)
        return moves

    @torch.no_grad()
    def labels(self, rollout: Rollout) -> PolicyOutput:
        """What the teacher says of the rows of the rollout that acted, in the order of ``array[rollout.learn]``."""
        said = self._said
        if not said:
            assert not isinstance(self.teacher, LiveTeacher)  # it was asked at every step
            observation = rollout.decided()[0]
            said = [
                self.teacher.network(
                    {name: part[start : start + _AT_ONCE] for name, part in observation.items()}
                )
                for start in range(0, max(1, int(rollout.learn.sum())), _AT_ONCE)
            ]
        logits = {name: torch.cat([part.logits[name] for part in said]) for name in said[0].logits}
        return PolicyOutput(logits, torch.cat([part.value for part in said]))

    def state(self) -> dict[str, AnyArray]:
        """Who drives which row, and for how long."""
        fresh = self._collector.games_begun != self._begun
        kept = {"by_student": self.by_student.copy(), "left": self._left.copy(), "fresh": fresh}
        kept |= {"shoved": self._shoved.copy(), "held": self._held.copy()}
        if isinstance(self.teacher, LiveTeacher):
            kept |= {f"teacher.{name}": array for name, array in self.teacher.state().items()}
        return kept

    def load_state(self, state: Mapping[str, AnyArray]) -> None:
        """Take back what `state` gave, for games that go on where they were."""
        self.by_student[:], self._left[:] = state["by_student"], state["left"]
        self._shoved[:], self._held[:] = state["shoved"], state["held"]
        self._begun[:] = self._collector.games_begun - state["fresh"]
        if isinstance(self.teacher, LiveTeacher):
            self.teacher.load_state(
                {name[8:]: array for name, array in state.items() if name.startswith("teacher.")}
            )


def _move(head: Head, logits: Tensor, legal: Tensor | None, generator: torch.Generator | None) -> Tensor:
    return head.greedy(logits, legal) if generator is None else head.sample(logits, legal, generator)[0]


def _of_actions(rows: Tensor, action: Tensor, legal: Any) -> Tensor:  # noqa: ANN401 - a mask or a table of units
    """A number a row, ``[B]``, in the shape of an action: of units, that of their rows."""
    rows = rows[legal.row] if isinstance(legal, UnitTable) else rows
    return rows.view(-1, *[1] * (action.ndim - 1))


def noisy(
    spec: HeadSpec,
    action: Tensor,
    legal: Any,  # noqa: ANN401 - a mask, a table of units or None
    noise: float,
    generator: torch.Generator,
) -> Tensor:
    """Put noise on moves: normal on real numbers, within the bounds; a share of choices is made at random."""
    if spec.continuous:
        low, high = (torch.from_numpy(bound) for bound in bounds(spec))
        wide = noise * (high - low) / 2.0
        moved = action + wide * torch.randn(action.shape, generator=generator)
        return torch.minimum(torch.maximum(moved, low), high)
    drawn = torch.rand((len(action), spec.size), generator=generator).numpy()
    mask = legal.legal if isinstance(legal, UnitTable) else legal
    random = torch.from_numpy(random_actions(spec, None if mask is None else mask.numpy(), drawn))
    return torch.where(torch.rand(len(action), generator=generator) < noise, random, action)
