"""Whether a student is good enough, and which of its averages is handed on: both by tests on shared starts."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from lanista.arrays import AnyArray
from lanista.errors import LanistaError
from lanista.named_arrays import as_arrays, as_tensors, copied_weights, prefixed, under
from lanista.phases import PhaseContext
from lanista.policy import Policy
from lanista.teachers import LiveTeacher
from lanista_plugins.phases.measure import Measurement
from lanista_plugins.phases.paired import SharedStarts, better_place, greedy_player
from lanista_plugins.phases.settings import DistillUntil

#: share of a phase after which candidates are kept
_LATE = 0.75


class ShareJudge:
    """Measures the student's share of the teacher's distance from random moves, on starts that all three play."""

    def __init__(
        self, context: PhaseContext, until: DistillUntil, teacher: Policy | LiveTeacher, slots: int
    ) -> None:
        """At most `slots` games are in play at once; nothing is built before it is asked."""
        self._phase = context.name
        self._until = until
        self._teacher = teacher
        self._starts = SharedStarts(
            context.make_measuring_env, until.episodes, slots, context.derive("measure", 0)
        )

    def __call__(self, student: Policy, seed: int) -> Measurement:
        """Give the share; it passes by the lower end of its interval. Raises LanistaError for a useless teacher."""
        goal = self._until.share_at_least
        assert goal is not None  # else nobody asks
        standing = self._starts.standing(student, self._teacher, seed)
        problem = standing.distance_problem()
        if problem is not None:
            raise LanistaError(f"phase {self._phase!r}: {problem}")
        low, _ = standing.share_interval(self._until.confidence)
        metrics = {
            "share": standing.share,
            "share_low": low,
            "greedy_return": float(standing.student.mean()),
            "greedy_return_min": float(standing.student.min()),
            "teacher_return": float(standing.teacher.mean()),
        }
        return Measurement(standing.share, low >= goal, metrics)

    def close(self) -> None:
        """Let go of the env."""
        self._starts.close()


class Candidates:
    """Averages out of a phase's last quarter, to be tried against its last one."""

    def __init__(self, wanted: int) -> None:
        """Keep at most `wanted`, evenly spread."""
        self._wanted = wanted
        self.kept: list[dict[str, Tensor]] = []

    def after_update(self, policy: Policy, progress: float) -> None:
        """Keep the policy's weights if another share of the last quarter is over."""
        due = int((progress - _LATE) / (1.0 - _LATE) * (self._wanted + 1)) if progress >= _LATE else -1
        if len(self.kept) <= min(due, self._wanted - 1):
            self.kept.append(copied_weights(policy.network))

    def choose(self, policy: Policy, measured: Mapping[str, Tensor] | None, starts: SharedStarts) -> str:
        """Leave the weights that are to be handed on in `policy`, whose last ones they are now, and say which."""
        tried: list[Mapping[str, Tensor]] = [*self.kept, *([] if measured is None else [measured])]
        if not tried:
            return "last"
        tried.append(copied_weights(policy.network))
        returns = []
        for weights in tried:
            policy.network.load_state_dict(dict(weights))
            returns.append(starts.returns(greedy_player(policy, 0)))
        place = better_place(returns)
        policy.network.load_state_dict(dict(tried[place]))
        if place == len(tried) - 1:
            return f"last, none of {place} others being better on {starts.episodes} shared starts"
        return f"better than the last on {starts.episodes} shared starts"

    def state(self) -> dict[str, AnyArray]:
        """The weights kept."""
        arrays: dict[str, Any] = {}
        for place, weights in enumerate(self.kept):
            arrays |= prefixed(str(place), as_arrays(weights))
        return arrays

    def load_state(self, state: Mapping[str, AnyArray]) -> None:
        """Take back what `state` gave."""
        count = len({name.partition(".")[0] for name in state})
        self.kept = [as_tensors(under(str(place), state)) for place in range(count)]
