"""Reward shaping over facts: called once a rollout on whole arrays, never inside the step loop."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from lanista.arrays import BoolArray, FloatArray


@dataclass(frozen=True)
class Passage:
    """What happened in a rollout, as shapers see it. All arrays are ``[T, N, S]`` unless said otherwise."""

    #: fact -> the facts before step t
    before: Mapping[str, FloatArray]
    #: fact -> the facts after step t (the old game's last facts where it ended)
    after: Mapping[str, FloatArray]
    #: ``[T, N]``
    ended: BoolArray
    terminated: BoolArray
    truncated: BoolArray
    #: 0 where the game has not ended
    outcome: FloatArray
    #: the learner's discount of one env step
    gamma: float
    #: share of the phase that is over, 0..1
    progress: float


class Shaper(Protocol):
    """Turns a passage into reward; each named part is logged apart and their sum is the reward."""

    def __call__(self, passage: Passage) -> dict[str, FloatArray]:
        """Give the reward's parts, each ``[T, N, S]`` float32."""


def facts_read(shapers: Iterable[Shaper], facts: Iterable[str]) -> set[str]:
    """Which of an env's facts must be recorded: those that the shapers name, or all if one does not say."""
    every = set(facts)
    return {name for shaper in shapers for name in getattr(shaper, "facts", every)}
